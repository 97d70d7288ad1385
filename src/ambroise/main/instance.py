"""A running instance: one process that serves and works until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Awaitable, Generator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, nullcontext, suppress
from typing import Any

import uvicorn

from ambroise.kernel.log import configure, logger
from ambroise.kernel.postgres import EmbeddedPostgres, locks
from ambroise.kernel.settings import Settings
from ambroise.main import app as asgi
from ambroise.main.composition import Application, compose
from ambroise.main.place import database, prepare
from ambroise.main.sockets import listen

_log = logger(__name__)

_SUPERVISE_SECONDS = 1.0
_GRACE_SECONDS = 10


async def serve(settings: Settings, *, demonstration: bool, population: int | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    configure(level=settings.log_level, human=settings.log_format == "human")
    stop = _stop_signal()
    serving = bool(settings.roles & {"web", "api"})
    sockets = listen(settings.host, settings.port) if serving else []
    if sockets:
        # With port 0 the system has chosen; everything that shows an address shows that one.
        settings = settings.model_copy(update={"port": sockets[0].getsockname()[1]})
    async with AsyncExitStack() as stack:
        stack.enter_context(_alone(settings))
        addresses = stack.enter_context(database(settings))
        if addresses.server is not None:
            await asyncio.to_thread(prepare, settings, addresses, demonstration=demonstration)
            stack.push_async_callback(_cancel, asyncio.create_task(_supervise(addresses.server)))
        application = await stack.enter_async_context(compose(settings, addresses.app))
        application.check(demonstration=demonstration)
        welcome = ""
        if demonstration:
            from ambroise.main import demonstration as nation

            await _or_stop(stop, nation.load(application.services, population))
            welcome = await nation.welcome(application.services)
        if "worker" in settings.roles:
            for work in application.work():
                stack.push_async_callback(_cancel, asyncio.create_task(work))
        if not stop.is_set():
            await _serve_until(stop, application, sockets, welcome)


async def _serve_until(
    stop: asyncio.Event, application: Application, sockets: list[socket.socket], welcome: str
) -> None:
    if not sockets:
        print("ready", flush=True)
        await stop.wait()
        return
    settings = application.services.settings
    config = uvicorn.Config(
        asgi.build(application.services),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, f"{welcome}\nready http://{settings.host}:{settings.port}")
    # What start-up made lives as long as the process: looking through it at each collection is time lost.
    gc.collect()
    gc.freeze()
    waiter = asyncio.create_task(_stop_server(stop, server))
    await server.serve(sockets=sockets)
    await _cancel(waiter)


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
            print(self._announcement.lstrip("\n"), flush=True)


async def _stop_server(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _alone(settings: Settings) -> AbstractContextManager[None]:
    """One instance at most on a data folder with its own database; any number on a shared database."""
    if not settings.embedded or settings.data is None:
        return nullcontext()
    settings.data.mkdir(parents=True, exist_ok=True)
    return locks.instance(settings.data)


async def _or_stop(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Do the work unless we are told to stop meanwhile."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(stopping)
    if working.done():
        working.result()
    else:
        await _cancel(working)


async def _supervise(server: EmbeddedPostgres) -> None:
    """Start PostgreSQL again if it dies: connections come back by themselves, acknowledged work is on disk."""
    while True:
        await asyncio.sleep(_SUPERVISE_SECONDS)
        try:
            if await asyncio.to_thread(server.restart_if_dead):
                _log.error("postgres_restarted")
        except Exception:
            _log.exception("postgres_restart_failed")


async def _cancel(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
