"""What a patient keeps from one person: some kinds of documents, or one document, for a time (`access_restriction`).

It is masking (masquage, CSP R. 1111-49) towards one professional or structure: whom masking does not stop, this does
not stop either, and an author still reads what he wrote.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import cast
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import new_id, shard_of
from ambroise.trust.access.people import Party, PartyKind, recorder
from ambroise.trust.context import Context

_NO_DOCUMENT = UUID(int=0)


class Restriction(Struct, frozen=True):
    """One gesture of the patient: these kinds, or this document, are not for this party until then."""

    id: UUID
    patient: UUID
    party: Party
    kinds: frozenset[int]
    documents: frozenset[UUID]
    """The document, and what replaced it since."""
    since: datetime
    until: datetime | None
    recorded_by: str

    def in_force(self, at: datetime) -> bool:
        """Whether it counts at this instant."""
        return self.since <= at and (self.until is None or self.until > at)


async def restrict(
    tx: Transaction,
    ctx: Context,
    patient: UUID,
    party: Party,
    *,
    kinds: Collection[int] = (),
    document: UUID | None = None,
    until: datetime | None = None,
) -> UUID:
    """Keep these kinds, or this document, from a party from now on; the id of the gesture."""
    id = new_id(shard_of(patient))
    what = [(-1, document)] if document is not None else [(kind, _NO_DOCUMENT) for kind in sorted(kinds)]
    who = (shard_of(patient), patient, party.key, id)
    about = (party.id, party.name, party.kind, ctx.now(), until, recorder(ctx))
    await tx.execute_many(
        """
        insert into access_restriction (shard, patient, actor, id, kind, document, actor_id, actor_name, actor_kind,
          since, until, recorded_by)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [(*who, *one, *about) for one in what],
    )
    return id


async def follow_document(tx: Transaction, patient: UUID, replaced: UUID, document: UUID) -> None:
    """Keep what replaces a document from whom the document was kept."""
    await tx.execute(
        """
        insert into access_restriction (shard, patient, actor, id, kind, document, actor_id, actor_name, actor_kind,
          since, until, recorded_by)
        select shard, patient, actor, id, kind, %s, actor_id, actor_name, actor_kind, since, until, recorded_by
        from access_restriction
        where shard = %s and patient = %s and document = %s
        """,
        (document, shard_of(patient), patient, replaced),
    )


async def lift(tx: Transaction, patient: UUID, id: UUID) -> bool:
    """Undo one gesture."""
    touched = await tx.execute(
        "delete from access_restriction where shard = %s and patient = %s and id = %s",
        (shard_of(patient), patient, id),
    )
    return touched > 0


async def restrictions_of(reader: Reader, patient: UUID) -> list[Restriction]:
    """Everything a patient keeps from somebody, the newest first."""
    rows = await reader.fetch_all(
        """
        select id, actor_id, actor_name, actor_kind, array_agg(kind order by kind) filter (where kind >= 0),
          array_agg(document) filter (where kind < 0), since, until, recorded_by
        from access_restriction
        where shard = %s and patient = %s
        group by id, actor_id, actor_name, actor_kind, since, until, recorded_by
        order by since desc, id
        """,
        (shard_of(patient), patient),
    )
    return [
        Restriction(
            id,
            patient,
            Party(actor, name, cast(PartyKind, kind)),
            frozenset(kinds or ()),
            frozenset(documents or ()),
            since,
            until,
            by,
        )
        for id, actor, name, kind, kinds, documents, since, until, by in rows
    ]


async def clear_restrictions(tx: Transaction, patient: UUID) -> None:
    """Forget what a patient kept from whom: for a purge."""
    await tx.execute("delete from access_restriction where shard = %s and patient = %s", (shard_of(patient), patient))
