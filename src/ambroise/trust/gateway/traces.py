"""The trace through the door: the citizen's history, AuditEvent read and search. Reading the trace is traced too."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.search import Query, SearchResult, Summary
from ambroise.fhir.search.query import DateRange, Filter, Target, Token
from ambroise.fhir.store import reading as store
from ambroise.fhir.store import walking
from ambroise.fhir.store.keys import as_key, name_key
from ambroise.fhir.store.types import Flags, Stored
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.decide import Action, inspection, judge_entry, refusal, unknown
from ambroise.trust.access.facts import Eyes, Viewer
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.access.scope import door_scope, scope
from ambroise.trust.audit.entry import REFUSED, Entry, Event
from ambroise.trust.audit.history import Filters, Place, TraceLine, count_lines, read_lines
from ambroise.trust.audit.render import stored_event
from ambroise.trust.context import Context
from ambroise.trust.gateway.core import Core

_PURPOSE = "trace"
_USUAL_COUNT = 50
_INVISIBLE = Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES


class Traces(Core):
    """The part of the gateway that shows the trace."""

    async def access_history(
        self,
        reader: Reader,
        ctx: Context,
        patient: UUID,
        filters: Filters | None = None,
        *,
        cursor: str | None = None,
        count: int = _USUAL_COUNT,
    ) -> tuple[list[TraceLine], str | None]:
        """The acts on a space, for its holder's side and the desk; and where the next page starts."""
        await self._allow_trace(reader, ctx, patient)
        lines, following = await self._lines(reader, ctx, patient, filters or Filters(), cursor, count)
        await self.note(ctx, Entry("R", Event.TRACE_READ, patient, "AuditEvent", count=len(lines)))
        return lines, following

    async def read_audit_event(self, reader: Reader, ctx: Context, id: str) -> Stored:
        """One AuditEvent, for who may see the history it belongs to."""
        key = as_key(id)
        lines = await read_lines(reader, None, Filters(id=key), count=1) if key is not None else []
        if not lines:
            raise unknown("AuditEvent")
        patient = lines[0].patient
        if not (await self._trace_verdict(reader, ctx, patient)).allowed:
            raise unknown("AuditEvent")
        shown, _ = await self._lines(reader, ctx, patient, Filters(id=key), None, 1)
        if not shown:
            raise unknown("AuditEvent")
        await self.note(ctx, Entry("R", Event.TRACE_READ, patient, "AuditEvent", lines[0].id, count=1))
        return stored_event(shown[0])

    async def search_audit_events(self, reader: Reader, ctx: Context, query: Query) -> SearchResult:
        """AuditEvents by patient, entity, date, action, outcome and `_id`."""
        patient, filters = await self._understood(reader, ctx, query)
        await self._allow_trace(reader, ctx, patient)
        counted = query.summary is Summary.COUNT or query.count == 0
        limit = 0 if counted else query.count or _USUAL_COUNT
        lines: list[TraceLine] = []
        following = None
        if limit:
            lines, following = await self._lines(reader, ctx, patient, filters, query.cursor, limit)
        secret = await self._secret_from(reader, ctx, patient)
        about = await self._kept_from(reader, patient, secret)
        total = await count_lines(reader, patient, filters, hide_secret_from=secret, hide_about=about)
        await self.note(ctx, Entry("R", Event.TRACE_READ, patient, "AuditEvent", count=len(lines)))
        entries = [(stored_event(line), "match") for line in lines]
        return SearchResult(entries, total, following, query.applied, query.ignored, query)  # pyright: ignore[reportArgumentType]

    async def _lines(
        self, reader: Reader, ctx: Context, patient: UUID | None, filters: Filters, cursor: str | None, count: int
    ) -> tuple[list[TraceLine], str | None]:
        """One page, without what the viewer may not know of, and where the next one starts."""
        after = None
        if cursor is not None:
            state: list[Any] = self._pages.open(_PURPOSE, cursor)
            patient = UUID(state[0]) if state[0] else None
            filters = _thaw(filters, state[1])
            after = Place(datetime.fromisoformat(state[2]), UUID(state[3]))
            await self._allow_trace(reader, ctx, patient)
        secret = await self._secret_from(reader, ctx, patient)
        about = await self._kept_from(reader, patient, secret)
        found = await read_lines(
            reader, patient, filters, after=after, count=count + 1, hide_secret_from=secret, hide_about=about
        )
        lines, more = found[:count], len(found) > count
        following = None
        if more and lines:
            last = lines[-1]
            state = [str(patient) if patient else "", _freeze(filters), last.at.isoformat(), str(last.id)]
            following = self._pages.seal(_PURPOSE, state)
        return await self._without_withheld(reader, ctx, lines), following

    async def _without_withheld(self, reader: Reader, ctx: Context, lines: list[TraceLine]) -> list[TraceLine]:
        """A line about a document that is withheld from the viewer says that something happened, not on what."""
        if Eyes.of(ctx).viewer is not Viewer.CITIZEN:
            return lines
        by_type: dict[str, set[UUID]] = {}
        for line in lines:
            if line.resource is not None and line.resource.key is not None:
                by_type.setdefault(line.resource.type, set()).add(line.resource.key)
        hidden: set[UUID] = set()
        for type, keys in by_type.items():
            seen = {one.key for one in await store.read_keys(reader, scope(ctx, type=type), type, list(keys))}
            there = {one.key for one in await store.read_keys(reader, door_scope(), type, list(keys - seen))}
            hidden |= there
            for key in keys - seen - there:
                # What was withdrawn while it was withheld is not disclosed by that.
                gone = await store.peek(reader, inspection(), type, str(key))
                if gone is not None and gone.label.flags & _INVISIBLE:
                    hidden.add(key)
        return [
            line.without_resource() if line.resource is not None and line.resource.key in hidden else line
            for line in lines
        ]

    async def _allow_trace(self, reader: Reader, ctx: Context, patient: UUID | None) -> None:
        verdict = await self._trace_verdict(reader, ctx, patient)
        if verdict.allowed:
            return
        await self.note(
            ctx, Entry("R", Event.TRACE_READ, patient, "AuditEvent", rule=verdict.rule.value, outcome=REFUSED)
        )
        raise refusal(Action.READ, "AuditEvent", verdict.rule)

    async def _trace_verdict(self, reader: Reader, ctx: Context, patient: UUID | None) -> Verdict:
        """The holder's side reads its own history; the desk and the instance any; a professional none."""
        eyes = Eyes.of(ctx)
        if eyes.viewer is Viewer.OPERATOR:
            return Verdict(True, Rule.OPERATOR)
        if eyes.viewer is Viewer.SYSTEM:
            return Verdict(eyes.trusted, Rule.SYSTEM)
        if eyes.viewer is Viewer.PROFESSIONAL:
            return Verdict(False, Rule.WRITE_RESERVED)
        if patient is None or patient != eyes.space:
            return Verdict(False, Rule.OTHER_SPACE)
        return judge_entry(await self.facts(reader, ctx, eyes, patient), eyes)

    async def _secret_from(self, reader: Reader, ctx: Context, patient: UUID | None) -> UUID | None:
        """The person from whom secret accesses are hidden: whoever acts for another, save a carer.

        What this person is comes from the facts: a parent who is a carer too remains a representative.
        """
        eyes = Eyes.of(ctx)
        if eyes.viewer is not Viewer.CITIZEN or eyes.own:
            return None
        facts = await self.facts(reader, ctx, eyes, patient)
        return None if facts.relation == "carer" else eyes.person

    async def _kept_from(self, reader: Reader, patient: UUID | None, representative: UUID | None) -> list[UUID]:
        """What a minor keeps from representatives: who did something with it would tell of it (CSP L. 1111-5)."""
        if patient is None or representative is None:
            return []
        return await walking.keys_flagged(reader, inspection(), patient, Flags.INVISIBLE_REPRESENTATIVES)

    async def _understood(self, reader: Reader, ctx: Context, query: Query) -> tuple[UUID | None, Filters]:
        """The patient and the filters of an AuditEvent search; what is not supported is refused by name."""
        patient, filters = Eyes.of(ctx).space, Filters()
        for clause in query.clauses:
            if not isinstance(clause, Filter) or clause.modifier is not None or len(clause.values) != 1:
                raise _unsupported("this combination")
            code, value = clause.parameter.code, clause.values[0]
            if code in ("patient", "entity") and isinstance(value, Target) and len(value.targets) == 1:
                type, _, id = value.targets[0].rpartition("/")
                key = as_key(id) or await name_key(reader, type, id)
                if key is None:
                    raise unknown(type)
                patient, filters = (key, filters) if type == "Patient" else (patient, replace(filters, resource=key))
            elif code == "date" and isinstance(value, DateRange):
                filters = _dated(filters, value)
            elif code == "action" and isinstance(value, Token) and value.code:
                filters = replace(filters, actions=(value.code,))
            elif code == "outcome" and isinstance(value, Token) and value.code:
                filters = replace(filters, refused=value.code != "0")
            elif code == "_id" and isinstance(value, Token) and value.code and as_key(value.code):
                filters = replace(filters, id=as_key(value.code))
            else:
                raise _unsupported(code)
        ascending = bool(query.sort) and not query.sort[0].descending
        return patient, replace(filters, ascending=ascending)


def _dated(filters: Filters, value: DateRange) -> Filters:
    match value.prefix:
        case "eq":
            return replace(filters, since=value.low, until=value.high)
        case "ge":
            return replace(filters, since=value.low)
        case "gt" | "sa":
            return replace(filters, since=value.high)
        case "lt" | "eb":
            return replace(filters, until=value.low)
        case "le":
            return replace(filters, until=value.high)
        case _:
            raise _unsupported(f"date with the prefix {value.prefix}")


def _unsupported(what: str) -> Refusal:
    return Refusal(
        Kind.INVALID,
        "SEARCH_PARAMETER_UNSUPPORTED",
        f"AuditEvent is searched by patient, entity, date, action, outcome and _id, not by {what}.",
        element=what,
    )


def _freeze(filters: Filters) -> list[Any]:
    return [
        filters.since.isoformat() if filters.since else None,
        filters.until.isoformat() if filters.until else None,
        filters.group,
        filters.actor_id,
        list(filters.events),
        list(filters.actions),
        filters.refused,
        str(filters.resource) if filters.resource else None,
        filters.ascending,
        list(filters.purposes),
    ]


def _thaw(filters: Filters, state: list[Any]) -> Filters:
    since, until, group, actor, events, actions, refused, resource, ascending, purposes = state
    return replace(
        filters,
        since=datetime.fromisoformat(since) if since else None,
        until=datetime.fromisoformat(until) if until else None,
        group=group,
        actor_id=actor,
        events=tuple(events),
        actions=tuple(actions),
        refused=refused,
        resource=UUID(resource) if resource else None,
        ascending=ascending,
        purposes=tuple(purposes),
    )
