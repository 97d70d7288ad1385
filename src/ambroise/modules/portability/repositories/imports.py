"""The SQL of imports."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.portability.repositories.asked import Asked
from ambroise.modules.portability.taking_in.model import Import, Sort, State

_COLUMNS = (
    "id, patient, asked_by, asker, asked_at, state, sort, origin, source, following, papers, items, language,"
    " finished_at"
)


async def insert(tx: Transaction, one: Import, digest: bytes) -> None:
    await tx.execute(
        """
        insert into portability_import (shard, id, patient, asked_by, asker, asked_at, state, sort, origin, digest,
          source, language)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(one.id),
            one.id,
            one.patient,
            one.asked_by,
            Jsonb(one.asker),
            one.asked_at,
            one.state.value,
            one.sort.value,
            one.origin,
            digest,
            one.source,
            one.language,
        ),
    )


async def taken_before(reader: Reader, patient: UUID, digest: bytes) -> bool:
    """Whether this very file was taken, and not undone."""
    return bool(
        await reader.fetch_value(
            """
            select exists (
              select from portability_import
              where shard = %s and patient = %s and digest = %s and state in ('taking', 'done')
            )
            """,
            (shard_of(patient), patient, digest),
        )
    )


async def write(tx: Transaction, one: Import) -> bool:
    """Write how far it is; whether it could be: the same file may have been taken meanwhile."""
    try:
        async with tx.savepoint():
            await tx.execute(
                """
                update portability_import
                set state = %s, source = %s, following = %s, papers = %s, items = %s, finished_at = %s
                where shard = %s and id = %s
                """,
                (
                    one.state.value,
                    one.source,
                    one.following,
                    one.papers,
                    one.items,
                    one.finished_at,
                    shard_of(one.id),
                    one.id,
                ),
            )
    except UniqueViolation:
        return False
    return True


async def note_taken(tx: Transaction, id: UUID, number: int, document: UUID) -> None:
    await tx.execute(
        "insert into portability_taken (shard, import, number, document) values (%s, %s, %s, %s)",
        (shard_of(id), id, number, document),
    )


async def taken(reader: Reader, id: UUID) -> list[UUID]:
    rows = await reader.fetch_all(
        "select document from portability_taken where shard = %s and import = %s order by number", (shard_of(id), id)
    )
    return [document for (document,) in rows]


def _import(row: Row) -> Import:
    values: list[Any] = [*row]
    values[5], values[6] = State(row[5]), Sort(row[6])
    return Import(*values)


IMPORTS = Asked("portability_import", _COLUMNS, _import, ("portability_taken", "import"), seen="state <> 'dropped'")
"""The files that people brought."""
