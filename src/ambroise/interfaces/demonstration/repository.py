"""Which nation an instance holds, and whether its load is finished."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction


class Loaded(Struct, frozen=True):
    """The nation that an instance holds."""

    seed: str
    population: int
    until: date
    finished: bool


async def nation(reader: Reader) -> Loaded | None:
    """The nation that this instance holds, or began to load; None before the first load."""
    row = await reader.fetch_one("select seed, population, until, finished is not null from demonstration_nation")
    return Loaded(*row) if row else None


async def begin(tx: Transaction, wanted: Loaded, at: datetime) -> None:
    await tx.execute(
        "insert into demonstration_nation (seed, population, until, started) values (%s, %s, %s, %s)",
        (wanted.seed, wanted.population, wanted.until, at),
    )


async def finish(tx: Transaction, at: datetime) -> None:
    await tx.execute("update demonstration_nation set finished = %s", (at,))
