"""Statements over one PostgreSQL connection, with as little as possible between the program and libpq.

The connection stays in libpq's pipeline mode: what is run together (a BEGIN and the first statement, a PREPARE and its
first use, a batch) leaves in one piece and comes back in one round trip, closed by one Sync. Statements are prepared at
their second use. psycopg adapts the values and provides the connection; its cursors are not on this path, since they
cost more than the round trip itself.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, LiteralString

import msgspec
import psycopg
from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.sql import SQL, Composed

Row = tuple[Any, ...]
Text = LiteralString | SQL | Composed
Params = Sequence[Any] | Mapping[str, Any]

PREPARED_PER_CONNECTION = 1000

# The types of the parameters, and the name of the statement.
_Prepared = tuple[tuple[int, ...], bytes]

_BINARY = 1
# Almost all parameters are one of these, and to know that something is a mapping in general costs ten times as much.
_SEQUENCES = (tuple, list)
_CANCEL_SECONDS = 3.0
_PLACEHOLDER = re.compile(rb"%(?:\((\w+)\))?(.)", re.DOTALL)


class Statement(msgspec.Struct, frozen=True, eq=False):
    """One thing to run. `prepare`: True or False, or None to prepare it from its second use on."""

    sql: Text
    params: Params = ()
    prepare: bool | None = None


class _Query(msgspec.Struct, frozen=True):
    text: bytes
    names: tuple[str, ...] | None
    size: int


class _Command(msgspec.Struct, frozen=True):
    query: _Query
    values: Sequence[Any]
    types: tuple[int, ...]
    formats: Sequence[Any]
    prepare: bool | None


class _Uses(Struct):
    """How often a query was run on this connection, and under which names it is prepared, by types."""

    count: int
    prepared: dict[tuple[int, ...], bytes]

    def name_for(self, command: _Command) -> bytes | None:
        known = self.prepared.get(command.types)
        return self._despite_nulls(command) if known is None and None in command.values else known

    def _despite_nulls(self, command: _Command) -> bytes | None:
        """A null has no type of its own and suits any."""
        for types, name in self.prepared.items():
            if all(
                given == known or value is None
                for given, known, value in zip(command.types, types, command.values, strict=True)
            ):
                return name
        return None


class Wire:
    """Runs statements; one caller at a time."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._adapt = Transformer(connection)
        self._loop = asyncio.get_running_loop()
        self._uses: dict[bytes, _Uses] = {}
        self._names = 0
        self._stale = False
        self._waiter: asyncio.Future[None] | None = None
        self._watched = -1

    @property
    def connection(self) -> AsyncConnection[Row]:
        """The connection for psycopg's own use (COPY, a library); our next statement takes it back."""
        self._stop_watching()
        if self._pg.pipeline_status != PipelineStatus.OFF:
            self._pg.exit_pipeline_mode()
        return self._connection

    @property
    def broken(self) -> bool:
        return self._pg.status != ConnStatus.OK

    @property
    def idle(self) -> bool:
        """Open, and outside any transaction."""
        return not self.broken and self._pg.transaction_status == TransactionStatus.IDLE

    @property
    def stale(self) -> bool:
        """Holds statements prepared before a migration: run again on another connection."""
        return self._stale

    @property
    def worn(self) -> bool:
        """Holds too many prepared statements, or outdated ones: better replaced than kept."""
        return self._stale or self._names > PREPARED_PER_CONNECTION

    async def close(self) -> None:
        self._stop_watching()
        await self._connection.close()

    async def run_all(self, statements: Iterable[Statement]) -> list[PGresult]:
        """Run statements in one round trip; their results. The first error is raised, and nothing after it was run."""
        commands = [self._command(statement) for statement in statements]
        self._start()
        try:
            kept, fresh = self._send(commands)
            await self._flush()
            results = await self._collect()
        except asyncio.CancelledError:
            await self._abandon()
            raise
        except psycopg.OperationalError:
            self._stop_watching()
            raise
        return self._check(results, kept, fresh)

    def rows(self, result: PGresult) -> list[Row]:
        self._adapt.set_pgresult(result)
        return self._adapt.load_rows(0, result.ntuples, tuple)

    def row(self, result: PGresult) -> Row | None:
        if result.ntuples == 0:
            return None
        self._adapt.set_pgresult(result)
        return self._adapt.load_row(0, tuple)

    def _command(self, statement: Statement) -> _Command:
        query = self._query(statement.sql)
        values: Sequence[Any]
        if query.names is not None:
            if isinstance(statement.params, _SEQUENCES) or not isinstance(statement.params, Mapping):
                raise psycopg.ProgrammingError("the statement names its parameters: give a mapping")
            values = [statement.params[name] for name in query.names]
        elif isinstance(statement.params, _SEQUENCES) or not isinstance(statement.params, Mapping):
            values = statement.params
        else:
            raise psycopg.ProgrammingError("the statement does not name its parameters: give a sequence")
        if len(values) != query.size:
            raise psycopg.ProgrammingError(f"the statement has {query.size} placeholders but {len(values)} values")
        dumped = self._adapt.dump_sequence(values, [PyFormat.AUTO] * query.size)
        return _Command(
            query, dumped, tuple(self._adapt.types or ()), list(self._adapt.formats or ()), statement.prepare
        )

    def _query(self, sql: Text) -> _Query:
        if isinstance(sql, str):
            return _parse(sql.encode())
        return _parse(sql.as_bytes(self._connection))

    def _start(self) -> None:
        if self._pg.pipeline_status == PipelineStatus.OFF:
            self._pg.enter_pipeline_mode()
        if self._watched < 0:
            self._watched = self._pg.socket
            self._loop.add_reader(self._watched, self._ready)

    def _send(self, commands: list[_Command]) -> tuple[list[int], dict[int, tuple[bytes, _Prepared]]]:
        """Send everything; where the results that callers want are, and where those of preparations."""
        kept: list[int] = []
        fresh: dict[int, tuple[bytes, _Prepared]] = {}
        position = 0
        for command in commands:
            query = command.query.text
            uses = self._uses.setdefault(query, _Uses(0, {}))
            uses.count += 1
            name = uses.name_for(command)
            if name is None and (uses.count > 1 if command.prepare is None else command.prepare):
                self._names += 1
                name = b"s%d" % self._names
                self._pg.send_prepare(name, query, command.types)
                uses.prepared[command.types] = name
                fresh[position] = (query, (command.types, name))
                position += 1
            if name is not None:
                self._pg.send_query_prepared(name, command.values, command.formats, _BINARY)
            else:
                self._pg.send_query_params(query, command.values, command.types, command.formats, _BINARY)
            kept.append(position)
            position += 1
        self._pg.pipeline_sync()
        return kept, fresh

    def _check(
        self, results: list[PGresult], kept: list[int], fresh: dict[int, tuple[bytes, _Prepared]]
    ) -> list[PGresult]:
        for position, (query, prepared) in fresh.items():
            if results[position].status != ExecStatus.COMMAND_OK:
                del self._uses[query].prepared[prepared[0]]
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                error = error_from_result(result, encoding="utf-8")
                # A migration changed what a prepared statement answers: this connection's are of no use any more.
                self._stale = self._stale or "cached plan must not change" in (error.diag.message_primary or "")
                raise error
        return [results[position] for position in kept]

    async def _flush(self) -> None:
        while self._pg.flush():
            # More than the socket takes: wait to write on, and read meanwhile so that neither side blocks the other.
            self._loop.add_writer(self._watched, self._ready)
            try:
                await self._wait()
            finally:
                self._loop.remove_writer(self._watched)
            self._pg.consume_input()

    async def _collect(self) -> list[PGresult]:
        """Every result up to the Sync."""
        pg = self._pg
        results: list[PGresult] = []
        while True:
            while pg.is_busy():
                await self._wait()
                pg.consume_input()
            result = pg.get_result()
            if result is None:
                if self.broken:
                    raise psycopg.OperationalError("the connection to the database was lost")
            elif result.status == ExecStatus.PIPELINE_SYNC:
                return results
            else:
                results.append(result)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _ready(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            if not waiter.done():
                waiter.set_result(None)
            return
        # Nobody waits: a notice, or the end of the connection, which is noticed here rather than at its next use.
        try:
            self._pg.consume_input()
        except psycopg.OperationalError:
            self._stop_watching()

    async def _abandon(self) -> None:
        """The caller was cancelled in the middle: stop the statement in the server, and never use this again."""
        self._stop_watching()
        with suppress(psycopg.Error, asyncio.CancelledError, OSError):
            await asyncio.shield(self._connection.cancel_safe(timeout=_CANCEL_SECONDS))
        self._pg.finish()

    def _stop_watching(self) -> None:
        if self._watched >= 0:
            self._loop.remove_reader(self._watched)
            self._watched = -1


@lru_cache(maxsize=4096)
def _parse(sql: bytes) -> _Query:
    """Turn `%s` and `%(name)s` into `$1`, `$2`…"""
    names: list[str] = []
    count = 0

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal count
        name, kind = match[1], match[2]
        if kind == b"%" and name is None:
            return b"%"
        if kind != b"s":
            raise psycopg.ProgrammingError(f"only %s and %(name)s are placeholders, not {match[0].decode()!r}")
        if name is None:
            count += 1
            return b"$%d" % count
        if name.decode() not in names:
            names.append(name.decode())
        return b"$%d" % (names.index(name.decode()) + 1)

    text = _PLACEHOLDER.sub(replace, sql)
    if names and count:
        raise psycopg.ProgrammingError("positional and named placeholders cannot be mixed")
    return _Query(text, tuple(names) if names else None, count or len(names))
