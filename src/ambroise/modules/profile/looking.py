"""Reading a profile: one search for each type, all at the same moment, through the door."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.fhir.search import Query, SearchResult, parse
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.modules.identity.api import identity_of
from ambroise.modules.profile import body, orders, reading, states
from ambroise.modules.profile.fhir import HOUSE, LOINC, Json, code_in
from ambroise.modules.profile.grouping import grouped
from ambroise.modules.profile.kinds import kind_of_section
from ambroise.modules.profile.measures import by_code
from ambroise.modules.profile.model import Item, Part, Section, Sheet
from ambroise.modules.profile.states import State
from ambroise.modules.profile.writing import BLOOD_GROUP, DISABILITY, HABITS
from ambroise.modules.record.api import Document, read_document
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.restrictions import restrictions_of
from ambroise.trust.context import Context, Professional, Purpose
from ambroise.trust.gateway import Flags, Gateway, Stored

_MOST = "400"
_FIRST = ZoneInfo("Pacific/Wallis")
_HABITS = ",".join(f"{system}|{code}" for system, code in HABITS.values())
_MEASURES = ",".join(f"{system}|{code}" for system, code in by_code())

_SEARCHES: Mapping[Section, tuple[str, tuple[tuple[str, str], ...]]] = {
    Section.ILLNESSES: ("Condition", ()),
    Section.TREATMENTS: ("MedicationStatement", ()),
    Section.ALLERGIES: ("AllergyIntolerance", ()),
    Section.VACCINATIONS: ("Immunization", ()),
    Section.STAYS: ("Procedure", ()),
    Section.FAMILY: ("FamilyMemberHistory", ()),
    Section.DISABILITIES: ("Observation", (("code", "|".join(DISABILITY)),)),
    Section.BLOOD: ("Observation", (("code", "|".join(BLOOD_GROUP)),)),
    Section.MEASURES: ("Observation", (("code", _MEASURES), ("_sort", "-date"))),
    Section.TARGETS: ("Goal", ()),
    Section.HABITS: ("Observation", (("code", _HABITS),)),
    Section.NETWORK: ("CareTeam", (("category", f"{HOUSE}|network"),)),
    Section.CONTACTS: ("RelatedPerson", ()),
    Section.DONATION: ("Observation", (("code", f"{HOUSE}|informedAboutOrganDonation"),)),
}
_TOGETHER = ",".join(("|".join(DISABILITY), "|".join(BLOOD_GROUP), _HABITS, f"{HOUSE}|informedAboutOrganDonation"))
_ALL = frozenset(Section)
_NOT_FOR_ALL = Flags.MASKED | Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES
_FEW = frozenset({Section.DISABILITIES, Section.BLOOD, Section.HABITS, Section.DONATION})


class Looking:
    """The reading part of the profile."""

    def __init__(self, database: Database, gateway: Gateway) -> None:
        self.database = database
        self.gateway = gateway

    async def sheet(self, ctx: Context, patient: UUID, sections: Collection[Section] = tuple(Section)) -> Sheet:
        """The profile, or these sections of it, as the caller may see them."""
        async with self.database.reader() as reader:
            return await self.sheet_in(reader, ctx, patient, sections)

    async def sheet_in(
        self, reader: Reader, ctx: Context, patient: UUID, sections: Collection[Section] = tuple(Section)
    ) -> Sheet:
        """The same, within a transaction when the reader is one."""
        wanted = frozenset(sections)
        found = await self._found(reader, ctx, patient, wanted)
        items = await self._with_documents(reader, ctx, patient, _items(found, wanted))
        items = await self._with_index(reader, patient, items)
        return _sheet(ctx, found, items, wanted)

    async def material(self, ctx: Context, patient: UUID) -> tuple[Sheet, Mapping[str, Json]]:
        """The whole profile, and the resources behind its lines by `Type/id`."""
        async with self.database.reader() as reader:
            found = await self._found(reader, ctx, patient, _ALL)
            items = await self._with_index(reader, patient, list(_items(found, _ALL)))
        sheet = _sheet(ctx, found, items, _ALL)
        return sheet, {f"{one.type}/{one.id}": decode(one.body) for one in found if one.type != "List"}

    async def documents(self, reader: Reader, ctx: Context, patient: UUID, type: str) -> list[Document]:
        """The documents in force of a type, the newest first."""
        pairs = [("patient", f"Patient/{patient}"), ("status", "current"), ("type", type), ("_sort", "-date")]
        page = await self.gateway.search(reader, ctx, parse("DocumentReference", pairs, now=ctx.now()))
        return [read_document(decode(stored.body)) for stored, _ in page.entries]

    async def planned(self, ctx: Context, patient: UUID, count: int) -> Sequence[Json]:
        """The stays that an establishment has planned (Encounter), the nearest first."""
        pairs = [
            ("patient", f"Patient/{patient}"),
            ("status", "planned"),
            ("date", f"ge{today_of(ctx).isoformat()}"),
            ("_sort", "date"),
            ("_count", str(count)),
        ]
        async with self.database.reader() as reader:
            page = await self.gateway.search(reader, ctx, parse("Encounter", pairs, now=ctx.now()))
        return [decode(stored.body) for stored, _ in page.entries]

    async def running(self, ctx: Context, patient: UUID) -> Sequence[orders.Order]:
        """What the prescriptions that the caller may read say is taken now."""
        today = today_of(ctx)
        pairs = [
            ("patient", f"Patient/{patient}"),
            ("authoredon", f"ge{(today - orders.LONGEST).isoformat()}"),
            ("_sort", "-authoredon"),
            ("_count", _MOST),
        ]
        async with self.database.reader() as reader:
            page = await self.gateway.search(reader, ctx, parse("MedicationRequest", pairs, now=ctx.now()))
        return orders.running((decode(stored.body) for stored, _ in page.entries), today)

    async def results(self, ctx: Context, patient: UUID, count: int) -> Sequence[Json]:
        """The latest results of a laboratory, as FHIR, the newest first."""
        return _results(await self._laboratory(ctx, patient, count))

    async def shareable(
        self, ctx: Context, patient: UUID, count: int, without: Collection[UUID] = ()
    ) -> tuple[Sheet, Sequence[Json]]:
        """The profile, and the latest results, as they may stand in a document that others than the caller read.

        Nothing is in it that the person masked or keeps from somebody, nor what waits for a disclosure visit, even
        where the caller reads it; nor what was read from the documents `without`.
        """
        async with self.database.reader() as reader:
            found = await self._found(reader, ctx, patient, _ALL)
            kept = [one for one in await restrictions_of(reader, patient) if one.in_force(ctx.now())]
        kinds = frozenset(kind for one in kept for kind in one.kinds)
        documents = frozenset(without).union(*(one.documents for one in kept))

        def open_to_all(stored: Stored) -> bool:
            label = stored.label
            return not label.flags & _NOT_FOR_ALL and label.kind not in kinds and label.source not in documents

        open_ones = [one for one in found if open_to_all(one)]
        results = _results(one for one in await self._laboratory(ctx, patient, count) if open_to_all(one))
        async with self.database.reader() as reader:
            items = await self._with_index(reader, patient, list(_items(open_ones, _ALL)))
        return _sheet(ctx, open_ones, items, _ALL), results

    async def _laboratory(self, ctx: Context, patient: UUID, count: int) -> list[Stored]:
        pairs = [
            ("patient", f"Patient/{patient}"),
            ("category", "laboratory"),
            ("_sort", "-date"),
            ("_count", str(count)),
        ]
        async with self.database.reader() as reader:
            page = await self.gateway.search(reader, ctx, parse("Observation", pairs, now=ctx.now()))
        return [stored for stored, _ in page.entries]

    async def _found(self, reader: Reader, ctx: Context, patient: UUID, wanted: frozenset[Section]) -> list[Stored]:
        queries = [("List", (("code", f"{HOUSE}|{states.MARK}"),))]
        if len(wanted & _FEW) > 1:
            queries.append(("Observation", (("code", _TOGETHER),)))
            wanted -= _FEW
        queries += [_SEARCHES[section] for section in Section if section in wanted]
        asked = [
            parse(type, [("patient", f"Patient/{patient}"), *pairs, ("_count", _MOST)], now=ctx.now())
            for type, pairs in queries
        ]
        if ctx.purpose is Purpose.NORMAL and not isinstance(reader, Transaction):
            pages = await asyncio.gather(*(self._one(ctx, query) for query in asked))
        else:
            # One after the other: those of a transaction, and those of which the first may open the emergency access.
            pages = [await self.gateway.search(reader, ctx, query) for query in asked]
        return [stored for page in pages for stored, _ in page.entries]

    async def _one(self, ctx: Context, query: Query) -> SearchResult:
        """One search with a reader of its own: several at once cannot share one."""
        async with self.database.reader() as reader:
            return await self.gateway.search(reader, ctx, query)

    async def _with_index(self, reader: Reader, patient: UUID, items: list[Item]) -> list[Item]:
        """The lines with the body mass index that they allow to compute."""
        if not body.can_have_index(items):
            return items
        known = await identity_of(reader, patient)
        return body.with_index(items, known.traits.birth_date if known else None)

    async def _with_documents(self, reader: Reader, ctx: Context, patient: UUID, items: Iterable[Item]) -> list[Item]:
        """The lines with what can be said of the documents that they come from."""
        listed = list(items)
        ids = sorted({one.origin.document for one in listed if one.origin.document})
        if not ids:
            return listed
        pairs = [("patient", f"Patient/{patient}"), ("_id", ",".join(ids)), ("_count", str(len(ids)))]
        page = await self.gateway.search(reader, ctx, parse("DocumentReference", pairs, now=ctx.now()))
        named = {one.id: read_document(decode(one.body)) for one, _ in page.entries}
        return [_named(one, named.get(one.origin.document)) for one in listed]


def _results(found: Iterable[Stored]) -> list[Json]:
    """What was measured, without the batteries that group results."""
    read = (decode(stored.body) for stored in found)
    return [one for one in read if "hasMember" not in one and code_in(one.get("code"), LOINC) != BLOOD_GROUP[1]]


def _named(item: Item, document: Document | None) -> Item:
    if document is None:
        return item
    author = document.authors[0] if document.authors else None
    name = (author.name or author.organization or "") if author else ""
    day = document.date or document.act_start or document.filed
    return replace(reading.titled(item, document.title, name), recorded=day.date().isoformat())


def _sheet(ctx: Context, found: Iterable[Stored], items: Sequence[Item], wanted: frozenset[Section]) -> Sheet:
    said = dict(filter(None, (states.read(one) for one in found if one.type == "List")))
    by_section: dict[Section, list[Item]] = {section: [] for section in wanted}
    for item in items:
        by_section[item.section].append(item)
    return Sheet({section: _part(ctx, section, by_section[section], said.get(section)) for section in wanted})


def _items(found: Iterable[Stored], wanted: frozenset[Section]) -> Iterable[Item]:
    for stored in found:
        item = reading.read(stored) if stored.type != "List" else None
        if item is not None and item.section in wanted:
            yield item


def _part(ctx: Context, section: Section, items: Iterable[Item], state: State | None) -> Part:
    readable = not isinstance(ctx.actor, Professional) or kind_of_section(section) in Eyes.of(ctx).role.readable
    mine = grouped(items)
    since = state.none_since if state and not mine else ""
    return Part(section, mine, since, bool(state and state.hidden), readable)


def today_of(ctx: Context) -> date:
    """The day that it is, or that it is already in the islands of France where days begin first."""
    return ctx.now().astimezone(_FIRST).date()
