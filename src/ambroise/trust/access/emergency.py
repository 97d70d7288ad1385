"""Emergency accesses: break-the-glass and call centre, each for one patient, for a reason, for a short time."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
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
    return [
        Emergency(id, patient, Party(actor, name), Purpose(purpose), reason, opened, until)
        for id, patient, actor, name, purpose, reason, opened, until in rows
    ]
