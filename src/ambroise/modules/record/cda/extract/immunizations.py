"""Vaccines given, and vaccines not given, as Immunization."""

from collections.abc import Iterator

from ambroise.modules.record.cda.extract.elements import (
    Json,
    author_of,
    effective,
    hl7_concept,
    is_absence,
    performers,
    quantity,
    unknown,
)
from ambroise.modules.record.cda.extract.product import medicine
from ambroise.modules.record.cda.extract.reader import FR, Found, Reader, declared, related
from ambroise.modules.record.cda.nodes import Element, attribute, one, text
from ambroise.modules.record.cda.values import moment

_VACCINE = (FR + "45", "1.3.6.1.4.1.19376.1.5.3.1.4.12")
_REACTION = FR + "37"
_RANK = "30973-2"


def immunizations(reader: Reader) -> Iterator[Found]:
    """Every vaccination act; `negationInd` makes it not done."""
    for element in reader.entries("substanceAdministration", *_VACCINE):
        product = one(element, "consumable/manufacturedProduct")
        vaccine = medicine(reader, product)
        if is_absence(vaccine) or is_absence(reader.concept(one(element, "code"))):
            continue
        not_done = element.get("negationInd") == "true"
        resource: Json = {
            "resourceType": "Immunization",
            "status": "not-done" if not_done else "completed",
            "vaccineCode": vaccine or hl7_concept("v3-NullFlavor", "UNK"),
            **_occurrence(element),
        }
        resource |= _details(reader, element, product)
        yield reader.found(element, resource)


def _occurrence(element: Element) -> Json:
    found = effective(element, "occurrence")
    period = found.pop("occurrencePeriod", None)
    if period:
        found["occurrenceDateTime"] = period["start"]
    return found or {"_occurrenceDateTime": unknown()}


def _details(reader: Reader, element: Element, product: Element | None) -> Json:
    found: Json = {}
    recorded, _ = author_of(element)
    if recorded:
        found["recorded"] = recorded
    lot = text(product, "manufacturedMaterial/lotNumberText")
    if lot:
        found["lotNumber"] = lot
    for name, path in (("route", "routeCode"), ("site", "approachSiteCode")):
        concept = reader.concept(one(element, path))
        if concept:
            found[name] = concept
    dose = quantity(one(element, "doseQuantity"))
    if dose:
        found["doseQuantity"] = dose
    who = performers(element)
    if who:
        found["performer"] = [{"actor": actor} for actor in who]
    reasons = [item for item in (reader.concept(one(act, "code")) for act in related(element, "act", "RSON")) if item]
    if reasons:
        found["statusReason" if element.get("negationInd") == "true" else "reasonCode"] = (
            reasons[0] if element.get("negationInd") == "true" else reasons
        )
    rank = _rank(element)
    if rank:
        series = attribute(element, "displayName", "code")
        found["protocolApplied"] = [{**({"series": series} if series else {}), "doseNumberPositiveInt": rank}]
    notes = reader.notes(element)
    if notes:
        found["note"] = notes
    return found | _reactions(reader, element)


def _rank(element: Element) -> int | None:
    for observation in related(element, "observation"):
        if attribute(observation, "code", "code") == _RANK:
            written = attribute(observation, "value", "value") or ""
            if written.isascii() and written.isdigit() and 0 < int(written[:4]) < 1000:
                return int(written[:4])
    return None


def _reactions(reader: Reader, element: Element) -> Json:
    contained: list[Json] = []
    reactions: list[Json] = []
    for observation in related(element, "observation"):
        concept = reader.concept(one(observation, "value")) if _REACTION in declared(observation) else None
        if concept is None:
            continue
        name = f"reaction-{len(contained) + 1}"
        kind = reader.concept(one(observation, "code")) or {"text": "reaction"}
        contained.append(
            {
                "resourceType": "Observation",
                "id": name,
                "status": "final",
                "code": kind,
                **effective(observation),
                "valueCodeableConcept": concept,
            }
        )
        began = moment(attribute(observation, "value", "effectiveTime/low"))
        reactions.append({**({"date": began.fhir} if began else {}), "detail": {"reference": f"#{name}"}})
    return {"contained": contained, "reaction": reactions} if contained else {}
