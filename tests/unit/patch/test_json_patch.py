"""JSON Patch on resources: RFC 6902, all or nothing, decimals keep their text."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.fhir.json import decode, encode
from ambroise.fhir.patch import apply_json_patch
from ambroise.kernel.errors import Kind, Refusal

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "active": True,
    "name": [{"family": "Exemple", "given": ["Ada", "Rose"]}],
    "a/b": 1,
    "m~n": 2,
}


def op(name: str, path: str, **fields: Any) -> dict[str, Any]:
    if "from_" in fields:
        fields["from"] = fields.pop("from_")
    return {"op": name, "path": path, **fields}


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        (op("add", "/gender", value="female"), ("gender",), "female"),
        (op("add", "/name/0/given/1", value="Lou"), ("name", 0, "given"), ["Ada", "Lou", "Rose"]),
        (op("add", "/name/0/given/-", value="Lou"), ("name", 0, "given"), ["Ada", "Rose", "Lou"]),
        (op("add", "/active", value=False), ("active",), False),
        (op("replace", "/name/0/family", value="Autre"), ("name", 0, "family"), "Autre"),
        (op("remove", "/name/0/given/0"), ("name", 0, "given"), ["Rose"]),
        (op("move", "/name/0/given/0", from_="/name/0/given/1"), ("name", 0, "given"), ["Rose", "Ada"]),
        (op("copy", "/name/0/text", from_="/name/0/family"), ("name", 0, "text"), "Exemple"),
        (op("replace", "/a~1b", value=3), ("a/b",), 3),
        (op("replace", "/m~0n", value=3), ("m~n",), 3),
        (op("test", "/active", value=True), ("active",), True),
    ],
)
def test_each_operation_does_what_rfc_6902_says(
    operation: dict[str, Any], path: tuple[Any, ...], expected: Any
) -> None:
    value: Any = apply_json_patch(PATIENT, [operation])
    for step in path:
        value = value[step]
    assert value == expected


def test_the_argument_is_left_as_it_was() -> None:
    before = encode(PATIENT)
    apply_json_patch(PATIENT, [op("remove", "/name"), op("add", "/gender", value="other")])
    assert encode(PATIENT) == before


def test_a_failing_test_operation_refuses_the_whole_patch() -> None:
    with pytest.raises(Refusal) as refused:
        apply_json_patch(PATIENT, [op("remove", "/name"), op("test", "/active", value=False)])
    assert (refused.value.kind, refused.value.code) == (Kind.UNPROCESSABLE, "PATCH_TEST_FAILED")


def test_true_is_not_one_and_20_0_equals_20_00() -> None:
    resource = {"active": True, "value": Decimal("20.00")}
    apply_json_patch(resource, [op("test", "/value", value=Decimal("20.0"))])
    with pytest.raises(Refusal, match="PATCH_TEST_FAILED"):
        apply_json_patch(resource, [op("test", "/active", value=1)])


def test_numbers_that_a_patch_does_not_touch_keep_their_text() -> None:
    resource = decode(b'{"resourceType":"Observation","valueQuantity":{"value":20.00},"n":[1e3,0.00000001,-0.0]}')
    patched = apply_json_patch(resource, [op("add", "/status", value="final")])
    assert encode(patched) == (
        b'{"resourceType":"Observation","valueQuantity":{"value":20.00},"n":[1e3,0.00000001,-0.0],"status":"final"}'
    )


@pytest.mark.parametrize(
    "patch",
    [
        {},
        "text",
        [1],
        [op("frobnicate", "/a")],
        [{"op": "add", "value": 1}],
        [op("add", "a", value=1)],
        [op("add", "/a~2", value=1)],
        [op("add", "/a")],
        [op("move", "/a")],
        [{"op": ["add"], "path": "/a", "value": 1}],
        [op("add", "/a", value=1)] * 1001,
    ],
)
def test_a_malformed_patch_is_refused_as_such(patch: Any) -> None:
    with pytest.raises(Refusal) as refused:
        apply_json_patch(PATIENT, patch)
    assert (refused.value.kind, refused.value.code) == (Kind.INVALID, "PATCH_MALFORMED")


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "/nothing"),
        op("replace", "/nothing", value=1),
        op("add", "/nothing/deeper", value=1),
        op("add", "/name/7", value={}),
        op("add", "/name/01", value={}),
        op("remove", "/name/-"),
        op("replace", "/name/0/family/x", value=1),
        op("move", "/name/0/given", from_="/name"),
        op("remove", ""),
        op("replace", "", value=[1]),
        op("add", "/name/99999999999999999999", value={}),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_as_such(operation: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        apply_json_patch(PATIENT, [operation])
    assert (refused.value.kind, refused.value.code) == (Kind.UNPROCESSABLE, "PATCH_NOT_APPLICABLE")


def test_copies_that_double_the_resource_at_each_step_are_stopped() -> None:
    doubling = [op("copy", f"/x{n}", from_="") for n in range(60)]
    with pytest.raises(Refusal, match="PATCH_NOT_APPLICABLE"):
        apply_json_patch(PATIENT, doubling)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OPERATION = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": st.text("/-01ab~name", max_size=9),
    },
    optional={"value": JSON, "from": st.text("/-01ab~", max_size=6)},
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "0", "name"]), JSON, max_size=4), st.lists(OPERATION | JSON, max_size=5)
)
def test_any_patch_gives_a_resource_or_a_refusal(resource: dict[str, Any], patch: list[Any]) -> None:
    before = encode(resource)
    with contextlib.suppress(Refusal):
        assert isinstance(apply_json_patch(resource, patch), dict)
    assert encode(resource) == before
