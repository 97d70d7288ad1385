"""The compiled R4 definitions: types, their numbers, their elements, their search parameters."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ambroise.fhir.definitions import artefact
from ambroise.fhir.definitions.artefact import constraints, manifest, shape
from ambroise.fhir.definitions.model import (
    UNBOUNDED,
    Component,
    Constraint,
    Element,
    Manifest,
    SearchParameter,
    Shape,
    TypeRef,
)

__all__ = [
    "UNBOUNDED",
    "Component",
    "Constraint",
    "Element",
    "Manifest",
    "SearchParameter",
    "Shape",
    "TypeRef",
    "compartment",
    "constraints",
    "data_types",
    "is_resource_type",
    "manifest",
    "patient_compartment",
    "resource_types",
    "search_parameters",
    "shape",
    "summary_elements",
    "type_name",
    "type_number",
]


@cache
def resource_types() -> tuple[str, ...]:
    """The concrete R4 resource types, in alphabetical order."""
    return tuple(sorted(artefact.index().types))


def is_resource_type(name: object) -> bool:
    """Whether `name` is a concrete R4 resource type."""
    return isinstance(name, str) and name in artefact.index().types


@cache
def data_types() -> tuple[str, ...]:
    """The R4 data types, primitive and complex."""
    return artefact.index().data_types


def type_number(name: str) -> int:
    """The stable small number of a resource type. Raises KeyError."""
    return artefact.index().types[name]


@cache
def _names() -> dict[int, str]:
    return {number: name for name, number in artefact.index().types.items()}


def type_name(number: int) -> str:
    """The resource type that has this number. Raises KeyError."""
    return _names()[number]


@cache
def search_parameters(type_: str) -> Mapping[str, SearchParameter]:
    """The search parameters of a resource type by code, those of every resource (`_id`, `_tag`…) included.

    Raises KeyError for what is not a resource type.
    """
    if type_ not in artefact.index().types:
        raise KeyError(type_)
    rows = (*artefact.parameters("Resource"), *artefact.parameters(type_))
    return MappingProxyType({row.code: row for row in rows})


def compartment(name: str, type_: str) -> tuple[str, ...]:
    """The search parameters that put a resource of `type_` in the compartment of a `name` (Patient, Device…)."""
    return artefact.index().compartments[name].get(type_, ())


def patient_compartment(type_: str) -> tuple[str, ...]:
    """The search parameters that put a resource of `type_` in a patient's compartment; empty when none does.

    A Patient is in its own compartment by its id, whatever this says.
    """
    return compartment("Patient", type_)


@cache
def summary_elements(type_: str) -> frozenset[str]:
    """The JSON keys of `type_` that `_summary=true` keeps: marked by the standard, or mandatory."""
    kept = {"resourceType", "id", "meta"}
    for element in shape(type_).elements:
        if element.summary or element.minimum > 0:
            kept.update(key for key, _ in element.keys)
    return frozenset(kept)
