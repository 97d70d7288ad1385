"""The web server of an instance."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn

from ambroise.interfaces.services import Services
from ambroise.main.app import build
from ambroise.main.http import HttpProtocol

_GRACE_SECONDS = 10


async def serve_until(stop: asyncio.Event, services: Services, sockets: list[socket.socket], announcement: str) -> None:
    """Answer on the sockets until told to stop; prints the announcement once it answers."""
    config = uvicorn.Config(
        build(services),
        loop="uvloop",
        http=HttpProtocol,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=services.settings.trusted_proxies,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, announcement)
    # What start-up made lives as long as the process, and hardly any of it is garbage: looking through it now, or at
    # each collection, is time lost.
    gc.freeze()
    waiter = asyncio.create_task(_stop(stop, server))
    await server.serve(sockets=sockets)
    waiter.cancel()


class _Server(uvicorn.Server):
    """Uvicorn, with our own signals, saying when it answers."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # The instance handles them: it has a database to stop after the server.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._announcement, flush=True)


async def _stop(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True
