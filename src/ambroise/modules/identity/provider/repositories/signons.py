"""The SQL of sign-on sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.modules.identity.model import Account
from ambroise.modules.identity.provider.model import Means, SignOn
from ambroise.modules.identity.repository import ACCOUNT_COLUMNS, ACCOUNT_WIDTH, account_of_row


async def insert(
    tx: Transaction,
    id: UUID,
    token_hash: bytes | None,
    account: UUID,
    means: Means,
    acr: str,
    amr: Sequence[str],
    situation: int | None,
    now: datetime,
    idle: datetime,
    end: datetime,
) -> None:
    await tx.execute(
        """
        insert into sign_on (id, token_hash, account, means, acr, amr, situation, authenticated_at, idle_ends_at,
          ends_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (id, token_hash, account, means.value, acr, list(amr), situation, now, idle, end),
    )


async def find(reader: Reader, token_hash: bytes, now: datetime) -> SignOn | None:
    """The live session of a browser's token."""
    row = await reader.fetch_one(
        f"""
        select {ACCOUNT_COLUMNS}, n.id, n.means, n.situation, n.authenticated_at, n.ends_at
        from sign_on n
        join account a on a.id = n.account
        where n.token_hash = %s and n.closed_at is null and n.idle_ends_at > %s and n.ends_at > %s
          and a.suspended_at is null
        """,
        (token_hash, now, now),
    )
    if row is None:
        return None
    id, means, situation, since, ends = row[ACCOUNT_WIDTH:]
    return SignOn(id, account_of_row(row), Means(means), situation, since, ends)


async def touch(tx: Transaction, id: UUID, idle: datetime) -> None:
    await tx.execute("update sign_on set idle_ends_at = %s where id = %s", (idle, id))


async def choose(tx: Transaction, id: UUID, situation: int) -> None:
    await tx.execute("update sign_on set situation = %s where id = %s", (situation, id))


async def close(tx: Transaction, id: UUID, now: datetime) -> bool:
    return await tx.execute("update sign_on set closed_at = %s where id = %s and closed_at is null", (now, id)) == 1


async def holder(reader: Reader, id: UUID) -> Account | None:
    """Whose session it is, ended or not."""
    row = await reader.fetch_one(
        f"select {ACCOUNT_COLUMNS} from sign_on n join account a on a.id = n.account where n.id = %s", (id,)
    )
    return None if row is None else account_of_row(row)


async def sweep(tx: Transaction, before: datetime) -> int:
    """Forget sessions that ended, with the families and tokens that came from them."""
    return await tx.execute("delete from sign_on where least(ends_at, closed_at) < %s", (before,))
