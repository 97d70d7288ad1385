"""Create, read, update, delete on the real database."""

from datetime import timedelta

import pytest

from ambroise.fhir import json
from ambroise.fhir.store import reading, writing
from ambroise.fhir.store.keys import new_key
from ambroise.fhir.store.types import Flags, Label
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import shard_of
from tests.integration.store.conftest import ANY_PERMIT, EVERYTHING, NOW, UNMASKED, permit_for, scope_of
from tools.fhir_samples import Generator


async def test_what_is_stored_is_read_back(database: Database, generator: Generator) -> None:
    patient = generator.patient()
    async with database.transaction() as tx:
        stored = await writing.insert(tx, ANY_PERMIT, patient, Label(), now=NOW)
    async with database.reader() as reader:
        found = await reading.read(reader, EVERYTHING, "Patient", stored.id)
    assert found == stored
    assert found is not None
    assert found.label.patient == found.key
    body = json.decode(found.body)
    assert body["id"] == str(found.key)
    assert body["meta"]["versionId"] == "1"
    assert body["meta"]["lastUpdated"] == "2026-03-14T09:30:00.123Z"
    assert body["name"] == patient["name"]


_ROWS = {
    "resource": "to_jsonb(r) - 'id' - 'handle' - 'body'",
    "resource_range": "to_jsonb(r) - 'id'",
    "resource_text": "to_jsonb(r) - 'id'",
}


async def test_resources_written_together_leave_the_rows_of_resources_written_alone(
    database: Database, generator: Generator
) -> None:
    patient, document = new_key(), new_key()
    label = Label(patient, 3, Flags.MASKED, 11, -12, document)
    resources = [generator.clinical(str(patient), str(number)) for number in range(12)]
    awkward = 'a "quoted" {name}, with \\ and null'
    resources.append({"resourceType": "Patient", "name": [{"family": awkward}, {"family": "null"}, {"text": "é,'"}]})
    resources.append({"resourceType": "Binary", "contentType": "text/plain"})
    alone = [new_key(patient) for _ in resources]
    together = [new_key(patient) for _ in resources]
    for key, resource in zip(alone, resources, strict=True):
        async with database.transaction() as tx:
            await writing.insert(tx, ANY_PERMIT, resource, label, now=NOW, key=key)
    async with database.transaction() as tx:
        for key, resource in zip(together, resources, strict=True):
            await writing.insert(tx, ANY_PERMIT, resource, label, now=NOW, key=key)
    async with database.reader() as reader:
        for resource, *keys in zip(resources, alone, together, strict=True):
            found = [await reading.read(reader, EVERYTHING, resource["resourceType"], str(key)) for key in keys]
            bodies = [json.decode(one.body) | {"id": ""} for one in found if one is not None]
            assert len(bodies) == 2
            assert bodies[0] == bodies[1]
            for table, columns in _ROWS.items():
                written = [
                    await reader.fetch_all(
                        f"select {columns} from {table} r where r.shard = %s and r.id = %s order by 1",  # type: ignore[arg-type]
                        (shard_of(key), key),
                    )
                    for key in keys
                ]
                assert written[0] == written[1]


async def test_decimals_come_back_byte_for_byte(database: Database) -> None:
    raw = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":20.00},'
    raw += b'"component":[{"code":{"text":"y"},"valueQuantity":{"value":1.50e3}},'
    raw += b'{"code":{"text":"z"},"valueQuantity":{"value":0.000000010}}]}'
    async with database.transaction() as tx:
        stored = await writing.insert(tx, ANY_PERMIT, json.decode(raw), Label(), now=NOW)
    async with database.reader() as reader:
        found = await reading.read(reader, EVERYTHING, "Observation", stored.id)
    assert found is not None
    for text in (b":20.00}", b":1.50e3}", b":0.000000010}"):
        assert text in found.body


async def test_everything_of_a_patient_lies_on_the_patients_shard(database: Database, generator: Generator) -> None:
    patient = new_key()
    async with database.transaction() as tx:
        stored = await writing.insert(
            tx,
            permit_for(patient),
            generator.observation(str(patient), generator.id()),
            Label(patient, 3, Flags.MASKED, 11, 12),
            now=NOW,
        )
        with pytest.raises(ValueError, match="shard"):
            elsewhere = new_key()
            while shard_of(elsewhere) == shard_of(patient):
                elsewhere = new_key()
            await writing.insert(
                tx, ANY_PERMIT, generator.observation("x", "y"), Label(patient), now=NOW, key=elsewhere
            )
    assert shard_of(stored.key) == shard_of(patient)
    assert stored.label == Label(patient, 3, Flags.MASKED, 11, 12)


async def test_a_row_outside_the_scope_is_not_read(database: Database, generator: Generator) -> None:
    one, other = new_key(), new_key()
    async with database.transaction() as tx:
        stored = await writing.insert(
            tx, ANY_PERMIT, generator.observation(str(one), "p"), Label(one, flags=Flags.MASKED), now=NOW
        )
        current = await reading.lock(tx, ANY_PERMIT, "Observation", stored.id)
        assert current is not None
        await writing.update(
            tx, ANY_PERMIT, current, generator.observation(str(one), "p"), Label(one, flags=Flags.MASKED), now=NOW
        )
    async with database.reader() as reader:
        for scope in (scope_of(other), UNMASKED):
            assert await reading.read(reader, scope, "Observation", stored.id) is None
            assert await reading.vread(reader, scope, "Observation", stored.id, 1) is None
            assert await reading.vread(reader, scope, "Observation", stored.id, 2) is None
            assert await reading.read_keys(reader, scope, "Observation", [stored.key]) == []
        for scope in (scope_of(one), EVERYTHING):
            assert await reading.read(reader, scope, "Observation", stored.id)
            assert await reading.vread(reader, scope, "Observation", stored.id, 1)
            assert await reading.vread(reader, scope, "Observation", stored.id, 2)
            assert await reading.read_keys(reader, scope, "Observation", [stored.key])


async def test_an_update_keeps_the_version_that_it_replaces(database: Database, generator: Generator) -> None:
    later = NOW + timedelta(minutes=1)
    async with database.transaction() as tx:
        first = await writing.insert(tx, ANY_PERMIT, generator.practitioner(), Label(), now=NOW)
        current = await reading.lock(tx, ANY_PERMIT, "Practitioner", first.id)
        assert current is not None
        changed = {**json.decode(first.body), "active": False}
        second = await writing.update(tx, ANY_PERMIT, current, changed, Label(), now=later, if_match=1)
    async with database.reader() as reader:
        assert await reading.read(reader, EVERYTHING, "Practitioner", first.id) == second
        assert await reading.vread(reader, EVERYTHING, "Practitioner", first.id, 1) == first
        assert await reading.vread(reader, EVERYTHING, "Practitioner", first.id, 2) == second
        assert await reading.vread(reader, EVERYTHING, "Practitioner", first.id, 3) is None
        side = "select count(*) from resource_text where id = %s"
        assert await reader.fetch_value(side, (first.key,)) == len(generator_texts(second.body))
    assert second.version == 2
    assert json.decode(second.body)["meta"]["versionId"] == "2"


def generator_texts(body: bytes) -> list[object]:
    from ambroise.fhir.store.index import index

    return list(index(json.decode(body)).texts)


async def test_an_update_of_another_version_is_refused(database: Database, generator: Generator) -> None:
    async with database.transaction() as tx:
        first = await writing.insert(tx, ANY_PERMIT, generator.practitioner(), Label(), now=NOW)
        current = await reading.lock(tx, ANY_PERMIT, "Practitioner", first.id)
        assert current is not None
        with pytest.raises(Refusal) as caught:
            await writing.update(tx, ANY_PERMIT, current, generator.practitioner(), Label(), now=NOW, if_match=4)
    assert caught.value.kind is Kind.PRECONDITION_FAILED
    assert caught.value.code == "VERSION_MISMATCH"


async def test_a_deleted_resource_leaves_a_tombstone_and_can_come_back(
    database: Database, generator: Generator
) -> None:
    async with database.transaction() as tx:
        first = await writing.insert(tx, ANY_PERMIT, generator.patient(), Label(), now=NOW)
        current = await reading.lock(tx, ANY_PERMIT, "Patient", first.id)
        assert current is not None
        gone = await writing.delete(tx, ANY_PERMIT, current, now=NOW, if_match=1)
        assert await writing.delete(tx, ANY_PERMIT, gone, now=NOW) == gone
    async with database.reader() as reader:
        found = await reading.read(reader, EVERYTHING, "Patient", first.id)
        assert found is not None
        assert (found.deleted, found.version, found.body) == (True, 2, b"")
        assert await reading.vread(reader, EVERYTHING, "Patient", first.id, 1) == first
        assert await reader.fetch_value("select count(*) from resource_text") == 0
    async with database.transaction() as tx:
        current = await reading.lock(tx, ANY_PERMIT, "Patient", first.id)
        assert current is not None
        back = await writing.update(tx, ANY_PERMIT, current, json.decode(first.body), Label(first.key), now=NOW)
    assert (back.deleted, back.version) == (False, 3)


async def test_an_id_chosen_by_a_client_names_the_resource(database: Database, generator: Generator) -> None:
    async with database.transaction() as tx:
        first = await writing.insert(tx, ANY_PERMIT, generator.patient(), Label(), now=NOW, id="my-own.id")
        with pytest.raises(Refusal) as caught:
            await writing.insert(tx, ANY_PERMIT, generator.patient(), Label(), now=NOW, id="my-own.id")
        assert caught.value.code == "ID_TAKEN"
        other_type = await writing.insert(tx, ANY_PERMIT, generator.practitioner(), Label(), now=NOW, id="my-own.id")
    assert first.id == other_type.id == "my-own.id"
    async with database.reader() as reader:
        assert await reading.read(reader, EVERYTHING, "Patient", "my-own.id") == first
        assert await reading.read(reader, EVERYTHING, "Practitioner", "my-own.id") == other_type
        assert await reading.vread(reader, EVERYTHING, "Patient", "my-own.id", 1) == first
        assert await reading.read(reader, EVERYTHING, "Organization", "my-own.id") is None
        assert await reading.peek(reader, ANY_PERMIT, "Patient", "my-own.id") is not None


async def test_a_permit_for_another_record_is_a_fault(database: Database, generator: Generator) -> None:
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="another patient"):
            await writing.insert(tx, permit_for(new_key()), generator.patient(), Label(new_key()), now=NOW)
