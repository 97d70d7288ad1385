"""The SQL of codes sent to an address."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction


class Sent(Struct, frozen=True):
    sealed: bytes
    sent_at: datetime
    expires_at: datetime
    used_at: datetime | None
    tries: int


async def put(
    tx: Transaction, subject: UUID, purpose: str, sealed: bytes, pace: bytes, now: datetime, expires: datetime
) -> None:
    """Keep a code in place of the one before."""
    await tx.execute(
        """
        insert into one_time_code (subject, purpose, sealed, pace, sent_at, expires_at)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (subject, purpose) do update
        set sealed = excluded.sealed, pace = excluded.pace, sent_at = excluded.sent_at,
          expires_at = excluded.expires_at, used_at = null, tries = 0
        """,
        (subject, purpose, sealed, pace, now, expires),
    )


async def last_sent(tx: Transaction, pace: bytes) -> datetime | None:
    """When the latest code of this pace was sent; two requests at once wait for each other."""
    await tx.execute("select pg_advisory_xact_lock(%s)", (int.from_bytes(pace[:8], signed=True),))
    return await tx.fetch_value(
        "select sent_at from one_time_code where pace = %s order by sent_at desc limit 1", (pace,)
    )


async def find(reader: Reader, subject: UUID, purpose: str) -> Sent | None:
    row = await reader.fetch_one(
        "select sealed, sent_at, expires_at, used_at, tries from one_time_code where subject = %s and purpose = %s",
        (subject, purpose),
    )
    return None if row is None else Sent(bytes(row[0]), *row[1:])


async def try_once(tx: Transaction, subject: UUID, purpose: str, most: int) -> Sent | None:
    """Count a try and give the code, unless its tries are used up."""
    row = await tx.fetch_one(
        """
        update one_time_code
        set tries = tries + 1
        where subject = %s
          and purpose = %s
          and tries < %s
        returning sealed, sent_at, expires_at, used_at, tries
        """,
        (subject, purpose, most),
    )
    return None if row is None else Sent(bytes(row[0]), *row[1:])


async def use(tx: Transaction, subject: UUID, purpose: str, now: datetime) -> None:
    await tx.execute(
        "update one_time_code set used_at = %s where subject = %s and purpose = %s", (now, subject, purpose)
    )


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from one_time_code where expires_at < %s", (before,))
