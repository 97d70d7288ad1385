"""Any resource that is damaged in a known way is refused at the place of the damage."""

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ambroise.fhir import definitions
from ambroise.fhir.definitions import Element, constraints
from ambroise.fhir.paths.evaluation import Scope, compile_path
from ambroise.fhir.paths.extraction import extract
from ambroise.fhir.paths.nodes import Node, is_primitive
from ambroise.fhir.paths.operators import boolean
from ambroise.fhir.terminology import required_codes, required_codings
from ambroise.fhir.validation import validate
from ambroise.fhir.validation.invariants import BUILT_IN, NOT_EVALUATED
from ambroise.kernel.errors import Issue

VALUES: dict[str, Any] = {
    "base64Binary": "AAAA",
    "boolean": True,
    "canonical": "http://example.org/c|1",
    "code": "some-code",
    "date": "2020-02",
    "dateTime": "2020-02-03T04:05:06+01:00",
    "decimal": 1,
    "id": "a-1",
    "instant": "2020-02-03T04:05:06.789Z",
    "integer": -1,
    "markdown": "**a**\n",
    "oid": "urn:oid:1.2.3",
    "positiveInt": 1,
    "string": "a b",
    "time": "10:11:12",
    "unsignedInt": 0,
    "uri": "urn:a",
    "url": "http://example.org",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>',
}


def value_of(element: Element, type_: str, depth: int, chance: Random) -> Any:
    if is_primitive(type_):
        if element.binding:
            return chance.choice(sorted(required_codes(element.binding)))
        return VALUES[type_]
    if type_ == "Resource":
        return {"resourceType": "Basic", "code": {"text": "a"}, "id": "inside"}
    if type_ == "Reference":
        targets = [target for target in element.types[0].targets if definitions.is_resource_type(target)]
        return {"reference": f"{chance.choice(targets or ['Patient'])}/1"} if not element.choice else {"display": "a"}
    if type_ == "Extension":
        return {"url": "http://example.org/e", "valueCode": "a"}
    if element.binding:
        system, code = chance.choice(sorted(required_codings(element.binding)))
        coding = {"system": system, "code": code}
        return {"coding": [coding]} if type_ == "CodeableConcept" else coding
    return shape_of(element.shape or type_, depth + 1, chance)


def shape_of(name: str, depth: int, chance: Random) -> dict[str, Any]:
    """Something of a shape: what is mandatory and, near the root, a few of the other elements."""
    made: dict[str, Any] = {}
    for element in definitions.shape(name).elements:
        wanted = element.minimum > 0 or (depth < 3 and chance.random() < 0.2)
        if wanted:
            key, ref = chance.choice(element.keys)
            value = value_of(element, ref.code, depth, chance)
            made[key] = [value] if element.repeats else value
    if not made.keys() - {"id"} and definitions.shape(name).element("extension"):
        made["extension"] = [{"url": "http://example.org/e", "valueCode": "a"}]
    return made


@st.composite
def generated(draw: st.DrawFn) -> dict[str, Any]:
    # One draw for the whole resource: hundreds of small ones would cost more than the checks.
    type_ = draw(st.sampled_from(definitions.resource_types()))
    return {"resourceType": type_, **shape_of(type_, 0, Random(draw(st.integers(0, 2**32))))}


def structural(resource: dict[str, Any]) -> list[str]:
    """The issues that are not invariants: a generated resource makes no sense, but is well formed."""
    return [issue.diagnostics for issue in validate(resource) if is_structural(issue)]


def is_structural(issue: Issue) -> bool:
    return issue.code != "invariant" or issue.details_code == "txt-1"


@given(generated())
def test_what_is_made_from_the_definitions_is_well_formed(resource: dict[str, Any]) -> None:
    assert structural(resource) == []
    extract(resource)


def objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(inner for item in value.values() for inner in objects(item))]
    return [inner for item in value for inner in objects(item)] if isinstance(value, list) else []


@given(generated(), st.data())
def test_an_unknown_element_anywhere_is_refused(resource: dict[str, Any], data: st.DataObject) -> None:
    damaged = copy.deepcopy(resource)
    data.draw(st.sampled_from(objects(damaged)))["nothingOfThisName"] = "x"
    assert any("nothingOfThisName" in text for text in structural(damaged))


@given(generated(), st.data(), st.sampled_from([None, [], {}, [[]], {"a": 1}, "", 1.5, "\x01"]))
def test_a_wrong_value_anywhere_is_refused(resource: dict[str, Any], data: st.DataObject, wrong: Any) -> None:
    damaged = copy.deepcopy(resource)
    holder = data.draw(st.sampled_from(objects(damaged)))
    key = data.draw(st.sampled_from(sorted(holder)))
    holder[key] = wrong
    assert structural(damaged)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "code", "value"]), inner),
    max_leaves=6,
)


@given(generated(), st.data(), JSON)
def test_anything_anywhere_is_judged_without_a_fault(resource: dict[str, Any], data: st.DataObject, any_: Any) -> None:
    damaged = copy.deepcopy(resource)
    holder = data.draw(st.sampled_from(objects(damaged)))
    holder[data.draw(st.sampled_from([*sorted(holder), "contained", "meta", "_status"]))] = any_
    if not validate(damaged):
        extract(damaged)


@given(generated(), st.data())
def test_a_mandatory_element_left_out_is_refused(resource: dict[str, Any], data: st.DataObject) -> None:
    mandatory = [e for e in definitions.shape(resource["resourceType"]).elements if e.minimum]
    assume(mandatory)
    element = data.draw(st.sampled_from(mandatory))
    damaged = {key: value for key, value in resource.items() if key not in dict(element.keys)}
    expression = f"{resource['resourceType']}.{element.name}{'[x]' if element.choice else ''}"
    assert expression in [issue.expression for issue in validate(damaged)]


@given(generated(), st.data())
def test_a_value_and_an_array_are_not_interchangeable(resource: dict[str, Any], data: st.DataObject) -> None:
    damaged = copy.deepcopy(resource)
    holder = data.draw(st.sampled_from(objects(damaged)))
    key = data.draw(st.sampled_from(sorted(holder)))
    holder[key] = holder[key][0] if isinstance(holder[key], list) else [holder[key]]
    assert structural(damaged)


def verdicts(node: Node, resource: Node) -> Iterator[tuple[tuple[str, str], bool | None]]:
    """What the evaluator says of each invariant of each shape: true, false, or None when it cannot tell."""
    for child in node.children():
        yield from verdicts(child, resource)
    if isinstance(node.value, dict):
        for key in definitions.shape(node.shape).constraints:
            rule = constraints()[key]
            if rule.severity == "error" and key not in BUILT_IN and key not in NOT_EVALUATED:
                result = compile_path(rule.expression)([node], Scope(resource, resource, [node]))
                yield (node.location(), key.rpartition(":")[2]), boolean(result)


# Stated on an element and not on its type: not in the list above.
ON_ELEMENTS = {"org-2", "org-3", "eld-3", "ras-1", "sdf-10"}


@given(generated())
def test_translated_invariants_say_what_the_evaluator_says(resource: dict[str, Any]) -> None:
    assume("contained" not in resource and resource["resourceType"] not in ("Bundle", "Parameters"))
    assume(not structural(resource))
    node = Node(resource, resource["resourceType"])
    said = dict(verdicts(node, node))
    issues = [(issue.expression, issue.details_code) for issue in validate(resource)]
    # Once an issue is found, the others are not looked at.
    assert issues or False not in said.values()
    assert all(said.get(issue) is not True for issue in issues if issue[1] not in ON_ELEMENTS)


@pytest.mark.parametrize("type_", sorted(VALUES))
def test_each_primitive_has_a_value_in_these_tests(type_: str) -> None:
    assert is_primitive(type_)
