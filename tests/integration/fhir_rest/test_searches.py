"""Search and history over HTTP: links, paging, strict and lenient handling, forms, system level."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio

from tests.integration.fhir_rest.people import observation, organization, patient
from tests.support.server import BASE

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/fhir+json"}


def links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle.get("link", [])}


def matches(bundle: dict[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def person(system: httpx.AsyncClient) -> str:
    """A patient with seven results, one a day."""
    made = (await system.post("Patient", json=patient(501), headers=JSON)).json()
    for day in range(1, 8):
        result = observation(f"Patient/{made['id']}", effectiveDateTime=f"2026-01-0{day}T10:00:00Z")
        assert (await system.post("Observation", json=result, headers=JSON)).status_code == 201
    return made["id"]


async def test_pages_follow_one_another_to_the_end(system: httpx.AsyncClient, person: str) -> None:
    query = {"patient": person, "_sort": "-date", "_count": "3", "_pretty": "false"}
    bundle = (await system.get("Observation", params=query)).json()
    assert (bundle["type"], bundle["total"]) == ("searchset", 7)
    assert dict(parse_qsl(urlsplit(links(bundle)["self"]).query)) == query
    seen = matches(bundle)
    while "next" in links(bundle):
        assert links(bundle)["next"].startswith(f"{BASE}/Observation?")
        bundle = (await system.get(links(bundle)["next"])).json()
        seen += matches(bundle)
    dates = [each["effectiveDateTime"] for each in seen]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 7
    assert bundle["entry"][0]["fullUrl"].startswith(f"{BASE}/Observation/")


async def test_pages_keep_the_form_of_the_first(system: httpx.AsyncClient, person: str) -> None:
    query = {"patient": person, "_count": "4", "_elements": "status"}
    bundle = (await system.get("Observation", params=query)).json()
    following = (await system.get(links(bundle)["next"])).json()
    for page in (bundle, following):
        for each in matches(page):
            # The mandatory elements stay: what is left is still a resource of its type.
            assert set(each) == {"resourceType", "id", "meta", "status", "code"}


async def test_a_search_by_post_is_the_same_search(system: httpx.AsyncClient, person: str) -> None:
    by_get = (await system.get("Observation", params={"patient": person, "code": "http://loinc.org|4548-4"})).json()
    by_post = (
        await system.post("Observation/_search", params={"patient": person}, data={"code": "http://loinc.org|4548-4"})
    ).json()
    assert [each["id"] for each in matches(by_get)] == [each["id"] for each in matches(by_post)]
    assert len(matches(by_get)) == 7
    wrong = await system.post("Observation/_search", json={"code": "x"})
    assert wrong.status_code == 415


async def test_includes_come_as_includes(system: httpx.AsyncClient, person: str) -> None:
    query = {"patient": person, "_include": "Observation:subject", "_count": "2"}
    bundle = (await system.get("Observation", params=query)).json()
    assert [each["id"] for each in matches(bundle, "include")] == [person]
    back = (await system.get("Patient", params={"_id": person, "_revinclude": "Observation:subject"})).json()
    assert len(matches(back, "include")) == 7


@pytest.mark.parametrize(
    ("query", "named", "near"),
    [
        ({"patiens": "1"}, "patiens", "patient"),
        ({"date": "tomorrow"}, "date", None),
        ({"status:exactly": "final"}, "status", None),
        ({"_sort": "dat"}, "dat", "date"),
        ({"_count": "many"}, "_count", None),
        ({"_summary": "short"}, "_summary", None),
        ({"_include": "Observation:subjet"}, "subjet", "subject"),
        ({"value-quantity": "lots"}, "value-quantity", None),
        ({"_cursor": "forged"}, "_cursor", None),
    ],
)
async def test_what_cannot_be_searched_is_refused_naming_it(
    system: httpx.AsyncClient, query: dict[str, str], named: str, near: str | None
) -> None:
    answer = await system.get("Observation", params=query)
    issue = answer.json()["issue"][0]
    assert answer.status_code == 400
    assert named in issue["expression"][0] or named in issue["diagnostics"]
    if near:
        assert near in issue["diagnostics"]


async def test_a_lenient_search_says_what_it_left_out(system: httpx.AsyncClient, person: str) -> None:
    answer = await system.get(
        "Observation", params={"patient": person, "patiens": "1"}, headers={"prefer": "handling=lenient"}
    )
    bundle = answer.json()
    assert answer.status_code == 200
    assert parse_qsl(urlsplit(links(bundle)["self"]).query) == [("patient", person)]
    told = matches(bundle, "outcome")[0]
    assert told["resourceType"] == "OperationOutcome"
    assert "patiens" in told["issue"][0]["diagnostics"]
    assert len(matches(bundle)) == 7


async def test_a_count_alone_has_no_entries(system: httpx.AsyncClient, person: str) -> None:
    bundle = (await system.get("Observation", params={"patient": person, "_summary": "count"})).json()
    assert bundle["total"] == 7
    assert "entry" not in bundle


async def test_several_types_are_searched_at_once(system: httpx.AsyncClient, person: str) -> None:
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{person}"},
        "code": {"text": "Fictive"},
    }
    assert (await system.post("Condition", json=condition, headers=JSON)).status_code == 201
    query = {"_type": "Observation,Condition", "patient": person, "_count": "3"}
    seen: list[str] = []
    bundle = (await system.get("", params=query)).json()
    for _ in range(9):
        seen += [each["resourceType"] for each in matches(bundle)]
        if "next" not in links(bundle):
            break
        bundle = (await system.get(links(bundle)["next"])).json()
    assert seen == ["Observation"] * 7 + ["Condition"]
    assert (await system.post("_search", data=query)).status_code == 200
    assert (await system.get("", params={"patient": person})).status_code == 400
    assert (await system.get("", params={"_type": "Observations"})).status_code == 400
    counted = {"_type": "Observation,Condition", "patient": person, "_summary": "count"}
    assert (await system.get("", params=counted)).json()["total"] == 8


async def test_history_of_one_of_a_type_and_of_everything(system: httpx.AsyncClient) -> None:
    made = (await system.post("Organization", json=organization("Un"), headers=JSON)).json()
    place = f"Organization/{made['id']}"
    await system.put(place, json={**made, "name": "Deux"}, headers=JSON)
    await system.delete(place)
    bundle = (await system.get(f"{place}/_history")).json()
    assert bundle["type"] == "history"
    assert [entry["request"]["method"] for entry in bundle["entry"]] == ["DELETE", "PUT", "POST"]
    assert "resource" not in bundle["entry"][0]
    assert bundle["entry"][2]["resource"]["name"] == "Un"
    assert bundle["entry"][2]["response"]["etag"] == 'W/"1"'
    first = (await system.get("Organization/_history", params={"_count": "1"})).json()
    second = (await system.get(links(first)["next"])).json()
    assert [page["entry"][0]["response"]["etag"] for page in (first, second)] == ['W/"3"', 'W/"2"']
    since = {"_since": made["meta"]["lastUpdated"], "_count": "5"}
    everything = (await system.get("_history", params=since)).json()
    assert len(everything["entry"]) >= 2
    assert (await system.get("_history", params={"_since": "yesterday"})).status_code == 400
    assert (await system.get("_history", params={"name": "x"})).status_code == 400
    assert (await system.get("Organization/nobody/_history")).status_code == 404
