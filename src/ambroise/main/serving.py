"""The web server of an instance."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from ambroise.interfaces.services import Services
from ambroise.main.app import build
from ambroise.main.http import HttpProtocol
from ambroise.main.secure import SecureFront

_GRACE_SECONDS = 10
_LARGEST_MESSAGE = 64 * 1024


async def serve_until(
    stop: asyncio.Event,
    services: Services,
    sockets: list[socket.socket],
    front: SecureFront | None,
    announcement: str,
) -> None:
    """Answer on the sockets, and behind the TLS front, until told to stop; prints the announcement once it answers."""
    app = build(services)
    proxies = services.settings.trusted_proxies
    chosen = config(app, http=HttpProtocol, proxy_headers=True, forwarded_allow_ips=proxies)
    server = _Server(chosen, announcement)
    # No proxy stands before this one, which sees the certificates itself.
    behind = _Server(config(app, proxy_headers=False, **front.options(services.clock)), "") if front else None
    # What start-up made lives as long as the process, and hardly any of it is garbage: looking through it now, or at
    # each collection, is time lost.
    gc.freeze()
    waiter = asyncio.create_task(_stop(stop, *((server, behind) if behind else (server,))))
    async with asyncio.TaskGroup() as serving:
        if front is not None and behind is not None:
            serving.create_task(behind.serve(sockets=front.sockets))
        serving.create_task(server.serve(sockets=sockets))
    waiter.cancel()


def config(app: ASGIApp, **more: Any) -> uvicorn.Config:
    """How uvicorn serves an application of ours, WebSockets included."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        **more,
    )


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
        if self.started and self._announcement:
            print(self._announcement, flush=True)


async def _stop(stop: asyncio.Event, *servers: uvicorn.Server) -> None:
    await stop.wait()
    for server in servers:
        server.should_exit = True
