"""Structured facts of a CDA body as FHIR R4 resources: results, vital signs, vaccines, medicines, problems, allergies,
acts, requests, stays, devices, habits, pregnancies, abilities, family history, imaging studies, prevention plans.

The facts are an index of the document, made again whenever the extractor changes; the narrative stays what was signed.
Each has a key that the same document always gives, and leaves its patient for the caller to fill.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ambroise.modules.record.cda.extract import (
    allergies,
    care,
    conditions,
    imaging,
    immunizations,
    life,
    medications,
    observations,
    plans,
)
from ambroise.modules.record.cda.extract.reader import FAMILY, Found, Reader
from ambroise.modules.record.cda.model import ClinicalDocument, Level

EXTRACTOR_VERSION = 4
"""Grows whenever the same document would give other resources."""

PATIENT_ELEMENT = {"Immunization": "patient", "AllergyIntolerance": "patient", "FamilyMemberHistory": "patient"}

_EXTRACTORS: tuple[Callable[[Reader], Iterator[Found]], ...] = (
    observations.results,
    observations.vital_signs,
    immunizations.immunizations,
    medications.statements,
    medications.requests,
    medications.dispenses,
    conditions.conditions,
    allergies.allergies,
    plans.prevention_plans,
)
# Those of less common documents, run only on one that declares their model.
_BY_MODEL: tuple[tuple[frozenset[str], Callable[[Reader], Iterator[Found]]], ...] = (
    (frozenset({care.ACT, care.IMAGING_ACT}), care.procedures),
    (frozenset({care.REQUEST}), care.requests),
    (frozenset({care.STAY}), care.encounters),
    (frozenset({care.DEVICE}), care.devices),
    (frozenset({care.DELIVERED}), care.deliveries),
    (frozenset({life.HABIT}), life.habits),
    (frozenset({life.PREGNANCY}), life.pregnancies),
    (frozenset({life.ABILITY}), life.abilities),
    (frozenset({FAMILY}), life.relatives),
    (frozenset({life.STAY_FACT}), life.stay_facts),
    (frozenset({imaging.STUDY}), imaging.studies),
)


class Extract(Struct, frozen=True):
    """One fact: its key (document, entry, version of the extractor), its resource without patient, its section."""

    key: str
    resource: dict[str, Any]
    section: str | None

    @property
    def type(self) -> str:
        """The type of the resource."""
        return self.resource["resourceType"]

    def about(self, patient: dict[str, Any]) -> "Extract":
        """The same fact with the reference of its patient."""
        element = PATIENT_ELEMENT.get(self.type, "subject")
        return replace(self, resource={**self.resource, element: patient})


def extract(document: ClinicalDocument) -> list[Extract]:
    """Every fact of a structured document, in an order that does not change; nothing for an unstructured one.

    An entry that cannot be understood is left to the narrative: extraction never refuses a document.
    """
    if document.level is not Level.STRUCTURED:
        return []
    reader = Reader(document)
    facts = [found for extractor in _EXTRACTORS for found in extractor(reader)]
    for models, extractor in _BY_MODEL:
        if not models.isdisjoint(reader.models):
            _add_new(facts, extractor(reader))
    prefix = document.identifier.xds
    return [Extract(f"{prefix}#{found.entry}#{EXTRACTOR_VERSION}", found.resource, found.section) for found in facts]


def _add_new(facts: list[Found], more: Iterator[Found]) -> None:
    """Add facts, but those that another section of the same document states already, in the same words."""
    for found in more:
        said = _said(found)
        if all(_said(known) != said for known in facts if known.resource["resourceType"] == said["resourceType"]):
            facts.append(found)


def _said(found: Found) -> dict[str, Any]:
    return {name: value for name, value in found.resource.items() if name != "identifier"}
