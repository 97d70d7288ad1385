"""The compiled definitions: what they say, and that they are the ones that were committed."""

import hashlib
import json
from pathlib import Path

import pytest

from ambroise.fhir import definitions

ROOT = Path(__file__).resolve().parents[3]


def test_the_artefact_is_the_one_whose_checksum_is_committed() -> None:
    stated = (ROOT / "tools/fhir/r4.msgpack.sha256").read_text().split()[0]
    artefact = (ROOT / "src/ambroise/fhir/definitions/r4.msgpack").read_bytes()
    assert hashlib.sha256(artefact).hexdigest() == stated
    assert len(artefact) < 600_000


def test_the_manifest_names_the_pinned_package() -> None:
    manifest = definitions.manifest()
    assert (manifest.package, manifest.version, manifest.licence) == ("hl7.fhir.r4.examples", "4.0.1", "CC0-1.0")
    assert manifest.integrity.startswith("sha512-DXBdIZOe")
    assert manifest.integrity.endswith("3X/zLw==")


def test_every_resource_type_of_r4_is_there() -> None:
    types = definitions.resource_types()
    assert len(types) == 146
    assert {"Patient", "DocumentReference", "Binary", "Bundle", "AuditEvent"} <= set(types)
    assert "Resource" not in types
    assert "DomainResource" not in types


def test_numbers_are_those_of_the_committed_registry() -> None:
    registry = json.loads((ROOT / "tools/fhir/numbers.json").read_text())
    for name in definitions.resource_types():
        assert definitions.type_number(name) == registry["types"][name]
        assert definitions.type_name(definitions.type_number(name)) == name
        for code, parameter in definitions.search_parameters(name).items():
            base = "Resource" if parameter.url.startswith("http://hl7.org/fhir/SearchParameter/Resource-") else name
            assert parameter.number == registry["parameters"][f"{base}.{code}"]


@pytest.mark.parametrize("kind", ["types", "parameters"])
def test_no_number_is_given_twice(kind: str) -> None:
    numbers = list(json.loads((ROOT / "tools/fhir/numbers.json").read_text())[kind].values())
    assert len(numbers) == len(set(numbers))


def test_a_few_numbers_never_move() -> None:
    assert definitions.type_number("Account") == 1
    assert definitions.type_number("VisionPrescription") == 146
    assert definitions.search_parameters("Patient")["_id"].number == 1


def test_every_type_has_the_parameters_of_every_resource() -> None:
    for name in definitions.resource_types():
        assert {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"} <= set(
            definitions.search_parameters(name)
        )


def test_a_shared_definition_keeps_only_the_path_of_the_type() -> None:
    assert definitions.search_parameters("Observation")["code"].expression == "Observation.code"
    assert definitions.search_parameters("DeviceRequest")["code"].expression == (
        "(DeviceRequest.code as CodeableConcept)"
    )


def test_document_sharing_adds_its_parameters() -> None:
    assert {"period-start", "period-end", "isArchived", "creation"} <= set(
        definitions.search_parameters("DocumentReference")
    )
    assert {"designationType", "sourceId", "authorOrg", "isArchived"} <= set(definitions.search_parameters("List"))


def test_the_patient_compartment_names_known_parameters() -> None:
    assert definitions.patient_compartment("Observation") == ("subject", "performer")
    assert definitions.patient_compartment("Organization") == ()
    for name in definitions.resource_types():
        for code in definitions.patient_compartment(name):
            assert code in definitions.search_parameters(name), (name, code)


def test_a_shape_tells_cardinality_type_and_binding() -> None:
    status = definitions.shape("Observation").element("status")
    assert status is not None
    assert (status.minimum, status.maximum, status.binding) == (
        1,
        1,
        "http://hl7.org/fhir/ValueSet/observation-status",
    )
    value = definitions.shape("Observation").element("value")
    assert value is not None
    assert "valueQuantity" in dict(value.keys)


def test_the_summary_keeps_marked_and_mandatory_elements() -> None:
    assert {"status", "code", "valueQuantity"} <= definitions.summary_elements("Observation")
    assert "note" not in definitions.summary_elements("Observation")


def test_an_unknown_type_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        definitions.search_parameters("Nothing")
