"""FHIRPath Patch: the five operations, places found by path, values of every shape."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.fhir.patch import apply_fhirpath_patch
from ambroise.fhir.patch.locator import locate
from ambroise.fhir.patch.shapes import standard
from ambroise.kernel.errors import Kind, Refusal


def patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "name": [
            {"use": "official", "family": "Exemple", "given": ["Ada", "Rose"]},
            {"use": "usual", "family": "Dupré"},
        ],
        "birthDate": "1979-03-28",
        "deceasedBoolean": False,
    }


def operation(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    built: list[dict[str, Any]] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        if isinstance(value, dict):
            built.append({"name": name, **value})
        elif isinstance(value, int):
            built.append({"name": name, "valueInteger": value})
        else:
            built.append({"name": name, "valueString": value})
    return {"name": "operation", "part": built}


def patched(*operations: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    parameters = {"resourceType": "Parameters", "parameter": list(operations)}
    return apply_fhirpath_patch(resource or patient(), parameters)


def test_add_sets_an_element_that_does_not_repeat() -> None:
    result = patched(
        operation("add", "Patient", name="maritalStatus", value={"valueCodeableConcept": {"text": "Mariée"}})
    )
    assert result["maritalStatus"] == {"text": "Mariée"}


def test_add_appends_to_a_list_or_begins_it() -> None:
    result = patched(
        operation("add", "Patient.name[1]", name="given", value={"valueString": "Ada"}),
        operation("add", "Patient.name[0]", name="given", value={"valueString": "Lou"}),
    )
    assert result["name"][1]["given"] == ["Ada"]
    assert result["name"][0]["given"] == ["Ada", "Rose", "Lou"]


def test_add_refuses_to_hide_a_value() -> None:
    with pytest.raises(Refusal, match="use `replace`"):
        patched(operation("add", "Patient", name="birthDate", value={"valueDate": "1980-01-01"}))
    with pytest.raises(Refusal, match="use `replace`"):
        patched(operation("add", "Patient", name="deceased", value={"valueDateTime": "2026-01-01"}))


def test_add_builds_a_backbone_element_from_parts() -> None:
    contact = {
        "part": [
            {"name": "name", "valueHumanName": {"text": "Un proche"}},
            {"name": "gender", "valueCode": "female"},
        ]
    }
    result = patched(operation("add", "Patient", name="contact", value=contact))
    assert result["contact"] == [{"name": {"text": "Un proche"}, "gender": "female"}]


def test_replace_of_a_choice_may_change_its_type() -> None:
    result = patched(operation("replace", "Patient.deceased", value={"valueDateTime": "2026-01-02"}))
    assert "deceasedBoolean" not in result
    assert result["deceasedDateTime"] == "2026-01-02"


def test_replace_finds_its_place_with_a_filter() -> None:
    result = patched(
        operation(
            "replace", "Patient.name.where(use = 'usual' and family.exists()).family", value={"valueString": "Durand"}
        )
    )
    assert [name["family"] for name in result["name"]] == ["Exemple", "Durand"]


def test_replace_changes_one_item_of_a_list_of_primitives() -> None:
    result = patched(operation("replace", "Patient.name[0].given[1]", value={"valueString": "Lou"}))
    assert result["name"][0]["given"] == ["Ada", "Lou"]


def test_insert_shifts_the_items_that_follow() -> None:
    result = patched(operation("insert", "Patient.name[0].given", index=1, value={"valueString": "Lou"}))
    assert result["name"][0]["given"] == ["Ada", "Lou", "Rose"]


def test_move_reorders_a_list() -> None:
    result = patched(operation("move", "Patient.name", source=1, destination=0))
    assert [name["use"] for name in result["name"]] == ["usual", "official"]


def test_delete_takes_out_the_list_with_its_last_item_and_the_empty_object_with_its_last_field() -> None:
    one = {"resourceType": "Patient", "name": [{"given": ["Ada"]}]}
    assert patched(operation("delete", "Patient.name.given"), resource=one) == {"resourceType": "Patient"}


def test_delete_of_what_is_not_there_changes_nothing() -> None:
    assert patched(operation("delete", "Patient.maritalStatus")) == patient()


def test_an_extension_is_added_beside_a_primitive() -> None:
    extension = {"valueExtension": {"url": "http://example.test/e", "valueCode": "x"}}
    result = patched(operation("add", "Patient.birthDate", name="extension", value=extension))
    assert result["_birthDate"] == {"extension": [{"url": "http://example.test/e", "valueCode": "x"}]}
    again = patched(
        operation("replace", "Patient.birthDate.extension('http://example.test/e').value", value={"valueCode": "y"}),
        resource=result,
    )
    assert again["_birthDate"]["extension"][0]["valueCode"] == "y"


def test_an_extension_beside_one_item_keeps_the_two_lists_aligned() -> None:
    extension = {"valueExtension": {"url": "http://example.test/e", "valueCode": "x"}}
    result = patched(
        operation("add", "Patient.name[0].given[1]", name="extension", value=extension),
        operation("insert", "Patient.name[0].given", index=0, value={"valueString": "Lou"}),
        operation("delete", "Patient.name[0].given[1]"),
    )
    assert result["name"][0]["given"] == ["Lou", "Rose"]
    assert [item is not None for item in result["name"][0]["_given"]] == [False, True]


def test_the_argument_is_left_as_it_was() -> None:
    resource = patient()
    patched(operation("delete", "Patient.name[0]"), resource=resource)
    assert resource == patient()


@pytest.mark.parametrize(
    "wrong",
    [
        operation("replace", "Patient.name", value={"valueString": "x"}),
        operation("delete", "Patient.name"),
        operation("delete", "Patient"),
        operation("add", "Patient", name="nothing", value={"valueString": "x"}),
        operation("add", "Patient", name="deceased", value={"valueQuantity": {"value": Decimal(1)}}),
        operation("insert", "Patient.name", index=9, value={"valueHumanName": {}}),
        operation("insert", "Patient.contact", index=0, value={"valueHumanName": {}}),
        operation("move", "Patient.name", source=0, destination=9),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_as_such(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        patched(wrong)
    assert (refused.value.kind, refused.value.code) == (Kind.UNPROCESSABLE, "PATCH_NOT_APPLICABLE")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "Patient.",
        "Patient.name[",
        "Patient.name.where(use='a'",
        "Patient.name.resolve()",
        "Patient name",
        "'x'.y",
        "Patient.%a",
    ],
)
def test_a_path_that_cannot_be_read_is_refused_as_such(path: str) -> None:
    with pytest.raises(Refusal) as refused:
        patched(operation("delete", path))
    assert (refused.value.kind, refused.value.code) == (Kind.INVALID, "PATCH_MALFORMED")


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("Patient.name", 2),
        ("name", 2),
        ("Patient.name.given", 2),
        ("Patient.name.first().given.last()", 1),
        ("Patient.name.where(use != 'usual')", 1),
        ("Patient.name.where(given.empty())", 1),
        ("Patient.name.where(given.exists($this = 'Rose'))", 1),
        ("Patient.name.where((use = 'usual' or use = 'official').not())", 0),
        ("Patient.name.tail()", 1),
        ("Patient.name.skip(1).take(5)", 1),
        ("Patient.deceased.ofType(boolean)", 1),
        ("Patient.deceased.ofType(dateTime)", 0),
        ("Patient.name.where(family.startsWith('Ex'))", 1),
        ("Patient.birthDate.where($this = @1979-03-28)", 1),
    ],
)
def test_a_path_designates_the_places_that_fhirpath_says(path: str, count: int) -> None:
    assert len(locate(path, patient(), standard)) == count


@given(
    st.text("Patient.name[0]wher(use='x')and $this exst", max_size=40),
    st.sampled_from(["add", "delete", "replace", "move"]),
)
def test_any_path_gives_a_resource_or_a_refusal(path: str, kind: str) -> None:
    with contextlib.suppress(Refusal):
        patched(operation(kind, path, name="given", value={"valueString": "x"}, source=0, destination=0))
