"""The floor of PostgreSQL: the same rows, through psycopg, without access rules, trace, validation or HTTP.

What a write puts down is read back from the tables: every row that the transaction of one real request wrote, its trace
and its events apart. The floor then writes such rows again, with new ids, one transaction each, in one round trip.
A process of its own, as many connections as the workload had, or as PostgreSQL has left beside the instance, whose own
are few whatever the number of its clients.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.types.string import TextLoader

from ambroise.fhir.definitions import type_number
from ambroise.kernel.ids import hash64, new_id, shard_of

Row = tuple[Any, ...]

_OBSERVATION = type_number("Observation")
# In the order in which they are written. Trace and events are what the floor leaves out.
_TABLES = ("record_unique_id", "blob", "blob_piece", "resource", "resource_range", "resource_text", "notification")
_SPARED = 10
_OWN_IDS = frozenset({"resource", "blob", "blob_piece", "notification"})


@dataclass(frozen=True)
class Written:
    """The rows that one request put into one table."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class FloorJob:
    """What to repeat: a read, a search, or the rows of a write."""

    dsn: str
    kind: str
    seconds: float
    connections: int
    keys: Sequence[tuple[UUID, UUID]] = ()
    """Observations, each with its patient."""
    written: Sequence[Written] = ()


def measure(job: FloorJob) -> float:
    """Operations a second."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.floors"],
        input=pickle.dumps(job),
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return float(json.loads(done.stdout))


def rows_of_request(dsn: str, resource: UUID) -> list[Written]:
    """Every row that the transaction which created a resource has written."""
    found: list[Written] = []
    with _as_text(psycopg.connect(dsn)) as connection:
        row = connection.execute(
            "select xid::text from trace where shard = %s and resource = %s and action = 'C' order by xid limit 1",
            (shard_of(resource), resource),
        ).fetchone()
        if row is None:
            raise RuntimeError("the request left no trace")
        for table in _TABLES:
            statement = sql.SQL("select * from {} where xmin::text = %s").format(sql.Identifier(table))
            cursor = connection.execute(statement, row)
            rows = cursor.fetchall()
            if rows and cursor.description:
                found.append(Written(table, tuple(column.name for column in cursor.description), tuple(rows)))
    return found


def copy_rate(dsn: str, resources: int) -> float:
    """Rows a second of resources that go through COPY with every index in place: the floor of a bulk load."""
    with _as_text(psycopg.connect(dsn)) as connection:
        cursor = connection.execute("select * from resource where type = %s limit %s", (_OBSERVATION, resources))
        rows, columns = cursor.fetchall(), [column.name for column in cursor.description or ()]
        ids = connection.execute(
            "select * from resource_range where id = any(%s)", ([row[columns.index("id")] for row in rows],)
        )
        ranges, range_columns = ids.fetchall(), [column.name for column in ids.description or ()]
        place, new = columns.index("id"), {}
        for row in rows:
            new[row[place]] = new_id(shard_of(row[place]))
        begun = time.perf_counter()
        for table, names, lines in (("resource", columns, rows), ("resource_range", range_columns, ranges)):
            with connection.cursor().copy(_copy(table, names)) as copy:
                at = names.index("id")
                for line in lines:
                    copy.write_row([new[value] if number == at else value for number, value in enumerate(line)])
        connection.commit()
        return len(rows) / (time.perf_counter() - begun)


def _as_text(connection: psycopg.Connection[Row]) -> psycopg.Connection[Row]:
    """Read what Python has no value for (infinite instants, documents of JSON) as it is written."""
    for name in ("timestamptz", "jsonb"):
        connection.adapters.register_loader(name, TextLoader)
    return connection


def _copy(table: str, columns: Sequence[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), names)


class _Insertion:
    """Writes the rows of one request again, under new ids."""

    def __init__(self, written: Sequence[Written]) -> None:
        self._written = [(one, self._statement(one)) for one in written]
        self._own = {row[one.columns.index("id")] for one in written if one.table in _OWN_IDS for row in one.rows}

    async def __call__(self, connection: AsyncConnection[Row]) -> None:
        new = {id: new_id(shard_of(id)) for id in self._own}
        async with connection.pipeline(), connection.transaction():
            for one, statement in self._written:
                for row in one.rows:
                    await connection.execute(statement, self._again(one, row, new), prepare=True)

    def _again(self, one: Written, row: Row, new: dict[UUID, UUID]) -> list[Any]:
        values = [new.get(value, value) if isinstance(value, UUID) else value for value in row]
        if one.table == "record_unique_id":
            unique_id = f"urn:uuid:{new_id()}"
            values[one.columns.index("unique_id")] = unique_id
            values[one.columns.index("shard")] = hash64(unique_id) % 1024
        return values

    def _statement(self, one: Written) -> sql.Composed:
        names = sql.SQL(", ").join(map(sql.Identifier, one.columns))
        # Binary, so that a hundred kilobytes are not written as two hundred of hexadecimal digits.
        values = sql.SQL(", ").join(sql.SQL("%b" if isinstance(value, bytes) else "%s") for value in one.rows[0])
        return sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(one.table), names, values)


def _reading(keys: Sequence[tuple[UUID, UUID]]) -> Callable[[AsyncConnection[Row]], Awaitable[None]]:
    statement = "select body from resource where shard = %s and type = %s and id = %s"

    async def read(connection: AsyncConnection[Row]) -> None:
        key, _ = random.choice(keys)
        await (await connection.execute(statement, (shard_of(key), _OBSERVATION, key), prepare=True)).fetchone()

    return read


def _searching(keys: Sequence[tuple[UUID, UUID]]) -> Callable[[AsyncConnection[Row]], Awaitable[None]]:
    statement = """
        select id, version, updated, body from resource
        where shard = %s and patient = %s and type = %s and not deleted
        order by date_low desc, id desc
        limit 20
    """

    async def search(connection: AsyncConnection[Row]) -> None:
        _, patient = random.choice(keys)
        cursor = await connection.execute(statement, (shard_of(patient), patient, _OBSERVATION), prepare=True)
        await cursor.fetchall()

    return search


async def _free(dsn: str) -> int:
    """How many connections PostgreSQL accepts beside those that are open, some left to whoever comes."""
    async with await AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(
            "select current_setting('max_connections')::int - sum(numbackends)::int from pg_stat_database"
        )
        row = await cursor.fetchone()
    return max(1, row[0] - _SPARED) if row else 1


async def _repeat(job: FloorJob) -> float:
    acts = {"read": lambda: _reading(job.keys), "search": lambda: _searching(job.keys)}
    act = acts[job.kind]() if job.kind in acts else _Insertion(job.written)
    done = 0
    connections = min(job.connections, await _free(job.dsn))
    begin = time.perf_counter() + job.seconds / 4
    end = begin + job.seconds

    async def worker() -> None:
        nonlocal done
        async with await AsyncConnection.connect(job.dsn, autocommit=True) as connection:
            while (now := time.perf_counter()) < end:
                await act(connection)
                done += begin <= now

    await asyncio.gather(*(worker() for _ in range(connections)))
    return done / (time.perf_counter() - begin)


def main() -> None:
    import uvloop

    job: FloorJob = pickle.load(sys.stdin.buffer)
    print(json.dumps(uvloop.run(_repeat(job))))


if __name__ == "__main__":
    main()
