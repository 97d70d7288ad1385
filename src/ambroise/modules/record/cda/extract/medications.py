"""Medicines: taken (MedicationStatement), prescribed or planned (MedicationRequest), dispensed (MedicationDispense)."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.dosage import dosages
from ambroise.modules.record.cda.extract.elements import (
    Json,
    actor_reference,
    author_of,
    effective,
    identifier,
    is_absence,
    quantity,
)
from ambroise.modules.record.cda.extract.product import medicine
from ambroise.modules.record.cda.extract.reader import FR, Found, Reader, declared, related
from ambroise.modules.record.cda.nodes import Element, attribute, local, one

_TREATMENT = FR + "42"
_PRESCRIBED = FR + "83"
_DISPENSED = (FR + "204", "1.3.6.1.4.1.19376.1.9.1.3.4")
_SUPPLY_REQUESTED = FR + "86"
_SUBSTITUTION = (FR + "87", FR + "206")
_PRESCRIPTION_ITEM = FR + "90"
# Sections that tell what was given during a stay: those treatments are over.
_GIVEN = frozenset({"18610-6", "29549-3"})


def statements(reader: Reader) -> Iterator[Found]:
    """Treatments that the patient takes or took."""
    for element in _treatments(reader, "EVN"):
        product = medicine(reader, one(element, "consumable/manufacturedProduct"))
        if product is None or is_absence(product) or is_absence(reader.concept(one(element, "code"))):
            continue
        resource: Json = {
            "resourceType": "MedicationStatement",
            "status": _status(reader, element),
            "medicationCodeableConcept": product,
            **effective(element),
        }
        asserted, _ = author_of(element)
        resource["dateAsserted"] = asserted or reader.document.effective_time.fhir
        yield reader.found(
            element, resource | _reasons_and_notes(reader, element) | _dosage(reader, element, "dosage", product)
        )


def requests(reader: Reader) -> Iterator[Found]:
    """Lines of a prescription, and treatments that a plan foresees."""
    prescribed = list(reader.entries("substanceAdministration", _PRESCRIBED))
    for element in (*prescribed, *_treatments(reader, "INT")):
        product = medicine(reader, one(element, "consumable/manufacturedProduct"))
        if product is None or is_absence(product):
            continue
        written, author = author_of(element)
        first = reader.document.authors[0].actor
        requester = author or actor_reference(first)
        resource: Json = {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order" if _PRESCRIBED in declared(element) else "plan",
            "medicationCodeableConcept": product,
            "authoredOn": written or reader.document.effective_time.fhir,
            "groupIdentifier": identifier(reader.document.identifier),
        }
        if requester:
            resource["requester"] = requester
        if element.get("negationInd") == "true":
            resource["doNotPerform"] = True
        marks = _marks(element)
        if marks:
            resource["category"] = marks
        resource |= _reasons_and_notes(reader, element) | _dosage(reader, element, "dosageInstruction", product)
        resource |= _dispense_request(element)
        substitution = _substitution(reader, element)
        if substitution:
            resource["substitution"] = {"allowedCodeableConcept": substitution}
        yield reader.found(element, resource)


def dispenses(reader: Reader) -> Iterator[Found]:
    """Medicines handed over by a pharmacy."""
    for element in reader.entries("supply", *_DISPENSED):
        product = medicine(reader, one(element, "product/manufacturedProduct"))
        if product is None or element.get("moodCode", "EVN") != "EVN":
            continue
        resource: Json = {
            "resourceType": "MedicationDispense",
            "status": "completed",
            "medicationCodeableConcept": product,
            "whenHandedOver": _handed_over(reader, element),
        }
        amount = quantity(one(element, "quantity"))
        if amount:
            resource["quantity"] = amount
        who = [actor_reference(item.actor) for item in reader.document.authors if item.actor.person]
        if who and who[0]:
            resource["performer"] = [{"actor": who[0]}]
        lines = [
            {"type": "MedicationRequest", "identifier": identifier(item)}
            for part in related(element, "substanceAdministration", "REFR")
            if _PRESCRIPTION_ITEM in declared(part)
            for item in values.identifiers(part)
        ]
        if lines:
            resource["authorizingPrescription"] = lines
        taken = [item for part in related(element, "substanceAdministration", "COMP") for item in dosages(reader, part)]
        if taken:
            resource["dosageInstruction"] = taken
        substitution = _substitution(reader, element)
        if substitution:
            codes = {item.get("code") for item in substitution.get("coding", [])}
            resource["substitution"] = {"wasSubstituted": "N" not in codes, "type": substitution}
        notes = _reasons_and_notes(reader, element).get("note")
        if notes:
            resource["note"] = notes
        yield reader.found(element, resource)


def _treatments(reader: Reader, mood: str) -> Iterator[Element]:
    for element in reader.entries("substanceAdministration", _TREATMENT):
        whole = reader.within(element)
        # A treatment within another statement tells how that one is taken.
        nested = whole is not None and local(whole) != "organizer"
        other = declared(element) & {_PRESCRIBED, FR + "45"}
        if element.get("moodCode", "EVN") == mood and not nested and not other:
            yield element


def _status(reader: Reader, element: Element) -> str:
    if element.get("negationInd") == "true":
        return "not-taken"
    match attribute(element, "code", "statusCode"):
        case "aborted" | "cancelled":
            return "stopped"
        case "nullified":
            return "entered-in-error"
        case "suspended" | "held":
            return "on-hold"
        case _:
            pass
    ended = values.period(one(element, "effectiveTime")).high
    over = ended is not None and ended.start <= reader.document.effective_time.start
    return "completed" if over or reader.section_code(element) in _GIVEN else "active"


def _reasons_and_notes(reader: Reader, element: Element) -> Json:
    found: Json = {}
    reasons = [
        concept
        for kind in ("act", "observation")
        for part in related(element, kind, "RSON")
        if (concept := reader.concept(one(part, "code")))
    ]
    if reasons:
        found["reasonCode"] = reasons
    notes = [*reader.notes(element), *({"text": words} for words in instructions(reader, element, "FINSTRUCT"))]
    if notes:
        found["note"] = notes
    return found


def _dosage(reader: Reader, element: Element, name: str, product: Json) -> Json:
    """The dosages, without the words that only repeat the name of the medicine."""
    names = {product.get("text"), *(item.get("display") for item in product.get("coding", []))}
    found = dosages(reader, element)
    for dosage in found:
        if dosage.get("text") in names:
            del dosage["text"]
    kept = [dosage for dosage in found if dosage]
    return {name: kept} if kept else {}


def instructions(reader: Reader, element: Element, kind: str) -> list[str]:
    """What is said to the patient (PINSTRUCT) or to the pharmacist (FINSTRUCT)."""
    found = (reader.words(act, "text") for act in related(element, "act") if attribute(act, "code", "code") == kind)
    return [words for words in found if words]


def _marks(element: Element) -> list[Json]:
    """What bears on reimbursement and use (long-term illness, work accident, off-label…), when it is true."""
    return [
        {"coding": [{"system": f"urn:oid:{code.system}", "code": code.code, "display": code.label}]}
        for observation in related(element, "observation")
        if attribute(observation, "value", "value") == "true" and (code := values.coded(one(observation, "code")))
    ]


def _dispense_request(element: Element) -> Json:
    found: Json = {}
    for supply in related(element, "supply"):
        if _SUPPLY_REQUESTED in declared(supply) and (amount := quantity(one(supply, "quantity"))):
            found["quantity"] = amount
    repeats = attribute(element, "value", "repeatNumber") or ""
    if repeats.isascii() and repeats.isdigit() and len(repeats) < 4:
        found["numberOfRepeatsAllowed"] = int(repeats)
    return {"dispenseRequest": found} if found else {}


def _substitution(reader: Reader, element: Element) -> Json | None:
    for act in related(element, "act"):
        if declared(act).intersection(_SUBSTITUTION):
            return reader.concept(one(act, "code"))
    return None


def _handed_over(reader: Reader, element: Element) -> str:
    when = values.period(one(element, "effectiveTime"))
    acts = (event.period.low for event in reader.document.service_events if event.period.low)
    moment = when.low or when.high or next(acts, None) or reader.document.effective_time
    return moment.fhir
