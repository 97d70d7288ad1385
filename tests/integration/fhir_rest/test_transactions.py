"""Batch and transaction over HTTP: order, references, conditions, all or nothing."""

from typing import Any

import httpx
import pytest

from tests.integration.fhir_rest.people import observation, organization, patient

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/fhir+json"}
ONE = "urn:uuid:00000000-0000-4000-8000-000000000001"
TWO = "urn:uuid:00000000-0000-4000-8000-000000000002"
THREE = "urn:uuid:00000000-0000-4000-8000-000000000003"


def entry(
    method: str, url: str, resource: dict[str, Any] | None = None, name: str | None = None, **request: str
) -> dict:
    built: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if name:
        built["fullUrl"] = name
    if resource is not None:
        built["resource"] = resource
    return built


async def post(system: httpx.AsyncClient, *entries: dict, kind: str = "transaction", **headers: str) -> httpx.Response:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    return await system.post("", json=bundle, headers={**JSON, **headers})


def places(answer: httpx.Response) -> list[str]:
    return [entry["response"].get("location", "").partition("/_history")[0] for entry in answer.json()["entry"]]


def identifier(number: int) -> str:
    return f"identifier=http://hopital.example/ipp|{number}"


async def test_entries_that_name_each_other_are_linked_even_in_a_circle(system: httpx.AsyncClient) -> None:
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": ONE},
        "diagnosis": [{"condition": {"reference": THREE}}],
    }
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": ONE},
        "encounter": {"reference": TWO},
        "code": {"text": "Fictive"},
    }
    answer = await post(
        system,
        entry("POST", "Encounter", encounter, TWO),
        entry("POST", "Condition", condition, THREE),
        entry("POST", "Patient", patient(701), ONE),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "transaction-response"
    met, found, person = places(answer)
    assert (await system.get(met)).json()["diagnosis"][0]["condition"]["reference"] == found
    assert (await system.get(found)).json()["encounter"]["reference"] == met
    assert (await system.get(found)).json()["subject"]["reference"] == person


async def test_one_refused_entry_undoes_them_all_and_is_named(system: httpx.AsyncClient) -> None:
    answer = await post(
        system,
        entry("POST", "Patient", patient(702), ONE),
        entry("POST", "Patient", patient(703, gender="unknowable")),
    )
    issue = answer.json()["issue"][0]
    assert answer.status_code == 400
    assert "Bundle.entry[1]" in issue["diagnostics"]
    assert issue["expression"] == ["Bundle.entry[1].resource.gender"]
    assert (await system.get(f"Patient?{identifier(702)}&_summary=count")).json()["total"] == 0


async def test_conditional_references_and_entries(system: httpx.AsyncClient) -> None:
    known = (await system.post("Patient", json=patient(704), headers=JSON)).json()["id"]
    answer = await post(
        system,
        entry("POST", "Observation", observation(f"Patient?{identifier(704)}")),
        entry("POST", "Patient", patient(704), ONE, ifNoneExist=identifier(704)),
        entry("POST", "Observation", observation(ONE)),
        entry("PUT", f"Patient?{identifier(705)}", patient(705), TWO),
    )
    assert answer.status_code == 200, answer.text
    first, same, third, _ = places(answer)
    assert same == f"Patient/{known}"
    assert [entry["response"]["status"][:3] for entry in answer.json()["entry"]] == ["201", "200", "201", "201"]
    for place in (first, third):
        assert (await system.get(place)).json()["subject"]["reference"] == f"Patient/{known}"
    missing = await post(system, entry("POST", "Observation", observation(f"Patient?{identifier(799)}")))
    assert missing.status_code == 412


async def test_entries_run_delete_first_and_get_last(system: httpx.AsyncClient) -> None:
    old = (await system.post("Organization", json=organization("Ancien"), headers=JSON)).json()["id"]
    kept = (await system.post("Organization", json=organization("Gardé"), headers=JSON)).json()
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "add"},
                    {"name": "path", "valueString": "Organization"},
                    {"name": "name", "valueString": "alias"},
                    {"name": "value", "valueString": "Alias"},
                ],
            }
        ],
    }
    answer = await post(
        system,
        entry("GET", f"Organization/{kept['id']}"),
        entry("GET", f"Organization?_id={kept['id']},{old}"),
        entry("PATCH", f"Organization/{kept['id']}", parameters),
        entry("POST", "Organization", organization("Nouveau"), ifNoneExist="name=Ancien"),
        entry("DELETE", f"Organization/{old}"),
    )
    assert answer.status_code == 200, answer.text
    read, searched, changed, made, deleted = answer.json()["entry"]
    assert read["resource"]["alias"] == ["Alias"]
    assert [each["resource"]["id"] for each in searched["resource"]["entry"]] == [kept["id"]]
    assert changed["response"]["etag"] == 'W/"2"'
    assert made["response"]["status"].startswith("201")
    assert deleted["response"]["status"].startswith("204")


async def test_a_representation_is_given_when_asked_for(system: httpx.AsyncClient) -> None:
    silent = await post(system, entry("POST", "Organization", organization()))
    told = await post(system, entry("POST", "Organization", organization()), prefer="return=representation")
    assert "resource" not in silent.json()["entry"][0]
    assert told.json()["entry"][0]["resource"]["name"] == "Cabinet fictif"
    assert told.json()["entry"][0]["fullUrl"].endswith(told.json()["entry"][0]["resource"]["id"])


async def test_a_batch_runs_each_entry_for_itself(system: httpx.AsyncClient) -> None:
    answer = await post(
        system,
        entry("POST", "Organization", organization()),
        entry("POST", "Patient", patient(710, gender="unknowable")),
        entry("GET", "Organization/nobody"),
        entry("GET", "Organization?name=Cabinet&_count=1"),
        entry("POST", "Nothing", {"resourceType": "Nothing"}),
        kind="batch",
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "batch-response"
    statuses = [each["response"]["status"][:3] for each in answer.json()["entry"]]
    assert statuses == ["201", "400", "404", "200", "404"]
    assert answer.json()["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("bundle", "code"),
    [
        ({"resourceType": "Bundle", "type": "collection"}, "BUNDLE_MALFORMED"),
        ({"resourceType": "Patient"}, "RESOURCE_TYPE_MISMATCH"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": [{}]}, "BUNDLE_MALFORMED"),
        (
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [entry("DELETE", "Patient/1"), entry("DELETE", "Patient/1")],
            },
            "ENTRIES_OVERLAP",
        ),
    ],
)
async def test_a_bundle_that_cannot_run_is_refused(system: httpx.AsyncClient, bundle: dict, code: str) -> None:
    answer = await system.post("", json=bundle, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == code


async def test_a_patient_put_there_is_there_for_what_is_posted(system: httpx.AsyncClient) -> None:
    answer = await post(
        system,
        entry("POST", "Observation", observation("Patient/named-1")),
        entry("PUT", "Patient/named-1", {**patient(720, managingOrganization={"reference": ONE}), "id": "named-1"}),
        entry("POST", "Organization", organization(), ONE),
    )
    assert answer.status_code == 200, answer.text
    result, person, house = places(answer)
    assert (await system.get(result)).json()["subject"]["reference"] == person == "Patient/named-1"
    assert (await system.get(person)).json()["managingOrganization"]["reference"] == house


async def test_a_name_that_no_entry_has_is_refused(system: httpx.AsyncClient) -> None:
    nobody = "urn:uuid:5e0c9b1a-7a52-4f7e-9f5d-0a4c0d0f7b11"
    answer = await post(system, entry("POST", "Observation", observation(nobody)))
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, ["Bundle.entry[0].resource"])
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "REFERENCE_UNRESOLVED"


async def test_an_empty_transaction_is_answered(system: httpx.AsyncClient) -> None:
    answer = await post(system)
    assert (answer.status_code, answer.json().get("entry")) == (200, None)


async def test_an_unknown_type_under_a_condition_is_named_too(system: httpx.AsyncClient) -> None:
    unknown = {"resourceType": "Organisation", "name": "x"}
    for sent in (
        entry("POST", "Organisation", unknown, ifNoneExist="identifier=x"),
        entry("PUT", "Organisation?identifier=x", unknown),
    ):
        answer = await post(system, sent)
        assert answer.status_code == 404
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "RESOURCE_TYPE_UNKNOWN"
