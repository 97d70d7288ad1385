"""Allergies and intolerances as AllergyIntolerance."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import Json, author_of, hl7_concept, is_absence
from ambroise.modules.record.cda.extract.reader import FR, Found, Reader, declared, related
from ambroise.modules.record.cda.nodes import Element, attribute, many, one, text

_ALLERGY = FR + "41"
_REACTION = FR + "37"
_CLINICAL = frozenset({"active", "inactive", "resolved"})
_VERIFICATION = frozenset({"unconfirmed", "confirmed", "refuted"})
_CRITICALITY = frozenset({"low", "high", "unable-to-assess"})
# SNOMED CT and HL7 codes of the kind of allergy: type, category.
_KINDS = {
    "416098002": ("allergy", "medication"),
    "59037007": ("intolerance", "medication"),
    "419511003": (None, "medication"),
    "414285001": ("allergy", "food"),
    "235719002": ("intolerance", "food"),
    "418471000": (None, "food"),
    "426232007": ("allergy", "environment"),
    "232347008": ("allergy", "environment"),
    "419199007": ("allergy", None),
    "ALG": ("allergy", None),
    "DALG": ("allergy", "medication"),
    "FALG": ("allergy", "food"),
    "EALG": ("allergy", "environment"),
    "DINT": ("intolerance", "medication"),
    "DNAINT": ("intolerance", "medication"),
    "FINT": ("intolerance", "food"),
    "FNAINT": ("intolerance", "food"),
    "EINT": ("intolerance", "environment"),
    "ENAINT": ("intolerance", "environment"),
    "NAINT": ("intolerance", None),
}
_SEVERITIES = {
    "255604002": "mild",
    "371923003": "moderate",
    "6736007": "moderate",
    "371924009": "severe",
    "24484000": "severe",
    "442452003": "severe",
    "399166001": "severe",
    "L": "mild",
    "M": "moderate",
    "H": "severe",
}


def allergies(reader: Reader) -> Iterator[Found]:
    """Every allergy, with its agent and its reactions."""
    for element in reader.entries("observation", _ALLERGY):
        code = _agent(reader, element) or reader.concept(one(element, "value")) or reader.concept(one(element, "code"))
        if code is None or is_absence(code) or is_absence(reader.concept(one(element, "value"))):
            continue
        resource: Json = {"resourceType": "AllergyIntolerance", "code": code, **_standing(element)}
        kind, category = _KINDS.get(attribute(element, "code", "code") or "", (None, None))
        if kind:
            resource["type"] = kind
        if category:
            resource["category"] = [category]
        began = values.period(one(element, "effectiveTime")).low
        if began:
            resource["onsetDateTime"] = began.fhir
        recorded, _ = author_of(element)
        if recorded:
            resource["recordedDate"] = recorded
        reactions = [item for item in (_reaction(reader, part) for part in related(element, "observation")) if item]
        if reactions:
            resource["reaction"] = reactions
        notes = reader.notes(element)
        if notes:
            resource["note"] = notes
        yield reader.found(element, resource)


def _agent(reader: Reader, element: Element) -> Json | None:
    for entity in many(element, "participant/participantRole/playingEntity"):
        concept = reader.concept(one(entity, "code")) or {}
        name = text(entity, "name")
        if name:
            concept["text"] = name
        if concept:
            return concept
    return None


def _standing(element: Element) -> Json:
    status = _stated(element, "33999-4")
    certainty = "refuted" if element.get("negationInd") == "true" else _stated(element, "66455-7")
    criticality = _stated(element, "82606-5")
    found: Json = {
        "clinicalStatus": hl7_concept("allergyintolerance-clinical", status if status in _CLINICAL else "active")
    }
    if certainty in _VERIFICATION:
        found["verificationStatus"] = hl7_concept("allergyintolerance-verification", certainty)
    if criticality in _CRITICALITY:
        found["criticality"] = criticality
    return found


def _stated(element: Element, code: str) -> str:
    for observation in related(element, "observation"):
        if attribute(observation, "code", "code") == code:
            return attribute(observation, "code", "value") or ""
    return ""


def _reaction(reader: Reader, element: Element) -> Json | None:
    manifestation = reader.concept(one(element, "value")) if _REACTION in declared(element) else None
    if manifestation is None:
        return None
    found: Json = {"manifestation": [manifestation]}
    began = values.period(one(element, "effectiveTime")).low
    if began:
        found["onset"] = began.fhir
    severity = _SEVERITIES.get(_stated(element, "SEV"))
    if severity:
        found["severity"] = severity
    return found
