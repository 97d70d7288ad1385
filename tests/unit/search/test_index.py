"""How resources become index entries: folding, terms, layout, bodies, cursors."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ambroise.fhir import json
from ambroise.fhir.definitions import resource_types, search_parameters
from ambroise.fhir.store import PageSeal, as_key, new_key, terms
from ambroise.fhir.store.codec import pack, unpack
from ambroise.fhir.store.entries import entry, with_meta
from ambroise.fhir.store.folding import fold
from ambroise.fhir.store.index import index
from ambroise.fhir.store.layout import layout
from ambroise.fhir.store.types import Label, Permit, Scope
from ambroise.kernel.errors import Refusal
from tools.fhir_samples import Generator


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Crème  BRÛLÉE ", "creme brulee"),
        ("Œuvre", "oeuvre"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("L’Haÿ-les-Roses", "l'hay-les-roses"),
        ("e\u0301te\u0301", "ete"),
        ("ΑΘΗΝΑ", "αθηνα"),
        ("a\x00b", "a b"),
    ],
)
def test_text_is_compared_without_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_the_forms_of_a_term_are_never_taken_for_each_other() -> None:
    forms = [
        terms.system_and_code(1, "a", "b"),
        terms.code_in_any_system(1, "b"),
        terms.code_without_system(1, "b"),
        terms.any_code_of(1, "b"),
        terms.uri(1, "b"),
        terms.below(1, "b"),
        terms.reference(1, "b"),
        terms.of_type(1, "", "b", ""),
        terms.code_in_any_system(2, "b"),
        terms.code_in_any_system(11, "b"),
    ]
    assert len(set(forms)) == len(forms)
    assert terms.system_and_code(1, "a|b", "c") != terms.system_and_code(1, "a", "b|c")


def test_a_reference_is_its_target_under_the_mask_of_its_parameter() -> None:
    assert terms.reference(7, "Patient/1") ^ terms.reference_mask(7) == terms.handle("Patient/1")


@pytest.mark.parametrize(
    ("address", "above"),
    [
        ("http://a.b/c/d", ["http://a.b/c/d", "http://a.b/c", "http://a.b"]),
        ("http://a.b/c/", ["http://a.b/c", "http://a.b"]),
        ("urn:oid:1.2", ["urn:oid:1.2"]),
    ],
)
def test_a_uri_lies_below_each_of_its_paths(address: str, above: list[str]) -> None:
    assert terms.ancestors(address) == above


@pytest.mark.parametrize("type", resource_types())
def test_the_layout_of_a_type_agrees_with_its_parameters(type: str) -> None:
    """The principal date is a date that occurs once; what is made of others is made of stored ones of the same sort."""
    parameters = {parameter.number: parameter for parameter in search_parameters(type).values()}
    plan = layout(type)
    assert plan.principal == -1 or parameters[plan.principal].type == "date"
    for number, parts in plan.stored.items():
        assert {parameters[part].type for part in parts} == {parameters[number].type}
        assert not set(parts) & set(plan.stored)


def test_a_union_of_parameters_is_not_stored_twice() -> None:
    known = search_parameters("Observation")
    plan = layout("Observation")
    assert plan.numbers(known["combo-code"]) == (known["component-code"].number, known["code"].number)
    assert plan.narrows[known["patient"].number] == known["subject"].number
    assert plan.principal == known["date"].number


def test_an_observation_is_indexed_once_per_form() -> None:
    known = search_parameters("Observation")
    indexed = index(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://l", "code": "1", "display": "Émoi"}]},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2020",
            "valueQuantity": {"value": Decimal("5.40"), "unit": "mg"},
        }
    )
    code = known["code"].number
    assert set(terms.of_token(code, "http://l", "1")) < set(indexed.terms)
    assert terms.reference(known["subject"].number, "Patient/p") in indexed.terms
    assert indexed.date_low == datetime(2020, 1, 1, tzinfo=UTC)
    assert indexed.date_high == datetime(2021, 1, 1, tzinfo=UTC)
    assert [(row[0], row[1], row[2]) for row in indexed.ranges] == [
        (known["value-quantity"].number, Decimal("5.40"), Decimal("5.40"))
    ]
    assert indexed.displays == f"\n{code}\x1femoi"
    assert {known[name].number for name in ("status", "code", "subject", "patient", "value-quantity")} <= set(
        indexed.present
    )


def test_bodies_come_back_as_they_were() -> None:
    for resource in Generator(3).mixture(50):
        body = json.encode(resource)
        packed = pack(body)
        assert unpack(packed) == body
        assert len(packed) < len(body) / 3
    assert unpack(pack(b"unlike anything trained on" * 3)) == b"unlike anything trained on" * 3
    assert unpack(b"") == b""


def test_the_body_says_id_and_version_first_and_keeps_the_rest_in_order() -> None:
    resource = {"resourceType": "Basic", "code": {"text": "x"}, "meta": {"tag": [{"code": "t"}]}, "id": "old"}
    shown = with_meta(resource, "new", 3, datetime(2026, 3, 14, 9, 30, 0, 7_000, tzinfo=UTC))
    assert list(shown) == ["resourceType", "id", "meta", "code"]
    assert shown["meta"] == {"tag": [{"code": "t"}], "versionId": "3", "lastUpdated": "2026-03-14T09:30:00.007Z"}
    assert resource["id"] == "old"


def test_a_key_of_another_shard_is_no_key_for_a_record() -> None:
    patient = new_key()
    other = new_key()
    while other.int >> 64 & 1023 == patient.int >> 64 & 1023:
        other = new_key()
    with pytest.raises(ValueError, match="shard"):
        entry({"resourceType": "Basic", "code": {}}, Label(patient), other, None, 1, datetime.now(UTC))


def test_only_a_canonical_uuid_of_version_seven_is_a_key() -> None:
    key = new_key()
    assert as_key(str(key)) == key
    for text in (str(key).upper(), f"urn:uuid:{key}", key.hex, "550e8400-e29b-41d4-a716-446655440000", "x", ""):
        assert as_key(text) is None


def test_a_cursor_opens_for_its_purpose_only_and_not_when_changed() -> None:
    seal = PageSeal(b"s" * 32)
    cursor = seal.seal("search", ["Dupont", 3])
    assert seal.open("search", cursor) == ["Dupont", 3]
    assert "Dupont" not in cursor
    swapped = cursor[:-5] + ("A" if cursor[-5] != "A" else "B") + cursor[-4:]
    for wrong in (swapped, cursor[:-1], "", "é", "A" * 20_000, PageSeal(b"t" * 32).seal("search", 1)):
        with pytest.raises(Refusal) as caught:
            seal.open("search", wrong)
        assert caught.value.code == "CURSOR_UNKNOWN"
    with pytest.raises(Refusal):
        seal.open("history", cursor)


def test_nobody_but_the_access_layer_makes_permits_and_scopes() -> None:
    with pytest.raises(TypeError):
        Permit(object(), "read", None, "mine")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Scope(object(), "mine", lambda row: row["id"])  # type: ignore[arg-type]
