"""History, labels, purge, bulk loading, rebuilding."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from ambroise.fhir import json, store
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.types import Flags, Label, Scope
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Refusal
from tests.integration.store.conftest import ANY_PERMIT, EVERYTHING, NOW, UNMASKED, permit_for
from tools.fhir_samples import Generator

PAGES = PageSeal(bytes(32))


def everything(type: str, patient: UUID | None) -> Scope:
    return EVERYTHING


def unmasked(type: str, patient: UUID | None) -> Scope:
    return UNMASKED


async def _versions(tx: Transaction, generator: Generator, count: int) -> store.Stored:
    label = Label()
    stored = await store.insert(tx, ANY_PERMIT, generator.practitioner(), label, now=NOW)
    for number in range(1, count):
        current = await store.lock(tx, ANY_PERMIT, "Practitioner", stored.id)
        assert current is not None
        await store.update(
            tx, ANY_PERMIT, current, generator.practitioner(), label, now=NOW + timedelta(seconds=number)
        )
    return stored


async def test_the_history_has_every_version_the_newest_first(database: Database, generator: Generator) -> None:
    async with database.transaction() as tx:
        stored = await _versions(tx, generator, 5)
        current = await store.lock(tx, ANY_PERMIT, "Practitioner", stored.id)
        assert current is not None
        await store.delete(tx, ANY_PERMIT, current, now=NOW + timedelta(minutes=1))
        await _versions(tx, generator, 2)
    async with database.reader() as reader:
        page = await store.history(reader, everything, pages=PAGES, type="Practitioner", id=stored.id)
        assert [each.version for each in page.entries] == [6, 5, 4, 3, 2, 1]
        assert [each.deleted for each in page.entries] == [True, False, False, False, False, False]
        since = NOW + timedelta(seconds=3)
        late = await store.history(reader, everything, pages=PAGES, type="Practitioner", id=stored.id, since=since)
        assert [each.version for each in late.entries] == [6, 5, 4]
        nothing = await store.history(reader, everything, pages=PAGES, type="Practitioner", id="unknown")
        assert nothing.entries == []


@pytest.mark.parametrize("type", ["Practitioner", None])
async def test_the_history_goes_on_over_pages_without_gap_or_repetition(
    database: Database, generator: Generator, type: str | None
) -> None:
    async with database.transaction() as tx:
        for _ in range(3):
            await _versions(tx, generator, 4)
        await store.insert(tx, ANY_PERMIT, generator.organization(), Label(), now=NOW)
    seen: list[tuple[UUID, int]] = []
    async with database.reader() as reader:
        cursor = None
        while True:
            page = await store.history(reader, everything, pages=PAGES, type=type, count=5, cursor=cursor)
            seen += [(each.key, each.version) for each in page.entries]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert len(seen) == len(set(seen)) == (12 if type else 13)


async def test_what_is_hidden_now_is_hidden_in_all_its_past(database: Database, generator: Generator) -> None:
    async with database.transaction() as tx:
        patient = store.new_key()
        seen_before = Label(patient)
        stored = await store.insert(tx, ANY_PERMIT, generator.condition(str(patient), "p"), seen_before, now=NOW)
        current = await store.lock(tx, ANY_PERMIT, "Condition", stored.id)
        assert current is not None
        hidden = Label(patient, flags=Flags.MASKED)
        await store.update(tx, ANY_PERMIT, current, generator.condition(str(patient), "p"), hidden, now=NOW)
    async with database.reader() as reader:
        for id in (stored.id, None):
            page = await store.history(reader, everything, pages=PAGES, type="Condition", id=id)
            assert len(page.entries) == 2
            page = await store.history(reader, unmasked, pages=PAGES, type="Condition", id=id)
            assert page.entries == []


async def test_a_label_goes_to_the_document_and_to_all_that_was_extracted_from_it(
    database: Database, generator: Generator
) -> None:
    patient = store.new_key()
    permit = permit_for(patient)
    async with database.transaction() as tx:
        document = await store.insert(
            tx, permit, generator.document_reference(str(patient), "p"), Label(patient, 4), now=NOW
        )
        own_flags = Label(patient, 4, Flags.PATIENT_AUTHORED, source=document.key)
        extracted = await store.insert(tx, permit, generator.observation(str(patient), "p"), own_flags, now=NOW)
        other = await store.insert(tx, permit, generator.observation(str(patient), "p"), Label(patient, 4), now=NOW)
        assert await store.relabel(tx, permit, document.key, set=Flags.MASKED | Flags.ARCHIVED) == 2
        assert await store.relabel(tx, permit, document.key, clear=Flags.ARCHIVED, kind=9) == 2
    async with database.reader() as reader:
        label = Label(patient, 9, Flags.MASKED)
        found = await store.read(reader, EVERYTHING, "DocumentReference", document.id)
        assert found is not None
        assert found.label == label
        found = await store.read(reader, EVERYTHING, "Observation", extracted.id)
        assert found is not None
        assert found.label == Label(patient, 9, Flags.MASKED | Flags.PATIENT_AUTHORED, source=document.key)
        assert await store.read(reader, EVERYTHING, "Observation", other.id) == other
        assert found.version == 1


async def test_a_purge_leaves_nothing_of_the_record_and_all_of_the_others(
    database: Database, generator: Generator
) -> None:
    patient, other = store.new_key(), store.new_key()
    async with database.transaction() as tx:
        for owner in (patient, other):
            await store.insert(tx, ANY_PERMIT, generator.patient(), Label(owner), now=NOW, key=owner)
            for number in range(5):
                stored = await store.insert(
                    tx,
                    ANY_PERMIT,
                    generator.observation(str(owner), "p"),
                    Label(owner),
                    now=NOW,
                    id=f"{owner}.{number}",
                )
                current = await store.lock(tx, ANY_PERMIT, "Observation", stored.id)
                assert current is not None
                await store.update(tx, ANY_PERMIT, current, json.decode(stored.body), Label(owner), now=NOW)
        assert await store.purge(tx, permit_for(patient)) == 6
    tables = ("resource", "resource_history", "named_id")
    async with database.reader() as reader:
        left = {
            table: await reader.fetch_value(f"select count(*) from {table}")  # type: ignore[arg-type]
            for table in tables
        }
        assert left == {"resource": 6, "resource_history": 5, "named_id": 5}
        orphans = (
            "select count(*) from (select id from resource_range union all select id from resource_text) x"
            " where not exists (select from resource r where r.id = x.id)"
        )
        assert await reader.fetch_value(orphans) == 0


async def test_resources_loaded_in_bulk_are_the_same_as_those_written_one_by_one(
    database: Database, generator: Generator
) -> None:
    drafts: list[store.Draft] = []
    for number in range(40):
        resource = generator.clinical(generator.id(), "p\\with\tsigns\n") if number % 3 else generator.patient()
        drafts.append(store.Draft(resource, Label(), id=None if number % 4 else f"loaded-{number}"))
    async with database.transaction() as tx:
        assert await store.bulk_insert(tx, ANY_PERMIT, drafts, now=NOW) == 40
    columns = (
        "name, version, deleted, date_low::text, date_high::text, author, terms, displays,"
        " (select array_agg((t.parameter, t.text, t.original) order by t.parameter, t.text)::text"
        "    from resource_text t where t.shard = r.shard and t.id = r.id),"
        " (select array_agg((t.parameter, t.low, t.high, t.units) order by t.parameter, t.low)::text"
        "    from resource_range t where t.shard = r.shard and t.id = r.id)"
    )
    everything_there = f"select {columns} from resource r order by terms, name, version"
    async with database.reader() as reader:
        loaded = await reader.fetch_all(everything_there)  # type: ignore[arg-type]
        assert await store.read(reader, EVERYTHING, "Patient", "loaded-0") is not None
    async with database.transaction() as tx:
        await tx.execute("delete from resource")
        await tx.execute("delete from resource_text")
        await tx.execute("delete from resource_range")
        await tx.execute("delete from named_id")
        for draft in drafts:
            await store.insert(tx, ANY_PERMIT, draft.resource, draft.label, now=NOW, id=draft.id)
    async with database.reader() as reader:
        written = await reader.fetch_all(everything_there)  # type: ignore[arg-type]
    assert loaded == written


async def test_the_index_can_be_made_again_from_the_bodies(database: Database, generator: Generator) -> None:
    state = (
        "select"
        " (select array_agg((r.id, r.terms, r.present, r.displays, r.date_low, r.handle) order by r.id)::text"
        " from resource r),"
        " (select array_agg((t.id, t.parameter, t.text) order by (t.id, t.parameter, t.text))::text"
        " from resource_text t),"
        " (select array_agg((t.id, t.parameter, t.low) order by (t.id, t.parameter, t.low))::text"
        " from resource_range t)"
    )
    async with database.transaction() as tx:
        drafts = [store.Draft(generator.clinical(generator.id(), generator.id()), Label()) for _ in range(30)]
        await store.bulk_insert(tx, ANY_PERMIT, drafts, now=NOW)
        gone = await store.insert(tx, ANY_PERMIT, generator.patient(), Label(), now=NOW)
        current = await store.lock(tx, ANY_PERMIT, "Patient", gone.id)
        assert current is not None
        await store.delete(tx, ANY_PERMIT, current, now=NOW)
        before = await tx.fetch_one(state)
        await tx.execute("update resource set terms = '{1}', displays = 'x', handle = 0 where not deleted")
        await tx.execute("delete from resource_text")
        await tx.execute("delete from resource_range")
    place: store.Place | None = store.Place()
    steps = 0
    while place is not None:
        async with database.transaction() as tx:
            place = await store.rebuild(tx, ANY_PERMIT, place, count=7)
        steps += 1
    async with database.reader() as reader:
        assert await reader.fetch_one(state) == before
    assert steps > 3


async def test_of_two_updates_of_one_version_one_wins(database: Database, generator: Generator) -> None:
    async with database.transaction() as tx:
        first = await store.insert(tx, ANY_PERMIT, generator.practitioner(), Label(), now=NOW)

    async def change() -> str:
        try:
            async with database.transaction() as tx:
                current = await store.lock(tx, ANY_PERMIT, "Practitioner", first.id)
                assert current is not None
                await asyncio.sleep(0.01)
                await store.update(tx, ANY_PERMIT, current, generator.practitioner(), Label(), now=NOW, if_match=1)
        except Refusal as refusal:
            return refusal.kind.value
        return "changed"

    outcomes = await asyncio.gather(*(change() for _ in range(5)))
    assert sorted(outcomes) == ["changed"] + ["precondition-failed"] * 4


async def test_an_update_from_a_label_read_without_lock_is_refused_when_it_came_too_late(
    database: Database, generator: Generator
) -> None:
    async with database.transaction() as tx:
        first = await store.insert(tx, ANY_PERMIT, generator.practitioner(), Label(), now=NOW)
    async with database.reader() as reader:
        stale = await store.peek(reader, ANY_PERMIT, "Practitioner", first.id)
    assert stale is not None

    async def change() -> str:
        try:
            async with database.transaction() as tx:
                await store.update(tx, ANY_PERMIT, stale, generator.practitioner(), Label(), now=NOW)
        except Refusal as refusal:
            return refusal.code
        return "changed"

    outcomes = await asyncio.gather(*(change() for _ in range(5)))
    assert sorted(outcomes) == ["VERSION_CONFLICT"] * 4 + ["changed"]
    async with database.reader() as reader:
        page = await store.history(reader, everything, pages=PAGES, type="Practitioner", id=first.id)
    assert [each.version for each in page.entries] == [2, 1]


async def test_of_two_creations_with_one_id_one_wins(database: Database, generator: Generator) -> None:
    async def create(id: str) -> str:
        try:
            async with database.transaction() as tx:
                await store.insert(tx, ANY_PERMIT, generator.patient(), Label(), now=NOW, id=id)
        except Refusal as refusal:
            return refusal.code
        return "created"

    for id in ("one-name", str(store.new_key())):
        outcomes = await asyncio.gather(*(create(id) for _ in range(4)))
        assert sorted(outcomes) == ["ID_TAKEN"] * 3 + ["created"]
