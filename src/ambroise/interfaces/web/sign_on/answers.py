"""What goes between our pages and clients: parameters in, the browser back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response

from ambroise.interfaces.web.ui.security import page_headers
from ambroise.interfaces.web.ui.visit import Visit, read_form
from ambroise.kernel.errors import Kind, Refusal

_MOST_FORM = 64 * 1024


def send_back(visit: Visit, redirect_uri: str, values: Mapping[str, str | None]) -> Response:
    """Send the browser back to a registered address of the client, with an answer."""
    query = urlencode({name: value for name, value in values.items() if value is not None})
    target = f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}"
    headers = {**page_headers(secure=visit.request.url.scheme == "https"), "cache-control": "no-store"}
    return RedirectResponse(target, 303, headers)


async def parameters(http: HttpRequest) -> dict[str, list[str]]:
    """The parameters of a request, each with every value it was given."""
    given: dict[str, list[str]] = {}
    pairs = http.query_params.multi_items()
    if http.method == "POST":
        announced = http.headers.get("content-length", "")
        if not announced.isdecimal() or int(announced) > _MOST_FORM:
            raise Refusal(Kind.TOO_LARGE, "TOO_LARGE", "The form is too large.")
        form = await read_form(http, most_files=0, most_fields=50)
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    for name, value in pairs:
        if "\x00" in value:
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", "A parameter holds the sign NUL.")
        given.setdefault(name, []).append(value)
    return given


def shown(refusal: Refusal) -> Refusal:
    """A refusal for the eyes of a person: nobody can sign in to mend it."""
    if refusal.kind is Kind.UNAUTHENTICATED:
        return Refusal(Kind.INVALID, refusal.code, refusal.diagnostics)
    return refusal


def address_of(http: HttpRequest) -> str:
    return f"{http.url.scheme}://{http.headers.get('host', '')}"


def origin_of(uri: str) -> str:
    """What a content security policy names: the origin of a web address, the scheme of an application."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
