"""The SQL of letters."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction

_COLUMNS = "id, channel, kind, language, sealed, written_at, sent_at"


async def insert(
    tx: Transaction, id: UUID, channel: str, kind: str, language: str, sealed: bytes, now: datetime
) -> None:
    await tx.execute(
        """
        insert into letter (id, channel, kind, language, sealed, written_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (id, channel, kind, language, sealed, now),
    )


async def find(reader: Reader, id: UUID) -> Row | None:
    return await reader.fetch_one(f"select {_COLUMNS} from letter where id = %s", (id,))


async def latest(reader: Reader, count: int) -> list[Row]:
    return await reader.fetch_all(f"select {_COLUMNS} from letter order by written_at desc, id desc limit %s", (count,))


async def mark_sent(tx: Transaction, id: UUID, now: datetime) -> None:
    await tx.execute("update letter set sent_at = %s where id = %s", (now, id))


async def mark_refused(tx: Transaction, id: UUID, now: datetime, answer: int) -> None:
    await tx.execute("update letter set refused_at = %s, answer = %s where id = %s", (now, answer, id))


async def ends(reader: Reader, id: UUID) -> tuple[datetime | None, datetime | None] | None:
    """When a letter was sent, when it was refused for good."""
    row = await reader.fetch_one("select sent_at, refused_at from letter where id = %s", (id,))
    return None if row is None else (row[0], row[1])


async def forget_content(tx: Transaction, id: UUID) -> None:
    await tx.execute("update letter set sealed = null where id = %s", (id,))


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from letter where written_at < %s", (before,))
