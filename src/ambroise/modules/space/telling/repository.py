"""The SQL of the codes that letters carry."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction


async def put(tx: Transaction, code_hash: bytes, patient: UUID, ends: datetime) -> None:
    await tx.execute(
        "insert into space_notice (code_hash, patient, ends_at) values (%s, %s, %s)", (code_hash, patient, ends)
    )


async def patient_of(reader: Reader, code_hash: bytes, now: datetime) -> UUID | None:
    return await reader.fetch_value(
        "select patient from space_notice where code_hash = %s and ends_at > %s", (code_hash, now)
    )


async def sweep(tx: Transaction, now: datetime) -> int:
    return await tx.execute("delete from space_notice where ends_at < %s", (now,))
