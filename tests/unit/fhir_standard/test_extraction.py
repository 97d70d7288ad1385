"""What each kind of search parameter reads from each type of value."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ambroise.fhir import definitions
from ambroise.fhir.paths import Extracted, extract
from ambroise.fhir.paths.extraction import extractor, source

LOINC = "http://loinc.org"


def by_code(rows: list[Any], type_: str, code: str) -> list[Any]:
    """The rows of one parameter, without its number."""
    number = definitions.search_parameters(type_)[code].number
    return [row[1:] for row in rows if row[0] == number]


def observation(**elements: Any) -> Extracted:
    return extract({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **elements})


def test_a_concept_gives_each_coding_and_its_words() -> None:
    code = {
        "coding": [
            {"system": LOINC, "code": "4548-4", "display": "HbA1c"},
            {"code": "A1C"},
        ],
        "text": "Hémoglobine glyquée",
    }
    found = observation(code=code)
    assert by_code(found.tokens, "Observation", "code") == [(LOINC, "4548-4"), (None, "A1C")]
    assert by_code(found.texts, "Observation", "code") == [("HbA1c",), ("Hémoglobine glyquée",)]
    assert by_code(found.tokens, "Observation", "combo-code") == by_code(found.tokens, "Observation", "code")


def test_a_code_element_has_the_system_of_its_binding() -> None:
    found = observation()
    assert by_code(found.tokens, "Observation", "status") == [("http://hl7.org/fhir/observation-status", "final")]


def test_an_identifier_gives_its_value_and_its_type() -> None:
    identifier = {
        "system": "urn:oid:1.2",
        "value": "42",
        "type": {"coding": [{"system": "http://t", "code": "MR"}], "text": "dossier"},
    }
    found = extract({"resourceType": "Patient", "identifier": [identifier, {"system": "urn:oid:9"}]})
    assert by_code(found.tokens, "Patient", "identifier") == [("urn:oid:1.2", "42")]
    assert by_code(found.typed, "Patient", "identifier") == [("http://t", "MR", "42")]
    assert by_code(found.texts, "Patient", "identifier") == [("dossier",)]


def test_booleans_ids_and_computed_tokens_are_words() -> None:
    found = extract({"resourceType": "Patient", "id": "p1", "active": False, "deceasedDateTime": "2020"})
    assert by_code(found.tokens, "Patient", "active") == [(None, "false")]
    assert by_code(found.tokens, "Patient", "_id") == [(None, "p1")]
    assert by_code(found.tokens, "Patient", "deceased") == [(None, "true")]
    assert by_code(found.dates, "Patient", "death-date")


def test_a_living_patient_is_not_deceased() -> None:
    found = extract({"resourceType": "Patient", "deceasedBoolean": False})
    assert by_code(found.tokens, "Patient", "deceased") == [(None, "false")]
    assert by_code(extract({"resourceType": "Patient"}).tokens, "Patient", "deceased") == [(None, "false")]


def test_contact_points_are_kept_by_their_system() -> None:
    telecom = [{"system": "phone", "value": "01", "use": "home"}, {"system": "email", "value": "a@example.org"}]
    found = extract({"resourceType": "Patient", "telecom": telecom})
    assert by_code(found.tokens, "Patient", "phone") == [("home", "01")]
    assert by_code(found.tokens, "Patient", "email") == [(None, "a@example.org")]
    assert len(by_code(found.tokens, "Patient", "telecom")) == 2


def test_names_and_addresses_give_their_parts() -> None:
    name = {"family": "Rivoire", "given": ["Ada", None], "_given": [None, {"id": "x"}], "text": "Ada Rivoire"}
    address = {"line": ["1 rue Haute"], "city": "Nantes", "postalCode": "44000", "period": {"start": "2020"}}
    found = extract({"resourceType": "Patient", "name": [name], "address": [address]})
    assert by_code(found.strings, "Patient", "name") == [("Rivoire",), ("Ada",), ("Ada Rivoire",)]
    assert by_code(found.strings, "Patient", "given") == [("Ada",)]
    assert by_code(found.strings, "Patient", "address") == [("1 rue Haute",), ("Nantes",), ("44000",)]
    assert by_code(found.strings, "Patient", "address-city") == [("Nantes",)]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"reference": "Patient/1"}, [("Patient/1", None)]),
        ({"reference": "Patient/1/_history/2"}, [("Patient/1", None)]),
        ({"reference": "https://example.org/fhir/Patient/1"}, [("https://example.org/fhir/Patient/1", None)]),
        ({"reference": "urn:uuid:0"}, [("urn:uuid:0", None)]),
        ({"identifier": {"system": "urn:oid:1", "value": "2"}}, [(None, ("urn:oid:1", "2"))]),
        ({"reference": "Patient/1", "identifier": {"value": "2"}}, [("Patient/1", (None, "2"))]),
        ({"reference": "#p"}, []),
        ({"display": "somebody"}, []),
    ],
)
def test_a_reference_gives_its_target_and_identifier(reference: dict[str, Any], expected: list[Any]) -> None:
    found = observation(subject=reference)
    assert by_code(found.references, "Observation", "subject") == expected


@pytest.mark.parametrize(
    ("reference", "kept"),
    [
        ({"reference": "Patient/1"}, True),
        ({"reference": "Group/1"}, False),
        ({"reference": "https://example.org/fhir/Patient/1"}, True),
        ({"reference": "https://example.org/fhir/Group/1/_history/1"}, False),
        ({"identifier": {"value": "2"}}, True),
        ({"identifier": {"value": "2"}, "type": "Group"}, False),
        ({"reference": "urn:uuid:0", "type": "Group"}, False),
    ],
)
def test_where_resolve_is_keeps_what_may_be_of_the_type(reference: dict[str, Any], kept: bool) -> None:
    found = observation(subject=reference)
    assert bool(by_code(found.references, "Observation", "patient")) is kept


def test_a_canonical_is_found_with_and_without_its_version() -> None:
    found = extract({"resourceType": "MeasureReport", "measure": "http://example.org/m|2"})
    assert by_code(found.references, "MeasureReport", "measure") == [
        ("http://example.org/m|2", None),
        ("http://example.org/m", None),
    ]


def test_each_type_of_a_choice_gives_its_dates() -> None:
    day = (datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 5, 2, tzinfo=UTC))
    for elements in (
        {"effectiveDateTime": "2020-05-01"},
        {"effectivePeriod": {"start": "2020-05-01", "end": "2020-05-01"}},
        {"effectiveTiming": {"event": ["2020-05-01"]}},
    ):
        assert by_code(observation(**elements).dates, "Observation", "date") == [day]


def test_quantities_keep_their_unit() -> None:
    quantity = {"value": Decimal("5.40"), "system": "http://unitsofmeasure.org", "code": "mmol/L", "unit": "mmol/l"}
    found = observation(valueQuantity=quantity)
    assert by_code(found.quantities, "Observation", "value-quantity") == [
        (Decimal("5.40"), Decimal("5.40"), "http://unitsofmeasure.org", "mmol/L", "mmol/l")
    ]


def test_samples_are_a_quantity_from_lowest_to_highest() -> None:
    samples = {"origin": {"value": 10, "code": "mm"}, "period": 1, "dimensions": 1, "factor": Decimal("0.5")}
    found = observation(valueSampledData={**samples, "data": "2 4 E -2 U"})
    assert by_code(found.quantities, "Observation", "value-quantity") == [(Decimal(9), Decimal(12), None, "mm", None)]


def test_money_is_a_quantity_in_its_currency() -> None:
    total = {"value": Decimal("23.00"), "currency": "EUR"}
    found = extract({"resourceType": "Invoice", "status": "issued", "totalNet": total})
    ((low, high, system, code, _),) = by_code(found.quantities, "Invoice", "totalnet")
    assert (low, high, system, code) == (Decimal("23.00"), Decimal("23.00"), "urn:iso:std:iso:4217", "EUR")


def test_a_number_is_read_from_integers_and_decimals() -> None:
    found = extract({"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": Decimal("0.5")}]})
    assert by_code(found.numbers, "RiskAssessment", "probability") == [(Decimal("0.5"), Decimal("0.5"))]


def test_an_extension_parameter_reads_its_own_extension_only() -> None:
    url = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
    extensions = [{"url": "http://other", "valueBoolean": False}, {"url": url, "valueBoolean": True}]
    found = extract({"resourceType": "DocumentReference", "extension": extensions})
    assert by_code(found.tokens, "DocumentReference", "isArchived") == [(None, "true")]


def test_the_names_of_contained_authors_are_found() -> None:
    document = {
        "resourceType": "DocumentReference",
        "contained": [
            {"resourceType": "Practitioner", "id": "a", "name": [{"family": "Rivoire", "given": ["Ada"]}]},
            {"resourceType": "Practitioner", "id": "b", "name": [{"family": "Autre"}]},
        ],
        "author": [{"reference": "#a"}, {"reference": "Practitioner/1"}],
    }
    found = extract(document)
    assert by_code(found.strings, "DocumentReference", "author.family") == [("Rivoire",)]
    assert by_code(found.strings, "DocumentReference", "author.given") == [("Ada",)]


@pytest.mark.parametrize("type_", definitions.resource_types())
def test_every_type_has_an_extractor_that_bears_an_empty_resource(type_: str) -> None:
    found = extract({"resourceType": type_})
    assert [*found.strings, *found.references, *found.dates, *found.quantities] == []
    assert "def extract" in source(type_)


def test_an_unknown_type_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        extractor("Nothing")
