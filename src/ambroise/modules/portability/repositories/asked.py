"""What people ask for about a record, a copy or an import: rows of one table, by their id or by who asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, LiteralString, TypeVar
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of

One = TypeVar("One")


class Asked(Struct, Generic[One], frozen=True):
    """A table of requests: its columns, how a row is read, which rows people see, and the table of their parts.

    `parts` names that table and its column that names the request.
    """

    table: LiteralString
    columns: LiteralString
    read: Callable[[Row], One]
    parts: tuple[LiteralString, LiteralString]
    seen: LiteralString = "true"

    async def hold(self, tx: Transaction, id: UUID) -> One | None:
        """One request, for this transaction alone."""
        query = f"select {self.columns} from {self.table} where shard = %s and id = %s for update"
        row = await tx.fetch_one(query, (shard_of(id), id))
        return None if row is None else self.read(row)

    async def alone(self, tx: Transaction, patient: UUID, asked_by: str) -> None:
        """Let one request of a person about a record begin at a time, so that what is counted before stays true."""
        await tx.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{self.table} {patient} {asked_by}",)
        )

    async def of_person(self, reader: Reader, patient: UUID, asked_by: str, count: int) -> list[One]:
        """The latest of what one person asked for about a record."""
        rows = await reader.fetch_all(
            f"""
            select {self.columns}
            from {self.table}
            where shard = %s and patient = %s and asked_by = %s and {self.seen}
            order by asked_at desc, id desc
            limit %s
            """,
            (shard_of(patient), patient, asked_by, count),
        )
        return [self.read(row) for row in rows]

    async def erase(self, tx: Transaction, patient: UUID) -> None:
        """Forget all that was asked for about a record."""
        shard = shard_of(patient)
        parts, request = self.parts
        await tx.execute(
            f"""
            delete from {parts} p
            using {self.table} a
            where a.shard = %s and a.patient = %s and p.shard = a.shard and p.{request} = a.id
            """,
            (shard, patient),
        )
        await tx.execute(f"delete from {self.table} where shard = %s and patient = %s", (shard, patient))
