"""Moving the clock of a demonstration forward, for every process of the installation.

The shift is one row of the database. Each process reads it when it starts, then every second; what waits for an instant
(events, jobs, delays, sessions) follows, since all of it asks the one clock. Time only goes forward: going back would
leave facts dated in the future.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Final

from ambroise.kernel import installation
from ambroise.kernel.clock import ShiftedClock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

_log = logger(__name__)

FARTHEST: Final = timedelta(days=366 * 50)
_EVERY_SECONDS: Final = 1.0
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365.25)}
_WRITTEN: Final = re.compile(r"(\d{1,5})([hdwy])")


def parse_step(text: str) -> timedelta:
    """A length of time as an operator writes it: `12h`, `42d`, `6w`, `10y`. Raises CLOCK_STEP."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None or not int(found[1]):
        raise Refusal(Kind.INVALID, "CLOCK_STEP", "Write how far to move: 12h, 42d, 6w or 10y.", element="step")
    return int(found[1]) * _UNITS[found[2]]


async def shift_of(reader: Reader) -> timedelta:
    """By how much the clock of this installation is ahead."""
    found: timedelta | None = await reader.fetch_value("select ahead from clock_shift")
    return found or timedelta()


async def move(tx: Transaction, step: timedelta) -> timedelta:
    """Move the clock of a demonstration forward; by how much it is ahead now.

    Raises NOT_A_DEMONSTRATION on a real installation, CLOCK_BACKWARD, CLOCK_TOO_FAR.
    """
    if not (await installation.read(tx)).demonstration:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_DEMONSTRATION", "Only a demonstration moves its clock.")
    if step <= timedelta():
        raise Refusal(Kind.INVALID, "CLOCK_BACKWARD", "Time only goes forward.", element="step")
    if await shift_of(tx) + step > FARTHEST:
        raise Refusal(Kind.INVALID, "CLOCK_TOO_FAR", "A demonstration goes fifty years ahead at most.", element="step")
    return await tx.fetch_value(
        """
        insert into clock_shift (single, ahead)
        values (true, %s)
        on conflict (single) do update
        set ahead = clock_shift.ahead + excluded.ahead, moved_at = now()
        returning ahead
        """,
        (step,),
    )


async def follow(database: Database, clock: ShiftedClock) -> None:
    """Keep a process at the installation's time, for ever."""
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        try:
            await catch_up(database, clock)
        except Exception:
            # The database may be away for a moment; the time it says waits in it.
            _log.warning("clock_not_read", exc_info=True)


async def catch_up(database: Database, clock: ShiftedClock) -> datetime:
    """Read the shift now; the present instant."""
    async with database.reader() as reader:
        clock.ahead = await shift_of(reader)
    return clock.now()
