"""MHD over HTTP, on a small demonstration nation: ITI-65, 66, 67, 68, 105 and 106, and Binary in its two forms."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from ambroise.interfaces.demonstration import loader
from ambroise.interfaces.token_claims import Role
from tests.support.cda_samples import OTHER_IDENTITIES, cda, cda_names, needs_samples
from tests.support.server import BASE, House

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
JSON = {"content-type": "application/fhir+json"}
XML = {"content-type": "application/xml"}
INS_SYSTEM, INS = "urn:oid:1.2.250.1.213.1.4.10", "279035121518989"
RPPS = "01234567897"
PATIENT = {"patient.identifier": f"{INS_SYSTEM}|{INS}"}
DOCUMENT = "DocumentReference"
OPERATION = f"{DOCUMENT}/$generate-metadata"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def nation(house: House) -> None:
    services = house.services
    doors = loader.Doors(services.database, services.gateway, services.record, services.identity, services.clock)
    await loader.load(doors, 1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def author(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.PROFESSIONAL, rpps=RPPS) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def citizen(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.CITIZEN, ins=INS) as client:
        yield client


def code(answer: httpx.Response) -> str:
    return answer.json()["issue"][0]["details"]["coding"][0]["code"]


def new_oid() -> str:
    return f"2.25.{uuid4().int}"


def letter() -> tuple[bytes, str]:
    """The example letter under a new unique id."""
    oid = new_oid()
    pattern = re.compile(rb'(<ClinicalDocument.*?<id )root="[^"]+"', re.DOTALL)
    return pattern.sub(rb'\1root="%s"' % oid.encode(), example_letter(), count=1), oid


def example_letter() -> bytes:
    return (EXAMPLES / "documents/letter.xml").read_bytes()


def bundle_of_letter() -> tuple[dict[str, Any], bytes, str]:
    """The example ITI-65 Bundle around a letter of its own."""
    bundle = json.loads((EXAMPLES / "fhir/iti-65-bundle.json").read_bytes())
    content, oid = letter()
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Binary":
            resource["data"] = base64.b64encode(content).decode()
        if resource["resourceType"] == "DocumentReference":
            resource["masterIdentifier"]["value"] = f"urn:oid:{oid}"
            resource.pop("identifier", None)
            attachment = resource["content"][0]["attachment"]
            attachment["size"] = len(content)
            attachment["hash"] = base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
    return bundle, content, oid


async def find(client: httpx.AsyncClient, oid: str) -> list[dict[str, Any]]:
    query = {**PATIENT, "status": "current", "identifier": f"urn:ietf:rfc:3986|urn:oid:{oid}"}
    answer = await client.get("DocumentReference", params=query)
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def test_iti_106_files_a_document_sent_as_a_raw_body(
    author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    content, oid = letter()
    answer = await author.post(OPERATION, content=content, headers=XML)
    assert answer.status_code == 200, answer.text
    place = answer.json()["parameter"][0]["valueReference"]["reference"]
    assert answer.json()["parameter"][0]["name"] == "DocumentReference"
    assert answer.headers["location"] == f"{BASE}/{place}"
    found = await find(citizen, oid)
    assert [f"DocumentReference/{each['id']}" for each in found] == [place]
    again = await author.post(OPERATION, content=content, headers=XML)
    assert again.json()["parameter"][0]["valueReference"]["reference"] == place
    assert [part["name"] for part in answer.json()["parameter"]] == [DOCUMENT]
    outcome = again.json()["parameter"][1]["resource"]["issue"][0]
    assert (outcome["severity"], outcome["details"]["coding"][0]["code"]) == ("information", "ALREADY_FILED")
    assert len(await find(citizen, oid)) == 1


async def test_iti_68_gives_the_bytes_that_were_sent(author: httpx.AsyncClient, citizen: httpx.AsyncClient) -> None:
    content, oid = letter()
    await author.post(OPERATION, content=content, headers=XML)
    url = (await find(citizen, oid))[0]["content"][0]["attachment"]["url"]
    raw = await citizen.get(url)
    assert (raw.status_code, raw.content) == (200, content)
    assert raw.headers["content-type"] == "application/xml"
    assert "sandbox" in raw.headers["content-security-policy"]
    assert int(raw.headers["content-length"]) == len(content)
    assert (await citizen.head(url)).headers["content-length"] == raw.headers["content-length"]
    assert (await citizen.get(url, headers={"if-none-match": raw.headers["etag"]})).status_code == 304
    assert (await citizen.get(url, headers={"accept": "application/xml"})).content == content
    assert (await citizen.get(url, headers={"accept": "application/pdf"})).status_code == 406
    resource = (await citizen.get(url, headers={"accept": "application/fhir+json"})).json()
    assert resource["resourceType"] == "Binary"
    assert base64.b64decode(resource["data"]) == content
    assert (await citizen.get(url, params={"_format": "json"})).json() == resource


async def test_iti_65_files_a_submission(author: httpx.AsyncClient, citizen: httpx.AsyncClient) -> None:
    bundle, content, oid = bundle_of_letter()
    answer = await author.post("", json=bundle, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "transaction-response"
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    places = [entry["response"]["location"] for entry in answer.json()["entry"]]
    assert [place.partition("/")[0] for place in places] == kinds
    assert all(entry["response"]["status"].startswith("201") for entry in answer.json()["entry"])
    (found,) = await find(citizen, oid)
    assert (await citizen.get(found["content"][0]["attachment"]["url"])).content == content
    sets = {
        **PATIENT,
        "status": "current",
        "code": "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes|submissionset",
    }
    lists = (await citizen.get("List", params=sets)).json()
    items = [item["item"]["reference"] for entry in lists["entry"] for item in entry["resource"]["entry"]]
    assert f"DocumentReference/{found['id']}" in items
    again = await author.post("", json=bundle, headers=JSON)
    assert again.status_code == 200
    assert len(await find(citizen, oid)) == 1


async def test_iti_65_answers_with_the_versions_that_were_stored(author: httpx.AsyncClient) -> None:
    bundle, _, _ = bundle_of_letter()
    entries = (await author.post("", json=bundle, headers=JSON)).json()["entry"]
    for entry in entries:
        response = entry["response"]
        type_, _, rest = response["location"].partition("/")
        assert (type_, rest.partition("/")[2]) in {(kind, "_history/1") for kind in ("List", DOCUMENT, "Binary")}
        assert (response["status"], response["etag"], "resource" in entry) == ("201 Created", 'W/"1"', False)
        assert response["lastModified"]
    read = await author.get(entries[1]["response"]["location"])
    assert read.json()["meta"]["lastUpdated"][:19] == entries[1]["response"]["lastModified"][:19]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_iti_66_finds_lists_by_either_address_of_the_code_system(
    author: httpx.AsyncClient, citizen: httpx.AsyncClient, scheme: str
) -> None:
    bundle, _, oid = bundle_of_letter()
    await author.post("", json=bundle, headers=JSON)
    item = f"{DOCUMENT}/{(await find(citizen, oid))[0]['id']}"
    code_ = f"{scheme}://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes|submissionset"
    query = {**PATIENT, "status": "current", "code": code_, "isArchived": "false", "item": item}
    assert len((await citizen.get("List", params=query)).json()["entry"]) == 1


async def test_a_search_for_what_is_not_archived_finds_it_until_it_is(
    author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    content, oid = letter()
    place = (await author.post(OPERATION, content=content, headers=XML)).headers["location"]
    query = {**PATIENT, "identifier": f"urn:ietf:rfc:3986|urn:oid:{oid}"}

    async def count(archived: str) -> int:
        return (await citizen.get(DOCUMENT, params={**query, "isArchived": archived})).json()["total"]

    assert (await count("false"), await count("true")) == (1, 0)
    patch = [{"op": "replace", "path": "/extension/0/valueBoolean", "value": True}]
    answer = await author.patch(place, json=patch, headers={"content-type": "application/json-patch+json"})
    assert answer.status_code == 200, answer.text
    assert (await count("false"), await count("true")) == (0, 1)


async def test_iti_65_gives_the_resources_back_to_who_prefers_them(author: httpx.AsyncClient) -> None:
    bundle, _, oid = bundle_of_letter()
    whole = {**JSON, "prefer": "return=representation"}
    entries = (await author.post("", json=bundle, headers=whole)).json()["entry"]
    stored = {entry["resource"]["resourceType"]: entry["resource"] for entry in entries}
    assert stored[DOCUMENT]["masterIdentifier"]["value"] == f"urn:oid:{oid}"
    assert stored["List"]["entry"][0]["item"]["reference"] == f"{DOCUMENT}/{stored[DOCUMENT]['id']}"
    bundle, _, _ = bundle_of_letter()
    told = await author.post("", json=bundle, headers={**JSON, "prefer": "return=OperationOutcome"})
    outcomes = {entry["response"]["outcome"]["resourceType"] for entry in told.json()["entry"]}
    assert outcomes == {"OperationOutcome"}


async def test_a_submission_sent_again_is_answered_with_what_is_there(
    author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    bundle, _, oid = bundle_of_letter()
    first = (await author.post("", json=bundle, headers=JSON)).json()["entry"]
    again = await author.post("", json=bundle, headers=JSON)
    assert again.status_code == 200
    answers = [entry["response"] for entry in again.json()["entry"]]
    assert [answer["status"] for answer in answers] == ["200 OK"] * 3
    places = [entry["response"]["location"].partition("/_history")[0] for entry in first]
    assert [answer["location"].partition("/_history")[0] for answer in answers] == places
    assert len(await find(citizen, oid)) == 1


async def test_who_may_not_read_a_document_sends_it_again_and_learns_its_place(
    house: House, author: httpx.AsyncClient
) -> None:
    content, _ = letter()
    place = (await author.post(OPERATION, content=content, headers=XML)).headers["location"]
    attachment = {"contentType": "application/xml", "data": base64.b64encode(content).decode()}
    inline = {"resourceType": DOCUMENT, "status": "current", "content": [{"attachment": attachment}]}
    structure = (await author.get(place)).json()["custodian"]["identifier"]["value"]
    async with house.services.database.transaction() as tx:
        rpps = await tx.fetch_value(
            """
            with hired as (
              insert into directory_situation (professional, organization, rank, role_title, resource)
              select professional, %s, 9, role_title, resource from directory_situation
              where professional <> %s order by professional limit 1
              returning professional
            )
            select rpps from directory_professional join hired on id_nat = professional
            """,
            (structure, f"8{RPPS}"),
        )
    finess = structure.removeprefix("1")
    async with house.client(Role.PROFESSIONAL, rpps=rpps, organization=finess) as colleague:
        again = await colleague.post(DOCUMENT, json=inline, headers=JSON)
        assert (again.status_code, again.content) == (200, b"")
        assert again.headers["location"].startswith(place)
        assert (await colleague.get(place)).status_code in (403, 404)


async def test_a_withdrawn_document_sent_again_is_refused(author: httpx.AsyncClient) -> None:
    bundle, content, _ = bundle_of_letter()
    entries = (await author.post("", json=bundle, headers=JSON)).json()["entry"]
    place = entries[1]["response"]["location"].partition("/_history")[0]
    assert (await author.delete(place)).status_code == 204
    for again in (
        await author.post("", json=bundle, headers=JSON),
        await author.post(OPERATION, content=content, headers=XML),
    ):
        assert (again.status_code, code(again)) == (409, "DUPLICATE_UNIQUE_ID")


async def test_a_refused_deposit_leaves_its_line_in_the_history_of_the_patient(
    author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    bundle, _, _ = bundle_of_letter()
    bundle["entry"][1]["resource"]["date"] = "2001-01-01T00:00:00Z"
    refused = await author.post("", json=bundle, headers=JSON)
    assert (refused.status_code, code(refused)) == (422, "METADATA_MISMATCH")
    assert refused.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.date"]
    bundle, _, _ = bundle_of_letter()
    bundle["entry"][1]["resource"]["content"][0]["attachment"]["size"] = 1
    refused = await author.post("", json=bundle, headers=JSON)
    assert (refused.status_code, code(refused)) == (422, "HASH_MISMATCH")
    lines = (await citizen.get("AuditEvent", params={"action": "C", "outcome": "4", "_count": "2"})).json()["entry"]
    rules = [line["resource"]["agent"][0]["policy"][0] for line in lines]
    assert rules == ["urn:ambroise:access-rule:hash_mismatch", "urn:ambroise:access-rule:metadata_mismatch"]


@pytest.mark.parametrize(
    ("path", "value", "element"),
    [
        ("/identifier/-", {"system": "urn:oid:1.2.3", "value": "mine"}, "identifier"),
        ("/text", {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}, "text"),
        ("/description", "something else", "description"),
        ("/meta/tag", [{"system": "urn:oid:1.2.3", "code": "mine"}], "meta.tag"),
        ("/extension", [{"url": "http://example.org/mine", "valueBoolean": True}], "extension"),
        ("/securityLabel/-", {"coding": [{"code": "R"}]}, "securityLabel"),
    ],
)
async def test_what_a_submission_fixed_does_not_change_and_the_refusal_names_it(
    author: httpx.AsyncClient, path: str, value: Any, element: str
) -> None:
    content, _ = letter()
    place = (await author.post(OPERATION, content=content, headers=XML)).headers["location"]
    patch = [{"op": "add", "path": path, "value": value}]
    answer = await author.patch(place, json=patch, headers={"content-type": "application/json-patch+json"})
    assert (answer.status_code, code(answer)) == (422, "METADATA_IMMUTABLE")
    assert answer.json()["issue"][0]["expression"] == [f"DocumentReference.{element}"]
    current = (await author.get(place)).json()
    put = await author.put(place, json=current, headers=JSON)
    assert (put.status_code, put.json()) == (200, current)
    lean = {name: held for name, held in current.items() if name not in ("meta", "identifier")}
    assert (await author.put(place, json=lean, headers=JSON)).status_code == 200


async def test_iti_65_may_name_the_patient_by_a_search(author: httpx.AsyncClient, citizen: httpx.AsyncClient) -> None:
    bundle, _, oid = bundle_of_letter()
    for entry in bundle["entry"]:
        if "subject" in entry["resource"]:
            entry["resource"]["subject"] = {"reference": f"Patient?identifier={INS_SYSTEM}|{INS}"}
    answer = await author.post("", json=bundle, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert len(await find(citizen, oid)) == 1


async def test_iti_65_replaces_a_document(author: httpx.AsyncClient, citizen: httpx.AsyncClient) -> None:
    content, old = letter()
    place = (await author.post(OPERATION, content=content, headers=XML)).headers["location"].removeprefix(BASE + "/")
    bundle, _, new = bundle_of_letter()
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "DocumentReference":
            entry["resource"]["relatesTo"] = [{"code": "replaces", "target": {"reference": place}}]
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "DocumentReference.status"},
        {"name": "value", "valueCode": "superseded"},
    ]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    bundle["entry"].append({"resource": patch, "request": {"method": "PATCH", "url": place}})
    answer = await author.post("", json=bundle, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert await find(citizen, old) == []
    assert len(await find(citizen, new)) == 1
    assert (await citizen.get(place)).json()["status"] == "superseded"


async def test_iti_105_files_a_document_carried_by_its_metadata(
    author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    reference = json.loads((EXAMPLES / "fhir/iti-105-document-reference.json").read_bytes())
    oid = new_oid()
    reference["masterIdentifier"]["value"] = f"urn:oid:{oid}"
    reference.pop("identifier", None)
    answer = await author.post("DocumentReference", json=reference, headers=JSON)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].startswith(f"{BASE}/DocumentReference/{answer.json()['id']}")
    (found,) = await find(citizen, oid)
    assert found["id"] == answer.json()["id"]
    assert "data" not in found["content"][0]["attachment"]
    sent = base64.b64decode(reference["content"][0]["attachment"]["data"])
    assert (await citizen.get(found["content"][0]["attachment"]["url"])).content == sent
    again = await author.post("DocumentReference", json=reference, headers=JSON)
    assert (again.status_code, again.json()["id"]) == (200, found["id"])
    assert again.headers["location"] == answer.headers["location"]


async def test_a_refused_document_says_its_code(author: httpx.AsyncClient) -> None:
    content, _ = letter()
    changed = content.replace(b"PAT-TROIS", b"PAT-AUTRE")
    traits = await author.post(OPERATION, content=changed, headers=XML)
    assert (traits.status_code, code(traits)) == (422, "TRAITS_MISMATCH")
    broken = await author.post(OPERATION, content=content[:-20], headers=XML)
    assert (broken.status_code, code(broken)) == (422, "XML_MALFORMED")
    plain = await author.post(OPERATION, content=b"no CDA", headers={"content-type": "text/plain"})
    assert (plain.status_code, code(plain)) == (422, "CDA_EXPECTED")
    reference = json.loads((EXAMPLES / "fhir/iti-105-document-reference.json").read_bytes())
    del reference["content"][0]["attachment"]["data"]
    missing = await author.post("DocumentReference", json=reference, headers=JSON)
    assert (missing.status_code, code(missing)) == (422, "CONTENT_MISSING")
    bundle, _, oid = bundle_of_letter()
    bundle["entry"][-1]["request"]["url"] = "Nothing"
    assert (await author.post("", json=bundle, headers=JSON)).status_code >= 400
    assert await find(author, oid) == []


async def test_a_document_too_large_is_refused_before_it_is_read(house: House, author: httpx.AsyncClient) -> None:
    limit = house.services.settings.document_max_bytes

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(limit // 1_000_000 + 2):
            yield bytes(1_000_000)

    raw = await author.post(OPERATION, content=endless(), headers=XML)
    assert (raw.status_code, code(raw)) == (413, "TOO_LARGE")
    declared = await author.post(OPERATION, content=b"x", headers={**XML, "content-length": str(limit + 1)})
    assert (declared.status_code, code(declared)) == (413, "TOO_LARGE")
    reference = json.loads((EXAMPLES / "fhir/iti-105-document-reference.json").read_bytes())
    inline = house.services.settings.json_document_max_bytes
    reference["content"][0]["attachment"]["data"] = base64.b64encode(bytes(inline + 1)).decode()
    carried = await author.post("DocumentReference", json=reference, headers=JSON)
    assert (carried.status_code, code(carried)) == (413, "TOO_LARGE")


async def test_the_patient_masks_by_a_conditional_patch(
    house: House, author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    content, oid = letter()
    await author.post(OPERATION, content=content, headers=XML)
    label = {
        "coding": [
            {
                "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
                "code": "MASQUE_PS",
            }
        ]
    }
    where = urlencode({"identifier": f"urn:ietf:rfc:3986|urn:oid:{oid}"})
    patch = [{"op": "add", "path": "/securityLabel/-", "value": label}]
    answer = await citizen.patch(
        f"DocumentReference?{where}", json=patch, headers={"content-type": "application/json-patch+json"}
    )
    assert answer.status_code == 200, answer.text
    codes = [coding["code"] for each in answer.json()["securityLabel"] for coding in each["coding"]]
    assert "MASQUE_PS" in codes


def resident(field: str) -> float:
    """Memory of this process in MiB: VmRSS now, VmHWM at most since the last reset."""
    found = re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


async def test_a_large_document_takes_at_most_four_times_its_size(
    author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    small, oid = letter()
    start, end = (small.index(mark) for mark in (b'representation="B64">', b"</text>"))
    start += len(b'representation="B64">')
    page = base64.b64decode(small[start:end])
    large = base64.b64encode(page + b"\n%" + b"x" * 24_000_000)
    content = small[:start] + large + small[end:]
    del large
    await author.post(OPERATION, content=letter()[0], headers=XML)

    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(content), 65536):
            yield content[place : place + 65536]

    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    answer = await author.post(OPERATION, content=pieces(), headers=XML)
    assert answer.status_code == 200, answer.text
    assert resident("VmHWM") - before < 4 * len(content) / 2**20
    url = (await find(citizen, oid))[0]["content"][0]["attachment"]["url"]
    assert (await citizen.get(url)).content == content


@needs_samples
@pytest.mark.parametrize("name", [name for name in cda_names() if name not in OTHER_IDENTITIES])
async def test_every_sample_of_the_test_identity_comes_back_byte_for_byte(
    system: httpx.AsyncClient, citizen: httpx.AsyncClient, name: str
) -> None:
    content = cda(name)
    answer = await system.post(OPERATION, content=content, headers=XML)
    assert answer.status_code == 200, answer.text
    place = answer.json()["parameter"][0]["valueReference"]["reference"]
    reference = (await citizen.get(place)).json()
    unique = reference["masterIdentifier"]["value"]
    found = (
        await citizen.get("DocumentReference", params={**PATIENT, "identifier": f"urn:ietf:rfc:3986|{unique}"})
    ).json()
    assert found["total"] == 1
    raw = (await citizen.get(reference["content"][0]["attachment"]["url"])).content
    assert hashlib.sha256(raw).digest() == hashlib.sha256(content).digest()


async def test_an_author_without_authorisation_finds_what_he_filed_and_nothing_else_by_the_ins(
    house: House, author: httpx.AsyncClient
) -> None:
    """The author reads his own (CSP R. 1111-49), asked by INS as by id; an INS that is nobody's looks the same."""
    content, _ = letter()
    async with house.services.database.transaction() as tx:
        unlinked = "select rpps from directory_professional where rpps <> %s order by rpps desc limit 1"
        other = await tx.fetch_value(unlinked, (RPPS,))
    async with house.client(Role.PROFESSIONAL, rpps=other) as stranger:
        filed = await author.post(OPERATION, content=content, headers=XML)
        assert filed.status_code in (200, 201), filed.text
        mine = filed.headers["location"].rpartition("/")[2]
        answers = []
        for query in (PATIENT, {"subject:Patient.identifier": f"{INS_SYSTEM}|{INS}"}):
            for more in ({}, {"_count": "1", "_sort": "date"}, {"_summary": "count"}):
                answers.append((await author.get(DOCUMENT, params={**query, **more})).json())
                nothing = (await stranger.get(DOCUMENT, params={**query, **more})).json()
                assert (nothing["total"], nothing.get("entry")) == (0, None)
        assert all(one["total"] >= 1 for one in answers)
        assert any(mine == entry["resource"]["id"] for entry in answers[0]["entry"])
        assert "patient.identifier" in answers[0]["link"][0]["url"], "the self link is what was asked"
        nobody = {"patient.identifier": f"{INS_SYSTEM}|279035121518900"}
        known, unknown = [(await stranger.get(DOCUMENT, params=one)).json() for one in (PATIENT, nobody)]
        assert {name: known[name] for name in ("type", "total")} == {name: unknown[name] for name in ("type", "total")}


async def test_a_submission_is_not_written_by_the_generic_door_and_keeps_what_it_says(
    house: House, author: httpx.AsyncClient, citizen: httpx.AsyncClient
) -> None:
    """Of a SubmissionSet the status alone changes; nobody claims a signature that was not found right when it came."""
    bundle, _, oid = bundle_of_letter()
    signed = {"url": "urn:ambroise:submission:signature", "valueSignature": forged_signature()}
    sent = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "List")
    sent["extension"] = [*sent.get("extension", ()), signed]
    assert (await author.post("", json=bundle, headers=JSON)).status_code == 200
    item = f"{DOCUMENT}/{(await find(citizen, oid))[0]['id']}"
    (found,) = (await author.get("List", params={**PATIENT, "item": item})).json()["entry"]
    filed = found["resource"]
    assert signed["url"] not in json.dumps(filed), "the submission was filed, without the signature that it claims"
    mine = {name: filed[name] for name in ("resourceType", "status", "mode", "subject")}
    mine["code"] = {"text": "à relire"}
    plain = await author.post("List", json=mine, headers=JSON)
    assert plain.status_code == 201, plain.text
    place = plain.headers["location"].partition("/_history")[0]
    listed = f"List/{filed['id']}"
    add = [{"op": "add", "path": "/extension", "value": [signed]}]
    patch_type = {"content-type": "application/json-patch+json"}
    for refused in (
        await author.post("List", json={**mine, "extension": [signed]}, headers=JSON),
        await author.post("List", json={**mine, "code": filed["code"]}, headers=JSON),
        await author.put(place, json={**plain_body(plain, mine), "extension": [signed]}, headers=JSON),
        await author.put(place, json={**plain_body(plain, mine), "code": filed["code"]}, headers=JSON),
        await author.patch(place, json=add, headers=patch_type),
        await author.put(listed, json={**filed, "extension": [*filed["extension"], signed]}, headers=JSON),
        await author.put(listed, json={**filed, "title": "Something else"}, headers=JSON),
        await author.delete(listed),
    ):
        assert (refused.status_code, code(refused)) == (422, "OWNED_BY_SUBMISSION")
    retired = await author.put(listed, json={**filed, "status": "retired"}, headers=JSON)
    assert (retired.status_code, retired.json()["status"]) == (200, "retired"), "the control: a status changes"
    assert (await author.delete(place)).status_code == 204, "the control: another List is its author's"


def plain_body(created: httpx.Response, resource: dict[str, Any]) -> dict[str, Any]:
    """The resource with the id that it was given."""
    return {**resource, "id": created.headers["location"].partition("/_history")[0].rpartition("/")[2]}


def forged_signature() -> dict[str, Any]:
    """A signature in the name of somebody who signed nothing."""
    return {
        "type": [{"code": "1.2.840.10065.1.12.1.14"}],
        "when": "2026-01-01T00:00:00Z",
        "who": {"display": "Somebody else"},
        "data": "QQ==",
    }
