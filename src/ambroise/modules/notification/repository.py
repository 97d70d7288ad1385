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
) -> None:
    """Write one notice, unless the space has one under this key."""
    shard = shard_of(patient)
    tx.enqueue(
        """
        insert into notification (shard, patient, id, at, code, subject, details, hidden_from_representatives, once)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        (shard, patient, new_id(shard), at, code, subject, Jsonb(dict(details)), hidden_from_representatives, once),
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


async def mark_read(tx: Transaction, patient: UUID, at: datetime, notice: UUID | None) -> int:
    """Mark one notice, or all of them, as read; how many changed."""
    return await tx.execute(
        """
        update notification
        set read_at = %s
        where shard = %s
          and patient = %s
          and read_at is null
          and (id = %s or %s::uuid is null)
        """,
        (at, shard_of(patient), patient, notice, notice),
    )


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove every notice of a space that is purged."""
    await tx.execute("delete from notification where shard = %s and patient = %s", (shard_of(patient), patient))
