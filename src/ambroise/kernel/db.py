"""PostgreSQL, close to the metal: own slots, prepared statements, nothing reset between requests.

A slot is one connection in autocommit mode. It is handed out last in, first out, so that few slots stay warm, and it is
never reset when it comes back: code uses `set local` only, inside a transaction. A transaction sends its BEGIN together
with its first statement, so an empty transaction costs nothing and any other one round trip less.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, Self

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.sql import SQL, Composed
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

Row = tuple[Any, ...]
Statement = LiteralString | SQL | Composed
Params = Sequence[Any] | Mapping[str, Any]
Callback = Callable[[], Awaitable[None] | None]

_log = logger(__name__)

_OPTIONS = "-c timezone=UTC -c client_min_messages=warning"
_SLOT_WAIT_SECONDS = 30.0
_PREPARED_PER_SLOT = 1000


class Reader:
    """Single statements, each in its own snapshot."""

    def __init__(self, slot: "Slot") -> None:
        self._slot = slot

    async def fetch_all(self, sql: Statement, params: Params = (), *, prepare: bool | None = None) -> list[Row]:
        """Every row. `prepare=False` has the statement planned for these very values, each time."""
        return await (await self._run(sql, params, prepare)).fetchall()

    async def fetch_one(self, sql: Statement, params: Params = (), *, prepare: bool | None = None) -> Row | None:
        return await (await self._run(sql, params, prepare)).fetchone()

    async def fetch_value(self, sql: Statement, params: Params = (), *, prepare: bool | None = None) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetch_one(sql, params, prepare=prepare)
        return None if row is None else row[0]

    async def _run(self, sql: Statement, params: Params, prepare: bool | None = None) -> AsyncCursor[Row]:
        return await self._slot.run(sql, params, prepare)


class Transaction(Reader):
    """Statements that happen together or not at all."""

    def __init__(self, slot: "Slot", begin: LiteralString) -> None:
        super().__init__(slot)
        self._begin: LiteralString = begin
        self._begun = False
        self._callbacks: list[Callback] = []
        self._savepoints = 0

    async def execute(self, sql: Statement, params: Params = ()) -> int:
        """Run a statement; how many rows it touched."""
        return (await self._run(sql, params)).rowcount

    async def execute_many(self, sql: Statement, rows: Iterable[Params]) -> int:
        """Run one statement for many rows in one pipeline; how many rows it touched in all."""
        await self._ensure_begun()
        cursor = self._slot.connection.cursor(binary=True)
        await cursor.executemany(sql, rows)
        return cursor.rowcount

    async def copy_in(self, sql: Statement, rows: Iterable[Sequence[Any]], types: Sequence[str] | None = None) -> None:
        """Load rows through `copy … from stdin`; binary when `types` names every column's type."""
        await self._ensure_begun()
        async with self._slot.connection.cursor().copy(sql) as copy:
            if types is not None:
                copy.set_types(types)
            for row in rows:
                await copy.write_row(row)

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """Undo only what happens inside when it raises; the transaction stays usable."""
        await self._ensure_begun()
        self._savepoints += 1
        name = SQL("sp{}").format(SQL(str(self._savepoints)))  # type: ignore[arg-type]
        await self._slot.run(SQL("savepoint ") + name, ())
        callbacks = len(self._callbacks)
        try:
            yield
        except BaseException:
            del self._callbacks[callbacks:]
            if not self._slot.broken:
                await self._slot.run(SQL("rollback to savepoint ") + name, ())
            raise
        await self._slot.run(SQL("release savepoint ") + name, ())

    @asynccontextmanager
    async def pipeline(self) -> AsyncGenerator[None]:
        """Send the statements inside without waiting for each answer.

        It pays when several statements follow each other and none needs the result of the one before; their results are
        read at the end. An error surfaces at the latest on leaving.
        """
        await self._ensure_begun()
        async with self._slot.connection.pipeline():
            yield

    def after_commit(self, callback: Callback) -> None:
        """Call this once the transaction is durable; never when it rolls back."""
        self._callbacks.append(callback)

    @property
    def connection(self) -> AsyncConnection[Row]:
        """The raw connection, for another library that must work inside this transaction (job queue, COPY out)."""
        return self._slot.connection

    async def begin(self) -> None:
        """Send BEGIN now; only needed before using `connection` directly."""
        await self._ensure_begun()

    async def _run(self, sql: Statement, params: Params, prepare: bool | None = None) -> AsyncCursor[Row]:
        if self._begun:
            return await self._slot.run(sql, params, prepare)
        self._begun = True
        return await self._slot.run_first(self._begin, sql, params, prepare)

    async def _ensure_begun(self) -> None:
        if not self._begun:
            self._begun = True
            await self._slot.command(self._begin)

    async def finish(self, *, commit: bool) -> None:
        if not self._begun or self._slot.broken:
            if self._begun and commit:
                raise Refusal(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "The database went away; try again.")
            return
        await self._slot.command("commit" if commit else "rollback")

    async def run_callbacks(self) -> None:
        for callback in self._callbacks:
            try:
                result = callback()
                if result is not None:
                    await result
            except Exception:
                # The facts are committed: a failing echo must not make the caller believe otherwise.
                _log.exception("after_commit_failed")


class Slot:
    """One connection, kept by us."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.connection: AsyncConnection[Row]

    async def connect(self) -> Self:
        try:
            self.connection = await AsyncConnection.connect(self._dsn, autocommit=True, options=_OPTIONS)
        except psycopg.OperationalError as error:
            raise Refusal(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "The database does not answer.") from error
        self.connection.prepare_threshold = 1
        self.connection.prepared_max = _PREPARED_PER_SLOT
        # Every integer goes as bigint: one prepared statement per query, whatever the magnitude of its numbers.
        self.connection.adapters.register_dumper(int, Int8Dumper)
        self.connection.adapters.register_dumper(int, Int8BinaryDumper)
        return self

    @property
    def broken(self) -> bool:
        return self.connection.closed

    @property
    def idle(self) -> bool:
        """Whether it can be handed to somebody else: open, and outside any transaction."""
        connection = self.connection
        return not connection.closed and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    async def run(self, sql: Statement, params: Params, prepare: bool | None = None) -> AsyncCursor[Row]:
        cursor = self.connection.cursor(binary=True)
        return await cursor.execute(sql, params, prepare=prepare)

    async def command(self, sql: LiteralString) -> None:
        await self.connection.execute(sql, prepare=False)

    async def run_first(
        self, begin: LiteralString, sql: Statement, params: Params, prepare: bool | None
    ) -> AsyncCursor[Row]:
        """Open a transaction and run its first statement in one round trip; a connection found dead is replaced."""
        try:
            return await self._run_first(begin, sql, params, prepare)
        except psycopg.OperationalError:
            if not self.broken:
                raise
        # Nothing of an uncommitted transaction survives its connection, so that trying again is safe.
        await self.connect()
        return await self._run_first(begin, sql, params, prepare)

    async def _run_first(
        self, begin: LiteralString, sql: Statement, params: Params, prepare: bool | None
    ) -> AsyncCursor[Row]:
        async with self.connection.pipeline():
            await self.connection.execute(begin, prepare=False)
            return await self.run(sql, params, prepare)

    async def close(self) -> None:
        await self.connection.close()


class RetryingReader(Reader):
    async def _run(self, sql: Statement, params: Params, prepare: bool | None = None) -> AsyncCursor[Row]:
        try:
            return await self._slot.run(sql, params, prepare)
        except psycopg.OperationalError:
            if not self._slot.broken:
                raise
        await self._slot.connect()
        return await self._slot.run(sql, params, prepare)


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

    @asynccontextmanager
    async def reader(self) -> AsyncGenerator[Reader]:
        """Single statements in autocommit."""
        slot = await self._take()
        try:
            yield RetryingReader(slot)
        finally:
            await self._give_back(slot)

    @asynccontextmanager
    async def transaction(self, *, begin: LiteralString = "begin") -> AsyncGenerator[Transaction]:
        """Commit when the block ends, roll back when it raises. Isolation: `begin="begin isolation level …"`."""
        slot = await self._take()
        transaction = Transaction(slot, begin)
        try:
            try:
                yield transaction
            except BaseException:
                await self._roll_back(transaction)
                raise
            await transaction.finish(commit=True)
        finally:
            await self._give_back(slot)
        await transaction.run_callbacks()

    async def listen(self, *channels: LiteralString) -> AsyncIterator[tuple[str, str]]:
        """Yield (channel, payload) for every NOTIFY, on a connection of its own; ends when the connection does."""
        connection = await AsyncConnection.connect(self.dsn, autocommit=True, options=_OPTIONS)
        try:
            for channel in channels:
                await connection.execute(SQL("listen ") + SQL(channel))
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

    async def _take(self) -> Slot:
        if self._closed:
            raise Refusal(Kind.UNAVAILABLE, "SHUTTING_DOWN", "The server is stopping.")
        if self._free:
            return self._free.pop()
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
                await self._give_back(slot)
            raise
        return slot if slot is not None else await self._open_one()

    async def _give_back(self, slot: Slot) -> None:
        if self._closed or not slot.idle:
            # Left inside a transaction by a cancelled task, or broken: never hand such a slot to somebody else.
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


__all__ = ["Callback", "Database", "Params", "Reader", "Row", "Statement", "Transaction"]
