"""Reading a request's body no further than its limit."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from ambroise.modules.identity.api import insi_failures as failures

MAX_BYTES: Final = 64 * 1024


async def read_body(request: Request) -> bytes:
    """The whole body. Refuses INSI_TOO_LARGE as soon as it passes 64 KB."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BYTES:
            failures.TOO_LARGE.raised()
    return bytes(received)
