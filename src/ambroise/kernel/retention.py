"""The daily purge: each kind of data leaves when its time is over, and what was removed is counted.

What the application's role may not remove (the trace) is the owner's to retire, by command.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Transaction
from ambroise.kernel.log import logger

_log = logger(__name__)

Sweep = Callable[[Transaction], Awaitable[int | None]]
"""Removes what is over; how many things, None when it does not count them."""


async def purge(tx: Transaction, clock: Clock, kinds: Mapping[str, Sweep]) -> dict[str, int]:
    """Run every sweep, and note what each removed."""
    removed = {kind: await sweep(tx) or 0 for kind, sweep in kinds.items()}
    for kind, count in removed.items():
        await _note(tx, kind, count, clock.now())
    _log.info("retention_done", removed=sum(removed.values()))
    return removed


async def _note(tx: Transaction, kind: str, count: int, now: datetime) -> None:
    await tx.execute(
        """
        insert into retention_run as r (kind, removed_last, removed_total, run_at)
        values (%s, %s, %s, %s)
        on conflict (kind) do update
        set removed_last = excluded.removed_last, removed_total = r.removed_total + excluded.removed_last,
          run_at = excluded.run_at
        """,
        (kind, count, count, now),
    )
