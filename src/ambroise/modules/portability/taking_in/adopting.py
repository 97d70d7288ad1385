"""A resource of elsewhere made ours: about this patient, from this document, pointing at nothing that is not here."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from ambroise.fhir.validation import validate
from ambroise.modules.portability.taking_in.model import Item, Json, Problem

TAKEN: Final[Mapping[str, str]] = {
    "AllergyIntolerance": "patient",
    "Condition": "subject",
    "DeviceUseStatement": "subject",
    "FamilyMemberHistory": "patient",
    "Immunization": "patient",
    "MedicationRequest": "subject",
    "MedicationStatement": "subject",
    "Observation": "subject",
    "Procedure": "subject",
}
"""The sorts of facts taken from elsewhere, and where each names its patient."""
_NOT_OURS: Final = ("id", "meta", "text", "implicitRules", "encounter", "partOf", "basedOn", "derivedFrom", "hasMember")
_PLACEHOLDER: Final = "Patient/00000000-0000-0000-0000-000000000000"


def item(resource: Json, key: str, others: Mapping[str, Json]) -> Item:
    """One fact of a file. `others`: what else the file holds, by the references that name it."""
    type = str(resource.get("resourceType"))
    if type not in TAKEN:
        return Item(key, type, _words(resource), {}, Problem.TYPE)
    clean = _clean(resource, others)
    clean[TAKEN[type]] = {"reference": _PLACEHOLDER}
    problem = Problem.INVALID if validate(clean) else None
    return Item(key, type, _words(clean), clean, problem)


def about(item: Item, patient: str, document: str) -> Json:
    """The resource of an item, of this patient and from this document."""
    return {
        **item.resource,
        TAKEN[item.type]: {"reference": patient},
        "meta": {"source": document},
    }


def _clean(resource: Json, others: Mapping[str, Json]) -> Json:
    kept: Json = {name: deepcopy(value) for name, value in resource.items() if name not in _NOT_OURS}
    medication = kept.pop("medicationReference", None)
    if medication is not None:
        found = others.get(str(medication.get("reference"))) or {}
        display = medication.get("display") or _words(found)
        kept["medicationCodeableConcept"] = found.get("code") or {"text": display}
    told: Json = _without_references(kept, others)
    return told


def _without_references(value: Any, others: Mapping[str, Json]) -> Any:
    """The same, where a reference to what stays elsewhere becomes the name of it."""
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [_without_references(one, others) for one in items]
    if not isinstance(value, dict):
        return value
    fields: Json = value  # pyright: ignore[reportUnknownVariableType]
    target = fields.get("reference")
    if isinstance(target, str) and not target.startswith("#"):
        display = fields.get("display") or _words(others.get(target) or {}) or target.rpartition("/")[2]
        rest = {name: one for name, one in fields.items() if name in ("identifier", "type")}
        return {**rest, "display": display}
    return {name: _without_references(one, others) for name, one in fields.items()}


def _words(resource: Mapping[str, Any]) -> str:
    """What a resource is about, in its own words."""
    for name in ("code", "vaccineCode", "medicationCodeableConcept", "relationship", "type", "name"):
        found: Any = resource.get(name)
        if isinstance(found, str):
            return found
        if isinstance(found, list) and found:
            found = found[0]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(found, dict):
            concept: Json = found  # pyright: ignore[reportUnknownVariableType]
            codings: list[Json] = concept.get("coding") or []
            said = concept.get("text") or next((one["display"] for one in codings if one.get("display")), "")
            given = " ".join([*concept.get("given", ()), str(concept.get("family", ""))]).strip()
            if said or given:
                return str(said or given)
    return ""
