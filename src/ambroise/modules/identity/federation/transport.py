"""Talking to partners: few addresses, all of the operator's or of the partner's own metadata; never a visitor's.

No redirection, no proxy of the environment, little time, little room; https, except on this machine. The library is
loaded by the first call and not at each start.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ambroise.modules.identity.federation.model import Partner, is_loopback

if TYPE_CHECKING:
    import httpx

_SECONDS: Final = 5
_CONNECT_SECONDS: Final = 3
_WHOLE_SECONDS: Final = 8
_LARGEST: Final = 256 * 1024


class Unreachable(Exception):
    """A partner did not answer as it should; the text says how, for the log."""


class Answer(Struct, frozen=True):
    """What a partner answered."""

    status: int
    type: str
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body, as a JSON object. Raises Unreachable."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreachable("the answer is not a JSON object") from error


async def get(partner: Partner, address: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Read an address of a partner. Raises Unreachable."""
    return await _send(partner, "GET", address, headers)


async def post(
    partner: Partner, address: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Answer:
    """Send a form to a partner. Raises Unreachable."""
    return await _send(partner, "POST", address, headers, dict(fields))


def allowed(partner: Partner, address: str) -> bool:
    """Whether we may call, or send people to, this address that a partner's metadata gives."""
    parts = urlsplit(address)
    if parts.username or parts.password or not parts.hostname:
        return False
    if is_loopback(address):
        # A partner elsewhere has no business with what listens on this machine.
        return partner.local and parts.scheme in ("http", "https")
    return parts.scheme == "https"


def _checked(partner: Partner, address: str) -> str:
    if not allowed(partner, address):
        raise Unreachable(f"its address {address!r} is not allowed")
    return address


async def _send(
    partner: Partner,
    method: str,
    address: str,
    headers: Mapping[str, str] | None,
    fields: Mapping[str, str] | None = None,
) -> Answer:
    import httpx

    request = httpx.Request(method, _checked(partner, address), data=fields, headers=headers)
    request.headers["accept"] = "application/json, application/jwt"
    try:
        async with (
            asyncio.timeout(_WHOLE_SECONDS),
            httpx.AsyncClient(
                verify=_trust(partner.authority),
                timeout=httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
                trust_env=False,
                follow_redirects=False,
            ) as client,
        ):
            response = await client.send(request, stream=True)
            try:
                body = await _bounded(response)
            finally:
                await response.aclose()
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        raise Unreachable(f"{type(error).__name__} at {request.url.host}") from error
    return Answer(response.status_code, response.headers.get("content-type", "").partition(";")[0].strip(), body)


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST:
            raise Unreachable("the answer is too large")
    return bytes(body)


@lru_cache(maxsize=16)
def _trust(authority: Path | None) -> ssl.SSLContext:
    """The authorities that sign the partner's certificate: the usual ones, or the operator's own."""
    return ssl.create_default_context(cafile=str(authority) if authority else None)
