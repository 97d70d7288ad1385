"""What runs on a connection: single statements, or statements that happen together or not at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import orjson
from psycopg import AsyncConnection
from psycopg.pq.abc import PGresult
from psycopg.sql import SQL

from ambroise.kernel import wire
from ambroise.kernel.log import logger
from ambroise.kernel.slots import Lender, Slot
from ambroise.kernel.wire import Params, Row

Statement = wire.Text
Callback = Callable[[], Awaitable[None] | None]
Together = Callable[[list[Any]], tuple[Statement, Params]]
"""Makes one statement of gathered rows."""

_log = logger(__name__)

_TOGETHER = 500
_SAVEPOINTS: tuple[LiteralString, ...] = ("sp0", "sp1", "sp2", "sp3", "sp4", "sp5", "sp6", "sp7")

_COMMIT = wire.Statement("commit", prepare=True)
_ROLLBACK = wire.Statement("rollback", prepare=True)


class Reader:
    """Single statements, each in its own snapshot. A connection found dead is replaced, and the statement run again."""

    _slot: Slot

    async def fetch_all(self, sql: Statement, params: Params = (), *, prepare: bool | None = None) -> list[Row]:
        """Every row. `prepare=False` has the statement planned for these very values, each time."""
        result = await self._run(wire.Statement(sql, params, prepare))
        return self._slot.wire.rows(result)

    async def fetch_one(self, sql: Statement, params: Params = (), *, prepare: bool | None = None) -> Row | None:
        result = await self._run(wire.Statement(sql, params, prepare))
        return self._slot.wire.row(result)

    async def fetch_value(self, sql: Statement, params: Params = (), *, prepare: bool | None = None) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetch_one(sql, params, prepare=prepare)
        return None if row is None else row[0]

    async def flush(self) -> None:
        """Send what waits for the commit of a transaction, so that a statement that follows finds it."""

    async def _run(self, statement: wire.Statement) -> PGresult:
        return (await self._slot.run_afresh([statement]))[-1]


class Answer:
    """What a statement that was asked ahead answers: sent with the next one, or now if nothing has been sent since."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.result: PGresult | None = None

    async def row(self) -> Row | None:
        """The first row."""
        return self._transaction.read_row(await self._arrived())

    async def touched(self) -> int:
        """How many rows it touched."""
        return (await self._arrived()).command_tuples or 0

    async def _arrived(self) -> PGresult:
        if self.result is None:
            await self._transaction.begin()
        if self.result is None:
            raise RuntimeError("the statement was undone before it was sent")
        return self.result


class Borrowed(Reader):
    """A reader that holds a slot from its first statement to the end of its block: who reads nothing holds nothing."""

    def __init__(self, lender: Lender) -> None:
        self._lender: Lender | None = lender
        self._holds = False

    async def __aenter__(self) -> Reader:
        return self

    async def __aexit__(self, *raised: object) -> None:
        lender, self._lender = self._lender, None
        if self._holds and lender is not None:
            await lender.give_back(self._slot)

    async def _run(self, statement: wire.Statement) -> PGresult:
        return (await (await self._held()).run_afresh([statement]))[-1]

    async def _held(self) -> Slot:
        if not self._holds:
            if self._lender is None:
                raise RuntimeError("the block of this reader has ended")
            self._slot = await self._lender.take()
            self._holds = True
        return self._slot


class Alone(Borrowed):
    """Statements that write, each a transaction of its own, in one round trip; none is ever run twice."""

    async def _run(self, statement: wire.Statement) -> PGresult:
        return (await (await self._held()).run_once([statement]))[-1]


class Transaction(Reader):
    """Statements that happen together or not at all.

    What needs no answer waits to leave with the next statement, in one round trip: BEGIN, savepoints, what is enqueued.
    """

    def __init__(self, slot: Slot, begin: LiteralString) -> None:
        self._slot = slot
        self._waiting = [wire.Statement(begin, prepare=True)]
        self._begun = False
        self._rows: dict[Together, list[Any]] = {}
        self._last: dict[Together, list[Any]] = {}
        self._asked: dict[wire.Statement, Answer] = {}
        self._callbacks: list[Callback] = []
        self._enqueued = False
        self._depth = 0
        self._undone = 0
        self._gathering = False

    async def execute(self, sql: Statement, params: Params = ()) -> int:
        """Run a statement; how many rows it touched (0 inside `pipeline`, where no answer is awaited)."""
        if self._gathering:
            self.enqueue(sql, params)
            return 0
        return (await self._run(wire.Statement(sql, params))).command_tuples or 0

    def enqueue(self, sql: Statement, params: Params = ()) -> None:
        """Run a statement with the next one, or with the commit: no round trip of its own, and no answer.

        Its error, if any, is raised there.
        """
        self._waiting.append(wire.Statement(sql, params))
        self._enqueued = True

    def ask(self, sql: Statement, params: Params = ()) -> Answer:
        """Run a statement with the next one, and read its answer later: no round trip of its own where one follows.

        Its error, if any, is raised there.
        """
        statement = wire.Statement(sql, params)
        self._waiting.append(statement)
        self._enqueued = True
        answer = self._asked[statement] = Answer(self)
        return answer

    def enqueue_row(self, together: Together, row: Any) -> None:
        """Add a row to those that `together` makes one statement of: it leaves once, after all that is enqueued."""
        self._rows.setdefault(together, []).append(row)
        self._enqueued = True

    def write_last(self, together: Together, row: Any) -> None:
        """Add a row to those that leave with the commit, in one statement for the whole transaction.

        Nothing in this transaction finds it before, unless it calls `flush`; nor is its error raised before.
        """
        self._last.setdefault(together, []).append(row)

    async def flush(self) -> None:
        if self._last:
            self._hurry()
            await self.begin()

    async def fetch_each(self, statements: Sequence[tuple[Statement, Params]]) -> list[list[Row]]:
        """Run several queries in one round trip; the rows of each."""
        results = await self._send([wire.Statement(sql, params) for sql, params in statements])
        return [self._slot.wire.rows(result) for result in results[len(results) - len(statements) :]]

    async def execute_many(self, sql: Statement, rows: Iterable[Params]) -> int:
        """Run one statement for many rows, hundreds in a round trip; how many rows it touched in all."""
        touched = 0
        batch: list[wire.Statement] = []
        for params in rows:
            batch.append(wire.Statement(sql, params))
            if len(batch) == _TOGETHER:
                touched += _touched(await self._send(batch))
                batch = []
        return touched + (_touched(await self._send(batch)) if batch else 0)

    async def copy_in(self, sql: Statement, rows: Iterable[Sequence[Any]], types: Sequence[str] | None = None) -> None:
        """Load rows through `copy … from stdin`; binary when `types` names every column's type."""
        await self.begin()
        async with self.connection.cursor().copy(sql) as copy:
            if types is not None:
                copy.set_types(types)
            for row in rows:
                await copy.write_row(row)

    async def copy_text(self, sql: Statement, lines: Iterable[str]) -> None:
        """Load lines that are written as COPY reads text: having the driver adapt each value would cost far more."""
        written = "".join(lines)
        if not written:
            return
        await self.begin()
        async with self.connection.cursor().copy(sql) as copy:
            await copy.write(written)

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """Undo only what happens inside when it raises; the transaction stays usable."""
        if self._enqueued:
            # An error of what waits from before belongs to the transaction, not to this part of it.
            await self.begin()
        name = SQL(_SAVEPOINTS[self._depth])
        set_it, release = (wire.Statement(SQL(verb) + name, prepare=False) for verb in ("savepoint ", "release "))
        self._waiting.append(set_it)
        self._depth += 1
        callbacks = len(self._callbacks)
        last = {together: list(rows) for together, rows in self._last.items()}
        try:
            yield
            if self._enqueued:
                await self.begin()
        except BaseException:
            del self._callbacks[callbacks:]
            # Also what was there before and flushed inside: it was undone with the rest.
            self._last = last
            await self._undo(set_it, wire.Statement(SQL("rollback to ") + name, prepare=False), release)
            raise
        finally:
            self._depth -= 1
        if set_it in self._waiting:
            self._waiting.remove(set_it)
        else:
            self._waiting.append(release)

    @asynccontextmanager
    async def pipeline(self) -> AsyncGenerator[None]:
        """Send every `execute` inside in one round trip, at the end; their errors are raised there.

        It pays when statements follow each other and none needs the answer of the one before.
        """
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
        await self.begin()

    def after_commit(self, callback: Callback) -> None:
        """Call this once the transaction is durable; never when it rolls back."""
        self._callbacks.append(callback)

    @property
    def connection(self) -> AsyncConnection[Row]:
        """The connection, for what only psycopg does (COPY) inside this transaction; `await begin()` first."""
        if not self._begun or self._waiting or self._rows:
            raise RuntimeError("await begin() before using the connection: statements are waiting to be sent")
        return self._slot.wire.connection

    async def begin(self) -> None:
        """Send now what waits, BEGIN included."""
        if self._waiting or self._rows:
            await self._send([])

    async def finish(self, *, commit: bool) -> None:
        if not commit:
            self._waiting.clear()
            self._asked.clear()
            self._rows.clear()
            self._last.clear()
            if self._begun and not self._slot.wire.broken:
                await self._slot.run([_ROLLBACK])
            return
        self._hurry()
        if not self._begun and len(self._waiting) == 1 and not self._rows:
            return
        results = await self._send([_COMMIT])
        if results[-1].command_status != b"COMMIT":
            raise RuntimeError("the transaction was rolled back: an error inside it was caught and ignored")

    async def run_callbacks(self) -> None:
        for callback in self._callbacks:
            try:
                result = callback()
                if result is not None:
                    await result
            except Exception:
                # The facts are committed: a failing echo must not make the caller believe otherwise.
                _log.exception("after_commit_failed")

    def read_row(self, result: PGresult) -> Row | None:
        """The first row of a result of this connection."""
        return self._slot.wire.row(result)

    async def _run(self, statement: wire.Statement) -> PGresult:
        if self._gathering:
            raise RuntimeError("inside pipeline() no answer is read: use execute")
        return (await self._send([statement]))[-1]

    async def _send(self, statements: list[wire.Statement]) -> list[PGresult]:
        rows = [wire.Statement(*together(each)) for together, each in self._rows.items()]
        batch = [*self._waiting, *rows, *statements]
        self._waiting.clear()
        self._rows.clear()
        self._enqueued = False
        asked, self._asked = self._asked, {}
        results = await self._leave(batch)
        for statement, answer in asked.items():
            answer.result = results[batch.index(statement)]
        return results

    async def _leave(self, batch: list[wire.Statement]) -> list[PGresult]:
        if self._begun:
            return await self._slot.run(batch)
        self._begun = True
        # Nothing of an uncommitted transaction survives its connection: the first batch may be sent again, unless it
        # is also the last.
        if batch[-1] is _COMMIT:
            return await self._slot.run(batch)
        return await self._slot.run_afresh(batch)

    def _hurry(self) -> None:
        """Have what was kept for the commit leave with the next statement."""
        for together, rows in self._last.items():
            self._rows.setdefault(together, []).extend(rows)
            self._enqueued = True
        self._last.clear()

    @property
    def undone(self) -> int:
        """How many savepoints were undone: what was read or written before may be no more."""
        return self._undone

    async def _undo(self, set_it: wire.Statement, *back: wire.Statement) -> None:
        self._undone += 1
        self._enqueued = False
        self._rows.clear()
        self._asked.clear()
        if set_it in self._waiting:
            del self._waiting[self._waiting.index(set_it) :]
        elif not self._slot.wire.broken:
            self._waiting.clear()
            await self._slot.run([*back])


def json_rows(sql: LiteralString) -> Together:
    """Rows, which are mappings, as the one parameter of a statement: a JSON array."""

    def together(rows: list[Mapping[str, Any]]) -> tuple[Statement, Params]:
        return sql, (orjson.dumps(rows).decode(),)

    return together


def _touched(results: list[PGresult]) -> int:
    return sum(result.command_tuples or 0 for result in results)
