"""The SQL of the codes that letters carry, and of the letters that are printed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import shard_of


async def put(tx: Transaction, code_hash: bytes, patient: UUID, ends: datetime) -> None:
    await tx.execute(
        "insert into space_notice (code_hash, patient, ends_at) values (%s, %s, %s)", (code_hash, patient, ends)
    )


async def carried_by(tx: Transaction, code_hash: bytes, letter: UUID) -> None:
    """Note which letter carries a code."""
    await tx.execute("update space_notice set letter = %s where code_hash = %s", (letter, code_hash))


async def told_by(reader: Reader, letter: UUID) -> UUID | None:
    """Whom a letter with a code is about."""
    return await reader.fetch_value("select patient from space_notice where letter = %s", (letter,))


async def by_post(tx: Transaction, patient: UUID) -> None:
    """Have a notice printed that went by mail."""
    await tx.execute(
        """
        update space_life
        set notified_by = 'post'
        where shard = %s and patient = %s and notified_by = 'mail' and printed_at is null
        """,
        (shard_of(patient), patient),
    )


async def patient_of(reader: Reader, code_hash: bytes, now: datetime) -> UUID | None:
    return await reader.fetch_value(
        "select patient from space_notice where code_hash = %s and ends_at > %s", (code_hash, now)
    )


async def sweep(tx: Transaction, now: datetime) -> int:
    return await tx.execute("delete from space_notice where ends_at < %s", (now,))


class Printing(Struct, frozen=True):
    """One run of letters for the printer, and how far it is."""

    id: UUID
    asked_by: str
    asked_at: datetime
    total: int
    printed: int
    unaddressed: int
    finished_at: datetime | None

    @property
    def percent(self) -> int:
        return 100 if self.finished_at else min(99, (self.printed + self.unaddressed) * 100 // max(self.total, 1))


_PRINTING = "id, asked_by, asked_at, total, printed, unaddressed, finished_at"
_TO_PRINT = "notified_by = 'post' and printed_at is null and due_at is not null"


async def count_to_print(reader: Reader) -> int:
    return await reader.fetch_value(
        f"""
        select count(*)
        from space_life l
        join access_space s on s.shard = l.shard and s.patient = l.patient and s.state = 'notified'
        where {_TO_PRINT}
        """
    )


async def to_print(tx: Transaction, count: int) -> list[tuple[UUID, datetime]]:
    """People without a letter, the most urgent first, locked; those that another holds are left to it."""
    rows = await tx.fetch_all(
        f"""
        select l.patient, l.due_at
        from space_life l
        join access_space s on s.shard = l.shard and s.patient = l.patient and s.state = 'notified'
        where {_TO_PRINT}
        order by l.due_at, l.shard, l.patient
        limit %s
        for update of l skip locked
        """,
        (count,),
    )
    return [(patient, due) for patient, due in rows]


async def mark_printed(tx: Transaction, patients: Sequence[UUID], at: datetime) -> None:
    await tx.execute(
        """
        update space_life l
        set printed_at = %s
        from unnest(%s::smallint[], %s::uuid[]) as one (shard, patient)
        where l.shard = one.shard and l.patient = one.patient
        """,
        (at, [shard_of(one) for one in patients], list(patients)),
    )


async def begin_printing(tx: Transaction, one: Printing) -> None:
    await tx.execute(
        "insert into space_printing (id, asked_by, asked_at, total) values (%s, %s, %s, %s)",
        (one.id, one.asked_by, one.asked_at, one.total),
    )


async def hold_printing(tx: Transaction, id: UUID) -> Printing | None:
    row = await tx.fetch_one(f"select {_PRINTING} from space_printing where id = %s for update", (id,))
    return None if row is None else Printing(*row)


async def advance_printing(tx: Transaction, id: UUID, printed: int, unaddressed: int) -> None:
    await tx.execute(
        "update space_printing set printed = printed + %s, unaddressed = unaddressed + %s where id = %s",
        (printed, unaddressed, id),
    )


async def finish_printing(tx: Transaction, id: UUID, at: datetime) -> None:
    await tx.execute("update space_printing set finished_at = %s where id = %s", (at, id))


async def latest(reader: Reader, count: int) -> list[Printing]:
    rows = await reader.fetch_all(
        f"select {_PRINTING} from space_printing order by asked_at desc, id limit %s", (count,)
    )
    return [Printing(*row) for row in rows]


async def sheets(reader: Reader, id: UUID) -> list[int]:
    """How many letters each sheet has, in order."""
    rows = await reader.fetch_all("select letters from space_printing_sheet where printing = %s order by number", (id,))
    return [letters for (letters,) in rows]


async def sheet(reader: Reader, id: UUID, number: int) -> bytes | None:
    return await reader.fetch_value(
        "select sealed from space_printing_sheet where printing = %s and number = %s", (id, number)
    )


async def keep_sheet(tx: Transaction, id: UUID, number: int, letters: int, sealed: bytes) -> None:
    await tx.execute(
        "insert into space_printing_sheet (printing, number, letters, sealed) values (%s, %s, %s, %s)",
        (id, number, letters, sealed),
    )


async def forget_printings(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from space_printing where asked_at < %s", (before,))
