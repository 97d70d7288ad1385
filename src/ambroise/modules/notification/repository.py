"""The SQL of notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.notification.model import Notice


async def insert(
    tx: Transaction,
    patient: UUID,
    at: datetime,
    code: str,
    subject: str | None,
    details: Mapping[str, Any],
    hidden_from_representatives: bool,
    once: str | None,
    pending: int | None,
) -> None:
    """Write one notice, unless the space has one under this key. `pending`: how urgently it leaves the portal."""
    shard = shard_of(patient)
    tx.enqueue(
        """
        insert into notification
          (shard, patient, id, at, code, subject, details, hidden_from_representatives, once, pending)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        (
            shard,
            patient,
            new_id(shard),
            at,
            code,
            subject,
            Jsonb(dict(details)),
            hidden_from_representatives,
            once,
            pending,
        ),
    )


async def insert_many(tx: Transaction, patients: Sequence[UUID], at: datetime, code: str) -> None:
    """Write the same notice for many people."""
    shards = [shard_of(one) for one in patients]
    await tx.execute(
        """
        insert into notification (shard, patient, id, at, code)
        select one.shard, one.patient, one.id, %s, %s
        from unnest(%s::smallint[], %s::uuid[], %s::uuid[]) as one (shard, patient, id)
        """,
        (at, code, shards, list(patients), [new_id(shard) for shard in shards]),
    )


async def recent(
    reader: Reader, patient: UUID, for_representative: bool, unread_only: bool, count: int
) -> list[Notice]:
    """The latest notices of a space, newest first."""
    rows = await reader.fetch_all(
        """
        select id, at, code, subject, details, read_at
        from notification
        where shard = %s
          and patient = %s
          and not (hidden_from_representatives and %s)
          and (read_at is null or not %s)
        order by at desc, id desc
        limit %s
        """,
        (shard_of(patient), patient, for_representative, unread_only, count),
    )
    return [Notice(*row) for row in rows]


async def page(
    reader: Reader,
    patient: UUID,
    for_representative: bool,
    *,
    codes: Sequence[str] | None,
    unread_only: bool,
    after: tuple[datetime, UUID] | None,
    count: int,
) -> list[Notice]:
    """The notices of a space, newest first, from a place on; of these codes only when some are given."""
    at, id = after or (None, None)
    rows = await reader.fetch_all(
        """
        select id, at, code, subject, details, read_at
        from notification
        where shard = %s
          and patient = %s
          and not (hidden_from_representatives and %s)
          and (read_at is null or not %s)
          and (%s::text[] is null or code = any(%s))
          and (%s::timestamptz is null or (at, id) < (%s::timestamptz, %s::uuid))
        order by at desc, id desc
        limit %s
        """,
        (shard_of(patient), patient, for_representative, unread_only, codes, codes, at, at, id, count),
    )
    return [Notice(*row) for row in rows]


async def unread(reader: Reader, patient: UUID, for_representative: bool, most: int) -> int:
    """How many notices are not read, counted up to so many."""
    return await reader.fetch_value(
        """
        select count(*)
        from (
          select
          from notification
          where shard = %s and patient = %s and read_at is null and not (hidden_from_representatives and %s)
          limit %s
        ) one
        """,
        (shard_of(patient), patient, for_representative, most),
    )


async def mark(
    tx: Transaction, patient: UUID, for_representative: bool, notice: UUID | None, read_at: datetime | None
) -> int:
    """Mark one notice, or all of them, as read at an instant, or as not read; how many changed."""
    return await tx.execute(
        """
        update notification
        set read_at = %s
        where shard = %s
          and patient = %s
          and not (hidden_from_representatives and %s)
          and (read_at is null) = %s
          and (id = %s or %s::uuid is null)
        """,
        (read_at, shard_of(patient), patient, for_representative, read_at is not None, notice, notice),
    )


async def delete(tx: Transaction, patient: UUID, for_representative: bool, notice: UUID | None) -> list[UUID]:
    """Remove one notice, or all those that are read, for everybody who shares the space; which."""
    rows = await tx.fetch_all(
        """
        delete from notification
        where shard = %s
          and patient = %s
          and not (hidden_from_representatives and %s)
          and (id = %s or (%s::uuid is null and read_at is not null))
        returning id
        """,
        (shard_of(patient), patient, for_representative, notice, notice),
    )
    return [id for (id,) in rows]


async def deepen(tx: Transaction, patient: UUID, once: str, code: str) -> None:
    """Give the latest notice told under a key that begins so another code; documents say more than vaccinations."""
    await tx.execute(
        """
        update notification
        set code = %s
        where shard = %s and patient = %s and code <> 'CONSULT_DOCUMENT' and id = (
          select id
          from notification
          where shard = %s and patient = %s and once is not null and starts_with(once, %s)
          order by at desc, id desc
          limit 1
        )
        """,
        (code, shard_of(patient), patient, shard_of(patient), patient, once),
    )


async def mark_of(reader: Reader, name: str) -> int | None:
    """How far a reading went; None before the first."""
    return await reader.fetch_value("select seal from notification_mark where name = %s", (name,))


async def keep_mark(tx: Transaction, name: str, seal: int) -> None:
    await tx.execute(
        """
        insert into notification_mark (name, seal)
        values (%s, %s)
        on conflict (name) do update
        set seal = excluded.seal
        """,
        (name, seal),
    )


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove every notice of a space that is purged."""
    await tx.execute("delete from notification where shard = %s and patient = %s", (shard_of(patient), patient))
