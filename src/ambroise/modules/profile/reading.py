"""A FHIR resource as a line of the profile, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.modules.profile import links
from ambroise.modules.profile.fhir import (
    ASSERTED,
    HOUSE,
    LOINC,
    ROLE_CODE,
    SAYS,
    Json,
    child,
    children,
    code_in,
    codes_in,
    coding_of,
    comment_of,
    day_of,
    first_of,
    words_of,
)
from ambroise.modules.profile.limits import CHOICES
from ambroise.modules.profile.measures import Measure, by_code
from ambroise.modules.profile.model import Code, Item, Origin, Section
from ambroise.modules.profile.writing import BLOOD_GROUP, DISABILITY, DURATION, HABITS, KINSHIP, MOMENT
from ambroise.trust.gateway import Flags, Stored

_BY: Mapping[str, Literal["patient", "representative", "carer", "professional"]] = {
    "PATAST": "patient",
    "SDMAST": "representative",
    "PACQAST": "carer",
    "HCPAST": "professional",
}
assert {code: by for by, code in ASSERTED.items()} == dict(_BY)  # noqa: S101
_HABIT_OF = {pair: name for name, pair in HABITS.items()}
_KIN_OF = {code: name for name, code in KINSHIP.items()}
_OWN, _MASKED = int(Flags.PATIENT_AUTHORED), int(Flags.MASKED)
_WITHHELD = int(Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES)
_OVER = frozenset({"inactive", "resolved", "remission"})
_UNIT_OF = {"d": "DAY", "wk": "WEEK", "mo": "MONTH", "a": "YEAR"}


class _Told(Struct, frozen=True):
    """What a resource says, before who said it."""

    section: Section
    name: str
    code: Code | None = None
    start: str = ""
    end: str = ""
    details: Mapping[str, str] = {}
    active: bool = True
    denied: bool = False


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


def _condition(resource: Json) -> _Told | None:
    status = code_in(resource.get("clinicalStatus"), "http://terminology.hl7.org/CodeSystem/condition-clinical")
    sure = code_in(resource.get("verificationStatus"), "http://terminology.hl7.org/CodeSystem/condition-ver-status")
    if sure == "entered-in-error":
        return None
    began = resource.get("onsetDateTime") or child(resource, "onsetPeriod").get("start")
    return _Told(
        Section.ILLNESSES,
        words_of(resource.get("code")),
        coding_of(resource.get("code")),
        start=day_of(began),
        end=day_of(resource.get("abatementDateTime")),
        active=status not in _OVER,
        denied=sure == "refuted",
    )


def _medication(resource: Json) -> _Told | None:
    status = str(resource.get("status", ""))
    if status == "entered-in-error":
        return None
    medicine: Json = resource.get("medicationCodeableConcept") or {"text": _display(resource, "medicationReference")}
    period: Json = child(resource, "effectivePeriod")
    dosages = [str(one.get("text", "")) for one in children(resource, "dosage") if one.get("text")]
    reasons = [words_of(one) for one in children(resource, "reasonCode")]
    details = {"dosage": "\n".join(dosages), "reason": ", ".join(filter(None, reasons))}
    return _Told(
        Section.TREATMENTS,
        words_of(medicine),
        coding_of(medicine),
        start=day_of(period.get("start") or resource.get("effectiveDateTime")),
        end=day_of(period.get("end")),
        details={name: value for name, value in details.items() if value},
        active=status in ("active", "intended", "on-hold", "unknown"),
        denied=status == "not-taken",
    )


def _allergy(resource: Json) -> _Told | None:
    status = code_in(
        resource.get("clinicalStatus"), "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
    )
    sure = code_in(
        resource.get("verificationStatus"), "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    )
    if sure == "entered-in-error":
        return None
    reactions = [
        words_of(one) for reaction in children(resource, "reaction") for one in children(reaction, "manifestation")
    ]
    details = {"reaction": ", ".join(filter(None, reactions)), "criticality": str(resource.get("criticality", ""))}
    return _Told(
        Section.ALLERGIES,
        words_of(resource.get("code")),
        coding_of(resource.get("code")),
        start=day_of(resource.get("onsetDateTime")),
        details={name: value for name, value in details.items() if value},
        active=status not in _OVER,
        denied=sure == "refuted",
    )


def _immunization(resource: Json) -> _Told | None:
    if resource.get("status") == "entered-in-error":
        return None
    protocol: Json = first_of(resource.get("protocolApplied"))
    performers = [_display(one, "actor") for one in children(resource, "performer")]
    details = {
        "lot": str(resource.get("lotNumber", "")),
        "expires": day_of(resource.get("expirationDate")),
        "stage": str(protocol.get("series", "")),
        "rank": str(protocol.get("doseNumberPositiveInt") or protocol.get("doseNumberString") or ""),
        "performer": ", ".join(filter(None, performers)),
        "route": words_of(resource.get("route")),
        "site": words_of(resource.get("site")),
    }
    return _Told(
        Section.VACCINATIONS,
        words_of(resource.get("vaccineCode")),
        coding_of(resource.get("vaccineCode")),
        start=day_of(resource.get("occurrenceDateTime")),
        details={name: value for name, value in details.items() if value},
        denied=resource.get("status") == "not-done",
    )


def _procedure(resource: Json) -> _Told | None:
    if resource.get("status") == "entered-in-error":
        return None
    period: Json = child(resource, "performedPeriod")
    details: dict[str, str] = {}
    for one in children(resource, "extension"):
        if one.get("url") == DURATION:
            lasting: Json = child(one, "valueDuration")
            details = {"duration": str(lasting.get("value", "")), "unit": _UNIT_OF.get(lasting.get("code", ""), "DAY")}
    return _Told(
        Section.STAYS,
        words_of(resource.get("code")),
        coding_of(resource.get("code")),
        start=day_of(resource.get("performedDateTime") or period.get("start")),
        end=day_of(period.get("end")),
        details=details,
        denied=resource.get("status") == "not-done",
    )


def _family(resource: Json) -> _Told | None:
    if resource.get("status") == "entered-in-error":
        return None
    found: Json = first_of(resource.get("condition"))
    relation = code_in(resource.get("relationship"), HOUSE) or _KIN_OF.get(
        code_in(resource.get("relationship"), ROLE_CODE), "OTHER"
    )
    return _Told(
        Section.FAMILY,
        words_of(found.get("code")),
        coding_of(found.get("code")),
        details={"relation": relation},
    )


def _observation(resource: Json) -> _Told | None:
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return None
    pairs = {(str(one.get("system", "")), str(one.get("code", ""))) for one in _codings(resource)}
    day = day_of(resource.get("effectiveDateTime") or child(resource, "effectivePeriod").get("start"))
    if DISABILITY in pairs:
        return _disability(resource)
    if BLOOD_GROUP in pairs:
        value: Json = child(resource, "valueCodeableConcept")
        return _Told(Section.BLOOD, words_of(value), coding_of(value), start=day)
    if (HOUSE, "informedAboutOrganDonation") in pairs:
        informed = "yes" if resource.get("valueBoolean") is True else "no"
        return _Told(Section.DONATION, "informed", start=day, details={"informed": informed})
    habit = next((_HABIT_OF[pair] for pair in pairs if pair in _HABIT_OF), None)
    if habit is not None:
        return _Told(Section.HABITS, _said(resource), start=day, details={"habit": habit})
    measure = next((by_code()[pair] for pair in pairs if pair in by_code()), None)
    return _measured(resource, measure, day) if measure is not None else None


def _disability(resource: Json) -> _Told:
    details: dict[str, str] = {}
    kinds: list[str] = []
    for part in children(resource, "component"):
        name = code_in(part.get("code"), HOUSE)
        value = code_in(part.get("valueCodeableConcept"), HOUSE) or str(part.get("valueString", ""))
        if name == "type":
            kinds.append(value)
        elif name and value:
            details[name] = value
    if kinds:
        details["disability"] = ",".join(kinds)
    return _Told(Section.DISABILITIES, _said(resource), details=details)


def _measured(resource: Json, measure: Measure, day: str) -> _Told | None:
    details = {"measure": measure.name, "unit": measure.unit, **_moment(resource)}
    if len(measure.figures) == 1:
        value = _figure(resource.get("valueQuantity"), measure)
        if value is None:
            return None
        details["value"] = value
    else:
        no_part: Json = {}
        for figure in measure.figures:
            code = figure.code
            parts = (one for one in children(resource, "component") if code_in(one.get("code"), LOINC) == code)
            part = next(parts, no_part)
            value = _figure(part.get("valueQuantity"), measure)
            if value is None:
                return None
            details[figure.name] = value
    return _Told(Section.MEASURES, measure.name, measure.codes[0], start=day, details=details)


def _moment(resource: Json) -> dict[str, str]:
    """When a glucose was measured, by JDV_J157; nothing when it does not say or says something else."""
    said = next((one for one in children(resource, "extension") if one.get("url") == MOMENT), None)
    code = coding_of(said.get("valueCodeableConcept")) if said else None
    return {"moment": code.code} if code and code.code in CHOICES["moment"] else {}


def _figure(quantity: Json | None, measure: Measure) -> str | None:
    given = quantity or {}
    if given.get("value") is None:
        return None
    value = measure.in_unit(Decimal(str(given["value"])), str(given.get("code") or given.get("unit") or ""))
    return None if value is None else format(value, "f")


def _goal(resource: Json) -> _Told | None:
    target: Json = first_of(resource.get("target"))
    wanted: Json = child(target, "detailRange")
    code = coding_of(target.get("measure"))
    measure = by_code().get((code.system, code.code)) if code else None
    if measure is None or resource.get("lifecycleStatus") not in ("active", "accepted", "proposed"):
        return None
    details = {"measure": measure.name, "unit": measure.unit}
    for bound in ("low", "high"):
        value = _figure(wanted.get(bound), measure)
        if value is not None:
            details[bound] = value
    return _Told(Section.TARGETS, measure.name, code, details=details)


def _team(resource: Json) -> _Told | None:
    if code_in(resource.get("category"), HOUSE) != "network":
        return None
    member: Json = first_of(resource.get("participant"))
    identifier = child(child(member, "member"), "identifier")
    role: Json = first_of(member.get("role"))
    structure = str(identifier.get("system", "")).endswith(".2.2")
    details = {
        "id": str(identifier.get("value", "")),
        "kind": "organization" if structure else "professional",
        "role": code_in(role, HOUSE) or "OTHER",
        "about": str(role.get("text", "")),
    }
    return _Told(
        Section.NETWORK,
        str(resource.get("name", "")),
        details={name: value for name, value in details.items() if value},
    )


def _contact(resource: Json) -> _Told | None:
    name: Json = first_of(resource.get("name"))
    first = " ".join(map(str, children(name, "given")))
    kinds = [code for code in codes_in(resource.get("relationship"), HOUSE) if code.endswith("_CONTACT")]
    kin = next(
        (_KIN_OF[code] for code in codes_in(resource.get("relationship"), ROLE_CODE) if code in _KIN_OF),
        "OTHER",
    )
    details = {"first": first, "last": str(name.get("family", "")), "contact": ",".join(kinds), "kinship": kin}
    for way in children(resource, "telecom"):
        kind = {("phone", "mobile"): "mobile", ("phone", "home"): "phone", ("email", "home"): "mail"}.get(
            (str(way.get("system")), str(way.get("use"))), ""
        )
        if kind:
            details[kind] = str(way.get("value", ""))
    address: Json = first_of(resource.get("address"))
    details["street"] = " ".join(map(str, children(address, "line")))
    details |= {ours: str(address.get(theirs, "")) for ours, theirs in _ADDRESS.items()}
    whole = str(name.get("text") or f"{first} {name.get('family', '')}").strip()
    return _Told(Section.CONTACTS, whole, details={key: value for key, value in details.items() if value})


_ADDRESS = {"postal": "postalCode", "city": "city", "country": "country"}


def _codings(resource: Json) -> list[Json]:
    return list(children(child(resource, "code"), "coding"))


def _said(resource: Json) -> str:
    """The value of an observation in words."""
    if resource.get("valueString"):
        return str(resource["valueString"])
    if resource.get("valueCodeableConcept"):
        return words_of(resource["valueCodeableConcept"])
    quantity: Json = child(resource, "valueQuantity")
    return f"{quantity.get('value', '')} {quantity.get('unit') or quantity.get('code') or ''}".strip()


def _display(resource: Mapping[str, Any], element: str) -> str:
    return str(child(resource, element).get("display", ""))


def titled(item: Item, title: str, author: str) -> Item:
    """The line with the title and the author of the document it was read from."""
    return replace(item, origin=replace(item.origin, title=title, name=author))


_READERS: Mapping[str, Callable[[Json], _Told | None]] = {
    "Condition": _condition,
    "MedicationStatement": _medication,
    "AllergyIntolerance": _allergy,
    "Immunization": _immunization,
    "Procedure": _procedure,
    "FamilyMemberHistory": _family,
    "Observation": _observation,
    "Goal": _goal,
    "CareTeam": _team,
    "RelatedPerson": _contact,
}
