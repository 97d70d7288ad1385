"""Requests and answers as OAuth writes them: forms in, JSON out, errors with what to do about them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ambroise.kernel.crypto.certificates import ClientCertificate
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.provider.api import TYPE, Presented, Unmet

_log = logger(__name__)

_LARGEST = 64 * 1024
_FIELDS = 50
_NEVER_KEPT = {"cache-control": "no-store", "pragma": "no-cache", "x-content-type-options": "nosniff"}
_ERRORS = frozenset(
    {
        "INVALID_REQUEST", "INVALID_CLIENT", "INVALID_GRANT", "UNAUTHORIZED_CLIENT", "UNSUPPORTED_GRANT_TYPE",
        "INVALID_SCOPE", "INVALID_TOKEN", "INSUFFICIENT_SCOPE", "UNSUPPORTED_TOKEN_TYPE", "ACCESS_DENIED",
        "AUTHORIZATION_PENDING", "SLOW_DOWN", "EXPIRED_TOKEN", "UNKNOWN_USER_ID", "INVALID_BINDING_MESSAGE",
        "MISSING_USER_CODE", "INVALID_TARGET", "INVALID_REDIRECT_URI", "INVALID_CLIENT_METADATA",
    }
)  # fmt: skip
_STATUS = {
    Kind.UNAUTHENTICATED: 401, Kind.FORBIDDEN: 403, Kind.NOT_FOUND: 404, Kind.THROTTLED: 429, Kind.UNAVAILABLE: 503,
    Kind.TOO_LARGE: 413, Kind.CONFLICT: 409, Kind.UNSUPPORTED_MEDIA: 415,
}  # fmt: skip

Answer = Callable[[Request], Awaitable[Response]]


def endpoint(path: str, answer: Answer, *methods: str) -> Route:
    """A route that answers refusals as OAuth errors, and never says more of a fault of ours."""

    async def guarded(request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            return error(request, refusal)
        except Unmet as unmet:
            return json({"error": unmet.error, "error_description": unmet.description}, 400)
        except Exception:
            _log.exception("oauth_failed", path=path)
            body = {"error": "server_error", "error_description": "The provider failed. Try again in a moment."}
            return json(body, 500)

    return Route(path, guarded, methods=list(methods))


def json(body: Any, status: int = 200, *, keep: int = 0) -> Response:
    """A JSON answer, that a cache keeps for so many seconds."""
    headers = {**_NEVER_KEPT} if not keep else {"cache-control": f"public, max-age={keep}"}
    return Response(orjson.dumps(body), status, headers, "application/json")


def error(request: Request, refusal: Refusal) -> Response:
    """A refusal as an OAuth error."""
    known = refusal.code in _ERRORS
    name = refusal.code.lower() if known else "temporarily_unavailable" if _later(refusal) else "invalid_request"
    response = json({"error": name, "error_description": refusal.diagnostics}, _STATUS.get(refusal.kind, 400))
    if refusal.code == "INVALID_CLIENT" and request.headers.get("authorization", "").lower().startswith("basic"):
        response.headers["www-authenticate"] = 'Basic realm="ambroise"'
    if refusal.code in ("INVALID_TOKEN", "INSUFFICIENT_SCOPE"):
        # A header takes ASCII (RFC 6750 §3).
        said = refusal.diagnostics.replace('"', "'").encode("ascii", "replace").decode()
        response.headers["www-authenticate"] = f'Bearer error="{name}", error_description="{said}"'
    if "seconds" in refusal.data:
        response.headers["retry-after"] = str(refusal.data["seconds"])
    return response


def _later(refusal: Refusal) -> bool:
    return refusal.kind in (Kind.THROTTLED, Kind.UNAVAILABLE)


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, each sent once and not blank (RFC 6749 §3.1)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Send a form: application/x-www-form-urlencoded.")
    sent = await body(request, _LARGEST)
    fields: dict[str, str] = {}
    try:
        pairs = parse_qsl(sent.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", "The form cannot be read.") from None
    for name, value in pairs:
        if name in fields:
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", f"Send {name} once.")
        if "\x00" in value:
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", "A field holds the sign NUL.")
        fields[name] = value
    return {name: value for name, value in fields.items() if value}


async def body(request: Request, most: int) -> bytes:
    """What a request carries, up to so many bytes."""
    sent, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        sent += message.get("body", b"")
        if len(sent) > most:
            raise Refusal(Kind.TOO_LARGE, "INVALID_REQUEST", f"Send {most} bytes at most.")
        more = message.get("more_body", False)
    return sent


def presented(request: Request, fields: dict[str, str]) -> Presented:
    """What a request says of its client: HTTP Basic, or the form, never both (RFC 6749 §2.3)."""
    address = request.client.host if request.client else ""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return _in_form(fields, address, certificate_of(request))
    try:
        name, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(Kind.UNAUTHENTICATED, "INVALID_CLIENT", "The Basic credentials cannot be read.") from None
    id = unquote_plus(name)
    if {"client_secret", "client_assertion"} & fields.keys() or fields.get("client_id", id) != id:
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Prove who the client is in one way only.")
    return Presented(id, unquote_plus(secret), address=address)


def certificate_of(request: Request) -> ClientCertificate | None:
    """The certificate that the client showed in its handshake, on the port where it may."""
    return request.scope.get("extensions", {}).get("tls", {}).get("client_certificate")


def holder_of(request: Request) -> str | None:
    """The thumbprint of that certificate, which a bound token wants (RFC 8705)."""
    certificate = certificate_of(request)
    return certificate.thumbprint if certificate else None


def _in_form(fields: dict[str, str], address: str, certificate: ClientCertificate | None) -> Presented:
    assertion = fields.get("client_assertion")
    if assertion is not None and (fields.get("client_assertion_type") != TYPE or "client_secret" in fields):
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", f"Send client_assertion_type={TYPE}, and no secret beside.")
    return Presented(fields.get("client_id"), fields.get("client_secret"), assertion, address, certificate)


def bearer(request: Request, fields: dict[str, str] | None = None) -> str:
    """The access token of a request (RFC 6750), from the header or the form."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    if fields and "access_token" in fields:
        return fields["access_token"]
    raise Refusal(Kind.UNAUTHENTICATED, "INVALID_TOKEN", "Send `Authorization: Bearer` with an access token.")


def address_of(request: Request) -> str:
    """The address by which somebody came: scheme and host."""
    return f"{request.scope.get('scheme', 'http')}://{request.headers.get('host', '')}"
