"""Opening the spaces of a population: `python -m bench.opening --people 1000000` (long: the aim is 15 minutes).

A database of its own, a file of fictitious people (`bench.population`), and the same face as `ambroise space
open-population`. Counts processor time, which a busy machine changes little, beside the time of the clock, and writes
OPENING.md beside the other results.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ambroise.kernel.clock import SystemClock
from ambroise.kernel.db import Database
from ambroise.kernel.garbage import collect_rarely
from ambroise.modules.space.api import Population, Populations
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import Gateway
from bench import population
from bench.alone import Alone, alone, options, publish
from bench.process import children, processor

_AIM_PEOPLE = 1_000_000


@dataclass(frozen=True)
class Spent:
    """What a run took, in seconds: of the clock, of processors for Python, of processors for PostgreSQL."""

    clock: float
    python: float
    postgres: float


def main() -> None:
    parser = options("opening", __doc__)
    parser.add_argument("--people", type=int, default=100_000, metavar="N", help="lines of the file")
    given = parser.parse_args()
    # As the command does.
    collect_rarely()
    with alone("opening") as own:
        path = own.folder / "people.csv"
        population.write(given.people, path)
        done, spent = _measure(own, path)
        publish("OPENING", [*_page(done, spent, _size(own.server.owner_dsn)), *own.ended()], quietly=given.quietly)


def _measure(own: Alone, path: Path) -> tuple[Population, Spent]:
    postmaster = int((own.folder / "instance" / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def now() -> tuple[float, float, float]:
        return time.monotonic(), _python_seconds(), processor([postmaster, *children(postmaster)])

    begun = now()
    done = asyncio.run(_open(own.server.app_dsn, path))
    ended = now()
    return done, Spent(*(after - before for before, after in zip(begun, ended, strict=True)))


async def _open(dsn: str, path: Path) -> Population:
    clock = SystemClock()
    database = await Database.open(dsn, slots=4)
    try:
        ctx = Context(System("space"), clock, channel="load", demonstration=True)
        return await Populations(database, Gateway(database, clock)).open_file(ctx, path)
    finally:
        await database.close()


def _python_seconds() -> float:
    """Processor time of this process and of those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _size(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


def _page(done: Population, spent: Spent, size: int) -> list[str]:
    people = done.entered + done.known + done.refused
    expected = spent.clock / people * _AIM_PEOPLE / 60

    def each(seconds: float) -> str:
        return f"{seconds / people * 1000:.2f} ms"

    return [
        "# Opening the spaces of a population",
        "",
        "`python -m bench.opening --people N` writes this page. Aim: a million people in 15 minutes.",
        "",
        f"{done.entered:,} people entered, {done.refused:,} lines refused, in {spent.clock / 60:.1f} minutes:"
        f" {expected:.1f} minutes for a million at this rate. {size / people:,.0f} bytes on disk for each.",
        "",
        "| | in all | for each person |",
        "|---|---|---|",
        f"| The clock | {spent.clock:.1f} s | {each(spent.clock)} |",
        f"| Processor, Python | {spent.python:.1f} s | {each(spent.python)} |",
        f"| Processor, PostgreSQL | {spent.postgres:.1f} s | {each(spent.postgres)} |",
    ]


if __name__ == "__main__":
    main()
