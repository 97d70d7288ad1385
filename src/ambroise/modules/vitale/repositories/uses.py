"""The SQL of showing a card: what is unlocked, what is shown, receipts, delegations."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.vitale.model import Challenge, Delegation, DelegationState, Receipt

_RECEIPT: Final = (
    "id, patient, card, at, reader, reader_name, profession, organization_name, software, medium, way, person,"
    " person_name, delegation, returned, access_until"
)
_DELEGATION: Final = (
    "id, patient, card, person, person_name, given_by, given_by_name, state, asked_at, answer_before, until,"
    " answered_at, ended_at"
)


class Open(Struct, frozen=True):
    """What one right entry of the secret code opened."""

    patient: UUID
    card: UUID
    person: UUID
    delegation: UUID | None
    until: datetime


class Showing(Struct, frozen=True):
    """One token made here, and what it shows. `reader`: the only challenge that it answers."""

    id: UUID
    patient: UUID
    card: UUID
    person: UUID
    person_name: str
    delegation: UUID | None
    reader: UUID | None
    opens: bool
    expires_at: datetime
    used: bool = False


async def keep_open(tx: Transaction, digest: bytes, one: Open) -> None:
    """Remember that the code was right, for some minutes."""
    await tx.execute(
        "insert into vitale_unlock (digest, patient, card, person, delegation, until) values (%s, %s, %s, %s, %s, %s)",
        (digest, one.patient, one.card, one.person, one.delegation, one.until),
    )


async def opened(reader: Reader, digest: bytes) -> Open | None:
    """What this secret opened."""
    row = await reader.fetch_one(
        "select patient, card, person, delegation, until from vitale_unlock where digest = %s", (digest,)
    )
    return None if row is None else Open(*row)


async def close(tx: Transaction, card: UUID) -> None:
    """Close what codes opened for a card: it changed state."""
    await tx.execute("delete from vitale_unlock where card = %s", (card,))


async def add_showing(tx: Transaction, one: Showing) -> None:
    """Remember a token that was made."""
    await tx.execute(
        """
        insert into vitale_showing (shard, patient, id, card, person, person_name, delegation, reader, opens,
          expires_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(one.id),
            one.patient,
            one.id,
            one.card,
            one.person,
            one.person_name,
            one.delegation,
            one.reader,
            one.opens,
            one.expires_at,
        ),
    )


async def hold_showing(tx: Transaction, id: UUID) -> Showing | None:
    """One token, for this transaction alone."""
    row = await tx.fetch_one(
        """
        select id, patient, card, person, person_name, delegation, reader, opens, expires_at, used_at is not null
        from vitale_showing
        where shard = %s and id = %s
        for update
        """,
        (shard_of(id), id),
    )
    return None if row is None else Showing(*row)


async def use_showing(tx: Transaction, id: UUID, at: datetime) -> None:
    """A token serves once."""
    await tx.execute("update vitale_showing set used_at = %s where shard = %s and id = %s", (at, shard_of(id), id))


async def add_challenge(tx: Transaction, one: Challenge, reader: str) -> None:
    """Remember what a reader asks."""
    await tx.execute(
        "insert into vitale_challenge (id, reader, expires_at) values (%s, %s, %s)", (one.id, reader, one.expires_at)
    )


async def asked_by(reader: Reader, challenge: UUID, at: datetime) -> str | None:
    """Which reader asked this, while it is good."""
    return await reader.fetch_value(
        "select reader from vitale_challenge where id = %s and expires_at > %s", (challenge, at)
    )


async def sweep(tx: Transaction, before: datetime) -> None:
    """Forget what was over before this instant: tokens, challenges, what codes opened."""
    await tx.execute("delete from vitale_showing where expires_at < %s", (before,))
    await tx.execute("delete from vitale_challenge where expires_at < %s", (before,))
    await tx.execute("delete from vitale_unlock where until < %s", (before,))
    await tx.execute("delete from vitale_meeting where expires_at < %s", (before,))


async def keep_meeting(tx: Transaction, digest: bytes, patient: UUID, expires_at: datetime) -> None:
    """Keep the hash of a code; a former one that was not used is forgotten."""
    await tx.execute("delete from vitale_meeting where patient = %s and used_at is null", (patient,))
    await tx.execute(
        "insert into vitale_meeting (digest, patient, expires_at) values (%s, %s, %s)", (digest, patient, expires_at)
    )


async def use_meeting(tx: Transaction, digest: bytes, reader: str, at: datetime) -> UUID | None:
    """Use a code, once: whose record it opens."""
    return await tx.fetch_value(
        """
        update vitale_meeting
        set used_by = %s, used_at = %s
        where digest = %s and used_at is null and expires_at > %s
        returning patient
        """,
        (reader, at, digest, at),
    )


# Receipts.


async def add_receipt(tx: Transaction, one: Receipt) -> None:
    """Keep a receipt."""
    await tx.execute(
        f"""
        insert into vitale_use (shard, {_RECEIPT})
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(one.patient),
            one.id,
            one.patient,
            one.card,
            one.at,
            one.reader,
            one.reader_name,
            one.profession,
            one.organization_name,
            one.software,
            one.medium,
            one.way,
            one.person,
            one.person_name,
            one.delegation,
            list(one.returned),
            one.access_until,
        ),
    )


async def receipts_of(reader: Reader, patient: UUID, count: int) -> list[Receipt]:
    """The receipts of somebody's cards, the newest first."""
    rows = await reader.fetch_all(
        f"""
        select {_RECEIPT}
        from vitale_use
        where shard = %s and patient = %s
        order by at desc, id desc
        limit %s
        """,
        (shard_of(patient), patient, count),
    )
    return [_receipt(row) for row in rows]


async def receipts_by(reader: Reader, person: UUID, count: int) -> list[Receipt]:
    """The receipts of other people's cards that somebody showed by delegation, the newest first."""
    rows = await reader.fetch_all(
        f"""
        select {_RECEIPT}
        from vitale_use
        where person = %s and delegation is not null
        order by at desc, id desc
        limit %s
        """,
        (person, count),
    )
    return [_receipt(row) for row in rows]


# Delegations.


async def add_delegation(tx: Transaction, one: Delegation) -> None:
    """Write a new delegation, that waits for its answer."""
    await tx.execute(
        """
        insert into vitale_delegation (shard, id, patient, card, person, person_name, given_by, given_by_name,
          asked_at, answer_before, until)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(one.patient),
            one.id,
            one.patient,
            one.card,
            one.person,
            one.person_name,
            one.given_by,
            one.given_by_name,
            one.asked_at,
            one.answer_before,
            one.until,
        ),
    )


async def hold_delegation(tx: Transaction, id: UUID) -> Delegation | None:
    """One delegation, for this transaction alone."""
    row = await tx.fetch_one(
        f"select {_DELEGATION} from vitale_delegation where shard = %s and id = %s for update", (shard_of(id), id)
    )
    return None if row is None else _delegation(row)


async def answer_delegation(tx: Transaction, one: Delegation, state: DelegationState, at: datetime) -> None:
    """Write what became of a delegation."""
    await tx.execute(
        """
        update vitale_delegation
        set state = %s, answered_at = coalesce(answered_at, %s),
          ended_at = case when %s in ('refused', 'revoked') then %s::timestamptz end
        where shard = %s and id = %s
        """,
        (state.value, at, state.value, at, shard_of(one.id), one.id),
    )


async def delegations_of(reader: Reader, patient: UUID) -> list[Delegation]:
    """To whom the use of somebody's card was given, the newest first."""
    rows = await reader.fetch_all(
        f"""
        select {_DELEGATION}
        from vitale_delegation
        where shard = %s and patient = %s
        order by asked_at desc, id desc
        limit 50
        """,
        (shard_of(patient), patient),
    )
    return [_delegation(row) for row in rows]


async def delegations_to(reader: Reader, person: UUID) -> list[Delegation]:
    """The cards whose use somebody was given, the newest first."""
    rows = await reader.fetch_all(
        f"""
        select {_DELEGATION}
        from vitale_delegation
        where person = %s
        order by asked_at desc, id desc
        limit 50
        """,
        (person,),
    )
    return [_delegation(row) for row in rows]


def _receipt(row: Row) -> Receipt:
    made = Receipt(*row)
    return replace(made, returned=tuple(made.returned))


def _delegation(row: Row) -> Delegation:
    made = Delegation(*row)
    return replace(made, state=DelegationState(made.state))
