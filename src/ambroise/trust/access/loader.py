"""Read the facts of many (viewer, patient) pairs in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from ambroise.kernel.db import Reader, Row
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.facts import Eyes, Facts, SpaceState, Standing
from ambroise.trust.context import Relation

_NOBODY = UUID(int=0)

_SELECT: Final = """
select s.state, s.etreat, s.btg, s.emergency_masked, s.masked_by_default,
  s.feed_opposed or exists (select from access_feed_opposition f
    where f.shard = q.shard and f.patient = q.patient and f.organization = q.organization),
  g.standing, g.blocked, g.in_team, g.lasts, d.closeness, e.opened, k.kinds, k.documents
"""
_JOINS: Final = """
left join access_space s on s.shard = q.shard and s.patient = q.patient
left join lateral (
  select max(case g.state when 'administrator' then 3 when 'treating' then 2 when 'authorised' then 1 else 0 end)
      as standing,
    bool_or(g.state = 'blocked') as blocked,
    bool_or(g.state <> 'blocked' and (g.via = 'care_team' or g.actor_kind = 'organization')) as in_team,
    bool_or(g.state <> 'blocked' and g.via <> 'presence') as lasts
  from access_grant g
  where g.shard = q.shard and g.patient = q.patient and g.actor in (q.me, q.organization)
    and g.since <= q.at and (g.until is null or g.until > q.at)
) g on true
left join lateral (
  select max(case d.kind when 'representative' then 5 when 'carer' then case d.scope when 'act' then 4 else 3 end
      else case d.scope when 'content' then 2 else 1 end end) as closeness
  from access_relation d
  where d.shard = q.shard and d.patient = q.patient and d.person = q.person
    and d.since <= q.at and (d.until is null or d.until > q.at)
) d on true
left join lateral (
  select true as opened
  from access_emergency e
  where e.shard = q.shard and e.patient = q.patient and e.actor = q.me and e.purpose = q.purpose
    and e.opened <= q.at and e.until > q.at
  limit 1
) e on true
left join lateral (
  select array_agg(k.kind) filter (where k.kind >= 0) as kinds,
    array_agg(k.document) filter (where k.kind < 0) as documents
  from access_restriction k
  where k.shard = q.shard and k.patient = q.patient and k.actor in (q.me, q.organization)
    and k.since <= q.at and (k.until is null or k.until > q.at)
) k on true
"""
_ONE: Final = (
    _SELECT
    + """
from (
  select %(shard)s::smallint as shard, %(patient)s::uuid as patient, %(me)s::bigint as me,
    %(organization)s::bigint as organization, %(person)s::uuid as person, %(purpose)s::text as purpose,
    %(at)s::timestamptz as at
) q
"""
    + _JOINS
)
# PostgreSQL plans a statement anew at each call as long as it believes that knowing the values makes the plan cheaper,
# and planning takes eight times as long as running this one. A limit that it does not know is taken for a tenth of the
# rows, so that the plan made once for all does not look dearer; being the number of questions, it cuts nothing.
_MANY: Final = (
    _SELECT
    + """
from (
  select *
  from unnest(%(shard)s::smallint[], %(patient)s::uuid[], %(me)s::bigint[], %(organization)s::bigint[],
      %(person)s::uuid[], %(purpose)s::text[], %(at)s::timestamptz[])
    with ordinality as x (shard, patient, me, organization, person, purpose, at, place)
  limit %(count)s
) q
"""
    + _JOINS
    + "order by q.place"
)


# Row 4 comes before row 5: who both represents and cares is a representative; the closest counts.
_RELATIONS: Final[tuple[Relation | None, ...]] = (None, "mediator", "mediator", "carer", "carer", "representative")
_LIMITED: Final = (1, 3)
_NO_KINDS: Final[frozenset[int]] = frozenset()
_NO_DOCUMENTS: Final[frozenset[UUID]] = frozenset()


class Question(NamedTuple):
    """Whose facts about which patient, when."""

    eyes: Eyes
    patient: UUID
    at: datetime


async def load_facts(reader: Reader, questions: Sequence[Question]) -> list[Facts]:
    """The facts of each question, in order."""
    if not questions:
        return []
    statement, values = facts_query(questions)
    return facts_in(await reader.fetch_all(statement, values))


def facts_query(questions: Sequence[Question]) -> tuple[LiteralString, dict[str, Any]]:
    """The statement that answers them all, for who runs it with others; `facts_in` reads its rows."""
    if len(questions) == 1:
        return _ONE, _values(questions[0])
    return _MANY, _columns(questions)


def facts_in(rows: Sequence[Row]) -> list[Facts]:
    """The facts of each question, in order."""
    return [
        Facts(
            state=SpaceState(state) if state is not None else None,
            standing=Standing.BLOCKED if blocked else Standing(standing or 0),
            in_care_team=bool(in_team),
            only_present=bool(standing) and not lasts,
            relation=_RELATIONS[closeness or 0],
            limited=closeness in _LIMITED,
            emergency_open=bool(opened),
            etreat=bool(etreat),
            btg=bool(btg),
            emergency_masked=bool(masked),
            masked_by_default=bool(masked_by_default),
            feed_opposed=bool(feed_opposed),
            kept_kinds=frozenset(kinds) if kinds else _NO_KINDS,
            kept_documents=frozenset(documents) if documents else _NO_DOCUMENTS,
        )
        for (
            state,
            etreat,
            btg,
            masked,
            masked_by_default,
            feed_opposed,
            standing,
            blocked,
            in_team,
            lasts,
            closeness,
            opened,
            kinds,
            documents,
        ) in rows
    ]


def _values(question: Question) -> dict[str, Any]:
    eyes, patient, at = question
    return {
        "shard": shard_of(patient),
        "patient": patient,
        "me": eyes.key,
        "organization": eyes.organization,
        "person": eyes.person or _NOBODY,
        "purpose": eyes.purpose.value,
        "at": at,
    }


def _columns(questions: Sequence[Question]) -> dict[str, Any]:
    """The questions as arrays that PostgreSQL reads, written out: cheaper than having the driver adapt each value."""
    return {
        "shard": _array([shard_of(one.patient) for one in questions]),
        "patient": _array([one.patient for one in questions]),
        "me": _array([one.eyes.key for one in questions]),
        "organization": _array([one.eyes.organization for one in questions]),
        "person": _array([one.eyes.person or _NOBODY for one in questions]),
        "purpose": _array([one.eyes.purpose.value for one in questions]),
        "at": _array([one.at.isoformat() for one in questions]),
        "count": len(questions),
    }


def _array(values: Sequence[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
