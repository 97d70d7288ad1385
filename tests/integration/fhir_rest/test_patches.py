"""PATCH over HTTP: JSON Patch and FHIRPath Patch, by id and by search."""

import httpx
import pytest

from tests.integration.fhir_rest.people import observation, patient

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/fhir+json"}
JSON_PATCH = {"content-type": "application/json-patch+json"}


def fhirpath(path: str, value: dict[str, str]) -> dict:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": path},
        {"name": "value", **value},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


async def made(system: httpx.AsyncClient, number: int) -> str:
    return (await system.post("Patient", json=patient(number), headers=JSON)).json()["id"]


async def test_a_json_patch_makes_the_next_version(system: httpx.AsyncClient) -> None:
    place = f"Patient/{await made(system, 601)}"
    patch = [{"op": "replace", "path": "/birthDate", "value": "1990-01-01"}]
    answer = await system.patch(place, json=patch, headers={**JSON_PATCH, "if-match": 'W/"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert (await system.get(place)).json()["birthDate"] == "1990-01-01"
    stale = await system.patch(place, json=patch, headers={**JSON_PATCH, "if-match": 'W/"1"'})
    assert stale.status_code == 412


async def test_a_patch_keeps_the_text_of_the_numbers_it_does_not_touch(system: httpx.AsyncClient) -> None:
    subject = f"Patient/{await made(system, 602)}"
    body = httpx.Request("POST", "http://x", json=observation(subject)).content[:-1]
    sent = body + b',"valueQuantity":{"value":20.00,"unit":"%"}}'
    place = f"Observation/{(await system.post('Observation', content=sent, headers=JSON)).json()['id']}"
    patch = [{"op": "replace", "path": "/status", "value": "amended"}]
    answer = await system.patch(place, json=patch, headers=JSON_PATCH)
    assert b'"value":20.00' in answer.content
    assert answer.json()["status"] == "amended"


async def test_a_fhirpath_patch_works_by_id_and_by_search(system: httpx.AsyncClient) -> None:
    id = await made(system, 603)
    by_id = await system.patch(f"Patient/{id}", json=fhirpath("Patient.gender", {"valueCode": "male"}), headers=JSON)
    assert (by_id.status_code, by_id.json()["gender"]) == (200, "male")
    by_search = await system.patch(
        "Patient?identifier=http://hopital.example/ipp|603",
        json=fhirpath("Patient.birthDate", {"valueDate": "1991-01-01"}),
        headers=JSON,
    )
    assert (by_search.status_code, by_search.json()["birthDate"]) == (200, "1991-01-01")
    nobody = await system.patch("Patient?identifier=x|none", json=[], headers=JSON_PATCH)
    assert nobody.status_code == 404


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b'[{"op":"replace","path":"/gender","value":"unknowable"}]', JSON_PATCH, 400, None),
        (b'[{"op":"replace","path":"/id","value":"other"}]', JSON_PATCH, 422, "PATCH_NOT_APPLICABLE"),
        (b'[{"op":"remove","path":"/photo"}]', JSON_PATCH, 422, "PATCH_NOT_APPLICABLE"),
        (b'[{"op":"test","path":"/gender","value":"other"}]', JSON_PATCH, 422, "PATCH_TEST_FAILED"),
        (b'{"op":"remove"}', JSON_PATCH, 400, "PATCH_MALFORMED"),
        (b'[],"x":[]', JSON_PATCH, 400, "JSON_MALFORMED"),
        (b"[", JSON_PATCH, 400, "JSON_MALFORMED"),
        (b'{"resourceType":"Patient"}', JSON, 400, "PATCH_MALFORMED"),
        (b"<Patient/>", {"content-type": "application/xml-patch+xml"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_a_patch_that_cannot_be_is_refused(
    system: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, code: str | None
) -> None:
    place = f"Patient/{await made(system, 604)}"
    answer = await system.patch(place, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    if code:
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == code
    assert (await system.get(place)).json()["meta"]["versionId"] == "1"
