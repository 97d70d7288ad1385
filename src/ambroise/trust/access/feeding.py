"""Structures that a patient opposes to feed the record (`access_feed_opposition`)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.people import Party, recorder
from ambroise.trust.context import Context


class Opposition(Struct, frozen=True):
    """A structure that may not feed the record, and since when."""

    structure: Party
    since: datetime


async def oppositions_of(reader: Reader, patient: UUID) -> list[Opposition]:
    """The structures that a patient opposes, by name."""
    rows = await reader.fetch_all(
        """
        select organization_id, organization_name, since
        from access_feed_opposition
        where shard = %s and patient = %s
        order by organization_name, organization_id
        """,
        (shard_of(patient), patient),
    )
    return [Opposition(Party(id, name, "organization"), since) for id, name, since in rows]


async def oppose(tx: Transaction, ctx: Context, patient: UUID, structure: Party) -> None:
    """Record that this structure may not feed the record."""
    await tx.execute(
        """
        insert into access_feed_opposition
          (shard, patient, organization, organization_id, organization_name, since, recorded_by)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, patient, organization) do update
        set since = excluded.since, recorded_by = excluded.recorded_by
        """,
        (shard_of(patient), patient, structure.key, structure.id, structure.name, ctx.now(), recorder(ctx)),
    )


async def allow(tx: Transaction, patient: UUID, structure: Party) -> None:
    """Record that it may, as far as this goes."""
    await tx.execute(
        "delete from access_feed_opposition where shard = %s and patient = %s and organization = %s",
        (shard_of(patient), patient, structure.key),
    )


async def allow_everybody(tx: Transaction, patient: UUID) -> None:
    """Forget every such opposition: the patient says himself that nobody is opposed, or the space is purged."""
    await tx.execute(
        "delete from access_feed_opposition where shard = %s and patient = %s", (shard_of(patient), patient)
    )
