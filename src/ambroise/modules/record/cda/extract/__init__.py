"""Structured facts of a CDA body as FHIR R4 resources: results, vital signs, vaccines, medicines, problems, allergies.

The facts are an index of the document, made again whenever the extractor changes; the narrative stays what was signed.
Each has a key that the same document always gives, and leaves its patient for the caller to fill.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ambroise.modules.record.cda.extract import allergies, conditions, immunizations, medications, observations
from ambroise.modules.record.cda.extract.base import Found, Reader
from ambroise.modules.record.cda.model import ClinicalDocument, Level

EXTRACTOR_VERSION = 1
"""Grows whenever the same document would give other resources."""

PATIENT_ELEMENT = {"Immunization": "patient", "AllergyIntolerance": "patient"}

_EXTRACTORS: tuple[Callable[[Reader], Iterator[Found]], ...] = (
    observations.results,
    observations.vital_signs,
    immunizations.immunizations,
    medications.statements,
    medications.requests,
    medications.dispenses,
    conditions.conditions,
    allergies.allergies,
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
    return [
        Extract(f"{document.identifier.xds}#{found.entry}#{EXTRACTOR_VERSION}", found.resource, found.section)
        for extractor in _EXTRACTORS
        for found in extractor(reader)
    ]
