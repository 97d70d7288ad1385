"""The SQL of forgotten passwords and of the desk's rescues."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction


class Row(Struct, frozen=True):
    id: UUID
    step: str
    account: UUID | None
    rescue: UUID | None
    reference: str
    sealed: bytes
    ends_at: datetime


class Waiting(Struct, frozen=True):
    """A holder who waits at the desk."""

    id: UUID
    account: UUID
    name: str
    patient: UUID
    reference: str
    asked_at: datetime


async def insert(
    tx: Transaction, token_hash: bytes, id: UUID, reference: str, sealed: bytes, now: datetime, ends: datetime
) -> None:
    await tx.execute(
        """
        insert into recovery (token_hash, id, step, reference, sealed, begun_at, ends_at)
        values (%s, %s, 'asked', %s, %s, %s, %s)
        """,
        (token_hash, id, reference, sealed, now, ends),
    )


async def find(reader: Reader, token_hash: bytes) -> Row | None:
    return _row(await reader.fetch_one(f"select {_COLUMNS} from recovery where token_hash = %s", (token_hash,)))


async def hold(tx: Transaction, token_hash: bytes) -> Row | None:
    """The recovery of a token, locked until the end of the transaction."""
    return _row(await tx.fetch_one(f"select {_COLUMNS} from recovery where token_hash = %s for update", (token_hash,)))


async def find_by_id(reader: Reader, id: UUID) -> Row | None:
    return _row(await reader.fetch_one(f"select {_COLUMNS} from recovery where id = %s", (id,)))


async def designate(tx: Transaction, id: UUID, account: UUID) -> None:
    await tx.execute("update recovery set account = %s where id = %s", (account, id))


async def prove(tx: Transaction, id: UUID, rescue: UUID | None) -> None:
    await tx.execute("update recovery set step = 'proven', rescue = %s where id = %s", (rescue, id))


async def delete(tx: Transaction, id: UUID) -> None:
    await tx.execute("delete from recovery where id = %s", (id,))


async def ask_desk(tx: Transaction, id: UUID, token_hash: bytes, now: datetime) -> None:
    """Enter the queue of the desk, when the recovery designates somebody; the same statement otherwise."""
    await tx.execute(
        """
        insert into account_rescue (id, account, reference, asked_at)
        select %s, account, reference, %s
        from recovery
        where token_hash = %s
          and account is not null
        on conflict (reference) do nothing
        """,
        (id, now, token_hash),
    )


async def waiting(reader: Reader, since: datetime) -> list[Waiting]:
    rows = await reader.fetch_all(
        """
        select r.id, r.account, a.display_name, a.patient, r.reference, r.asked_at
        from account_rescue r
        join account a on a.id = r.account
        where r.decided_at is null
          and r.asked_at > %s
        order by r.asked_at, r.id
        limit 200
        """,
        (since,),
    )
    return [Waiting(*row) for row in rows]


async def decide(
    tx: Transaction, id: UUID, proof: str, by: str, now: datetime, code: bytes | None, ends: datetime | None
) -> bool:
    decided = await tx.execute(
        """
        update account_rescue
        set proof = %s, decided_by = %s, decided_at = %s, code_hash = %s, code_ends_at = %s
        where id = %s
          and decided_at is null
        """,
        (proof, by, now, code, ends, id),
    )
    return decided == 1


async def use_rescue(tx: Transaction, account: UUID, code: bytes, now: datetime) -> UUID | None:
    """The rescue whose code this is, used up."""
    return await tx.fetch_value(
        """
        update account_rescue
        set used_at = %s
        where account = %s
          and code_hash = %s
          and code_ends_at > %s
          and used_at is null
        returning id
        """,
        (now, account, code, now),
    )


async def sweep(tx: Transaction, now: datetime, rescues_before: datetime) -> None:
    await tx.execute("delete from recovery where ends_at < %s", (now,))
    await tx.execute("delete from account_rescue where asked_at < %s", (rescues_before,))


_COLUMNS = "id, step, account, rescue, reference, sealed, ends_at"


def _row(found: Any) -> Row | None:
    return None if found is None else Row(found[0], found[1], found[2], found[3], found[4], bytes(found[5]), found[6])
