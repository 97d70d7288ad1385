"""Being told to stop, and stopping what one started."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any


def stop_signal() -> asyncio.Event:
    """Set once this process gets SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def do_or_stop(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Do the work unless we are told to stop meanwhile."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await cancel(stopping)
    if working.done():
        working.result()
    else:
        await cancel(working)


async def cancel(task: asyncio.Future[Any]) -> None:
    """Cancel a task, and wait until it ended."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
