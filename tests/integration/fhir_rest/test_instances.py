"""Interactions on one resource: create, read, update, versions, conditions, deletion, forms of the answer."""

import httpx
import pytest

from tests.integration.fhir_rest.people import observation, organization, patient
from tests.support.server import BASE, House

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/fhir+json"}


async def created(client: httpx.AsyncClient, resource: dict) -> dict:
    answer = await client.post(resource["resourceType"], json=resource, headers=JSON)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refusal(answer: httpx.Response) -> str:
    """The code of a refusal, which always comes in an OperationOutcome."""
    issue = answer.json()["issue"][0]
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert issue["diagnostics"]
    return issue["details"]["coding"][0]["code"]


async def test_create_read_and_read_a_version(system: httpx.AsyncClient) -> None:
    answer = await system.post("Organization", json=organization(), headers=JSON)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{BASE}/Organization/{made['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert "last-modified" in answer.headers
    assert answer.headers["x-request-id"]
    assert made["meta"]["versionId"] == "1"
    read = await system.get(f"Organization/{made['id']}")
    assert (read.status_code, read.json()) == (200, made)
    assert (await system.get(f"Organization/{made['id']}/_history/1")).json() == made
    head = await system.head(f"Organization/{made['id']}")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", 'W/"1"')
    assert head.headers["content-length"] == read.headers["content-length"]


async def test_a_decimal_keeps_its_text(system: httpx.AsyncClient) -> None:
    who = await created(system, patient())
    body = observation(f"Patient/{who['id']}")
    sent = httpx.Request("POST", BASE, json=body).content[:-1] + b',"valueQuantity":{"value":20.00,"unit":"%"}}'
    made = await system.post("Observation", content=sent, headers=JSON)
    assert made.status_code == 201, made.text
    assert b'"value":20.00' in made.content
    assert b'"value":20.00' in (await system.get(f"Observation/{made.json()['id']}")).content


async def test_update_makes_a_version_and_respects_if_match(system: httpx.AsyncClient) -> None:
    made = await created(system, organization())
    place = f"Organization/{made['id']}"
    changed = await system.put(place, json={**made, "name": "Autre"}, headers={**JSON, "if-match": 'W/"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    stale = await system.put(place, json={**made, "name": "Trop tard"}, headers={**JSON, "if-match": 'W/"1"'})
    assert (stale.status_code, refusal(stale)) == (412, "VERSION_MISMATCH")
    malformed = await system.put(place, json=made, headers={**JSON, "if-match": "soon"})
    assert (malformed.status_code, refusal(malformed)) == (400, "IF_MATCH_MALFORMED")


async def test_the_system_may_choose_an_id(system: httpx.AsyncClient) -> None:
    place = "Organization/cabinet-1"
    first = await system.put(place, json={**organization(), "id": "cabinet-1"}, headers=JSON)
    assert (first.status_code, first.headers["location"]) == (201, f"{BASE}/{place}/_history/1")
    assert (await system.put(place, json={**organization("B"), "id": "cabinet-1"}, headers=JSON)).status_code == 200
    assert (await system.get(place)).json()["name"] == "B"


@pytest.mark.parametrize(
    ("place", "body", "status", "code"),
    [
        ("Organization/a", {"resourceType": "Organization", "name": "x"}, 400, "ID_MISMATCH"),
        ("Organization/a", {"resourceType": "Organization", "id": "b", "name": "x"}, 400, "ID_MISMATCH"),
        ("Organization/a", {"resourceType": "Patient", "id": "a"}, 400, "RESOURCE_TYPE_MISMATCH"),
        ("Organization/a_b", {"resourceType": "Organization", "id": "a_b", "name": "x"}, 400, "ID_MALFORMED"),
        ("Organization/a", {"id": "a"}, 400, "RESOURCE_TYPE_MISSING"),
        ("Organisation/a", {"resourceType": "Organisation", "id": "a"}, 404, "RESOURCE_TYPE_UNKNOWN"),
    ],
)
async def test_an_update_that_contradicts_itself_is_refused(
    system: httpx.AsyncClient, place: str, body: dict, status: int, code: str
) -> None:
    answer = await system.put(place, json=body, headers=JSON)
    assert (answer.status_code, refusal(answer)) == (status, code)


async def test_an_invalid_resource_is_refused_naming_the_element(system: httpx.AsyncClient) -> None:
    answer = await system.post("Patient", json=patient(gender="unknowable", shoeSize=42), headers=JSON)
    issues = answer.json()["issue"]
    assert answer.status_code == 400
    assert {"Patient.gender", "Patient.shoeSize"} <= {issue["expression"][0] for issue in issues}
    assert refusal(answer)


async def test_delete_leaves_its_history(system: httpx.AsyncClient) -> None:
    made = await created(system, organization())
    place = f"Organization/{made['id']}"
    assert (await system.delete(place)).status_code == 204
    gone = await system.get(place)
    assert (gone.status_code, refusal(gone)) == (410, "GONE")
    assert (await system.delete(place)).status_code == 204
    assert (await system.get(f"{place}/_history/1")).status_code == 200
    assert (await system.get("Organization/nobody")).status_code == 404
    back = await system.put(place, json={**made, "name": "Revenu"}, headers=JSON)
    assert back.status_code in (200, 201)
    assert (await system.get(place)).json()["name"] == "Revenu"


async def test_prefer_decides_what_comes_back(system: httpx.AsyncClient) -> None:
    for form, expected in (("minimal", b""), ("OperationOutcome", b"OperationOutcome"), ("representation", b"Cabinet")):
        answer = await system.post("Organization", json=organization(), headers={**JSON, "prefer": f"return={form}"})
        assert answer.status_code == 201
        assert expected in answer.content
        assert bool(answer.content) is bool(expected)


async def test_a_client_that_has_the_version_gets_304(system: httpx.AsyncClient) -> None:
    made = await created(system, organization())
    place = f"Organization/{made['id']}"
    read = await system.get(place)
    for headers in ({"if-none-match": read.headers["etag"]}, {"if-modified-since": read.headers["last-modified"]}):
        answer = await system.get(place, headers=headers)
        assert (answer.status_code, answer.content) == (304, b"")
    assert (await system.get(place, headers={"if-none-match": 'W/"7"'})).status_code == 200


async def test_forms_of_the_answer(system: httpx.AsyncClient) -> None:
    made = await created(system, patient())
    place = f"Patient/{made['id']}"
    assert (await system.get(place, params={"_pretty": "true"})).content.count(b"\n") > 5
    text = (await system.get(place, params={"_summary": "true"})).json()
    assert text["meta"]["tag"][0]["code"] == "SUBSETTED"
    elements = (await system.get(place, params={"_elements": "birthDate"})).json()
    assert set(elements) == {"resourceType", "id", "meta", "birthDate"}
    assert (await system.get(place, params={"_format": "json"})).status_code == 200
    for answer in (
        await system.get(place, params={"_format": "xml"}),
        await system.get(place, headers={"accept": "application/fhir+xml"}),
    ):
        assert (answer.status_code, refusal(answer)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("content_type", ["application/fhir+xml", "text/plain", ""])
async def test_a_body_that_is_not_json_is_refused(system: httpx.AsyncClient, content_type: str) -> None:
    answer = await system.post("Patient", content=b"<Patient/>", headers={"content-type": content_type})
    assert (answer.status_code, refusal(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"a":1,"a":2}', b"\xff", b'{"resourceType":"Patient"'])
async def test_a_body_that_is_not_a_resource_is_refused(system: httpx.AsyncClient, body: bytes) -> None:
    answer = await system.post("Patient", content=body, headers=JSON)
    assert answer.status_code == 400
    assert refusal(answer) in ("JSON_MALFORMED", "RESOURCE_TYPE_MISSING")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PUT", "", 405, "GET, HEAD, POST"),
        ("POST", "Patient/1", 405, "DELETE, GET, HEAD, PATCH, PUT"),
        ("DELETE", "metadata", 405, "GET, HEAD"),
        ("GET", "Patient/1/$everything-else", 404, None),
        ("GET", "Nothing", 404, None),
        ("GET", "Patient/1/2/3/4", 404, None),
    ],
)
async def test_what_does_not_exist_is_said(
    system: httpx.AsyncClient, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = await system.request(method, path)
    assert answer.status_code == status
    assert refusal(answer)
    assert answer.headers.get("allow") == allow


async def test_everything_but_metadata_needs_a_token(house: House) -> None:
    async with house.client(None) as nobody:
        statement = await nobody.get("metadata")
        assert (statement.status_code, statement.json()["implementation"]["url"]) == (200, BASE)
        for path in ("Patient/1", "Patient", "", "_history"):
            answer = await nobody.get(path)
            assert (answer.status_code, refusal(answer)) == (401, "TOKEN_MISSING")
            assert answer.headers["www-authenticate"] == 'Bearer realm="ambroise"'
        answer = await nobody.get("Patient/1", headers={"authorization": "Bearer abc"})
        assert (answer.status_code, refusal(answer)) == (401, "TOKEN_INVALID")


async def test_conditional_create_update_and_delete(system: httpx.AsyncClient) -> None:
    query = "identifier=http://hopital.example/ipp|7"
    once = await system.post("Patient", json=patient(7), headers={**JSON, "if-none-exist": query})
    again = await system.post("Patient", json=patient(7), headers={**JSON, "if-none-exist": query})
    assert (once.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == once.json()["id"]
    changed = await system.put(f"Patient?{query}", json=patient(7, birthDate="1981-01-01"), headers=JSON)
    assert (changed.status_code, changed.json()["meta"]["versionId"]) == (200, "2")
    new = await system.put("Patient?identifier=http://hopital.example/ipp|8", json=patient(8), headers=JSON)
    assert new.status_code == 201
    await created(system, patient(9))
    several = await system.put("Patient?family=Fictif", json=patient(9), headers=JSON)
    assert (several.status_code, refusal(several)) == (412, "MULTIPLE_MATCHES")
    assert (await system.put("Patient", json=patient(9), headers=JSON)).status_code == 400
    assert (await system.delete(f"Patient?{query}")).status_code == 204
    assert (await system.delete(f"Patient?{query}")).status_code == 204
    assert (await system.get(f"Patient/{once.json()['id']}")).status_code == 410


async def test_validate_says_what_a_write_would_say(system: httpx.AsyncClient) -> None:
    good = await system.post("Patient/$validate", json=patient(), headers=JSON)
    assert (good.status_code, good.json()["issue"][0]["severity"]) == (200, "information")
    bad = await system.post(
        "Patient/$validate",
        json={"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient(gender="x")}]},
        headers=JSON,
    )
    assert bad.status_code == 200
    assert bad.json()["issue"][0]["expression"] == ["Patient.gender"]
    count = {"identifier": "http://hopital.example/ipp|77", "_summary": "count"}
    await system.post("Patient/$validate", json=patient(77), headers=JSON)
    assert (await system.get("Patient", params=count)).json()["total"] == 0
