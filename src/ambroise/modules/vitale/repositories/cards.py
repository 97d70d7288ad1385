"""The SQL of cards, their checks and their telephones."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace
from psycopg.types.json import Jsonb

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.vitale.model import LIVE, Card, CardState, Check, Device, Rights

_CARD: Final = "patient, id, holder, holder_name, state, requested_at, state_since, expires_at, reason"
_CHECK: Final = "c.id, c.patient, c.card, c.document, c.number, c.document_until, c.asked_at, k.state = 'blocked'"
_DEVICE: Final = "id, patient, card, name, since"
_LIVE: Final = [state.value for state in LIVE]


# Cards.


async def add(tx: Transaction, one: Card) -> bool:
    """Write a new card; false when the person has one that may still serve."""
    touched = await tx.execute(
        """
        insert into vitale_card (shard, patient, id, holder, holder_name, state, requested_at, state_since)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, patient)
          where state in ('requested', 'accepted', 'active', 'suspended', 'blocked') do nothing
        """,
        (
            shard_of(one.patient),
            one.patient,
            one.id,
            one.holder,
            one.holder_name,
            one.state.value,
            one.requested_at,
            one.state_since,
        ),
    )
    return touched > 0


async def present(reader: Reader, patient: UUID) -> Card | None:
    """The card of somebody that may still serve; without one, the last there was."""
    row = await reader.fetch_one(
        f"""
        select {_CARD}
        from vitale_card
        where shard = %s and patient = %s
        order by state = any(%s) desc, requested_at desc, id desc
        limit 1
        """,
        (shard_of(patient), patient, _LIVE),
    )
    return None if row is None else _card(row)


async def hold(tx: Transaction, id: UUID) -> Card | None:
    """One card, for this transaction alone."""
    row = await tx.fetch_one(
        f"select {_CARD} from vitale_card where shard = %s and id = %s for update", (shard_of(id), id)
    )
    return None if row is None else _card(row)


async def step(tx: Transaction, card: Card, state: CardState, at: datetime, reason: str = "") -> Card:
    """Write where a card stands now."""
    await tx.execute(
        "update vitale_card set state = %s, state_since = %s, reason = %s where shard = %s and id = %s",
        (state.value, at, reason, shard_of(card.id), card.id),
    )
    return replace(card, state=state, state_since=at, reason=reason)


async def set_end(tx: Transaction, card: UUID, expires_at: datetime) -> None:
    """Write until when a card is valid; its former code is forgotten."""
    await tx.execute(
        "update vitale_card set expires_at = %s, code = null, tries = 0 where shard = %s and id = %s",
        (expires_at, shard_of(card), card),
    )


async def set_code(tx: Transaction, card: UUID, code: str) -> None:
    """Keep the hash of a secret code."""
    await tx.execute(
        "update vitale_card set code = %s, tries = 0 where shard = %s and id = %s", (code, shard_of(card), card)
    )


async def count_try(tx: Transaction, card: UUID, most: int) -> tuple[str | None, int] | None:
    """Count one more try before it is looked at: the hash, and how many tries there were with this one.

    None beyond the limit: tries made at the same moment count as much as tries made in turn.
    """
    row = await tx.fetch_one(
        """
        update vitale_card
        set tries = tries + 1
        where shard = %s and id = %s and tries < %s and state in ('active', 'suspended')
        returning code, tries
        """,
        (shard_of(card), card, most),
    )
    return None if row is None else (row[0], row[1])


async def forget_tries(tx: Transaction, card: UUID) -> None:
    """The right code was given."""
    await tx.execute("update vitale_card set tries = 0 where shard = %s and id = %s", (shard_of(card), card))


async def due(reader: Reader, at: datetime) -> list[UUID]:
    """Cards whose day has come."""
    rows = await reader.fetch_all(
        """
        select id
        from vitale_card
        where expires_at <= %s and state in ('accepted', 'active', 'suspended', 'blocked')
        order by expires_at, id
        limit 500
        """,
        (at,),
    )
    return [row[0] for row in rows]


# Identity checks.


async def add_check(tx: Transaction, card: Card, id: UUID, kind: str, number: bytes, until: Any, at: datetime) -> None:
    """Ask the desk to check an identity; a former request of the same card that waits is withdrawn."""
    await end_checks(tx, card, at)
    await tx.execute(
        """
        insert into vitale_check (shard, patient, id, card, document, number, document_until, asked_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (shard_of(card.patient), card.patient, id, card.id, kind, number, until, at),
    )


async def end_checks(tx: Transaction, card: Card, at: datetime) -> None:
    """Withdraw what waits for the desk about a card."""
    await tx.execute(
        """
        update vitale_check
        set state = 'withdrawn', number = null, answered_at = %s
        where shard = %s and patient = %s and card = %s and state = 'pending'
        """,
        (at, shard_of(card.patient), card.patient, card.id),
    )


async def queue(reader: Reader) -> list[tuple[Check, bytes | None]]:
    """What waits for the desk, the oldest first, with the sealed numbers."""
    rows = await reader.fetch_all(
        f"""
        select {_CHECK}
        from vitale_check c
        join vitale_card k on k.shard = c.shard and k.id = c.card
        where c.state = 'pending'
        order by c.asked_at, c.id
        limit 200
        """
    )
    return [_check(row) for row in rows]


async def hold_check(tx: Transaction, id: UUID) -> tuple[Check, bytes | None] | None:
    """One check that waits, for this transaction alone."""
    row = await tx.fetch_one(
        f"""
        select {_CHECK}
        from vitale_check c
        join vitale_card k on k.shard = c.shard and k.id = c.card
        where c.shard = %s and c.id = %s and c.state = 'pending'
        for update
        """,
        (shard_of(id), id),
    )
    return None if row is None else _check(row)


async def answer_check(tx: Transaction, id: UUID, state: str, by: str, at: datetime, reason: str) -> None:
    """Write what the desk found; the number of the document is forgotten."""
    await tx.execute(
        """
        update vitale_check
        set state = %s, number = null, answered_at = %s, answered_by = %s, reason = %s
        where shard = %s and id = %s
        """,
        (state, at, by, reason, shard_of(id), id),
    )


async def waits(reader: Reader, patient: UUID) -> bool:
    """Whether the desk has something to check for this person."""
    return bool(
        await reader.fetch_value(
            "select exists (select from vitale_check where shard = %s and patient = %s and state = 'pending')",
            (shard_of(patient), patient),
        )
    )


# Telephones.


async def add_device(tx: Transaction, one: Device, public_key: dict[str, str], seed: bytes) -> None:
    """Register a telephone in place of the former one."""
    await end_devices(tx, one.card, one.since)
    await tx.execute(
        """
        insert into vitale_device (shard, patient, id, card, name, public_key, seed, since)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (shard_of(one.patient), one.patient, one.id, one.card, one.name, Jsonb(public_key), seed, one.since),
    )


async def end_devices(tx: Transaction, card: UUID, at: datetime) -> int:
    """No telephone shows this card any more."""
    return await tx.execute(
        "update vitale_device set ended_at = %s where shard = %s and card = %s and ended_at is null",
        (at, shard_of(card), card),
    )


async def device_of(reader: Reader, card: UUID) -> Device | None:
    """The telephone that shows this card."""
    row = await reader.fetch_one(
        f"select {_DEVICE} from vitale_device where shard = %s and card = %s and ended_at is null",
        (shard_of(card), card),
    )
    return None if row is None else Device(*row)


async def hold_device(tx: Transaction, id: UUID) -> tuple[Device, dict[str, str], bytes, int, bool] | None:
    """One telephone for this transaction alone: its key, its sealed secret, its last token, whether it still serves."""
    row = await tx.fetch_one(
        f"""
        select {_DEVICE}, public_key, seed, counter, ended_at is null
        from vitale_device
        where shard = %s and id = %s
        for update
        """,
        (shard_of(id), id),
    )
    return None if row is None else (Device(*row[:5]), row[5], bytes(row[6]), row[7], row[8])


async def set_counter(tx: Transaction, id: UUID, counter: int) -> None:
    """Remember the last token of a telephone."""
    await tx.execute("update vitale_device set counter = %s where shard = %s and id = %s", (counter, shard_of(id), id))


# Rights.


async def state_rights(tx: Transaction, patient: UUID, one: Rights) -> None:
    """Keep what an insurer says, in place of what it said before."""
    await tx.execute(
        """
        insert into vitale_rights (shard, patient, regime, fund, fund_name, centre, quality, since, until,
          exempt_until, source, stated_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, patient) do update
        set regime = excluded.regime, fund = excluded.fund, fund_name = excluded.fund_name, centre = excluded.centre,
          quality = excluded.quality, since = excluded.since, until = excluded.until,
          exempt_until = excluded.exempt_until, source = excluded.source, stated_at = excluded.stated_at
        """,
        (
            shard_of(patient),
            patient,
            one.regime,
            one.fund,
            one.fund_name,
            one.centre,
            one.quality,
            one.since,
            one.until,
            one.exempt_until,
            one.source,
            one.stated_at,
        ),
    )


async def rights_of(reader: Reader, patient: UUID) -> Rights | None:
    """What the insurer last said."""
    row = await reader.fetch_one(
        """
        select regime, fund, fund_name, centre, quality, since, until, exempt_until, source, stated_at
        from vitale_rights
        where shard = %s and patient = %s
        """,
        (shard_of(patient), patient),
    )
    return None if row is None else Rights(*row)


_TABLES: Final = (
    "vitale_card",
    "vitale_check",
    "vitale_device",
    "vitale_showing",
    "vitale_use",
    "vitale_delegation",
    "vitale_rights",
)


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove everything about the cards of somebody whose space is purged."""
    await tx.execute("delete from vitale_unlock where patient = %s", (patient,))
    await tx.execute("delete from vitale_meeting where patient = %s", (patient,))
    for table in _TABLES:
        await tx.execute(f"delete from {table} where shard = %s and patient = %s", (shard_of(patient), patient))


def _card(row: Row) -> Card:
    patient, id, holder, name, state, requested_at, since, expires_at, reason = row
    return Card(patient, id, holder, name, CardState(state), requested_at, since, expires_at, reason)


def _check(row: Row) -> tuple[Check, bytes | None]:
    id, patient, card, document, number, until, asked_at, again = row
    return Check(id, patient, card, document, None, until, asked_at, again), None if number is None else bytes(number)
