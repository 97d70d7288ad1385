"""PostgreSQL, close to the metal: own slots, prepared statements, nothing reset between requests.

A slot is one connection in autocommit mode. It is handed out last in, first out, so that few slots stay warm, and it is
never reset when it comes back: code uses `set local` only, inside a transaction.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.kernel.slots import OPTIONS, Slot
from ambroise.kernel.transactions import (
    Alone,
    Answer,
    Borrowed,
    Callback,
    Reader,
    Statement,
    Together,
    Transaction,
    json_rows,
)
from ambroise.kernel.wire import Params, Row

_log = logger(__name__)

_SLOT_WAIT_SECONDS = 30.0


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
        connection = await AsyncConnection.connect(self.dsn, autocommit=True, options=OPTIONS)
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


__all__ = [
    "Answer",
    "Callback",
    "Database",
    "Params",
    "Reader",
    "Row",
    "Statement",
    "Together",
    "Transaction",
    "json_rows",
]
