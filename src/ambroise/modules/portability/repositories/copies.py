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
from ambroise.modules.portability.repositories.asked import Asked

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


def _export(row: Row) -> Export:
    asker, place, state = msgspec.convert(row[2], Asker), msgspec.convert(row[6], Place), State(row[5])
    return Export(row[0], row[1], asker, row[3], row[4], state, place, *row[7:])


def _json(value: Any) -> Jsonb:
    return Jsonb(msgspec.to_builtins(value))


EXPORTS = Asked("portability_export", _COLUMNS, _export, ("portability_part", "export"))
"""The copies that people asked for."""
