"""The SQL of subscriptions to the context of a session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction


async def insert(tx: Transaction, endpoint: bytes, family: UUID, events: Sequence[str], ends: datetime) -> None:
    await tx.execute(
        "insert into cast_subscription (endpoint_hash, family, events, expires_at) values (%s, %s, %s, %s)",
        (endpoint, family, list(events), ends),
    )


async def find(reader: Reader, endpoint: bytes, now: datetime) -> tuple[UUID, tuple[str, ...], datetime] | None:
    """The family, the events and the end of a subscription that lasts."""
    row = await reader.fetch_one(
        "select family, events, expires_at from cast_subscription where endpoint_hash = %s and expires_at > %s",
        (endpoint, now),
    )
    return None if row is None else (row[0], tuple(row[1]), row[2])


async def remove(tx: Transaction, endpoint: bytes, family: UUID) -> bool:
    """End a subscription of this family."""
    done = await tx.execute(
        "delete from cast_subscription where endpoint_hash = %s and family = %s", (endpoint, family)
    )
    return done == 1


async def tell(tx: Transaction, channel: str, said: str) -> None:
    """Say something to every process, once this is committed."""
    await tx.fetch_value("select pg_notify(%s, %s)", (channel, said))


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from cast_subscription where expires_at < %s", (before,))
