"""The SQL of launches."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.modules.identity.provider.smart import Opened


async def insert(tx: Transaction, launch: bytes, client: str, account: UUID, opened: Opened, ends: datetime) -> None:
    await tx.execute(
        """
        insert into smart_launch (launch_hash, client, account, patient, encounter, expires_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (launch, client, account, opened.patient, opened.encounter, ends),
    )


async def take(tx: Transaction, launch: bytes, client: str, account: UUID, now: datetime) -> Opened | None:
    """What a launch of this client and this professional opens, once."""
    row = await tx.fetch_one(
        """
        delete from smart_launch
        where launch_hash = %s and client = %s and account = %s and expires_at > %s
        returning patient, encounter
        """,
        (launch, client, account, now),
    )
    return None if row is None else Opened(row[0], row[1])


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from smart_launch where expires_at < %s", (before,))
