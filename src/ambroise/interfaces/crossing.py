"""Browser applications of other sites (CORS, the Fetch standard): those that are registered read what machines read.

A browser lets a page of another site read our answers only if we say so, by its origin. We say so to the origins
where public clients are registered to come back (`redirect_uris`), for the interfaces that answer to a token: never to
another one, never for pages, and never with cookies, so that no session of a portal serves anybody else's page.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ambroise.kernel.db import Database
from ambroise.modules.identity.provider.api import public_redirections

_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED: Final = "authorization, content-type, accept, if-match, if-none-match, if-none-exist, if-modified-since, prefer"
_TOLD: Final = "content-location, etag, last-modified, location, retry-after, www-authenticate"
_KEPT_SECONDS: Final = "600"


class Crossing:
    """Lets registered origins read these addresses. `under`: addresses and what is below; `exact`: those alone."""

    def __init__(self, inside: ASGIApp, database: Database, under: Collection[str], exact: Collection[str]) -> None:
        self._inside = inside
        self._database = database
        self._under = tuple(f"{path}/" for path in under)
        self._exact = frozenset((*under, *exact))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._open(scope["path"]):
            await self._inside(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or _is_home(scope, headers, origin):
            await self._inside(scope, receive, send)
            return
        known = await self._registered(origin)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(origin if known else None)(scope, receive, send)
            return
        await self._inside(scope, receive, _telling(send, origin) if known else _varying(send))

    def _open(self, path: str) -> bool:
        return path in self._exact or path.startswith(self._under)

    async def _registered(self, origin: str) -> bool:
        """Whether a public client comes back there; asked each time, so that a suspended one is out at once."""
        async with self._database.reader() as reader:
            return origin in {origin_of(uri) for uri in await public_redirections(reader)}


def origin_of(address: str) -> str | None:
    """The origin of an address as a browser writes it; None for what has none (an app's own scheme)."""
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _is_home(scope: Scope, headers: Headers, origin: str) -> bool:
    return origin == f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"


def _preflight(origin: str | None) -> Response:
    if origin is None:
        return Response(status_code=403, headers={"vary": "origin"})
    return Response(
        status_code=204,
        headers={
            "access-control-allow-origin": origin,
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": _ASKED,
            "access-control-max-age": _KEPT_SECONDS,
            "vary": "origin",
        },
    )


def _telling(send: Send, origin: str) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["access-control-allow-origin"] = origin
            headers["access-control-expose-headers"] = _TOLD
            headers.add_vary_header("origin")
        await send(message)

    return told


def _varying(send: Send) -> Send:
    async def varied(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("origin")
        await send(message)

    return varied
