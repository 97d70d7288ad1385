"""Handing a message to a push service (RFC 8030)."""

from __future__ import annotations

import asyncio
import ssl
from enum import Enum
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.modules.notification.push.encryption import encrypt
from ambroise.modules.notification.push.services import NotAllowed, PushServices
from ambroise.modules.notification.push.text import unb64
from ambroise.modules.notification.push.vapid import Vapid

_TTL: Final = 24 * 3600
_SECONDS: Final = 8
_GONE: Final = (404, 410)


class Outcome(Enum):
    """What a push service answered."""

    TAKEN = "taken"
    GONE = "gone"
    """The browser asked no more, or was thrown away (RFC 8030, 7.3): it is forgotten."""
    REFUSED = "refused"
    LATER = "later"


class Browser(Struct, frozen=True):
    """Where one browser hears, and its keys in base64url."""

    endpoint: str
    key: str
    auth: str


class Pusher(Struct, frozen=True):
    """Sends to browsers, as this instance."""

    vapid: Vapid
    services: PushServices
    clock: Clock

    async def send(self, browser: Browser, message: bytes, *, topic: str, urgent: bool) -> Outcome:
        """Hand one message over. `topic`: a later message of this topic takes the place of one not shown yet."""
        import httpx

        try:
            place = await self.services.place(browser.endpoint)
            body = encrypt(message, unb64(browser.key), unb64(browser.auth))
        except (NotAllowed, ValueError):
            return Outcome.REFUSED
        except OSError:
            return Outcome.LATER
        secure = urlsplit(browser.endpoint).scheme == "https"
        host = f"[{place.address}]" if ":" in place.address else place.address
        headers = {
            "host": urlsplit(browser.endpoint).netloc,
            "authorization": self.vapid.authorization(browser.endpoint, self.clock.now()),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(_TTL),
            "topic": topic,
            "urgency": "high" if urgent else "normal",
        }
        address = f"{'https' if secure else 'http'}://{host}:{place.port}{place.target}"
        try:
            async with (
                asyncio.timeout(_SECONDS),
                httpx.AsyncClient(verify=_trust(), trust_env=False, follow_redirects=False) as client,
            ):
                request = client.build_request("POST", address, content=body, headers=headers)
                request.extensions["sni_hostname"] = place.host
                answer = await client.send(request, stream=True)
                await answer.aclose()
        except (httpx.HTTPError, TimeoutError, OSError):
            return Outcome.LATER
        return _outcome(answer.status_code)


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.TAKEN
    if status in _GONE:
        return Outcome.GONE
    return Outcome.LATER if status == 429 or status >= 500 else Outcome.REFUSED


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
