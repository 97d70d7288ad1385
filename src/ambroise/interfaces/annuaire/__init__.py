"""The API FHIR Annuaire Santé v2, under `/annuaire/fhir/v2`: read only, for any signed-in caller.

The token goes in `Authorization: Bearer …`, or in `ESANTE-API-KEY`, where clients of the national API put their key.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson
import psycopg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.annuaire.capability import capability
from ambroise.interfaces.fhir_rest.faults import as_refusal
from ambroise.interfaces.fhir_rest.outcome import headers_of, outcome_bytes, status_of
from ambroise.interfaces.oauth.wire import holder_of
from ambroise.interfaces.services import Services
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.directory.api import PublishedPage, read_published, search_published
from ambroise.trust.context import Context, System

__all__ = ["PATH", "routes"]

PATH: Final = "/annuaire/fhir/v2"
_log = logger(__name__)
_FORM: Final = 64 * 1024
# The national API answers 17 calls a second and application.
_PER_SECOND: Final = 17
_REMEMBERED: Final = 10_000

Pairs = list[tuple[str, str]]


class Pace:
    """How many calls each caller made in the present second, in this process."""

    def __init__(self) -> None:
        self._second = 0
        self._calls: dict[int, int] = {}

    def count(self, caller: int) -> None:
        """Count a call; refuse (TOO_MANY_CALLS) those beyond the pace."""
        second = int(time.monotonic())
        if second != self._second or len(self._calls) > _REMEMBERED:
            self._second, self._calls = second, {}
        self._calls[caller] = self._calls.get(caller, 0) + 1
        if self._calls[caller] > _PER_SECOND:
            text = f"The directory answers {_PER_SECOND} calls a second; slow down."
            raise Refusal(Kind.THROTTLED, "TOO_MANY_CALLS", text, data={"retry_after": 1})


def routes(services: Services) -> Sequence[BaseRoute]:
    """The routes of the published directory."""
    chosen = services.settings.public_url
    pace = Pace()

    def base(request: Request) -> str:
        """The address of this interface, as its callers know it."""
        return f"{chosen.rstrip('/') if chosen else str(request.base_url).rstrip('/')}{PATH}"

    async def context(request: Request) -> Context:
        key = request.headers.get("esante-api-key")
        said = request.headers.get("authorization") or (f"Bearer {key}" if key else None)
        ctx = await services.authenticator.context(said, holder_of(request), "partner")
        if not isinstance(ctx.actor, System):
            pace.count(ctx.actor.key)
        return ctx

    async def metadata(request: Request) -> Response:
        return _fhir(200, capability(base(request), services.clock.now()))

    async def search(request: Request) -> Response:
        await context(request)
        return await _search(request, request.path_params["type"], _pairs(request.scope["query_string"]))

    async def search_by_post(request: Request) -> Response:
        await context(request)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _FORM:
                raise Refusal(Kind.TOO_LARGE, "TOO_LARGE", "The form is larger than 64 KB.")
        pairs = [*_pairs(request.scope["query_string"]), *_pairs(bytes(body))]
        return await _search(request, request.path_params["type"], pairs)

    async def _search(request: Request, type: str, pairs: Pairs) -> Response:
        async with services.database.reader() as reader:
            page = await search_published(reader, type, pairs)
        return _fhir(200, _bundle(base(request), type, page))

    async def read(request: Request) -> Response:
        await context(request)
        async with services.database.reader() as reader:
            return _fhir(200, await read_published(reader, request.path_params["type"], request.path_params["id"]))

    def route(path: str, method: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(f"{PATH}/{path}", _guarded(answer), methods=[method])

    return [
        route("metadata", "GET", metadata),
        route("{type}/_search", "POST", search_by_post),
        route("{type}", "GET", search),
        route("{type}/{id}", "GET", read),
    ]


def _guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            return _refused(refusal)
        except psycopg.Error as error:
            refusal = as_refusal(error)
            if refusal is None:
                _log.exception("annuaire_failed")
                refusal = Refusal(Kind.UNAVAILABLE, "INTERNAL_ERROR", "Something went wrong on our side.")
            return _refused(refusal)

    return guarded


def _pairs(raw: bytes) -> Pairs:
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        text = "The parameters are not URL-encoded UTF-8, or exceed 100."
        raise Refusal(Kind.INVALID, "QUERY_MALFORMED", text) from None


def _bundle(base: str, type: str, page: PublishedPage) -> dict[str, Any]:
    asked = list(page.search.asked)
    links = [{"relation": "self", "url": f"{base}/{type}{_query(asked)}"}]
    if page.next is not None:
        links.append({"relation": "next", "url": f"{base}/{type}{_query([*asked, ('_cursor', page.next)])}"})
    entries = [_entry(base, one, "match") for one in page.matches]
    entries += [_entry(base, one, "include") for one in page.included]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if page.total is not None:
        bundle["total"] = page.total
    if entries:
        bundle["entry"] = entries
    return bundle


def _entry(base: str, one: dict[str, Any], mode: str) -> dict[str, Any]:
    return {"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": mode}}


def _query(pairs: Pairs) -> str:
    return f"?{urlencode(pairs)}" if pairs else ""


def _refused(refusal: Refusal) -> Response:
    return _answer(status_of(refusal), outcome_bytes(refusal), headers_of(refusal))


def _fhir(status: int, resource: dict[str, Any]) -> Response:
    return _answer(status, orjson.dumps(resource), {})


def _answer(status: int, body: bytes, headers: Any) -> Response:
    kept = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff", **headers}
    return Response(body, status, kept, "application/fhir+json")
