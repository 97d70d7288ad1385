"""The SQL of used assertions."""

from __future__ import annotations

from datetime import datetime

from ambroise.kernel.db import Transaction


async def use(tx: Transaction, assertion_hash: bytes, expires: datetime) -> bool:
    """Use an assertion up; whether it was still good.

    Losing the last instants when the database crashes is accepted: it saves every request from waiting for the disk.
    """
    tx.enqueue("set local synchronous_commit = off")
    used = await tx.execute(
        """
        insert into vihf_used (assertion_hash, expires_at)
        values (%s, %s)
        on conflict do nothing
        """,
        (assertion_hash, expires),
    )
    return used == 1


async def forget(tx: Transaction, now: datetime) -> None:
    """Remove the assertions that no clock would accept any more."""
    await tx.execute("delete from vihf_used where expires_at < %s", (now,))
