"""What each section counts as for the access matrix."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ambroise.modules.profile.fhir import hl7
from ambroise.modules.profile.model import Section
from ambroise.trust.access.kinds import kind_of, kinds

# What the type alone does not say: who cares for somebody is part of the summary, what they wish is their own word.
_NAMED: Mapping[Section, str] = {Section.NETWORK: "60591-5", Section.DONATION: "EXPPAT_1"}
_TYPES: Mapping[Section, tuple[str, str]] = {
    Section.ILLNESSES: ("Condition", ""),
    Section.TREATMENTS: ("MedicationStatement", ""),
    Section.ALLERGIES: ("AllergyIntolerance", ""),
    Section.VACCINATIONS: ("Immunization", ""),
    Section.STAYS: ("Procedure", ""),
    Section.FAMILY: ("FamilyMemberHistory", ""),
    Section.DISABILITIES: ("Observation", "social-history"),
    Section.BLOOD: ("Observation", "laboratory"),
    Section.MEASURES: ("Observation", "vital-signs"),
    Section.TARGETS: ("Goal", ""),
    Section.HABITS: ("Observation", "social-history"),
    Section.CONTACTS: ("RelatedPerson", ""),
}


@cache
def kind_of_section(section: Section) -> int:
    """The kind under which what a person tells in this section is read by professionals."""
    if section in _NAMED:
        return kinds().number(_NAMED[section])
    type, category = _TYPES[section]
    sample: dict[str, Any] = {"resourceType": type}
    if category:
        sample["category"] = [hl7("observation-category", category)]
    return kind_of(sample)
