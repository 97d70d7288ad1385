"""Counting how often somebody looks people up (`access_lookup`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from ambroise.kernel.db import Transaction


class Lookups(NamedTuple):
    """How many people one caller looked up, this one included."""

    in_minute: int
    in_day: int


async def count_lookup(tx: Transaction, actor: int, now: datetime) -> Lookups:
    """Count one more lookup by this actor."""
    in_minute: int = await tx.fetch_value(
        """
        insert into access_lookup (actor, minute, lookups)
        values (%s, %s, 1)
        on conflict (actor, minute) do update set lookups = access_lookup.lookups + 1
        returning lookups
        """,
        (actor, minute_of(now)),
    )
    in_day: int = await tx.fetch_value(
        "select coalesce(sum(lookups), 0)::bigint from access_lookup where actor = %s and minute > %s",
        (actor, now - timedelta(days=1)),
    )
    return Lookups(in_minute, in_day)


async def forget_lookups(tx: Transaction, now: datetime) -> int:
    """Drop counts older than any limit looks at; for a periodic job."""
    return await tx.execute("delete from access_lookup where minute < %s", (now - timedelta(days=2),))


def minute_of(now: datetime) -> datetime:
    """The minute an instant belongs to."""
    return now.replace(second=0, microsecond=0)
