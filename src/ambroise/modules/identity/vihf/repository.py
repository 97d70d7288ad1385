"""The SQL of used assertions."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ambroise.kernel.db import Reader, Transaction

ONCE: Final = "vihf_used_pkey"
"""The constraint that an assertion used twice breaks."""


def use(tx: Transaction, assertion_hash: bytes, until: datetime) -> None:
    """Use an assertion up with this transaction, whose next statement breaks ONCE if it was used before."""
    tx.enqueue("insert into vihf_used (assertion_hash, expires_at) values (%s, %s)", (assertion_hash, until))


async def use_alone(writer: Reader, assertion_hash: bytes, until: datetime) -> bool:
    """Use an assertion up, without waiting for the disk; whether it was still good."""
    used = await writer.fetch_value(
        """
        insert into vihf_used (assertion_hash, expires_at)
        select %s, %s from (select set_config('synchronous_commit', 'off', true)) as this_statement_only
        on conflict do nothing
        returning true
        """,
        (assertion_hash, until),
    )
    return used is True


async def forget(tx: Transaction, now: datetime) -> None:
    """Remove the assertions that no clock would accept any more."""
    await tx.execute("delete from vihf_used where expires_at < %s", (now,))
