"""The SQL of what was proved by a certificate."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Transaction


async def insert(tx: Transaction, proof: bytes, request: bytes, account: UUID, ends: datetime) -> None:
    await tx.execute(
        "insert into sign_on_certificate (proof_hash, request, account, expires_at) values (%s, %s, %s, %s)",
        (proof, request, account, ends),
    )


async def take(tx: Transaction, proof: bytes, request: bytes, now: datetime) -> UUID | None:
    """Whose proof this is, once, for the request that it was made for."""
    return await tx.fetch_value(
        """
        delete from sign_on_certificate
        where proof_hash = %s and request = %s and expires_at > %s
        returning account
        """,
        (proof, request, now),
    )
