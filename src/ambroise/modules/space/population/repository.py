"""The SQL of insurers' files: how far each was read, what was refused, the bytes that came by the desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import new_id
from ambroise.modules.space.population.model import Population, Refused

_COLUMNS: Final = (
    "id, name, size, notified_on, position, line, entered, known, refused, by_mail, asked_by, asked_at, finished_at"
)
# One file at a time: two that hold the same person would meet on the index of matricules.
_ONE_AT_A_TIME: Final = 0x706F70756C


async def begin(
    tx: Transaction, digest: bytes, name: str, size: int, notified_on: date, asked_by: str, at: datetime
) -> Population:
    """The file of this digest, known from now on; as it stands when an earlier run began it."""
    await tx.execute(
        """
        insert into space_population (id, digest, name, size, notified_on, asked_by, asked_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (digest) do nothing
        """,
        (new_id(), digest, name, size, notified_on, asked_by, at),
    )
    row = await tx.fetch_one(f"select {_COLUMNS} from space_population where digest = %s", (digest,))
    assert row is not None  # noqa: S101 - it was inserted just above.
    return _population(row)


async def alone(tx: Transaction, id: UUID) -> Population | None:
    """The file as it stands; nobody else reads one until this transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
    return await population(tx, id)


async def advance(tx: Transaction, one: Population, refused: Sequence[Refused]) -> None:
    """Write how far the file was read, and the lines that were refused on the way."""
    await tx.execute(
        """
        update space_population
        set position = %s, line = %s, entered = %s, known = %s, refused = %s, by_mail = %s, finished_at = %s
        where id = %s
        """,
        (one.position, one.line, one.entered, one.known, one.refused, one.by_mail, one.finished_at, one.id),
    )
    await tx.execute_many(
        "insert into space_population_refusal (population, line, code, element) values (%s, %s, %s, %s)",
        [(one.id, each.line, each.code, each.element) for each in refused],
    )


async def latest(reader: Reader, count: int) -> list[Population]:
    """The latest files, the newest first."""
    rows = await reader.fetch_all(
        f"select {_COLUMNS} from space_population order by asked_at desc, id limit %s", (count,)
    )
    return [_population(row) for row in rows]


async def population(reader: Reader, id: UUID) -> Population | None:
    """One file."""
    row = await reader.fetch_one(f"select {_COLUMNS} from space_population where id = %s", (id,))
    return None if row is None else _population(row)


async def refusals(reader: Reader, id: UUID, count: int, after: int = 0) -> list[Refused]:
    """The lines of a file that were refused, in order, after a line."""
    rows = await reader.fetch_all(
        """
        select line, code, element
        from space_population_refusal
        where population = %s and line > %s
        order by line
        limit %s
        """,
        (id, after, count),
    )
    return [Refused(*row) for row in rows]


async def refusals_by_code(reader: Reader, id: UUID) -> list[tuple[str, str, int]]:
    """How many lines were refused for each reason."""
    rows = await reader.fetch_all(
        """
        select code, element, count(*)
        from space_population_refusal
        where population = %s
        group by code, element
        order by count(*) desc, code, element
        """,
        (id,),
    )
    return [(code, element, count) for code, element, count in rows]


async def keep_part(tx: Transaction, id: UUID, start: int, content: bytes) -> None:
    """Keep some bytes of a file that came by the desk."""
    await tx.execute(
        "insert into space_population_part (population, start, bytes) values (%s, %s, %s) on conflict do nothing",
        (id, start, content),
    )


async def part_at(reader: Reader, id: UUID, position: int) -> tuple[int, bytes] | None:
    """The kept bytes that hold a position, and where they start."""
    row = await reader.fetch_one(
        """
        select start, bytes
        from space_population_part
        where population = %s and start <= %s
        order by start desc
        limit 1
        """,
        (id, position),
    )
    return None if row is None else (row[0], bytes(row[1]))


async def drop_parts(tx: Transaction, id: UUID) -> None:
    """Forget the bytes of a file that was read."""
    await tx.execute("delete from space_population_part where population = %s", (id,))


def _population(row: Row) -> Population:
    return Population(*row)
