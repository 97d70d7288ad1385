"""A FHIR resource as a line of the profile, whoever wrote it: what it says, and who says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.modules.profile import links
from ambroise.modules.profile.fhir import ASSERTED, SAYS, Json, child, children, comment_of, day_of
from ambroise.modules.profile.model import Item, Origin
from ambroise.modules.profile.reading import facts, observed, people
from ambroise.modules.profile.reading.told import Told
from ambroise.trust.gateway import Flags, Stored

_BY: Mapping[str, Literal["patient", "representative", "carer", "professional"]] = {
    "PATAST": "patient",
    "SDMAST": "representative",
    "PACQAST": "carer",
    "HCPAST": "professional",
}
assert {code: by for by, code in ASSERTED.items()} == dict(_BY)  # noqa: S101
_OWN, _MASKED = int(Flags.PATIENT_AUTHORED), int(Flags.MASKED)
_WITHHELD = int(Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES)
_READERS: Mapping[str, Callable[[Json], Told | None]] = {
    "Condition": facts.condition,
    "MedicationStatement": facts.medication,
    "AllergyIntolerance": facts.allergy,
    "Immunization": facts.immunization,
    "Procedure": facts.procedure,
    "FamilyMemberHistory": facts.family,
    "Observation": observed.observation,
    "Goal": observed.goal,
    "CareTeam": people.team,
    "RelatedPerson": people.contact,
}


def read(stored: Stored) -> Item | None:
    """The line that a stored resource makes; None for what has no place in the profile."""
    resource = decode(stored.body)
    reader = _READERS.get(stored.type)
    told = reader(resource) if reader is not None else None
    if told is None or not told.name:
        return None
    # As an integer: the operators of a flag class make an object each, four times a line.
    flags = int(stored.label.flags)
    own = bool(flags & _OWN)
    return Item(
        id=stored.id,
        type=stored.type,
        section=told.section,
        name=told.name,
        origin=_origin(resource, stored.label.source, own=own),
        recorded=_recorded(resource) or stored.updated.date().isoformat(),
        code=told.code,
        comment=comment_of(resource),
        start=told.start,
        end=told.end,
        details=told.details,
        active=told.active,
        denied=told.denied,
        hidden=bool(flags & _MASKED),
        own=own,
        withheld=bool(flags & _WITHHELD),
        version=stored.version,
        links=links.read(resource),
    )


def titled(item: Item, title: str, author: str) -> Item:
    """The line with the title and the author of the document it was read from."""
    return replace(item, origin=replace(item.origin, title=title, name=author))


def _origin(resource: Json, document: UUID | None, *, own: bool) -> Origin:
    """Who says it: by the label, which nobody writes, and within what it allows by what the resource says of itself."""
    if document is not None:
        return Origin("document", document=str(document))
    said: Literal["patient", "representative", "carer", "professional"] | None = next(
        (_BY[code] for code in _asserted(resource) if code in _BY), None
    )
    if said is None or (own and said == "professional"):
        said = "patient" if own else "professional"
    return Origin(said, _name(resource))


def _asserted(resource: Json) -> list[str]:
    labels = children(child(resource, "meta"), "security")
    return [str(one.get("code", "")) for one in labels if one.get("system") == SAYS]


def _name(resource: Json) -> str:
    for element in ("asserter", "recorder", "informationSource", "expressedBy"):
        if child(resource, element).get("display"):
            return str(resource[element]["display"])
    for one in children(resource, "performer"):
        name = one.get("display") or child(one, "actor").get("display")
        if name:
            return str(name)
    return ""


def _recorded(resource: Json) -> str:
    elements = ("recordedDate", "dateAsserted", "recorded", "issued", "date", "startDate")
    return next((day_of(resource[name]) for name in elements if resource.get(name)), "")
