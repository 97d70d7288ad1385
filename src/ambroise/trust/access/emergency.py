"""Emergency accesses: break-the-glass and call centre, each for one patient, for a reason, for a short time."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.trust.access.facts import OPEN_STATES
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Purpose

EMERGENCY_LASTS = timedelta(hours=1)


class Emergency(Struct, frozen=True):
    """One emergency access that was opened."""

    id: UUID
    patient: UUID
    party: Party
    purpose: Purpose
    reason: str
    opened: datetime
    until: datetime


async def record_emergency(tx: Transaction, ctx: Context, patient: UUID, party: Party) -> UUID:
    """Open an emergency access now. A reason is mandatory to break the glass."""
    reason = (ctx.reason or "").strip()
    if ctx.purpose is Purpose.BREAK_GLASS and not reason:
        raise Refusal(
            Kind.FORBIDDEN,
            "ACCESS_EMERGENCY_REASON",
            "Breaking the glass needs a reason, shown to the patient: give it with the purpose.",
            data={"rule": "emergency_reason", "ways": ["give_reason"]},
        )
    id, now = new_id(shard_of(patient)), ctx.now()
    await tx.execute(
        """
        insert into access_emergency (shard, patient, actor, id, actor_id, actor_name, purpose, reason, opened, until)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(patient),
            patient,
            party.key,
            id,
            party.id,
            party.name,
            ctx.purpose.value,
            reason,
            now,
            now + EMERGENCY_LASTS,
        ),
    )
    return id


async def emergencies_of(reader: Reader, patient: UUID) -> list[Emergency]:
    """Every emergency access ever opened on a patient, the newest first."""
    rows = await reader.fetch_all(
        """
        select id, patient, actor_id, actor_name, purpose, reason, opened, until
        from access_emergency
        where shard = %s and patient = %s
        order by opened desc, id
        """,
        (shard_of(patient), patient),
    )
    return [_emergency(row) for row in rows]


async def emergencies_around(reader: Reader, treating: Party, at: datetime, since: datetime) -> list[Emergency]:
    """What others opened since an instant on patients of open spaces whose treating doctor this is, newest first."""
    rows = await reader.fetch_all(
        """
        select e.id, e.patient, e.actor_id, e.actor_name, e.purpose, e.reason, e.opened, e.until
        from access_grant g
        join access_space s on s.shard = g.shard and s.patient = g.patient and s.state = any(%(open)s)
        join access_emergency e on e.shard = g.shard and e.patient = g.patient
        where g.actor = %(actor)s and g.state = 'treating'
          and g.since <= %(at)s and (g.until is null or g.until > %(at)s)
          and e.opened >= %(since)s and e.actor <> %(actor)s
        order by e.opened desc, e.id
        limit 50
        """,
        {"actor": treating.key, "at": at, "since": since, "open": [state.value for state in OPEN_STATES]},
    )
    return [_emergency(row) for row in rows]


def _emergency(row: Row) -> Emergency:
    id, patient, actor, name, purpose, reason, opened, until = row
    return Emergency(id, patient, Party(actor, name), Purpose(purpose), reason, opened, until)
