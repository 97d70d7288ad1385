"""JSON Merge Patch: what is given replaces, null removes, the rest stays."""

from decimal import Decimal

from ambroise.fhir.patch import apply_merge_patch


def test_what_is_given_replaces_and_null_removes() -> None:
    before = {"a": 1, "b": {"c": Decimal("2.00"), "d": 3}, "e": [1, 2]}
    after = apply_merge_patch(before, {"a": None, "b": {"d": 4}, "e": [5], "f": {"g": None, "h": 6}})
    assert after == {"b": {"c": Decimal("2.00"), "d": 4}, "e": [5], "f": {"h": 6}}
    assert str(after["b"]["c"]) == "2.00"
    assert before == {"a": 1, "b": {"c": Decimal("2.00"), "d": 3}, "e": [1, 2]}


def test_an_object_replaces_what_is_not_one() -> None:
    assert apply_merge_patch({"a": [1]}, {"a": {"b": 1}}) == {"a": {"b": 1}}
