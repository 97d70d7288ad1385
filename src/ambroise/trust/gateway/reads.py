"""Reading through the door: by id, by version, by search, over time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from ambroise.fhir.search import Query, SearchResult, is_one_page, search
from ambroise.fhir.search.binding import patient_asked_for
from ambroise.fhir.store import past
from ambroise.fhir.store import reading as store
from ambroise.fhir.store.keys import as_key, name_key
from ambroise.fhir.store.past import HistoryPage
from ambroise.fhir.store.types import Peeked, Stored
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.decide import Action, Target, inspection, judge, unknown
from ambroise.trust.access.facts import Eyes, Viewer
from ambroise.trust.access.kinds import Shelf, shelf_of
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.scope import Scopes, identity_scope, scope
from ambroise.trust.audit.entry import Entry, Event, record
from ambroise.trust.context import Context, Purpose
from ambroise.trust.gateway.emergencies import Emergencies
from ambroise.trust.gateway.identity_only import KNOWN_STATES, identity_only, shows_identity
from ambroise.trust.gateway.testimony import Find, Look, Reading
from ambroise.trust.gateway.witness import search_entry

_BY_FACTS = (Viewer.PROFESSIONAL, Viewer.CITIZEN)
"""Those whose sight of a record follows from the facts about it."""


class Reads(Emergencies):
    """The reading part of the gateway."""

    async def read(self, reader: Reader, ctx: Context, type: str, id: str) -> Stored:
        """The present version, traced. Raises NOT_FOUND (also when existence is a secret), GONE."""
        key = as_key(id)
        if key is not None and not isinstance(reader, Transaction):
            found = await self._read_one(Look(ctx, Eyes.of(ctx), type, key))
            if found is not None:
                return found
        stored = await store.read(reader, scope(ctx, type=type), type, id)
        if stored is None:
            identity = await self._missed(reader, ctx, type, id)
            if identity is not None:
                return await self._identity_of(reader, ctx, identity)
            stored = await store.read(reader, scope(ctx, type=type), type, id)
        if stored is None:
            raise unknown(type)
        if stored.deleted:
            raise gone(stored)
        await self._trace_read(reader, ctx, Event.READ, stored)
        return stored

    async def vread(self, reader: Reader, ctx: Context, type: str, id: str, version: int) -> Stored:
        """One version, for who may see the present one."""
        stored = await store.vread(reader, scope(ctx, type=type), type, id, version)
        if stored is None:
            if await self._missed(reader, ctx, type, id) is not None:
                raise unknown(type)
            stored = await store.vread(reader, scope(ctx, type=type), type, id, version)
        present = await store.peek(reader, inspection(), type, id)
        if stored is None or present is None:
            raise unknown(type)
        if stored.deleted:
            raise gone(stored)
        await self._trace_read(reader, ctx, Event.READ, stored, present)
        return stored

    async def history(
        self,
        reader: Reader,
        ctx: Context,
        type: str | None = None,
        id: str | None = None,
        *,
        since: datetime | None = None,
        count: int = 50,
        cursor: str | None = None,
    ) -> HistoryPage:
        """Versions of one resource, of a type, or of everything the caller sees, the newest first."""
        page = await past.history(
            reader, Scopes(ctx), pages=self._pages, type=type, id=id, since=since, count=count, cursor=cursor
        )
        if type is not None and id is not None:
            await self._trace_history_of_one(reader, ctx, type, id, page)
        else:
            await self._trace_many(reader, ctx, Event.HISTORY, type, page.entries)
        return page

    async def search(self, reader: Reader, ctx: Context, query: Query) -> SearchResult:
        """One page of what matches and what it includes, among what the caller sees; traced for each patient."""
        patient = await self._patient_asked_for(reader, query)
        if patient is not None and ctx.purpose is not Purpose.NORMAL:
            await self._ensure_emergency(ctx, patient)
        elif patient is not None and not isinstance(reader, Transaction):
            eyes = Eyes.of(ctx)
            if eyes.viewer in _BY_FACTS and shelf_of(query.type) is Shelf.PATIENT and is_one_page(query):
                return await self._read_page(Find(ctx, eyes, patient, query, redacted(query), self._pages))
        result = await search(reader, Scopes(ctx), query, pages=self._pages)
        await self._trace_search(reader, ctx, patient, result)
        return result

    async def visible(self, reader: Reader, ctx: Context, type: str, keys: Collection[UUID]) -> frozenset[UUID]:
        """Those of these resources that the caller may see. Nothing of them is shown, so nothing is traced."""
        found = await store.read_keys(reader, scope(ctx, type=type), type, list(keys))
        return frozenset(one.key for one in found)

    async def _patient_asked_for(self, reader: Reader, query: Query) -> UUID | None:
        """The patient a search names, if it names one."""
        name = patient_asked_for(query)
        if name is None:
            return None
        return as_key(name) or await name_key(reader, "Patient", name)

    async def _trace_search(self, reader: Reader, ctx: Context, asked: UUID | None, result: SearchResult) -> None:
        eyes, text = Eyes.of(ctx), redacted(result.query)
        type = result.query.type
        found = _by_patient([stored for stored, _ in result.entries])
        if asked is not None:
            found.setdefault(asked, [])
        readings: list[Reading] = []
        for patient, entries in found.items():
            total = result.total if asked is not None else None
            entry = search_entry(patient, type, entries, total, text)
            targets = tuple(Target(one.type, one.label, one.key) for one in entries)
            readings.append(Reading(ctx, eyes, patient, targets, entry))
        if not readings and result.total and shelf_of(type) is not Shelf.OPEN:
            # A count over several patients names none of them, yet somebody asked.
            await self.note(ctx, Entry("R", Event.SEARCH, None, type, count=result.total, query=text))
        if readings:
            await self._witness(reader, *readings)

    async def _trace_history_of_one(self, reader: Reader, ctx: Context, type: str, id: str, page: HistoryPage) -> None:
        if not page.entries:
            await self._missed(reader, ctx, type, id)
            return
        present = await store.peek(reader, inspection(), type, id)
        await self._trace_read(reader, ctx, Event.HISTORY, page.entries[0], present)

    async def _trace_many(
        self, reader: Reader, ctx: Context, event: Event, type: str | None, entries: list[Stored]
    ) -> None:
        """One line for each patient; what the present labels say was the scope's to know."""
        eyes = Eyes.of(ctx)
        readings = [
            Reading(ctx, eyes, patient, (), Entry("R", event, patient, type, count=len(versions)))
            for patient, versions in _by_patient(entries).items()
        ]
        if readings:
            await self._witness(reader, *readings)

    async def _trace_read(
        self, reader: Reader, ctx: Context, event: Event, stored: Stored, present: Peeked | None = None
    ) -> None:
        """Judge and trace one resource; what says nothing about a patient is not traced."""
        target = Target(stored.type, present.label if present else stored.label, stored.key)
        if target.shelf is Shelf.OPEN:
            return
        label = target.label
        entry = Entry("R", event, label.patient, stored.type, stored.key, label.kind, stored.version)
        await self._witness(reader, Reading(ctx, Eyes.of(ctx), label.patient, (target,), entry))

    async def _missed(self, reader: Reader, ctx: Context, type: str, id: str) -> Peeked | None:
        """After a scope admitted nothing: refuse, unless there is a way.

        None: look again (an emergency access was opened, or the facts have just changed). A label: only the identity
        of this Patient may be shown. Every refusal is that of an unknown id; the trace names the rule.
        """
        peeked = await store.peek(reader, inspection(), type, id)
        if peeked is None:
            raise unknown(type)
        eyes, target = Eyes.of(ctx), Target(type, peeked.label, peeked.key)
        patient = peeked.label.patient
        facts = await self.facts(reader, ctx, eyes, patient)
        verdict = judge(facts, eyes, Action.READ, target)
        if verdict.allowed:
            return None
        if verdict.rule is Rule.EMERGENCY_NOT_OPENED and patient is not None:
            try:
                await self._open_emergency_beside(ctx, patient)
            except Refusal:
                # The attempt is traced; why it was refused would say that this id is one of the record's.
                raise unknown(type) from None
            if isinstance(reader, Transaction):
                self.forget_facts(reader)
            facts = await self.facts(reader, ctx, eyes, patient)
            verdict = judge(facts, eyes, Action.READ, target)
            if verdict.allowed:
                return None
        if shows_identity(type, eyes, facts) and not peeked.deleted and eyes.reach(patient):
            return peeked
        await self.trace_refusal(ctx, Action.READ, target, verdict.rule, key=peeked.key)
        # Why is said of the person who was found (consent, emergency), never of an id: whether it exists is a secret.
        raise unknown(type)

    async def _identity_of(self, reader: Reader, ctx: Context, peeked: Peeked) -> Stored:
        """A Patient reduced to the identity, for a professional who has no access to the space."""
        stored = await store.read(reader, identity_scope(KNOWN_STATES), "Patient", peeked.id)
        if stored is None:
            raise unknown("Patient")
        await self._trace_identity(reader, ctx, stored)
        return identity_only(stored)

    async def _trace_identity(self, reader: Reader, ctx: Context, stored: Stored) -> None:
        label, rule = stored.label, Rule.IDENTITY_ONLY.value
        entry = Entry("R", Event.PERSON_FOUND, label.patient, "Patient", stored.key, label.kind, stored.version, rule)
        if isinstance(reader, Transaction):
            await record(reader, ctx, entry)
        else:
            await self.note(ctx, entry)


def gone(stored: Stored | Peeked) -> Refusal:
    """The refusal for what was deleted, told to who could see it."""
    return Refusal(
        Kind.GONE,
        "GONE",
        f"{stored.type}/{stored.id} was deleted.",
        data={"version": stored.version, "updated": stored.updated},
    )


def _by_patient(entries: list[Stored]) -> dict[UUID | None, list[Stored]]:
    """The entries of each patient; what is open to anybody is left out."""
    found: dict[UUID | None, list[Stored]] = {}
    for one in entries:
        if shelf_of(one.type, with_patient=one.label.patient is not None) is not Shelf.OPEN:
            found.setdefault(one.label.patient, []).append(one)
    return found


_SHOWN = frozenset(
    (
        *("category", "class", "clinical-status", "code", "date", "effective", "event", "facility", "format", "issued"),
        *("onset-date", "period", "recorded-date", "security-label", "setting", "status", "type", "vaccine-code"),
        *("_count", "_include", "_lastUpdated", "_revinclude", "_sort", "_summary", "_total"),
    )
)


def redacted(query: Query) -> str:
    """What was asked, for the trace: names of parameters, and values only where they identify nobody."""
    return "&".join(f"{name}={value if name.partition(':')[0] in _SHOWN else '*'}" for name, value in query.pairs)[:500]
