"""The SQL of shared contexts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction


async def put(
    tx: Transaction,
    account: UUID,
    sign_on: UUID,
    schema: str,
    bag: bytes,
    patient: UUID | None,
    client: str,
    now: datetime,
    ends: datetime,
) -> None:
    """Keep the context of a professional in place of the one before."""
    await tx.execute(
        """
        insert into shared_context (account, sign_on, schema_id, bag, patient, client, shared_at, expires_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (account) do update
        set sign_on = excluded.sign_on, schema_id = excluded.schema_id, bag = excluded.bag,
          patient = excluded.patient, client = excluded.client, shared_at = excluded.shared_at,
          expires_at = excluded.expires_at
        """,
        (account, sign_on, schema, bag, patient, client, now, ends),
    )


async def find(reader: Reader, account: UUID, now: datetime) -> tuple[str, bytes] | None:
    """The schema and the sealed bag of a professional whose sign-on lasts."""
    row = await reader.fetch_one(
        """
        select c.schema_id, c.bag
        from shared_context c
        join sign_on n on n.id = c.sign_on
        where c.account = %s and c.expires_at > %s and n.closed_at is null and n.ends_at > %s
        """,
        (account, now, now),
    )
    return None if row is None else (row[0], bytes(row[1]))


async def patient_of(reader: Reader, account: UUID, now: datetime) -> UUID | None:
    """The patient whom a professional carries, if the context is about one."""
    return await reader.fetch_value(
        """
        select c.patient
        from shared_context c
        join sign_on n on n.id = c.sign_on
        where c.account = %s and c.expires_at > %s and n.closed_at is null and n.ends_at > %s
        """,
        (account, now, now),
    )


async def purge(tx: Transaction, sign_on: UUID) -> UUID | None:
    """Forget what was shared in a session; the patient whom it was about."""
    return await tx.fetch_value("delete from shared_context where sign_on = %s returning patient", (sign_on,))


async def sweep(tx: Transaction, now: datetime) -> int:
    return await tx.execute("delete from shared_context where expires_at < %s", (now,))
