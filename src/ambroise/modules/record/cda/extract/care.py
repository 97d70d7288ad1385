"""What was done and what is planned: acts, requests, stays and visits, devices, medicines that were reimbursed."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import (
    Json,
    actor_reference,
    author_of,
    coding,
    effective,
    is_absence,
    performers,
    quantity,
)
from ambroise.modules.record.cda.extract.product import medicine
from ambroise.modules.record.cda.extract.reader import FR, Found, Reader, declared, related
from ambroise.modules.record.cda.nodes import Element, attribute, local, many, one

ACT = FR + "62"
IMAGING_ACT = FR + "153"
REQUEST = FR + "27"
STAY = FR + "58"
DEVICE = FR + "20"
DELIVERED = FR + "44"
_TREATMENT = FR + "42"
_PRIORITIES = {"UR": "urgent", "A": "asap", "S": "stat", "EM": "stat", "R": "routine", "EL": "routine"}
_DONE = {"completed": "completed", "active": "in-progress", "aborted": "stopped", "nullified": "entered-in-error"}


def procedures(reader: Reader) -> Iterator[Found]:
    """Acts that were done (Procedure), and those that a plan foresees (ServiceRequest)."""
    for element in reader.entries("procedure", ACT, IMAGING_ACT):
        code = reader.concept(one(element, "code"))
        if not _stands_alone(reader, element) or code is None or is_absence(code):
            continue
        done = element.get("moodCode", "EVN") == "EVN"
        yield reader.found(element, _procedure(reader, element, code) if done else _request(reader, element, code))


def requests(reader: Reader) -> Iterator[Found]:
    """Examinations and follow-up that are asked for; the words asked are the detail of the request."""
    for element in reader.entries("observation", REQUEST):
        code = reader.concept(one(element, "code"))
        if not _stands_alone(reader, element) or code is None or element.get("moodCode") in (None, "EVN", "GOL"):
            continue
        resource = _request(reader, element, code)
        asked = reader.value(one(element, "value"))
        detail = asked.get("valueCodeableConcept") or ({"text": said} if (said := asked.get("valueString")) else None)
        if detail:
            resource["orderDetail"] = [detail]
        yield reader.found(element, resource)


def encounters(reader: Reader) -> Iterator[Found]:
    """Stays and visits, past or planned."""
    for element in reader.entries("encounter", STAY):
        if not _stands_alone(reader, element):
            continue
        kind = values.code(one(element, "code"))
        done = element.get("moodCode", "EVN") == "EVN"
        resource: Json = {
            "resourceType": "Encounter",
            "status": "finished" if done else "planned",
            "class": coding(kind) if kind and kind.code else {"display": kind.label if kind else "?"},
        }
        reasons = [item for item in (reader.concept(part) for part in many(element, "code/qualifier/value")) if item]
        if reasons:
            resource["type"] = reasons
        period = values.period(one(element, "effectiveTime"))
        ends = {"start": period.low, "end": period.high if period.high != period.low else None}
        if written := {name: moment.fhir for name, moment in ends.items() if moment}:
            resource["period"] = written
        place = next((item for item in performers(element)), None)
        if place:
            resource["serviceProvider"] = place
        said = reader.words(element, "text")
        if said and not reasons:
            resource["reasonCode"] = [{"text": said}]
        yield reader.found(element, resource)


def devices(reader: Reader) -> Iterator[Found]:
    """Devices that the patient has (DeviceUseStatement), and those that are prescribed (DeviceRequest)."""
    for element in reader.entries("supply", DEVICE):
        role = one(element, "participant/participantRole")
        code = reader.concept(one(role, "playingDevice/code"))
        if not _stands_alone(reader, element) or code is None or is_absence(code):
            continue
        if element.get("moodCode", "EVN") == "EVN":
            yield reader.found(element, _device(reader, element, role, code))
        else:
            yield reader.found(element, _device_request(reader, element, code))


def deliveries(reader: Reader) -> Iterator[Found]:
    """Medicines that the health insurance paid for: what was handed over, how many, where, when."""
    for element in reader.entries("supply", DELIVERED):
        treatment = reader.within(element)
        if treatment is None or _TREATMENT not in declared(treatment) or element.get("moodCode", "EVN") != "EVN":
            continue
        product = medicine(reader, one(treatment, "consumable/manufacturedProduct"))
        if product is None:
            continue
        resource: Json = {
            "resourceType": "MedicationDispense",
            "status": "completed",
            "medicationCodeableConcept": product,
        }
        handed = values.moment(attribute(element, "value", "performer/time"))
        if handed:
            resource["whenHandedOver"] = handed.fhir
        amount = quantity(one(element, "quantity"))
        if amount:
            resource["quantity"] = amount
        who = performers(element)
        if who:
            resource["performer"] = [{"actor": actor} for actor in who]
        yield reader.found(element, resource)


def _stands_alone(reader: Reader, element: Element) -> bool:
    """Whether a statement is one by itself, rather than a detail of another."""
    whole = reader.within(element)
    return whole is None or local(whole) == "organizer"


def _procedure(reader: Reader, element: Element, code: Json) -> Json:
    status = _DONE.get(attribute(element, "code", "statusCode") or "completed", "completed")
    resource: Json = {
        "resourceType": "Procedure",
        "status": "not-done" if element.get("negationInd") == "true" else status,
        "code": code,
        **effective(element, "performed"),
    }
    who = performers(element)
    if who:
        resource["performer"] = [{"actor": actor} for actor in who]
    _, author = author_of(element)
    if author and not who:
        resource["recorder"] = author
    return resource | _where(reader, element) | _why(reader, element)


def _request(reader: Reader, element: Element, code: Json) -> Json:
    written, author = author_of(element)
    requester = author or actor_reference(reader.document.authors[0].actor)
    resource: Json = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order" if element.get("moodCode") == "RQO" else "plan",
        "code": code,
        **effective(element, "occurrence"),
        "authoredOn": written or reader.document.effective_time.fhir,
    }
    if requester:
        resource["requester"] = requester
    priority = _PRIORITIES.get(attribute(element, "code", "priorityCode") or "")
    if priority:
        resource["priority"] = priority
    return resource | _where(reader, element) | _why(reader, element)


def _device(reader: Reader, element: Element, role: Element | None, code: Json) -> Json:
    device: Json = {"resourceType": "Device", "id": "device", "type": code}
    marks = [item for item in values.identifiers(role) if item.extension]
    if marks:
        # The first is the unique device identifier, written whole on its label.
        device["udiCarrier"] = [{"carrierHRF": marks[0].extension}]
    resource: Json = {
        "resourceType": "DeviceUseStatement",
        "contained": [device],
        "status": "active",
        "device": {"reference": "#device"},
    }
    period = values.period(one(element, "effectiveTime"))
    handed = values.moment(attribute(element, "value", "performer/time"))
    if period.low and period.high and period.low != period.high:
        resource["timingPeriod"] = {"start": period.low.fhir, "end": period.high.fhir}
        if period.high.start <= reader.document.effective_time.start:
            resource["status"] = "completed"
    elif moment := period.low or handed:
        resource["timingPeriod"] = {"start": moment.fhir}
    recorded, author = author_of(element)
    if recorded:
        resource["recordedOn"] = recorded
    if author:
        resource["source"] = author
    notes = reader.notes(element)
    return resource | ({"note": notes} if notes else {})


def _device_request(reader: Reader, element: Element, code: Json) -> Json:
    written, author = author_of(element)
    requester = author or actor_reference(reader.document.authors[0].actor)
    resource: Json = {
        "resourceType": "DeviceRequest",
        "status": "active",
        "intent": "order",
        "codeCodeableConcept": code,
        **effective(element, "occurrence"),
        "authoredOn": written or reader.document.effective_time.fhir,
    }
    if requester:
        resource["requester"] = requester
    parameters = [
        {"code": {"text": name}, "valueQuantity": amount}
        for name, path in (("quantity", "quantity"), ("expectedUseTime", "expectedUseTime/width"))
        if (amount := quantity(one(element, path)))
    ]
    if parameters:
        resource["parameter"] = parameters
    notes = reader.notes(element)
    return resource | ({"note": notes} if notes else {})


def _where(reader: Reader, element: Element) -> Json:
    sites = [item for item in map(reader.concept, many(element, "targetSiteCode")) if item]
    return {"bodySite": sites} if sites else {}


def _why(reader: Reader, element: Element) -> Json:
    found: Json = {}
    reasons = [item for item in (reader.concept(one(act, "code")) for act in related(element, "act", "RSON")) if item]
    if reasons:
        found["reasonCode"] = reasons
    notes = reader.notes(element)
    if notes:
        found["note"] = notes
    return found
