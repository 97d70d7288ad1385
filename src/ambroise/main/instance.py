"""A running instance: it serves and works until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, nullcontext
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ambroise.kernel.log import configure, logger
from ambroise.kernel.postgres import EmbeddedPostgres, locks
from ambroise.kernel.settings import Settings
from ambroise.main.crew import Work, crew, measure_together
from ambroise.main.feeds import chosen, open_bounces, open_feeds
from ambroise.main.place import Addresses, database, prepare
from ambroise.main.secure import SecureFront, open_front
from ambroise.main.sockets import listen
from ambroise.main.tasks import cancel, do_or_stop, stop_signal

if TYPE_CHECKING:
    from ambroise.interfaces.hl7v2.doors import Door
    from ambroise.interfaces.services import Services
    from ambroise.main.composition import Application

_log = logger(__name__)

_SUPERVISE_SECONDS = 1.0


async def serve(settings: Settings, *, demonstration: bool, population: int | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    configure(level=settings.log_level, human=settings.log_format == "human")
    stop = stop_signal()
    sockets = listen(settings.host, settings.port) if settings.roles & {"web", "api"} else []
    front = open_front(settings, demonstration=demonstration) if sockets else None
    feeds = open_feeds(settings, demonstration=demonstration) if "api" in settings.roles else []
    bounces = open_bounces(settings) if "worker" in settings.roles else []
    if sockets:
        # With port 0 the system has chosen; everything that shows an address shows that one.
        settings = replace(settings, port=sockets[0].getsockname()[1])
    if front is not None:
        settings = replace(settings, mtls_port=front.port)
    if feeds:
        settings = replace(settings, **chosen(feeds))
    async with AsyncExitStack() as stack:
        stack.enter_context(_alone(settings))
        stack.enter_context(measure_together(settings) or nullcontext())
        addresses = await _open_database(stack, settings, demonstration=demonstration)
        application = await _open_application(stack, settings, addresses)
        await application.check(demonstration=demonstration)
        announcement = await _announcement(stop, application, population) if demonstration else ""
        if "worker" in settings.roles:
            for work in application.work():
                stack.push_async_callback(cancel, asyncio.create_task(work))
        if not stop.is_set():
            await stack.enter_async_context(_listener(application.services, feeds))
            await stack.enter_async_context(_bounces(application.services, bounces))
            await _answer(stop, application, addresses.app, sockets, front, announcement)


async def _open_database(stack: AsyncExitStack, settings: Settings, *, demonstration: bool) -> Addresses:
    """Have the database running and, when it is ours, migrated and watched; loads the program meanwhile."""
    place = database(settings, create=True)
    opening = asyncio.create_task(asyncio.to_thread(place.__enter__))
    await asyncio.sleep(0)
    # The server takes a moment to start, and so does the program to load: both at once.
    import ambroise.interfaces.hl7v2.listener
    import ambroise.main.composition
    import ambroise.main.serving  # noqa: F401

    addresses = await opening
    stack.push(place.__exit__)
    if addresses.server is not None:
        await asyncio.to_thread(prepare, settings, addresses, demonstration=demonstration)
        stack.push_async_callback(cancel, asyncio.create_task(_supervise(addresses.server)))
    return addresses


async def _open_application(stack: AsyncExitStack, settings: Settings, addresses: Addresses) -> Application:
    from ambroise.main.composition import compose

    return await stack.enter_async_context(compose(settings, addresses.app))


async def _announcement(stop: asyncio.Event, application: Application, population: int | None) -> str:
    """Load the nation if it is not there yet; what to tell the person who started it."""
    from ambroise.main import demonstration as nation

    await do_or_stop(stop, nation.load(application.services, population))
    return await nation.welcome(application.services)


async def _answer(
    stop: asyncio.Event,
    application: Application,
    dsn: str,
    sockets: list[socket.socket],
    front: SecureFront | None,
    announcement: str,
) -> None:
    if not sockets:
        print("ready", flush=True)
        await stop.wait()
        return
    from ambroise.main.serving import serve_until

    services = application.services
    address = f"http://{services.settings.host}:{services.settings.port}"
    async with crew(Work(services.settings, dsn, _numbers(sockets), front, _numbers(front.sockets if front else []))):
        await serve_until(stop, services, sockets, front, f"{announcement}\nready {address}".lstrip("\n"))


def _numbers(sockets: list[socket.socket]) -> tuple[int, ...]:
    return tuple(one.fileno() for one in sockets)


def _alone(settings: Settings) -> AbstractContextManager[None]:
    """One instance at most on a data folder with its own database; any number on a shared database."""
    if not settings.embedded or settings.data is None:
        return nullcontext()
    settings.data.mkdir(parents=True, exist_ok=True)
    return locks.instance(settings.data)


def _listener(services: Services, feeds: list[Door]) -> AbstractAsyncContextManager[object]:
    """HL7 v2 on its ports, if there are any."""
    if not feeds:
        return nullcontext()
    from ambroise.interfaces.hl7v2.listener import Listener

    return Listener(services, feeds)


def _bounces(services: Services, sockets: list[socket.socket]) -> AbstractAsyncContextManager[object]:
    """What takes mails that come back, if their port is asked for."""
    if not sockets:
        return nullcontext()
    from ambroise.interfaces.bounces.listener import Listener

    return Listener(services.database, services.letters, sockets)


async def _supervise(server: EmbeddedPostgres) -> None:
    """Start PostgreSQL again if it dies: connections come back by themselves, acknowledged work is on disk."""
    while True:
        await asyncio.sleep(_SUPERVISE_SECONDS)
        try:
            if await asyncio.to_thread(server.restart_if_dead):
                _log.error("postgres_restarted")
        except Exception:
            _log.exception("postgres_restart_failed")
