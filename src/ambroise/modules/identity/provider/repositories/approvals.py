"""The SQL of what is asked on phones."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.provider.model import Approval, ApprovalState

# RFC 8628 §3.5, to which CIBA refers.
_SLOWER_SECONDS = 5
_APPROVAL = """
  p.id, p.account, p.client, c.name, p.number, p.channel, p.scopes, p.issuer, p.state, p.mistakes, p.created_at,
  p.expires_at, p.used_at is not null, p.situation, p.request is null
"""


async def insert(
    tx: Transaction, approval: Approval, reference: bytes, request: bytes | None, acr: str, wait_seconds: int
) -> None:
    await tx.execute(
        """
        insert into sign_on_approval (id, reference_hash, account, client, request, channel, number, scopes, issuer,
          acr, state, created_at, expires_at, wait_seconds)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            approval.id, reference, approval.account, approval.client, request, approval.channel, approval.number,
            list(approval.scopes), approval.issuer, acr, approval.state.value, approval.created_at, approval.expires_at,
            wait_seconds,
        ),
    )  # fmt: skip


async def find(reader: Reader, *, reference: bytes | None = None, id: UUID | None = None) -> Approval | None:
    row = await reader.fetch_one(
        f"""
        select {_APPROVAL}
        from sign_on_approval p
        join oauth_client c on c.id = p.client
        where p.reference_hash = %s or p.id = %s
        """,
        (reference, id),
    )
    return None if row is None else _approval(row)


async def of_request(reader: Reader, request: bytes) -> Approval | None:
    """The last approval asked for a request to sign in."""
    row = await reader.fetch_one(
        f"""
        select {_APPROVAL}
        from sign_on_approval p
        join oauth_client c on c.id = p.client
        where p.request = %s
        order by p.created_at desc, p.id desc
        limit 1
        """,
        (request,),
    )
    return None if row is None else _approval(row)


async def waiting(reader: Reader, account: UUID, now: datetime) -> list[Approval]:
    """What a professional's phone shows, the newest first."""
    rows = await reader.fetch_all(
        f"""
        select {_APPROVAL}
        from sign_on_approval p
        join oauth_client c on c.id = p.client
        where p.account = %s and p.state = 'pending' and p.expires_at > %s
        order by p.created_at desc, p.id desc
        """,
        (account, now),
    )
    return [_approval(row) for row in rows]


async def count_in_vain(reader: Reader, account: UUID, since: datetime) -> int:
    """How many approvals were asked of this person since an instant, that they did not give."""
    return await reader.fetch_value(
        "select count(*) from sign_on_approval where account = %s and created_at > %s and state <> 'approved'",
        (account, since),
    )


async def answer(tx: Transaction, id: UUID, state: ApprovalState, now: datetime, situation: int | None = None) -> bool:
    """Answer an approval; false when it no longer waits."""
    done = await tx.execute(
        """
        update sign_on_approval
        set state = %s, answered_at = %s, situation = %s
        where id = %s and state = 'pending' and expires_at > %s
        """,
        (state.value, now, situation, id, now),
    )
    return done == 1


async def poll(tx: Transaction, reference: bytes, client: str, now: datetime) -> Approval | Refusal | None:
    """The approval that a client polls for, the poll counted; SLOW_DOWN when it comes too soon, five seconds longer."""
    row = await tx.fetch_one(
        """
        select id, polled_at, wait_seconds
        from sign_on_approval
        where reference_hash = %s and client = %s and request is null
        for update
        """,
        (reference, client),
    )
    if row is None:
        return None
    id, before, wait = row
    soon = before is not None and (now - before).total_seconds() < wait
    await tx.execute(
        "update sign_on_approval set polled_at = %s, wait_seconds = least(wait_seconds + %s, 60) where id = %s",
        (now, _SLOWER_SECONDS if soon else 0, id),
    )
    if soon:
        return Refusal(Kind.INVALID, "SLOW_DOWN", f"Poll every {min(wait + _SLOWER_SECONDS, 60)} seconds from now on.")
    return await find(tx, id=id)


async def mistake(tx: Transaction, id: UUID) -> int:
    """Count a number typed wrong; how many there were."""
    return (
        await tx.fetch_value(
            "update sign_on_approval set mistakes = mistakes + 1 where id = %s returning mistakes", (id,)
        )
        or 0
    )


async def use(tx: Transaction, id: UUID, now: datetime) -> bool:
    """Turn an approval into a session, once."""
    done = await tx.execute(
        "update sign_on_approval set used_at = %s where id = %s and state = 'approved' and used_at is null", (now, id)
    )
    return done == 1


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from sign_on_approval where expires_at < %s", (before,))


def _approval(row: Row) -> Approval:
    return Approval(
        id=row[0], account=row[1], client=row[2], client_name=row[3], number=row[4], channel=row[5],
        scopes=tuple(row[6]), issuer=row[7], state=ApprovalState(row[8]), mistakes=row[9], created_at=row[10],
        expires_at=row[11], used=row[12], situation=row[13], asked_without_page=row[14],
    )  # fmt: skip
