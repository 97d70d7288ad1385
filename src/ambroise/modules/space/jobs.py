"""What comes by itself: openings after six weeks, closings of suspended spaces, deletions of archives.

One periodic job looks for the spaces whose delay is over. It works in batches of its own transactions: killed at any
moment, it goes on with what is left; run by two workers at once, each takes what the other has not locked.
"""

from __future__ import annotations

from typing import Final

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database
from ambroise.kernel.log import logger
from ambroise.kernel.outbox import emit
from ambroise.modules.notification.api import Code, notify_many
from ambroise.modules.space import repository
from ambroise.modules.space.events import OPENED_MANY
from ambroise.modules.space.model import ENDS, Step
from ambroise.modules.space.service import Spaces
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.context import Context, System

_log = logger(__name__)

_BATCH: Final = 1000
_FEW: Final = 20


async def end_delays(database: Database, spaces: Spaces, clock: Clock) -> dict[Step, int]:
    """Take every step whose time has come; how many of each."""
    done: dict[Step, int] = {}
    for state, step in ENDS.items():
        count = 0
        while taken := await _some(database, spaces, clock, state, step):
            count += taken
        if count:
            done[step] = done.get(step, 0) + count
            _log.info("space_delays_ended", step=step.value, count=count)
    return done


async def _some(database: Database, spaces: Spaces, clock: Clock, state: SpaceState, step: Step) -> int:
    ctx = Context(System("space"), clock, channel="job")
    if step is Step.OPEN:
        return await _open_many(database, spaces, ctx)
    async with database.transaction() as tx:
        due = await repository.due_among(tx, state, ctx.now(), _FEW)
        for one in due:
            await spaces.end(tx, ctx, one.patient, step)
    return len(due)


async def _open_many(database: Database, spaces: Spaces, ctx: Context) -> int:
    """Nobody objected: open a batch, telling each holder. The same as `Spaces.end` one by one, in few statements."""
    async with database.transaction() as tx:
        due = await repository.due_among(tx, SpaceState.NOTIFIED, ctx.now(), _BATCH)
        if not due:
            return 0
        patients = [one.patient for one in due]
        details = {"step": Step.OPEN.value, "from": SpaceState.NOTIFIED.value}
        await spaces.gateway.populations.move(tx, ctx, patients, SpaceState.OPEN_INACTIVE, details)
        await repository.opened_many(tx, patients, ctx.now())
        await notify_many(tx, patients, ctx.now(), Code.SPACE_OPENED)
        # One event for the batch: a million of them would keep every other event waiting.
        await emit(tx, OPENED_MANY, {"patients": [str(patient) for patient in patients]})
    return len(due)
