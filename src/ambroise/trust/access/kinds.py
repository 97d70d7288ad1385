"""Kinds: what a resource counts as for the access matrix, as small numbers read from data."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from msgspec import Struct

from ambroise.fhir.definitions import patient_compartment

UNLABELLED = 0
OPERATIONAL = 900
IDENTITY = 901
SUBMISSION = 902


class Shelf(Enum):
    """Where a type stands: in one patient's space, open to any signed-in caller, or for the operator."""

    PATIENT = "patient"
    OPEN = "open"
    CLOSED = "closed"


def load_table(name: str) -> dict[str, Any]:
    """Read one data file of the access rules."""
    return tomllib.loads((files("ambroise.trust.access") / "data" / name).read_text("utf-8"))


class KindTable(Struct, frozen=True):
    """The numbers of the document types, their classes, and the pseudo-kinds."""

    version: str
    numbers: Mapping[str, int]
    classes: Mapping[str, frozenset[int]]
    pseudo: Mapping[str, int]

    def number(self, name: str) -> int:
        """The number of a type code or pseudo-kind; raises KeyError for what is neither."""
        return self.numbers[name] if name in self.numbers else self.pseudo[name]

    def of_classes(self, names: Iterable[str]) -> frozenset[int]:
        """Every kind of these classes."""
        return frozenset(kind for name in names for kind in self.classes[name])

    def code(self, kind: int) -> str | None:
        """The type code (or pseudo-kind name) behind a number."""
        return _names().get(kind)


@lru_cache(maxsize=1)
def kinds() -> KindTable:
    """The kinds of this version of the software."""
    raw = load_table("kinds.toml")
    classes = cast(Mapping[str, Mapping[str, int]], raw["class"])
    numbers = {code: number for members in classes.values() for code, number in members.items()}
    if len(set(numbers.values())) != len(numbers):
        raise ValueError("kinds.toml gives one number to two types")
    return KindTable(
        version=raw["version"],
        numbers=numbers,
        classes={name: frozenset(members.values()) for name, members in classes.items()},
        pseudo=raw["pseudo"],
    )


@lru_cache(maxsize=1)
def _names() -> dict[int, str]:
    table = kinds()
    return {number: name for source in (table.numbers, table.pseudo) for name, number in source.items()}


@lru_cache(maxsize=1)
def _resources() -> dict[str, Any]:
    return load_table("resources.toml")


@lru_cache(maxsize=512)
def shelf_of(type: str, *, with_patient: bool = True) -> Shelf:
    """Where a resource of this type stands; `with_patient` tells whether this one names a patient."""
    shelves = _resources()["shelves"]
    if type in shelves["open"]:
        return Shelf.OPEN
    if with_patient:
        return Shelf.PATIENT
    return Shelf.OPEN if type in shelves["open_without_patient"] else Shelf.CLOSED


@lru_cache(maxsize=1)
def open_types() -> tuple[str, ...]:
    """Types that any signed-in caller reads when no patient is named."""
    shelves = _resources()["shelves"]
    return (*shelves["open"], *shelves["open_without_patient"])


@lru_cache(maxsize=512)
def needs_patient(type: str) -> bool:
    """Whether a resource of this type must name exactly one patient."""
    shelves = _resources()["shelves"]
    if type in shelves["open"] or type in shelves["patient_optional"] or type == "Patient":
        return False
    return bool(patient_compartment(type))


@lru_cache(maxsize=512)
def always_inside(type: str) -> bool:
    """Whether every resource of this type belongs to a patient's record."""
    return type == "Patient" or needs_patient(type)


def kind_of(resource: Mapping[str, Any]) -> int:
    """The kind of a resource that nobody labelled, from its type, its category and its document code."""
    table, raw, type = kinds(), _resources(), str(resource.get("resourceType"))
    if type in raw["typed"]["types"]:
        for code in _codes(resource.get("type")):
            if code in table.numbers:
                return table.numbers[code]
    for element in ("category", "code"):
        known = raw[element].get(type, {})
        for code in _codes(resource.get(element)) if known else ():
            if code in known:
                return table.number(known[code])
    if type == "Encounter":
        name = raw["category"]["Encounter"].get(_code(resource.get("class")))
        if name:
            return table.number(name)
    return table.number(raw["kind"].get(type, "OPERATIONAL"))


def citizen_may_write(type: str) -> bool:
    """Whether citizens may write this type themselves, as their own notes."""
    return type in _resources()["write"]["citizen"]


def citizen_may_tell(type: str, kind: int) -> bool:
    """Whether a citizen's own words of this type and kind may be told to professionals, filed by the profile."""
    return kind not in (UNLABELLED, OPERATIONAL, IDENTITY, SUBMISSION) and (
        type in _resources()["write"]["citizen_profile"]
    )


@lru_cache(maxsize=1)
def citizen_kinds() -> frozenset[int]:
    """The document types that citizens file themselves."""
    return kinds().of_classes(_resources()["write"]["citizen_classes"])


def professional_may_write(type: str, kind: int) -> bool:
    """Whether professionals may write this type for a patient by the generic door."""
    return kind not in (OPERATIONAL, IDENTITY) or type in _resources()["write"]["professional"]


def _codes(value: Any) -> Iterable[str]:
    """Every code of a CodeableConcept or a list of them."""
    concepts = cast(list[Any], value if isinstance(value, list) else [value] if value else [])
    for concept in concepts:
        if isinstance(concept, dict):
            for coding in cast(list[Any], cast(dict[str, Any], concept).get("coding") or []):
                code = _code(coding)
                if code:
                    yield code


def _code(value: Any) -> str | None:
    if isinstance(value, dict):
        code = cast(dict[str, Any], value).get("code")
        return code if isinstance(code, str) else None
    return None
