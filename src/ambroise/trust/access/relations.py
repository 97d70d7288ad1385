"""Who acts for whom: legal representatives (représentants légaux) and carers (aidants), in `access_relation`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal, TypeAlias, cast
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.people import recorder
from ambroise.trust.context import Context, Relation

Reach: TypeAlias = Literal["see", "act", "screens", "content"]
"""How far it goes: a carer sees or also acts; a mediator is shown the screens, or the content too."""
Basis: TypeAlias = Literal["declared", "parent", "guardianship", "invitation", "on_the_spot"]
"""On what it rests."""


class RelationFact(Struct, frozen=True):
    """Somebody who may act in a patient's space. `person` is the id of that somebody's own Patient."""

    patient: UUID
    person: UUID
    kind: Relation
    person_name: str
    since: datetime
    until: datetime | None
    scope: Reach = "act"
    basis: Basis = "declared"

    def in_force(self, now: datetime) -> bool:
        """Whether it counts at this instant."""
        return self.since <= now and (self.until is None or self.until > now)


async def set_relation(
    tx: Transaction,
    ctx: Context,
    patient: UUID,
    person: UUID,
    kind: Relation,
    *,
    person_name: str = "",
    until: datetime | None = None,
    scope: Reach = "act",
    basis: Basis = "declared",
) -> None:
    """Record that this person represents or cares for the patient from now on."""
    await tx.execute(
        """
        insert into access_relation (shard, patient, person, kind, person_name, since, until, recorded_by, scope, basis)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, patient, person, kind) do update
        set until = excluded.until, person_name = excluded.person_name, recorded_by = excluded.recorded_by,
          scope = excluded.scope, basis = excluded.basis,
          since = case when access_relation.until <= excluded.since then excluded.since else access_relation.since end
        """,
        (shard_of(patient), patient, person, kind, person_name, ctx.now(), until, recorder(ctx), scope, basis),
    )


async def end_relation(tx: Transaction, ctx: Context, patient: UUID, person: UUID, kind: Relation) -> bool:
    """End a relation at once."""
    touched = await tx.execute(
        "delete from access_relation where shard = %s and patient = %s and person = %s and kind = %s",
        (shard_of(patient), patient, person, kind),
    )
    return touched > 0


async def clear_relations(tx: Transaction, patient: UUID) -> None:
    """Forget who acted in a space, and where its holder acted: for a purge."""
    await tx.execute("delete from access_relation where shard = %s and patient = %s", (shard_of(patient), patient))
    await tx.execute("delete from access_relation where person = %s", (patient,))


async def relations_of(reader: Reader, patient: UUID) -> list[RelationFact]:
    """Who may act in this space."""
    rows = await reader.fetch_all(
        "select patient, person, kind, person_name, since, until, scope, basis from access_relation"
        " where shard = %s and patient = %s order by since, person",
        (shard_of(patient), patient),
    )
    return [_fact(*row) for row in rows]


async def relations_around(reader: Reader, patients: Collection[UUID]) -> list[RelationFact]:
    """Who may act in any of these spaces."""
    rows = await reader.fetch_all(
        """
        select r.patient, r.person, r.kind, r.person_name, r.since, r.until, r.scope, r.basis
        from access_relation r
        join unnest(%s::smallint[], %s::uuid[]) as one (shard, patient) using (shard, patient)
        order by r.since, r.person
        """,
        ([shard_of(one) for one in patients], list(patients)),
    )
    return [_fact(*row) for row in rows]


async def spaces_of_person(reader: Reader, person: UUID) -> list[RelationFact]:
    """The spaces in which this person may act."""
    rows = await reader.fetch_all(
        "select patient, person, kind, person_name, since, until, scope, basis from access_relation"
        " where person = %s order by since, patient",
        (person,),
    )
    return [_fact(*row) for row in rows]


def _fact(
    patient: UUID,
    person: UUID,
    kind: str,
    person_name: str,
    since: datetime,
    until: datetime | None,
    scope: str,
    basis: str,
) -> RelationFact:
    return RelationFact(
        patient, person, cast(Relation, kind), person_name, since, until, cast(Reach, scope), cast(Basis, basis)
    )
