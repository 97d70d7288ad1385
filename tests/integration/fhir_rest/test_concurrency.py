"""Writes that meet: one wins, the others are told, nothing is written twice or lost."""

import asyncio

import httpx
import pytest

from tests.integration.fhir_rest.people import organization, patient

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/fhir+json"}


async def test_conditional_creates_that_meet_make_one_resource(system: httpx.AsyncClient) -> None:
    condition = {**JSON, "if-none-exist": "identifier=http://hopital.example/ipp|801"}
    answers = await asyncio.gather(*(system.post("Patient", json=patient(801), headers=condition) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_updates_on_one_version_are_won_by_one(system: httpx.AsyncClient) -> None:
    made = (await system.post("Organization", json=organization(), headers=JSON)).json()
    place = f"Organization/{made['id']}"
    headers = {**JSON, "if-match": 'W/"1"'}
    answers = await asyncio.gather(
        *(system.put(place, json={**made, "name": f"Nom {number}"}, headers=headers) for number in range(8))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 200
    assert set(codes[1:]) <= {409, 412}
    assert (await system.get(place)).json()["meta"]["versionId"] == "2"


async def test_patches_that_meet_are_all_applied(system: httpx.AsyncClient) -> None:
    made = (await system.post("Organization", json=organization(alias=["Un"]), headers=JSON)).json()
    place = f"Organization/{made['id']}"
    headers = {"content-type": "application/json-patch+json"}
    answers = await asyncio.gather(
        *(
            system.patch(place, json=[{"op": "add", "path": "/alias/-", "value": str(number)}], headers=headers)
            for number in range(6)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len((await system.get(place)).json()["alias"]) == 7


async def test_transactions_that_cross_end_without_a_fault(system: httpx.AsyncClient) -> None:
    made = [(await system.post("Organization", json=organization(), headers=JSON)).json() for _ in range(2)]

    def crossing(order: list[dict]) -> dict:
        entries = [
            {"resource": each, "request": {"method": "PUT", "url": f"Organization/{each['id']}"}} for each in order
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    bundles = [crossing(made if number % 2 else made[::-1]) for number in range(8)]
    answers = await asyncio.gather(*(system.post("", json=bundle, headers=JSON) for bundle in bundles))
    codes = [answer.status_code for answer in answers]
    assert set(codes) <= {200, 409, 503}
    assert 200 in codes
