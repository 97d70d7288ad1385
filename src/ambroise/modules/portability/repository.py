"""The SQL of copies."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.portability.model import Asker, Export, Place, State

_COLUMNS = "id, patient, asker, language, asked_at, state, place, done, total, files, size, parts, ready_at, ends_at"


async def insert(tx: Transaction, one: Export) -> None:
    await tx.execute(
        """
        insert into portability_export (shard, id, patient, asker, asked_by, language, asked_at, place, total)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(one.id),
            one.id,
            one.patient,
            _json(one.asker),
            one.asker.id,
            one.language,
            one.asked_at,
            _json(one.place),
            one.total,
        ),
    )


async def find(reader: Reader, id: UUID) -> Export | None:
    row = await reader.fetch_one(
        f"select {_COLUMNS} from portability_export where shard = %s and id = %s", (shard_of(id), id)
    )
    return None if row is None else _export(row)


async def hold(tx: Transaction, id: UUID) -> Export | None:
    """The same, for this transaction alone."""
    row = await tx.fetch_one(
        f"select {_COLUMNS} from portability_export where shard = %s and id = %s for update", (shard_of(id), id)
    )
    return None if row is None else _export(row)


async def of_person(reader: Reader, patient: UUID, asked_by: str, count: int) -> list[Export]:
    """The latest copies of a record that one person asked for."""
    rows = await reader.fetch_all(
        f"""
        select {_COLUMNS}
        from portability_export
        where shard = %s and patient = %s and asked_by = %s
        order by asked_at desc, id desc
        limit %s
        """,
        (shard_of(patient), patient, asked_by, count),
    )
    return [_export(row) for row in rows]


async def write(tx: Transaction, one: Export) -> None:
    """Write how far it is."""
    await tx.execute(
        """
        update portability_export
        set state = %s, place = %s, done = %s, files = %s, size = %s, parts = %s, ready_at = %s, ends_at = %s
        where shard = %s and id = %s
        """,
        (
            one.state.value,
            _json(one.place),
            one.done,
            one.files,
            one.size,
            one.parts,
            one.ready_at,
            one.ends_at,
            shard_of(one.id),
            one.id,
        ),
    )


async def add_part(tx: Transaction, export: UUID, number: int, piece: UUID, listing: UUID) -> None:
    await tx.execute(
        "insert into portability_part (shard, export, number, piece, listing) values (%s, %s, %s, %s, %s)",
        (shard_of(export), export, number, piece, listing),
    )


async def parts(reader: Reader, export: UUID) -> list[tuple[UUID, UUID]]:
    """The pieces of a copy and their lists, in order."""
    rows = await reader.fetch_all(
        "select piece, listing from portability_part where shard = %s and export = %s order by number",
        (shard_of(export), export),
    )
    return [(piece, listing) for piece, listing in rows]


async def drop_parts(tx: Transaction, export: UUID) -> None:
    await tx.execute("delete from portability_part where shard = %s and export = %s", (shard_of(export), export))


async def over(tx: Transaction, now: datetime, count: int) -> list[Export]:
    """Ready copies whose time is over."""
    rows = await tx.fetch_all(
        f"""
        select {_COLUMNS}
        from portability_export
        where state = 'ready' and ends_at <= %s
        order by ends_at, id
        limit %s
        for update skip locked
        """,
        (now, count),
    )
    return [_export(row) for row in rows]


async def erase(tx: Transaction, patient: UUID) -> None:
    """Forget every copy of a record."""
    shard = shard_of(patient)
    await tx.execute(
        """
        delete from portability_part p
        using portability_export e
        where e.shard = %s and e.patient = %s and p.shard = e.shard and p.export = e.id
        """,
        (shard, patient),
    )
    await tx.execute("delete from portability_export where shard = %s and patient = %s", (shard, patient))


def _export(row: Row) -> Export:
    asker, place, state = msgspec.convert(row[2], Asker), msgspec.convert(row[6], Place), State(row[5])
    return Export(row[0], row[1], asker, row[3], row[4], state, place, *row[7:])


def _json(value: Any) -> Jsonb:
    return Jsonb(msgspec.to_builtins(value))
