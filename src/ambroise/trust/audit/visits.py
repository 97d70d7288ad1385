"""The visits of professionals, read from the sealed trace: who came to look into whose record, and at what.

Looks of one professional into one record less than an hour apart are one visit, as for "since my last visit". Sealed
lines are complete: none can appear behind a seal, so that going from seal to seal misses none and meets none twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.definitions import type_name
from ambroise.kernel.db import Reader
from ambroise.trust.audit.history import LOOKS

_APART: Final = timedelta(hours=1)


class Look(Struct, frozen=True):
    """What one professional looked at in one record, of one sort, between two seals.

    `begins`: it opens a visit. `opened`: it was read, not only met in a list.
    """

    patient: UUID
    actor_id: str
    actor_name: str
    at: datetime
    begins: bool
    secret: bool
    opened: bool
    type: str | None
    kind: int | None
    resources: Sequence[UUID]


async def last_seal(reader: Reader) -> int:
    """The number of the last seal, 0 when there is none."""
    return await reader.fetch_value("select coalesce(max(number), 0) from trace_seal")


async def looks_between(reader: Reader, after: int, upto: int) -> list[Look]:
    """The looks of professionals sealed after one seal and up to another, in order; emergencies are told apart."""
    rows = await reader.fetch_all(
        """
        with looks as (
          select t.shard, t.patient, t.actor_id, t.actor_name, t.at, t.id, t.resource_type, t.resource, t.resource_kind,
            t.secret, t.event <> 'search' as opened,
            lag(t.at) over (partition by t.shard, t.patient, t.actor_id order by t.at, t.id) as before
          from trace_seal s
          join trace t on t.era = s.era and t.xid >= s.from_xid and t.xid < s.to_xid
          where s.number > %(after)s and s.number <= %(upto)s
            and t.patient is not null and t.actor_kind = 'professional' and t.outcome = 0 and t.purpose = 'normal'
            and t.event = any(%(looks)s)
        ), told as (
          select l.*, coalesce(l.at - l.before >= %(apart)s, not exists (
            select
            from trace p
            where p.shard = l.shard and p.patient = l.patient
              and p.at < l.at and p.at > l.at - %(apart)s::interval
              and p.actor_kind = 'professional' and p.actor_id = l.actor_id and p.outcome = 0
              and p.event = any(%(looks)s)
          )) as begins
          from looks l
        ), numbered as (
          select *, count(*) filter (where begins)
            over (partition by shard, patient, actor_id order by at, id) as visit
          from told
        )
        select patient, actor_id, min(actor_name), min(at), bool_or(begins), secret, opened, resource_type,
          resource_kind,
          coalesce(array_agg(distinct resource) filter (where resource is not null), '{}')
        from numbered
        group by shard, patient, actor_id, visit, secret, opened, resource_type, resource_kind
        order by min(at), patient, actor_id, visit
        """,
        {"after": after, "upto": upto, "looks": list(LOOKS), "apart": _APART},
    )
    return [_look(*row) for row in rows]


def _look(
    patient: UUID,
    actor: str,
    name: str,
    at: datetime,
    begins: bool,
    secret: bool,
    opened: bool,
    type: int | None,
    kind: int | None,
    resources: Sequence[UUID],
) -> Look:
    sort = type_name(type) if type is not None else None
    return Look(patient, actor, name, at, begins, secret, opened, sort, kind, resources)
