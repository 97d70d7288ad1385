"""fhirpy, an asynchronous client written by others, on a real server."""

from typing import Any

import pytest
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound
from fhirpy.lib import AsyncFHIRResource

from tests.conformance.fhir_clients.conftest import Served
from tests.integration.fhir_rest.people import observation, patient

pytestmark = pytest.mark.asyncio(loop_scope="module")


def made_of(client: AsyncFHIRClient, fields: dict[str, Any]) -> AsyncFHIRResource:
    return client.resource(
        fields["resourceType"], **{name: each for name, each in fields.items() if name != "resourceType"}
    )


@pytest.fixture
def client(served: Served) -> AsyncFHIRClient:
    return AsyncFHIRClient(served.url, authorization=f"Bearer {served.house.token()}")


async def test_create_read_update_and_delete(client: AsyncFHIRClient) -> None:
    person = made_of(client, patient(1))
    await person.save()
    assert person.id
    person["birthDate"] = "1979-03-28"
    await person.save()
    again = await client.reference("Patient", person.id).to_resource()
    assert (again["birthDate"], again["meta"]["versionId"]) == ("1979-03-28", "2")
    await again.patch(gender="male")
    await person.refresh()
    assert person["gender"] == "male"
    await person.delete()
    with pytest.raises((OperationOutcome, ResourceNotFound)):
        await client.reference("Patient", person.id).to_resource()


async def test_search_sort_include_count_and_every_page(client: AsyncFHIRClient) -> None:
    person = made_of(client, patient(2))
    await person.save()
    for day in range(1, 13):
        await made_of(
            client, observation(f"Patient/{person.id}", effectiveDateTime=f"2026-02-{day:02}T08:00:00Z")
        ).save()
    found = client.resources("Observation").search(patient=person.id).sort("-date").limit(5)
    assert await found.count() == 12
    everything = await found.fetch_all()
    dates = [each["effectiveDateTime"] for each in everything]
    assert len(dates) == 12
    assert dates == sorted(dates, reverse=True)
    with_patient = await found.include("Observation", "subject").fetch_raw()
    assert {entry.resource["resourceType"] for entry in with_patient.entry} == {"Observation", "Patient"}
    recent = client.resources("Observation").search(patient=person.id, date__gt="2026-02-10")
    assert len(await recent.fetch()) == 2
    chained = client.resources("Observation").search(subject__Patient__identifier="http://hopital.example/ipp|2")
    assert len(await chained.limit(50).fetch()) == 12


async def test_conditional_interactions(client: AsyncFHIRClient) -> None:
    criteria = {"identifier": "http://hopital.example/ipp|3"}
    made, created = await client.resources("Patient").search(**criteria).get_or_create(made_of(client, patient(3)))
    same, again = await client.resources("Patient").search(**criteria).get_or_create(made_of(client, patient(3)))
    assert (created, again) == (True, False)
    assert made.id == same.id
    changed, _ = (
        await client.resources("Patient").search(**criteria).update(made_of(client, patient(3, birthDate="1999-09-09")))
    )
    assert (changed.id, changed["birthDate"]) == (made.id, "1999-09-09")
    patched = await client.resources("Patient").search(**criteria).patch(gender="other")
    assert patched["gender"] == "other"


async def test_a_transaction(client: AsyncFHIRClient) -> None:
    name = "urn:uuid:11111111-1111-4111-8111-111111111111"
    bundle = client.resource(
        "Bundle",
        type="transaction",
        entry=[
            {"fullUrl": name, "resource": patient(4), "request": {"method": "POST", "url": "Patient"}},
            {"resource": observation(name), "request": {"method": "POST", "url": "Observation"}},
        ],
    )
    answer = await bundle.save()
    assert answer is None or answer
    found = client.resources("Observation").search(subject__Patient__identifier="http://hopital.example/ipp|4")
    assert len(await found.fetch()) == 1


async def test_refusals_are_understood(client: AsyncFHIRClient) -> None:
    with pytest.raises(OperationOutcome) as refused:
        await client.resources("Patient").search(nothing="x").fetch()
    assert "nothing" in str(refused.value)
    with pytest.raises(ResourceNotFound):
        await client.reference("Patient", "nobody").to_resource()
    await made_of(client, patient(5)).save()
    await made_of(client, patient(5)).save()
    with pytest.raises(MultipleResourcesFound):
        await client.resources("Patient").search(identifier="http://hopital.example/ipp|5").get()
