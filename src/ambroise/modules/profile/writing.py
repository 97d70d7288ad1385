"""A draft of the profile as a FHIR resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ambroise.modules.profile import links
from ambroise.modules.profile.fhir import (
    ASSERTED,
    HOUSE,
    LOINC,
    ROLE_CODE,
    SAYS,
    SNOMED,
    Json,
    concept,
    hl7,
    house,
    kept,
    note,
    subject,
)
from ambroise.modules.profile.measures import Measure, measure_of
from ambroise.modules.profile.model import Draft, Section

KINSHIP: Mapping[str, str] = {
    "MOTHER": "MTH",
    "FATHER": "FTH",
    "GRANDMOTHER": "GRMTH",
    "GRANDFATHER": "GRFTH",
    "SISTER": "SIS",
    "BROTHER": "BRO",
    "GREAT_GRANDMOTHER": "GGRMTH",
    "GREAT_GRANDFATHER": "GGRFTH",
    "AUNT": "AUNT",
    "UNCLE": "UNCLE",
    "CHILD": "CHILD",
    "SPOUSE": "SPS",
    "TUTEUR": "GUARD",
    "OTHER": "FAMMEMB",
}
"""Kinship of the national client → HL7 v3 RoleCode."""

HABITS: Mapping[str, tuple[str, str]] = {
    "TOBACCO": (LOINC, "72166-2"),
    "ALCOHOL": (LOINC, "74013-4"),
    "PHYSICAL_ACTIVITY": (LOINC, "73985-4"),
    "FOOD": (LOINC, "81663-7"),
    "SLEEP": (HOUSE, "SLEEP"),
    "SCREEN": (HOUSE, "SCREEN"),
}
"""Habits → JDV_SocialHistoryCodes of the CI-SIS where it has one."""

DISABILITY = (SNOMED, "21134002")
BLOOD_GROUP = (LOINC, "882-1")
MOMENT = "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/ENS_MomentOfMeasurement"
"""When a glucose was measured, in the guide « mesures de santé » of the CI-SIS."""
TA_ASIP = "urn:oid:1.2.250.1.213.1.1.4.322"
STAY = "stay"
DURATION = "urn:ambroise:profile:duration"
_GLUCOSE = "GLUCOSE"
_UNITS = {"DAY": "d", "WEEK": "wk", "MONTH": "mo", "YEAR": "a"}


class Teller(Struct, frozen=True):
    """Who tells: in which quality, under which name, and when."""

    by: Literal["patient", "representative", "carer", "professional"]
    name: str
    at: str


def write(draft: Draft, patient: UUID, teller: Teller) -> Json:
    """The resource of a draft, about `patient`, saying who told it."""
    resource = _WRITERS[draft.section](draft, patient, teller)
    resource["meta"] = {"security": [{"system": SAYS, "code": ASSERTED[teller.by]}]}
    return kept(links.put(resource, draft.section, draft.links))


def _who(patient: UUID, teller: Teller) -> Json:
    """Who tells, as a reference; only the holder has a resource here."""
    if teller.by == "patient":
        return {**subject(patient), "display": teller.name}
    return {"display": teller.name}


def _illness(draft: Draft, patient: UUID, teller: Teller) -> Json:
    return {
        "resourceType": "Condition",
        "clinicalStatus": hl7("condition-clinical", "resolved" if draft.end else "active"),
        "category": [hl7("condition-category", "problem-list-item")],
        "code": concept(draft.name, draft.code),
        "subject": subject(patient),
        "onsetDateTime": draft.start,
        "abatementDateTime": draft.end,
        "recordedDate": teller.at,
        "recorder": _who(patient, teller),
        "asserter": _who(patient, teller),
        "note": note(draft.comment),
    }


def _treatment(draft: Draft, patient: UUID, teller: Teller) -> Json:
    dosage, reason = draft.details.get("dosage", ""), draft.details.get("reason", "")
    return {
        "resourceType": "MedicationStatement",
        "status": "completed" if draft.end and draft.end < teller.at[: len(draft.end)] else "active",
        "medicationCodeableConcept": concept(draft.name, draft.code),
        "subject": subject(patient),
        "effectivePeriod": kept({"start": draft.start, "end": draft.end}),
        "dateAsserted": teller.at,
        "informationSource": _who(patient, teller),
        "reasonCode": [{"text": reason}] if reason else [],
        "dosage": [{"text": dosage}] if dosage else [],
        "note": note(draft.comment),
    }


def _allergy(draft: Draft, patient: UUID, teller: Teller) -> Json:
    reaction = draft.details.get("reaction", "")
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": hl7("allergyintolerance-clinical", "active"),
        "code": concept(draft.name, draft.code),
        "patient": subject(patient),
        "onsetDateTime": draft.start,
        "recordedDate": teller.at,
        "recorder": _who(patient, teller),
        "asserter": _who(patient, teller),
        "note": note(draft.comment),
        "reaction": [{"manifestation": [{"text": reaction}]}] if reaction else [],
    }


def _vaccination(draft: Draft, patient: UUID, teller: Teller) -> Json:
    given = draft.details
    by_professional = teller.by == "professional"
    stage, performer = given.get("stage", ""), given.get("performer", "")
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(draft.name, draft.code),
        "patient": subject(patient),
        "occurrenceDateTime": draft.start,
        "recorded": teller.at,
        "primarySource": by_professional,
        "reportOrigin": None if by_professional else hl7("immunization-origin", "recall"),
        "lotNumber": given.get("lot", ""),
        "expirationDate": given.get("expires", ""),
        "site": {"text": given["site"]} if given.get("site") else None,
        "route": {"text": given["route"]} if given.get("route") else None,
        "performer": [{"actor": {"display": performer}}] if performer else [],
        "note": note(draft.comment),
        "protocolApplied": [{"series": stage, "doseNumberString": given.get("rank") or stage}] if stage else [],
    }


def _stay(draft: Draft, patient: UUID, teller: Teller) -> Json:
    unit, long = draft.details.get("unit", ""), draft.details.get("duration", "")
    lasting = {
        "url": DURATION,
        "valueDuration": {
            "value": Decimal(long or "0"),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": _UNITS.get(unit, "d"),
        },
    }
    return {
        "resourceType": "Procedure",
        "extension": [lasting] if long else [],
        "status": "completed",
        "category": house(STAY),
        "code": concept(draft.name, draft.code),
        "subject": subject(patient),
        "performedDateTime": draft.start,
        "recorder": _who(patient, teller),
        "asserter": _who(patient, teller),
        "note": note(draft.comment),
    }


def _family(draft: Draft, patient: UUID, teller: Teller) -> Json:
    relation = draft.details.get("relation", "OTHER")
    return {
        "resourceType": "FamilyMemberHistory",
        "status": "partial",
        "patient": subject(patient),
        "date": teller.at,
        "relationship": {
            "coding": [
                {"system": ROLE_CODE, "code": KINSHIP.get(relation, "FAMMEMB")},
                {"system": HOUSE, "code": relation},
            ]
        },
        "condition": [{"code": concept(draft.name, draft.code)}],
        "note": note(draft.comment),
    }


def _disability(draft: Draft, patient: UUID, teller: Teller) -> Json:
    parts: list[Json] = [
        {"code": house("type"), "valueCodeableConcept": house(kind)}
        for kind in draft.details.get("disability", "").split(",")
        if kind
    ]
    parts += [
        {"code": house(name), "valueCodeableConcept": house(value)}
        for name in ("rate", "human")
        if (value := draft.details.get(name))
    ]
    if draft.details.get("technical"):
        parts.append({"code": house("technical"), "valueString": draft.details["technical"]})
    return {
        **_observation(draft, patient, teller, *DISABILITY),
        "valueString": draft.name,
        "component": parts,
    }


def _blood(draft: Draft, patient: UUID, teller: Teller) -> Json:
    return {
        **_observation(draft, patient, teller, *BLOOD_GROUP, category="laboratory"),
        "effectiveDateTime": draft.start or teller.at[:10],
        "valueCodeableConcept": concept(draft.name, draft.code),
    }


def _measure(draft: Draft, patient: UUID, teller: Teller) -> Json:
    measure = _known(draft)
    first = measure.codes[0]
    resource = {
        **_observation(draft, patient, teller, first.system, first.code, category="vital-signs"),
        "effectiveDateTime": draft.start,
    }
    moment = draft.details.get("moment", "")
    if moment and measure.name == _GLUCOSE:
        coding = {"system": TA_ASIP if moment.startswith("MED-") else LOINC, "code": moment}
        resource["extension"] = [{"url": MOMENT, "valueCodeableConcept": {"coding": [coding]}}]
    if len(measure.figures) == 1:
        resource["valueQuantity"] = _quantity(draft.details["value"], measure.unit)
    else:
        resource["component"] = [
            {
                "code": {"coding": [{"system": LOINC, "code": one.code}]},
                "valueQuantity": _quantity(draft.details[one.name], measure.unit),
            }
            for one in measure.figures
        ]
    return resource


def _target(draft: Draft, patient: UUID, teller: Teller) -> Json:
    measure, detail = _known(draft), {}
    for name in ("low", "high"):
        if draft.details.get(name):
            detail[name] = _quantity(draft.details[name], measure.unit)
    first = measure.codes[0]
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": draft.name},
        "subject": subject(patient),
        "startDate": teller.at[:10],
        "expressedBy": _who(patient, teller),
        "target": [{"measure": {"coding": [{"system": first.system, "code": first.code}]}, "detailRange": detail}],
        "note": note(draft.comment),
    }


def _habit(draft: Draft, patient: UUID, teller: Teller) -> Json:
    system, code = HABITS[draft.details.get("habit", "")]
    return {
        **_observation(draft, patient, teller, system, code),
        "effectiveDateTime": draft.start or teller.at[:10],
        "valueString": draft.name,
    }


def _professional(draft: Draft, patient: UUID, teller: Teller) -> Json:
    """One professional or structure of the care network; a reference by national id opens no access to anybody."""
    given = draft.details
    system = "urn:oid:1.2.250.1.71.4.2.1" if given.get("kind") != "organization" else "urn:oid:1.2.250.1.71.4.2.2"
    member: Json = {"display": draft.name}
    if given.get("id"):
        member["identifier"] = {"system": system, "value": given["id"]}
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "category": [house("network")],
        "name": draft.name,
        "subject": subject(patient),
        "participant": [{"role": [house(given.get("role") or "OTHER", given.get("about", ""))], "member": member}],
        "note": note(draft.comment),
    }


def _contact(draft: Draft, patient: UUID, teller: Teller) -> Json:
    given = draft.details
    relation = given.get("kinship", "OTHER")
    kinds = [house(kind) for kind in given.get("contact", "").split(",") if kind]
    ways = (("phone", "mobile", "mobile"), ("phone", "home", "phone"), ("email", "home", "mail"))
    return {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": subject(patient),
        "relationship": [
            {
                "coding": [
                    {"system": ROLE_CODE, "code": KINSHIP.get(relation, "FAMMEMB")},
                    {"system": HOUSE, "code": relation},
                ]
            },
            *kinds,
        ],
        "name": [{"family": given.get("last", ""), "given": [given.get("first", "")], "text": draft.name}],
        "telecom": [{"system": way, "use": use, "value": given[name]} for way, use, name in ways if given.get(name)],
        "address": [
            kept(
                {
                    "line": [given["street"]] if given.get("street") else [],
                    "postalCode": given.get("postal"),
                    "city": given.get("city"),
                    "country": given.get("country"),
                }
            )
        ],
    }


def _donation(draft: Draft, patient: UUID, teller: Teller) -> Json:
    """That the person was informed about organ donation; the refusal itself is kept by the national register."""
    return {
        **_observation(draft, patient, teller, HOUSE, "informedAboutOrganDonation"),
        "effectiveDateTime": teller.at[:10],
        "valueBoolean": draft.details.get("informed") == "yes",
    }


def _observation(
    draft: Draft, patient: UUID, teller: Teller, system: str, code: str, *, category: str = "social-history"
) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [hl7("observation-category", category)],
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": subject(patient),
        "issued": teller.at,
        "performer": [_who(patient, teller)],
        "note": note(draft.comment),
    }


def _known(draft: Draft) -> Measure:
    measure = measure_of(draft.details.get("measure", ""))
    if measure is None:
        raise ValueError("the measure of a draft is checked before it is written")
    return measure


def _quantity(value: str, unit: str) -> Json:
    return {"value": Decimal(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


_WRITERS: Mapping[Section, Callable[[Draft, UUID, Teller], Json]] = {
    Section.ILLNESSES: _illness,
    Section.TREATMENTS: _treatment,
    Section.ALLERGIES: _allergy,
    Section.VACCINATIONS: _vaccination,
    Section.STAYS: _stay,
    Section.FAMILY: _family,
    Section.DISABILITIES: _disability,
    Section.BLOOD: _blood,
    Section.MEASURES: _measure,
    Section.TARGETS: _target,
    Section.HABITS: _habit,
    Section.NETWORK: _professional,
    Section.CONTACTS: _contact,
    Section.DONATION: _donation,
}
