"""What only the operator of a demonstration does: move its time."""

from __future__ import annotations

from datetime import timedelta

from ambroise.kernel import time_shift
from ambroise.kernel.db import Database
from ambroise.modules.identity.api import carry_sessions


async def move_clock(database: Database, step: timedelta) -> timedelta:
    """Move the clock forward, the sessions of present visitors with it; by how much it is ahead now."""
    async with database.transaction() as tx:
        ahead = await time_shift.move(tx, step)
        await carry_sessions(tx, step)
    return ahead
