"""A slot: one connection in autocommit mode, mended when it is found dead or stale."""

from __future__ import annotations

from typing import Protocol, Self

import psycopg
from psycopg import AsyncConnection
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from ambroise.kernel import wire
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.wire import Wire

OPTIONS = "-c timezone=UTC -c client_min_messages=warning"
"""What every connection of ours is opened with."""


class Slot:
    """One connection, kept by us."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.wire: Wire

    async def connect(self) -> Self:
        try:
            connection = await AsyncConnection.connect(self._dsn, autocommit=True, options=OPTIONS)
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


class Lender(Protocol):
    """Who hands out slots and takes them back."""

    async def take(self) -> Slot: ...

    async def give_back(self, slot: Slot) -> None: ...
