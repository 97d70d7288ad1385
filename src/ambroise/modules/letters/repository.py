"""The SQL of letters."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction

_COLUMNS = "id, channel, kind, language, sealed, written_at, sent_at"


async def insert(
    tx: Transaction,
    id: UUID,
    channel: str,
    kind: str,
    language: str,
    sealed: bytes,
    digest: bytes | None,
    now: datetime,
) -> None:
    await tx.execute(
        """
        insert into letter (id, channel, kind, language, sealed, digest, written_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        (id, channel, kind, language, sealed, digest, now),
    )


async def find(reader: Reader, id: UUID) -> Row | None:
    return await reader.fetch_one(f"select {_COLUMNS} from letter where id = %s", (id,))


async def latest(reader: Reader, count: int) -> list[Row]:
    return await reader.fetch_all(f"select {_COLUMNS} from letter order by written_at desc, id desc limit %s", (count,))


async def mark_sent(tx: Transaction, id: UUID, now: datetime) -> None:
    await tx.execute("update letter set sent_at = %s where id = %s", (now, id))


async def mark_refused(tx: Transaction, id: UUID, now: datetime, answer: int) -> None:
    await tx.execute("update letter set refused_at = %s, answer = %s where id = %s", (now, answer, id))


async def mark_held(tx: Transaction, id: UUID, now: datetime) -> None:
    await tx.execute("update letter set held_at = %s where id = %s", (now, id))


async def ends(reader: Reader, id: UUID) -> tuple[datetime | None, datetime | None, datetime | None] | None:
    """When a letter was sent, when it was refused for good, when it was held."""
    row = await reader.fetch_one("select sent_at, refused_at, held_at from letter where id = %s", (id,))
    return None if row is None else (row[0], row[1], row[2])


async def mark_returned(tx: Transaction, id: UUID, now: datetime, status: str) -> bytes | None:
    """Note that a letter came back, once; the digest of its address, None when there is nothing to note."""
    return await tx.fetch_value(
        """
        update letter
        set returned_at = %s, status = %s
        where id = %s and returned_at is null and digest is not null
        returning digest
        """,
        (now, status, id),
    )


async def gives_back(
    tx: Transaction, digest: bytes, now: datetime, status: str, *, most: int, since: datetime
) -> datetime | None:
    """Count a mail that an address gave back; since when it is paused, which it is at the latest after so many.

    Counting begins anew once the first one is older than `since`.
    """
    return await tx.fetch_value(
        """
        insert into letter_giving_back as known (digest, returns, first_at, paused_at, status)
        values (%s, 1, %s, case when %s <= 1 then %s::timestamptz end, %s)
        on conflict (digest) do update
        set returns = case when known.first_at < %s then 1 else known.returns + 1 end,
            first_at = case when known.first_at < %s then excluded.first_at else known.first_at end,
            paused_at = coalesce(
              known.paused_at,
              case when known.first_at >= %s and known.returns + 1 >= %s or %s <= 1 then excluded.first_at end
            ),
            status = excluded.status
        returning paused_at
        """,
        (digest, now, most, now, status, since, since, since, most, most),
    )


async def giving_back(reader: Reader, digest: bytes) -> tuple[datetime, str] | None:
    """Since when nothing is sent to an address, and the last status; None when it takes mails."""
    row = await reader.fetch_one(
        "select paused_at, status from letter_giving_back where digest = %s and paused_at is not null", (digest,)
    )
    return None if row is None else (row[0], row[1])


async def takes_mail(tx: Transaction, digest: bytes) -> None:
    """Forget that an address gave mails back."""
    await tx.execute("delete from letter_giving_back where digest = %s", (digest,))


async def forget_content(tx: Transaction, id: UUID) -> None:
    await tx.execute("update letter set sealed = null where id = %s", (id,))


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from letter where written_at < %s", (before,))


async def sweep_giving_back(tx: Transaction, before: datetime, counted_before: datetime) -> int:
    """Forget addresses paused before an instant, and counts that led to nothing; how many."""
    return await tx.execute(
        """
        delete from letter_giving_back
        where paused_at < %s or (paused_at is null and first_at < %s)
        """,
        (before, counted_before),
    )
