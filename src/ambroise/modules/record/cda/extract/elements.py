"""The data types of HL7 v3 as elements of FHIR: codes, identifiers, quantities, times, people."""

import re
from decimal import Decimal
from typing import Any

from ambroise.modules.record.cda import header, values
from ambroise.modules.record.cda.model import Actor, Code, Identifier
from ambroise.modules.record.cda.nodes import Element, attribute, many, one
from ambroise.modules.record.tables import system_url

Json = dict[str, Any]

LOINC = "2.16.840.1.113883.6.1"
UCUM = "http://unitsofmeasure.org"
ABSENT_SYSTEM = "2.16.840.1.113883.5.1150.1"
HL7_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_EDQM = "http://standardterms.edqm.eu"
_TRANSLATION = "http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation"

_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?(?:[eE][+-]?\d{1,3})?")
_ABSENT = {
    "UNK": "unknown",
    "ASKU": "asked-unknown",
    "NASK": "not-asked",
    "NAV": "temp-unknown",
    "NA": "not-applicable",
    "MSK": "masked",
    "NINF": "negative-infinity",
    "PINF": "positive-infinity",
}


def coding(code: Code) -> Json:
    """A Coding."""
    found: Json = {}
    if code.system:
        found["system"] = system_url(code.system)
    found["code"] = code.code
    if code.display:
        found["display"] = code.display
    return found


def hl7_concept(system: str, code: str) -> Json:
    """A concept of an HL7 terminology, by the short name of its system."""
    return {"coding": [{"system": HL7_TERMINOLOGY + system, "code": code}]}


def identifier(item: Identifier) -> Json:
    """An II as a FHIR Identifier."""
    if item.extension:
        return {"system": system_url(item.root), "value": item.extension}
    return {"system": "urn:ietf:rfc:3986", "value": item.urn}


def number(written: str | None) -> Decimal | None:
    """A decimal with its text kept; None when it is not one that FHIR knows."""
    return Decimal(written) if written and _DECIMAL.fullmatch(written) else None


def quantity(element: Element | None) -> Json | None:
    """A PQ as a Quantity; an equivalent in another unit stands in the extension made for it."""
    amount = number(attribute(element, "value"))
    if element is None or amount is None:
        return None
    found: Json = {"value": amount, **unit(attribute(element, "unit"))}
    others = [
        {"url": _TRANSLATION, "valueQuantity": {"value": value, **unit(attribute(item, "code"))}}
        for item in many(element, "translation")
        if (value := number(attribute(item, "value"))) is not None
    ]
    if others:
        found["extension"] = others
    return found


def unit(written: str | None) -> Json:
    """The unit of a Quantity: UCUM, or a dose form of the EDQM when it is one of its eight-digit codes."""
    if not written or written == "1":
        return {}
    system = _EDQM if re.fullmatch(r"\d{8}", written) else UCUM
    return {"unit": written, "system": system, "code": written}


def interval(element: Element) -> Json:
    """An IVL_PQ as a Range, or as a Quantity with a comparator when one end is open."""
    low, high = quantity(one(element, "low")), quantity(one(element, "high"))
    if low and high:
        return {"valueRange": {"low": low, "high": high}}
    if low:
        closed = attribute(element, "inclusive", "low") != "false"
        return {"valueQuantity": {**low, "comparator": ">=" if closed else ">"}}
    if high:
        closed = attribute(element, "inclusive", "high") != "false"
        return {"valueQuantity": {**high, "comparator": "<=" if closed else "<"}}
    single = quantity(element)
    return {"valueQuantity": single} if single else {}


def ratio(element: Element | None) -> Json | None:
    """An RTO as a Ratio; both ends are needed."""
    numerator, denominator = quantity(one(element, "numerator")), quantity(one(element, "denominator"))
    return {"numerator": numerator, "denominator": denominator} if numerator and denominator else None


def absent(null_flavor: str) -> Json:
    """A null flavour as a reason for absent data."""
    return hl7_concept("data-absent-reason", _ABSENT.get(null_flavor, "unknown"))


def unknown() -> Json:
    """The extension that stands for a mandatory value that nobody knows."""
    return {"extension": [{"url": _DATA_ABSENT, "valueCode": "unknown"}]}


def period_of(element: Element) -> Json:
    """An IVL_TS as a Period; empty when neither end is known."""
    found = values.period(element)
    ends = {"start": found.low, "end": found.high}
    return {name: moment.fhir for name, moment in ends.items() if moment}


def effective(element: Element, name: str = "effective") -> Json:
    """The time of an entry as `<name>DateTime` or `<name>Period`."""
    found = values.period(one(element, "effectiveTime"))
    if found.low and found.high and found.low != found.high:
        return {f"{name}Period": {"start": found.low.fhir, "end": found.high.fhir}}
    moment = found.low or found.high
    return {f"{name}DateTime": moment.fhir} if moment else {}


def actor_reference(actor: Actor) -> Json | None:
    """A reference to somebody by identifier and name; the directory knows the rest."""
    person = actor.person.display if actor.person else None
    place = actor.organization.name if actor.organization else None
    found: Json = {}
    if actor.identifiers and (person or not actor.organization):
        found["identifier"] = identifier(actor.identifiers[0])
    elif actor.organization and actor.organization.identifiers:
        found["identifier"] = identifier(actor.organization.identifiers[0])
    shown = ", ".join(part for part in (person, place) if part)
    if shown:
        found["display"] = shown
    return found or None


def performers(element: Element) -> list[Json]:
    """Who performed an entry."""
    found = (actor_reference(header.actor(item)) for item in many(element, "performer/assignedEntity"))
    return [item for item in found if item]


def author_of(element: Element) -> tuple[str | None, Json | None]:
    """When an entry was written and by whom, when it says so itself."""
    moment = values.moment(attribute(element, "value", "author/time"))
    who = one(element, "author/assignedAuthor")
    return (moment.fhir if moment else None, actor_reference(header.actor(who)) if who is not None else None)


def is_absence(concept: Json | None) -> bool:
    """Whether a concept says "none known" or "no information", which is no fact about the patient."""
    url = system_url(ABSENT_SYSTEM)
    return any(item.get("system") == url for item in (concept or {}).get("coding", []))
