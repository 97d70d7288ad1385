"""Bundles: entries read and ordered, references resolved, answers joined from bytes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ambroise.fhir.json import decode, encode
from ambroise.interfaces.fhir_rest.bundles import Response, bundle, history_entry, response_entry, search_entries
from ambroise.interfaces.fhir_rest.capability import Capabilities, capability_statement
from ambroise.interfaces.fhir_rest.entries import in_transaction_order, read_entries, refuse_overlaps, target_of
from ambroise.interfaces.fhir_rest.references import Links, names_of
from ambroise.interfaces.fhir_rest.shaping import Shape, shape_of, without_shape
from ambroise.kernel.errors import Refusal

BASE = "http://ici.test/fhir"
ONE = "urn:uuid:00000000-0000-4000-8000-000000000001"
TWO = "urn:uuid:00000000-0000-4000-8000-000000000002"


def entry(method: str, url: str, resource: dict[str, Any] | None = None, full_url: str | None = None) -> dict[str, Any]:
    built: dict[str, Any] = {"request": {"method": method, "url": url}}
    if resource is not None:
        built["resource"] = resource
    if full_url is not None:
        built["fullUrl"] = full_url
    return built


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


PATIENT = {"resourceType": "Patient"}


def test_a_target_is_relative_or_under_our_base() -> None:
    assert target_of("Patient/1", BASE).segments == ("Patient", "1")
    assert target_of(f"{BASE}/Patient?name=a%20b", BASE).query == (("name", "a b"),)
    with pytest.raises(Refusal, match="ENTRY_URL_ELSEWHERE"):
        target_of("http://ailleurs.test/fhir/Patient/1", BASE)


def test_entries_run_in_the_order_of_the_standard() -> None:
    entries = read_entries(
        transaction(
            entry("GET", "Patient/1"),
            entry("PUT", "Patient/2", PATIENT),
            entry("POST", "Patient", PATIENT),
            entry("DELETE", "Patient/3"),
            entry("POST", "Patient", PATIENT),
        ),
        BASE,
    )
    assert [each.number for each in in_transaction_order(entries)] == [3, 2, 4, 1, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"resourceType": "Bundle", "entry": 1},
        transaction(1),  # type: ignore[arg-type]
        transaction({}),
        transaction({"request": {"method": "FETCH", "url": "Patient"}}),
        transaction({"request": {"method": "GET"}}),
        transaction(entry("POST", "Patient")),
        transaction(entry("PUT", "Patient/1", {})),
        transaction(entry("POST", "Patient", PATIENT, ONE), entry("POST", "Patient", PATIENT, ONE)),
        transaction({**entry("GET", "Patient"), "fullUrl": 3}),
    ],
)
def test_a_bundle_that_cannot_be_understood_is_refused_with_its_place(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="BUNDLE_MALFORMED") as refused:
        read_entries(wrong, BASE)
    assert refused.value.element is not None


def test_a_transaction_that_changes_one_resource_twice_is_refused() -> None:
    twice = read_entries(transaction(entry("PUT", "Patient/1", PATIENT), entry("DELETE", "Patient/1")), BASE)
    with pytest.raises(Refusal, match="ENTRIES_OVERLAP"):
        refuse_overlaps(twice)


def test_links_between_entries_are_replaced_wherever_they_stand() -> None:
    resource = {
        "resourceType": "DocumentReference",
        "text": {"status": "generated", "div": f'<div><a href="{ONE}">x</a></div>'},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": ONE}],
        "subject": {"reference": ONE},
        "contained": [{"resourceType": "Practitioner", "id": "a"}],
        "author": [{"reference": "#a"}],
        "content": [{"attachment": {"url": TWO}}],
        "extension": [{"url": "http://x.test", "valueUri": TWO}],
    }
    Links(resource).rewrite({ONE: "Patient/7", TWO: "Binary/8"})
    assert resource["subject"] == {"reference": "Patient/7"}
    assert resource["content"] == [{"attachment": {"url": "Binary/8"}}]
    assert resource["extension"] == [{"url": "http://x.test", "valueUri": "Binary/8"}]
    assert resource["text"] == {"status": "generated", "div": '<div><a href="Patient/7">x</a></div>'}
    assert resource["identifier"] == [{"system": "urn:ietf:rfc:3986", "value": ONE}], "an identifier is not a link"


def test_an_entry_may_be_called_by_its_place_on_the_server_it_comes_from() -> None:
    posted = read_entries(transaction(entry("POST", "Patient", PATIENT, "http://ailleurs.test/r4/Patient/9")), BASE)[0]
    assert names_of(posted.full_url, "Patient/7") == {
        "http://ailleurs.test/r4/Patient/9": "Patient/7",
        "Patient/9": "Patient/7",
    }


def test_a_link_is_replaced_once_its_entry_has_an_id_however_often_it_was_looked_for() -> None:
    resource: dict[str, Any] = {"subject": {"reference": "Patient?identifier=s|1"}, "focus": [{"reference": ONE}]}
    links = Links(resource)
    links.rewrite({})
    links.as_logical()
    links.rewrite({ONE: "Observation/1"})
    assert resource["focus"] == [{"reference": "Observation/1"}]
    assert resource["subject"] == {"type": "Patient", "identifier": {"system": "s", "value": "1"}}


async def test_conditional_references_are_looked_up() -> None:
    resource: dict[str, Any] = {"subject": {"reference": "Patient?identifier=s|1"}, "other": {"url": "Patient?x=1"}}
    asked: list[tuple[str, str]] = []

    async def find(type_: str, query: str) -> str:
        asked.append((type_, query))
        return "Patient/7"

    await Links(resource).rewrite_conditional(find)
    assert resource == {"subject": {"reference": "Patient/7"}, "other": {"url": "Patient?x=1"}}
    assert asked == [("Patient", "identifier=s|1")]


def test_a_patient_by_identifier_can_stay_a_logical_reference() -> None:
    resource = {
        "subject": {"reference": "Patient?identifier=urn:oid:1.2%7C3"},
        "custodian": {"reference": "Organization?x=1"},
    }
    Links(resource).as_logical()
    assert resource["subject"] == {"type": "Patient", "identifier": {"system": "urn:oid:1.2", "value": "3"}}
    assert resource["custodian"] == {"reference": "Organization?x=1"}


def test_bundles_are_joined_around_stored_bytes() -> None:
    body = b'{"resourceType":"Observation","valueQuantity":{"value":20.00}}'
    moment = datetime(2026, 1, 15, 12, 0, 0, 123_456, tzinfo=UTC)
    whole = bundle(
        "searchset",
        search_entries(BASE + '/"', [("Observation/1", body, "match")]),
        links=[("self", BASE)],
        total=1,
        updated=moment,
    )
    assert b'"value":20.00' in whole
    read = decode(whole)
    assert read["entry"][0]["fullUrl"] == BASE + '/"/Observation/1'
    assert read["meta"]["lastUpdated"] == "2026-01-15T12:00:00.123Z"
    answer = Response("201 Created", "Patient/1/_history/1", 'W/"1"', moment, b'{"resourceType":"OperationOutcome"}')
    for written in (response_entry(answer, body, BASE), history_entry(BASE, body, "POST", "Patient", answer)):
        assert decode(written)["response"]["outcome"] == {"resourceType": "OperationOutcome"}
    assert decode(bundle("batch-response", []))["type"] == "batch-response"


def test_a_shape_keeps_what_was_asked_and_says_that_it_is_a_part() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "1",
        "text": {"status": "empty", "div": "<div/>"},
        "name": [{"family": "Exemple"}],
        "photo": [{"url": "x"}],
        "deceasedBoolean": False,
        "_birthDate": {"id": "b"},
    }
    tag = {
        "tag": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
                "code": "SUBSETTED",
                "display": "subsetted",
            }
        ]
    }
    summary = Shape("true").reduce("Patient", patient)
    assert "photo" not in summary
    assert "text" not in summary
    assert summary["meta"] == tag
    assert "text" not in Shape("data").reduce("Patient", patient)
    assert set(Shape("text").reduce("Patient", patient)) == {"resourceType", "id", "meta", "text"}
    chosen = Shape(elements=("birthDate", "deceased", "Patient.photo", "Observation.code")).reduce("Patient", patient)
    assert set(chosen) == {"resourceType", "id", "meta", "_birthDate", "deceasedBoolean", "photo"}


def test_a_whole_resource_is_not_even_decoded() -> None:
    assert Shape().apply("Patient", b"not json") == b"not json"


def test_shaping_parameters_are_set_apart() -> None:
    pairs = [("name", "a"), ("_summary", "text"), ("_elements", "id,name"), ("_pretty", "true")]
    assert without_shape(pairs) == [("name", "a")]
    assert shape_of(pairs).elements == ("id", "name")
    with pytest.raises(Refusal, match="_summary"):
        shape_of([("_summary", "some")])


def test_the_capability_statement_lists_every_type_and_what_can_be_done() -> None:
    statement = capability_statement(Capabilities(BASE, datetime(2026, 1, 15, tzinfo=UTC)))
    encode(statement)
    rest = statement["rest"][0]
    by_type = {each["type"]: each for each in rest["resource"]}
    assert len(by_type) >= 146
    codes = {each["code"] for each in by_type["AuditEvent"]["interaction"]}
    assert codes == {"read", "search-type"}
    assert {each["name"] for each in by_type["AuditEvent"]["searchParam"]} >= {"patient", "date"}
    assert "near" not in {each["name"] for each in by_type["Location"]["searchParam"]}
    own = {"generate-metadata", "import-xdm", "export-xdm"}
    assert {each["name"] for each in by_type["DocumentReference"]["operation"]} == {"validate", *own}
    assert "Patient:general-practitioner" in by_type["Patient"]["searchInclude"]
    assert "Observation:subject" in by_type["Patient"]["searchRevInclude"]
