"""What a validation finds: places as linked tuples, turned into FHIRPath only when there is something to say."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from ambroise.fhir import definitions
from ambroise.kernel.errors import Issue

# (parent, key, index or None); the root is (None, type, None).
Place = tuple[Any, str, int | None]
Issues = list[Issue]

MAX_ISSUES: Final = 100
_SHOWN: Final = 60


def path(place: Place | None) -> str:
    """The place as a FHIRPath: `Patient.contact[1].name.family`."""
    steps: list[str] = []
    while place is not None:
        parent, key, index = place
        steps.append(key if index is None else f"{key}[{index}]")
        place = parent
    return ".".join(reversed(steps))


def found(issues: Issues, place: Place, code: str, diagnostics: str, details: str) -> None:
    """Record one error."""
    where = path(place)
    issues.append(Issue("error", code, f"{where}: {diagnostics}", where, details))


def shown(value: object) -> str:
    """A value for a message, cut short; never a whole document."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _kind(value: object) -> str:
    names: dict[type, str] = {dict: "an object", list: "an array", str: "a text", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")


def not_object(issues: Issues, place: Place, value: object) -> None:
    if value is None:
        return null(issues, place)
    return found(issues, place, "structure", f"an object is wanted, found {_kind(value)}.", "WRONG_TYPE")


def not_array(issues: Issues, place: Place, value: object) -> None:
    if value is None:
        null(issues, place)
    elif value == []:
        found(issues, place, "structure", "an empty array is not allowed: leave the element out.", "EMPTY")
    else:
        found(issues, place, "structure", f"an array is wanted, found {_kind(value)}.", "WRONG_TYPE")


def empty_object(issues: Issues, place: Place) -> None:
    found(issues, place, "structure", "an object without a value, an element or an extension is not allowed.", "EMPTY")


def null(issues: Issues, place: Place) -> None:
    found(issues, place, "structure", "null is allowed only inside an array of primitives.", "NULL")


def missing(issues: Issues, parent: Place, key: str) -> None:
    found(issues, (parent, key, None), "required", "the element is mandatory.", "MISSING_ELEMENT")


def too_many(issues: Issues, place: Place, most: int) -> None:
    found(issues, place, "structure", f"at most {most} values are allowed.", "TOO_MANY")


def unknown(issues: Issues, parent: Place, key: str, shape: str, known: Iterable[str]) -> None:
    text = f"there is no such element in {shape}{nearest(key, known)}"
    found(issues, (parent, key, None), "structure", text, "UNKNOWN_ELEMENT")


def nearest(word: object, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the known one that is nearest, if one is near."""
    near = get_close_matches(word, list(known), 1) if isinstance(word, str) else []
    return f"; did you mean '{near[0]}'?" if near else "."


def two_choices(issues: Issues, parent: Place, stem: str, first: str, second: str) -> None:
    text = f"only one of {first} and {second} is allowed."
    found(issues, (parent, stem, None), "structure", text, "TWO_CHOICES")


def wrong_value(issues: Issues, place: Place, type_: str, value: object, format_: str) -> None:
    if value is None:
        null(issues, place)
    elif type(value) in (dict, list):
        text = f"a {type_} is wanted, found {_kind(value)}."
        found(issues, place, "structure", text, "WRONG_TYPE")
    else:
        found(issues, place, "value", f"{shown(value)} is not a valid {type_}: {format_}.", "BAD_FORMAT")


def wrong_code(issues: Issues, place: Place, value: object, value_set: str) -> None:
    if value is None:
        return null(issues, place)
    text = f"{shown(value)} is not a code of the required value set {value_set}."
    return found(issues, place, "code-invalid", text, "CODE_NOT_IN_VALUE_SET")


def unaligned(issues: Issues, place: Place) -> None:
    text = "the array of extensions must have as many entries as the array of values, and no entry null in both."
    found(issues, place, "structure", text, "UNALIGNED")


def broken(issues: Issues, place: Place, key: str) -> None:
    constraint = definitions.constraints()[key]
    name = key.rpartition(":")[2]
    found(issues, place, "invariant", f"{constraint.human} ({name})", name)
