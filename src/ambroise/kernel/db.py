"""PostgreSQL, close to the metal: own slots, prepared statements, nothing reset between requests.

A slot is one connection in autocommit mode. It is handed out last in, first out, so that few slots stay warm, and it is
never reset when it comes back: code uses `set local` only, inside a transaction.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, Self

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.pq.abc import PGresult
from psycopg.sql import SQL
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from ambroise.kernel import wire
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.kernel.wire import Params, Row, Wire

Statement = wire.Text
Callback = Callable[[], Awaitable[None] | None]
Together = Callable[[list[Any]], tuple[Statement, Params]]
"""Makes one statement of gathered rows."""

_log = logger(__name__)

_OPTIONS = "-c timezone=UTC -c client_min_messages=warning"
_SLOT_WAIT_SECONDS = 30.0
_TOGETHER = 500
_SAVEPOINTS: tuple[LiteralString, ...] = ("sp0", "sp1", "sp2", "sp3", "sp4", "sp5", "sp6", "sp7")

_COMMIT = wire.Statement("commit", prepare=True)
_ROLLBACK = wire.Statement("rollback", prepare=True)


class Reader:
    """Single statements, each in its own snapshot. A connection found dead is replaced, and the statement run again."""

    _slot: "Slot"

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


class Borrowed(Reader):
    """A reader that holds a slot from its first statement to the end of its block: who reads nothing holds nothing."""

    def __init__(self, database: "Database") -> None:
        self._database: Database | None = database
        self._holds = False

    async def __aenter__(self) -> Reader:
        return self

    async def __aexit__(self, *raised: object) -> None:
        database, self._database = self._database, None
        if self._holds and database is not None:
            await database.give_back(self._slot)

    async def _run(self, statement: wire.Statement) -> PGresult:
        return (await (await self._held()).run_afresh([statement]))[-1]

    async def _held(self) -> "Slot":
        if not self._holds:
            if self._database is None:
                raise RuntimeError("the block of this reader has ended")
            self._slot = await self._database.take()
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

    def __init__(self, slot: "Slot", begin: LiteralString) -> None:
        self._slot = slot
        self._waiting = [wire.Statement(begin, prepare=True)]
        self._begun = False
        self._rows: dict[Together, list[Any]] = {}
        self._last: dict[Together, list[Any]] = {}
        self._callbacks: list[Callback] = []
        self._enqueued = False
        self._depth = 0
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

    async def _undo(self, set_it: wire.Statement, *back: wire.Statement) -> None:
        self._enqueued = False
        self._rows.clear()
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


class Slot:
    """One connection, kept by us."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.wire: Wire

    async def connect(self) -> Self:
        try:
            connection = await AsyncConnection.connect(self._dsn, autocommit=True, options=_OPTIONS)
        except psycopg.OperationalError as error:
            raise Refusal(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "The database does not answer.") from error
        # Every integer goes as bigint: one prepared statement per query, whatever the magnitude of its numbers.
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        self.wire = Wire(connection)
        return self

    async def run(self, statements: list[wire.Statement]) -> list[PGresult]:
        return await self.wire.run_all(statements)

    async def run_afresh(self, statements: list[wire.Statement]) -> list[PGresult]:
        """Run what may be run twice: on a new connection when this one is dead, or stale after a migration."""
        return await self._run_or(statements, (psycopg.OperationalError, psycopg.errors.FeatureNotSupported))

    async def run_once(self, statements: list[wire.Statement]) -> list[PGresult]:
        """Run what may not be run twice: on a new connection only when this one refused it, stale after a migration."""
        return await self._run_or(statements, (psycopg.errors.FeatureNotSupported,))

    async def _run_or(self, statements: list[wire.Statement], mended: tuple[type[Exception], ...]) -> list[PGresult]:
        """Run, and once more on a new connection after such an error of the connection."""
        try:
            return await self.wire.run_all(statements)
        except mended:
            if not self.wire.broken and not self.wire.stale:
                raise
        await self.wire.close()
        await self.connect()
        return await self.wire.run_all(statements)

    async def close(self) -> None:
        await self.wire.close()


class Database:
    """The slots of one process."""

    def __init__(self) -> None:
        self.dsn = ""
        self._slots = 0
        self._opened = 0
        self._free: list[Slot] = []
        self._waiting: deque[asyncio.Future[Slot | None]] = deque()
        self._closed = False

    @classmethod
    async def open(cls, dsn: str, *, slots: int = 10) -> "Database":
        """Connect once, so that a wrong address fails now; the other slots open when they are first needed."""
        database = cls()
        database.dsn = dsn
        database._slots = slots
        slot = await Slot(dsn).connect()
        database._opened = 1
        database._free.append(slot)
        return database

    @property
    def opened(self) -> int:
        """How many connections are open."""
        return self._opened

    @property
    def free(self) -> int:
        """How many of them nobody uses now."""
        return len(self._free)

    async def close(self) -> None:
        self._closed = True
        for slot in self._free:
            await slot.close()
        self._free.clear()

    def reader(self) -> Borrowed:
        """Single statements in autocommit, on a slot that is taken when the first one is sent."""
        return Borrowed(self)

    def alone(self) -> Alone:
        """Single statements that write, each committed as it ends, on a slot that is taken when the first is sent."""
        return Alone(self)

    @asynccontextmanager
    async def transaction(self, *, begin: LiteralString = "begin") -> AsyncGenerator[Transaction]:
        """Commit when the block ends, roll back when it raises. Isolation: `begin="begin isolation level …"`."""
        slot = await self.take()
        transaction = Transaction(slot, begin)
        try:
            try:
                yield transaction
            except BaseException:
                await self._roll_back(transaction)
                raise
            await transaction.finish(commit=True)
        finally:
            await self.give_back(slot)
        await transaction.run_callbacks()

    async def listen(
        self, *channels: LiteralString, ready: Callable[[], None] = lambda: None
    ) -> AsyncIterator[tuple[str, str]]:
        """Yield (channel, payload) for every NOTIFY since `ready`, on a connection of its own; ends when that does."""
        connection = await AsyncConnection.connect(self.dsn, autocommit=True, options=_OPTIONS)
        try:
            for channel in channels:
                await connection.execute(SQL("listen ") + SQL(channel))
            ready()
            async for note in connection.notifies():
                yield note.channel, note.payload
        finally:
            await connection.close()

    async def _roll_back(self, transaction: Transaction) -> None:
        try:
            await transaction.finish(commit=False)
        except psycopg.Error:
            # The connection is gone, and the transaction with it.
            _log.warning("rollback_failed")

    async def take(self) -> Slot:
        """A slot for one caller; `give_back` it whatever happens."""
        if self._closed:
            raise Refusal(Kind.UNAVAILABLE, "SHUTTING_DOWN", "The server is stopping.")
        while self._free:
            slot = self._free.pop()
            if not slot.wire.broken:
                return slot
            # It died while nobody used it; a restart of the server leaves many such.
            self._opened -= 1
            await slot.close()
        if self._opened < self._slots:
            return await self._open_one()
        return await self._wait_for_one()

    async def _open_one(self) -> Slot:
        self._opened += 1
        try:
            return await Slot(self.dsn).connect()
        except BaseException:
            self._opened -= 1
            self._hand_over(None)
            raise

    async def _wait_for_one(self) -> Slot:
        future: asyncio.Future[Slot | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(_SLOT_WAIT_SECONDS):
                slot = await future
        except TimeoutError:
            raise Refusal(Kind.UNAVAILABLE, "BUSY", "Every database connection is busy; try again shortly.") from None
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and (slot := future.result()) is not None:
                await self.give_back(slot)
            raise
        return slot if slot is not None else await self._open_one()

    async def give_back(self, slot: Slot) -> None:
        """Let others have it, unless nobody can use it any more."""
        if self._closed or not slot.wire.idle or slot.wire.worn:
            # Left inside a transaction by a cancelled task, broken or worn: never hand such a slot to somebody else.
            self._opened -= 1
            await slot.close()
            self._hand_over(None)
        elif not self._hand_over(slot):
            self._free.append(slot)

    def _hand_over(self, slot: Slot | None) -> bool:
        """Give a slot (None: the right to open one) to who waits longest; whether anybody did."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(slot)
                return True
        return False


__all__ = ["Callback", "Database", "Params", "Reader", "Row", "Statement", "Together", "Transaction", "json_rows"]
