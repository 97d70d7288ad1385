"""Reading the trace: lines as data (who, role, place, when, what, why, under which rule), never sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, cast
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace
from psycopg import sql

from ambroise.fhir.definitions import type_name
from ambroise.kernel.db import Reader
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.people import actor_id, actor_kind
from ambroise.trust.context import Context

LOOKS: Final = ("read", "content_read", "search", "history")
"""The events of somebody who looked into a record."""
_MOST_LOOKS: Final = 500
_APART: Final = timedelta(hours=1)

Group: TypeAlias = Literal["mine", "professionals", "services"]

_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "mine": ("citizen",),
    "professionals": ("professional",),
    "services": ("operator", "system"),
}


class Resource(Struct, frozen=True):
    """What a line is about. `kind` is the document type (or what counts as one); None when the viewer may not know."""

    type: str
    key: UUID | None
    kind: str | None
    version: int | None


class TraceLine(Struct, frozen=True):
    """One act, as data for a sentence."""

    id: UUID
    at: datetime
    patient: UUID | None
    actor_kind: str
    actor_id: str
    actor_name: str
    role: tuple[str, str] | None
    specialty: str | None
    organization: str | None
    organization_name: str | None
    acting_for: UUID | None
    relation: str | None
    action: str
    event: str
    resource: Resource | None
    purpose: str
    reason: str | None
    rule: str | None
    refused: bool
    channel: str
    software: str | None
    request_id: UUID
    secret: bool
    count: int | None
    query: str | None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def without_resource(self) -> TraceLine:
        """The same act without telling what it was about."""
        if self.resource is None:
            return self
        return replace(self, resource=Resource(self.resource.type, None, None, None), query=None, details={})


class Filters(Struct, frozen=True):
    """Which lines are wanted; every one given must hold."""

    since: datetime | None = None
    until: datetime | None = None
    group: Group | None = None
    actor_id: str | None = None
    events: Sequence[str] = ()
    actions: Sequence[str] = ()
    refused: bool | None = None
    purposes: Sequence[str] = ()
    resource: UUID | None = None
    id: UUID | None = None
    ascending: bool = False


class Place(Struct, frozen=True):
    """Where a page starts: after this line."""

    at: datetime
    id: UUID


_COLUMNS: Final = sql.SQL(
    "t.id, t.at, t.patient, t.actor_kind, t.actor_id, t.actor_name, t.actor_role, t.actor_specialty, t.organization,"
    " t.organization_name, t.acting_for, t.relation, t.action, t.event, t.resource_type, t.resource, t.resource_kind,"
    " t.version, t.purpose, t.reason, t.rule, t.outcome, t.channel, t.software, t.request_id, t.secret, t.count,"
    " t.query, t.details"
)


async def read_lines(
    reader: Reader,
    patient: UUID | None,
    filters: Filters,
    *,
    after: Place | None = None,
    count: int = 50,
    hide_secret_from: UUID | None = None,
    hide_about: Collection[UUID] = (),
) -> list[TraceLine]:
    """Lines about one patient (or about anybody), the newest first.

    `hide_secret_from`: the legal representative who looks; secret accesses of others are left out. So is what others
    did with the resources of `hide_about`.
    """
    where, values = _where(patient, filters, after, hide_secret_from, hide_about)
    direction = sql.SQL("asc" if filters.ascending else "desc")
    statement = sql.SQL("select {} from trace t where {} order by t.at {}, t.id {} limit {}").format(
        _COLUMNS, where, direction, direction, sql.Placeholder("count")
    )
    await reader.flush()
    rows = await reader.fetch_all(statement, {**values, "count": count})
    return [_line(row) for row in rows]


async def count_lines(
    reader: Reader,
    patient: UUID | None,
    filters: Filters,
    *,
    hide_secret_from: UUID | None = None,
    hide_about: Collection[UUID] = (),
) -> int:
    """How many lines there are."""
    where, values = _where(patient, filters, None, hide_secret_from, hide_about)
    await reader.flush()
    return await reader.fetch_value(sql.SQL("select count(*) from trace t where {}").format(where), values or ())


async def last_visit(reader: Reader, ctx: Context, patient: UUID) -> datetime | None:
    """When the caller last looked into this record before the present visit; None the first time.

    Looks less than an hour apart are one visit. It tells callers of their own acts alone, so that it asks no right.
    """
    return await reader.fetch_value(
        """
        select v.at
        from (
          select t.at, lead(t.at, 1, %(now)s::timestamptz) over (order by t.at, t.id) as next
          from (
            select at, id
            from trace
            where shard = %(shard)s and patient = %(patient)s and actor_kind = %(kind)s and actor_id = %(actor)s
              and outcome = 0 and event = any(%(looks)s)
            order by at desc, id desc
            limit %(most)s
          ) t
        ) v
        where v.next - v.at >= %(apart)s
        order by v.at desc
        limit 1
        """,
        {
            "now": ctx.now(),
            "shard": shard_of(patient),
            "patient": patient,
            "kind": actor_kind(ctx),
            "actor": actor_id(ctx),
            "looks": list(LOOKS),
            "most": _MOST_LOOKS,
            "apart": _APART,
        },
    )


def _where(
    patient: UUID | None,
    filters: Filters,
    after: Place | None,
    hide_secret_from: UUID | None,
    hide_about: Collection[UUID],
) -> tuple[sql.Composed, dict[str, Any]]:
    clauses: list[sql.Composable] = [sql.SQL("true")]
    values: dict[str, Any] = {}

    def add(clause: sql.SQL, **given: Any) -> None:
        clauses.append(clause)
        values.update(given)

    if patient is not None:
        add(sql.SQL("t.shard = %(shard)s and t.patient = %(patient)s"), shard=shard_of(patient), patient=patient)
    if filters.id is not None:
        add(sql.SQL("t.shard = %(id_shard)s and t.id = %(id)s"), id_shard=shard_of(filters.id), id=filters.id)
    if filters.since is not None:
        add(sql.SQL("t.at >= %(since)s"), since=filters.since)
    if filters.until is not None:
        add(sql.SQL("t.at < %(until)s"), until=filters.until)
    if filters.group is not None:
        add(sql.SQL("t.actor_kind = any(%(kinds)s)"), kinds=list(_GROUPS[filters.group]))
    if filters.actor_id is not None:
        add(sql.SQL("t.actor_id = %(actor_id)s"), actor_id=filters.actor_id)
    if filters.events:
        add(sql.SQL("t.event = any(%(events)s)"), events=list(filters.events))
    if filters.actions:
        add(sql.SQL("t.action = any(%(actions)s)"), actions=list(filters.actions))
    if filters.refused is not None:
        add(sql.SQL("(t.outcome <> 0) = %(refused)s"), refused=filters.refused)
    if filters.purposes:
        add(sql.SQL("t.purpose = any(%(purposes)s)"), purposes=list(filters.purposes))
    if filters.resource is not None:
        add(sql.SQL("t.resource = %(resource)s"), resource=filters.resource)
    if hide_secret_from is not None:
        add(sql.SQL("(not t.secret or t.actor_id = %(self)s)"), self=str(hide_secret_from))
    if hide_about:
        add(sql.SQL("(t.resource is null or t.resource <> all(%(about)s))"), about=list(hide_about))
    if after is not None:
        beyond = "(t.at, t.id) > (%(at)s, %(after)s)" if filters.ascending else "(t.at, t.id) < (%(at)s, %(after)s)"
        add(sql.SQL(beyond), at=after.at, after=after.id)
    return sql.SQL(" and ").join(clauses), values


def _line(row: Sequence[Any]) -> TraceLine:
    (
        id,
        at,
        patient,
        actor_kind,
        actor_id,
        actor_name,
        role,
        specialty,
        organization,
        organization_name,
        acting_for,
        relation,
        action,
        event,
        type,
        key,
        kind,
        version,
        purpose,
        reason,
        rule,
        outcome,
        channel,
        software,
        request_id,
        secret,
        count,
        query,
        details,
    ) = row
    system, _, code = (role or "").partition("|")
    return TraceLine(
        id=id,
        at=at,
        patient=patient,
        actor_kind=actor_kind,
        actor_id=actor_id,
        actor_name=actor_name,
        role=(system, code) if code else None,
        specialty=specialty,
        organization=organization,
        organization_name=organization_name,
        acting_for=acting_for,
        relation=relation,
        action=action,
        event=event,
        resource=Resource(type_name(type), key, kinds().code(kind) if kind is not None else None, version)
        if type is not None
        else None,
        purpose=purpose,
        reason=reason,
        rule=rule,
        refused=outcome != 0,
        channel=channel,
        software=software,
        request_id=request_id,
        secret=secret,
        count=count,
        query=query,
        details=cast(dict[str, Any], details or {}),
    )
