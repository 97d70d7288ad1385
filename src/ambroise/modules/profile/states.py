"""What is said of a whole section: "I have none", and whether it is hidden. A List, as the standard has for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.modules.profile.fhir import ASSERTED, HOUSE, LOINC, SAYS, Json, code_in, hl7, kept, subject
from ambroise.modules.profile.model import Section
from ambroise.modules.profile.writing import Teller
from ambroise.trust.gateway import Flags, Stored

MARK = "section"
"""The code that all Lists of ours bear."""
SECTION = "urn:ambroise:profile:section"
LOINC_OF: Mapping[Section, str] = {
    Section.ILLNESSES: "11450-4",
    Section.TREATMENTS: "10160-0",
    Section.ALLERGIES: "48765-2",
    Section.VACCINATIONS: "11369-6",
    Section.STAYS: "47519-4",
    Section.FAMILY: "10157-6",
    Section.DISABILITIES: "47420-5",
    Section.HABITS: "29762-2",
    Section.MEASURES: "8716-3",
}
"""Sections as the CI-SIS numbers them."""
_NOTHING = "nilknown"
_REASONS = "http://terminology.hl7.org/CodeSystem/list-empty-reason"


class State(Struct, frozen=True):
    """What is said of a section as a whole."""

    id: str
    none_since: str = ""
    hidden: bool = False


def write(section: Section, patient: UUID, teller: Teller, *, none: bool) -> Json:
    """The List of a section, with the reason why it is empty when that was said."""
    codings = [{"system": HOUSE, "code": MARK}, {"system": SECTION, "code": section.value}]
    if section in LOINC_OF:
        codings.append({"system": LOINC, "code": LOINC_OF[section]})
    return kept(
        {
            "resourceType": "List",
            "meta": {"security": [{"system": SAYS, "code": ASSERTED[teller.by]}]},
            "status": "current",
            "mode": "working",
            "code": {"coding": codings},
            "subject": subject(patient),
            "date": teller.at,
            "source": {"display": teller.name} if teller.name else None,
            "emptyReason": hl7("list-empty-reason", _NOTHING) if none else None,
        }
    )


def read(stored: Stored) -> tuple[Section, State] | None:
    """The section that a List of the holder's side speaks of, and what it says.

    A professional may write a List with any code: it says nothing in the holder's name.
    """
    if not stored.label.flags & Flags.PATIENT_AUTHORED:
        return None
    resource: dict[str, Any] = decode(stored.body)
    name = code_in(resource.get("code"), SECTION)
    if name not in Section._value2member_map_:
        return None
    none = code_in(resource.get("emptyReason"), _REASONS) == _NOTHING
    since = str(resource.get("date", ""))[:10] if none else ""
    return Section(name), State(stored.id, since, bool(stored.label.flags & Flags.MASKED))
