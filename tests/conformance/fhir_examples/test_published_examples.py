"""Resources that others published: valid ones pass, defective ones are told their defect, engines of others agree."""

import json as stdlib_json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhirkit
import fhirpathpy
import pytest
from fhirpathpy.models import models

from ambroise.fhir import definitions, json
from ambroise.fhir.paths import evaluate, extract
from ambroise.fhir.validation import validate
from ambroise.kernel.errors import Refusal

# Each published with a real defect of R4; the issue that names it.
DEFECTS = {
    "CareTeam-cds-careteam-example.json": "BAD_REFERENCE",
    "RelatedPerson-cds-relatedperson-example.json": "BAD_REFERENCE",
    "Bundle-HAS-01-Presc-Pantoprazole-DC.json": "ref-1",
    "Bundle-Presc-BISOPROLOL-SANDOZ-DosesRationnelles.json": "ref-1",
    "Bundle-Presc-EFFERALGAN.json": "ref-1",
    "Bundle-Presc-Paracetamol-SiDouleur-MaxPrise-DelaisMin.json": "tim-6",
    "Bundle-TradPN13FHIR-Presc-DOLIPRANE.json": "ref-1",
    "Consent.json": "ppc-1",
    "OperationDefinition-generate-metadata.json": "opd-3",
    "CommunicationRequest-com1.json": "ext-1",
    "CommunicationRequest-com2.json": "ext-1",
    "Subscription-sub1.json": "ext-1",
    "DocumentReference-exemple-pdsm-documentreference.json": "dom-4",
    "List-ExampleSubmissionSet.json": "dom-4",
    "Patient-fr-patient-123.json": "ext-1",
}
# What a structural engine does not look at: invariants, targets, bindings.
SEEN_BY_US_ALONE = {"BAD_REFERENCE", "WRONG_TARGET", "CODE_NOT_IN_VALUE_SET"}


def resources(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((folder / "fhir").rglob("*.json")):
        try:
            resource = json.decode(path.read_bytes())
        except Refusal:
            continue
        if "resourceType" in resource:
            yield path.name, resource


def test_published_examples_pass_or_are_told_their_defect(samples: Path) -> None:
    seen = 0
    for name, resource in resources(samples):
        codes = {issue.details_code for issue in validate(resource)}
        seen += 1
        if name in DEFECTS:
            assert DEFECTS[name] in codes, name
        else:
            assert codes == set(), name
    assert seen > 150


def test_published_examples_survive_the_round_trip(samples: Path) -> None:
    for name, resource in resources(samples):
        assert json.decode(json.encode(resource)) == resource, name


def test_another_engine_finds_no_more_structural_mistakes(samples: Path) -> None:
    for name, resource in resources(samples):
        theirs = [issue for issue in fhirkit.validate(json.encode(resource)) if issue.severity == "error"]
        if theirs:
            assert validate(resource), (name, theirs)


def test_another_engine_reads_the_same_values(samples: Path) -> None:
    compared = 0
    compiled: dict[str, Any] = {}
    for name, resource in resources(samples):
        type_ = resource["resourceType"]
        if type_ in ("Bundle", "ValueSet", "StructureDefinition", "SearchParameter", "CapabilityStatement"):
            continue
        plain = stdlib_json.loads(json.encode(resource))
        for parameter in definitions.search_parameters(type_).values():
            path = parameter.expression
            if parameter.type in ("composite", "special") or "resolve()" in path or " as " in path:
                continue
            theirs = path.replace("Resource.", f"{type_}.", 1) if path.startswith("Resource.") else path
            if theirs not in compiled:
                compiled[theirs] = fhirpathpy.compile(theirs, model=models["r4"])
            assert canonical(compiled[theirs](plain)) == canonical(evaluate(path, resource)), (name, parameter.code)
            compared += 1
    assert compared > 1_000


def canonical(values: list[Any]) -> list[str]:
    """Values in an order and a form in which two engines can be compared."""
    loose = [stdlib_json.loads(stdlib_json.dumps(value, default=str), parse_float=str) for value in values]
    return sorted(stdlib_json.dumps(_loosened(value), sort_keys=True) for value in loose)


def _loosened(value: Any) -> Any:
    if isinstance(value, dict):
        # The other engine does not give the siblings of primitives.
        return {key: _loosened(item) for key, item in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [_loosened(item) for item in value]
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def test_generated_extractors_read_what_the_evaluator_reads(samples: Path) -> None:
    for name, resource in resources(samples):
        if validate(resource):
            continue
        found = extract(resource)
        tokens = {(row[0], row[2]) for row in found.tokens}
        references = {(row[0], row[1]) for row in found.references}
        uris = set(found.uris)
        for parameter in definitions.search_parameters(resource["resourceType"]).values():
            if parameter.type in ("composite", "special") or "resolve()" in parameter.expression:
                continue
            for value in evaluate(parameter.expression, resource):
                if parameter.type == "uri":
                    assert (parameter.number, value) in uris, name
                elif parameter.type == "reference" and isinstance(value, dict):
                    text = value.get("reference", "#")
                    if not text.startswith("#"):
                        assert (parameter.number, text.partition("/_history/")[0]) in references, name
                elif parameter.type == "token":
                    for code in codes(value):
                        assert (parameter.number, code) in tokens, (name, parameter.code)


def codes(value: Any) -> list[Any]:
    match value:
        case {"coding": list(codings)}:
            return [coding.get("code") for coding in codings]
        case {"value": str(text)}:
            return [text]
        case {"code": str(code)}:
            return [code]
        case bool():
            return ["true" if value else "false"]
        case str():
            return [value]
        case _:
            return []


@pytest.mark.parametrize("type_", ["Patient", "Observation", "DocumentReference", "List"])
def test_the_samples_hold_each_type_that_matters_here(samples: Path, type_: str) -> None:
    assert any(resource["resourceType"] == type_ for _, resource in resources(samples))
