"""How a medicine is taken: times, doses, rates, limits, as Dosage."""

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import Json, quantity, ratio
from ambroise.modules.record.cda.extract.reader import Reader, related
from ambroise.modules.record.cda.nodes import Element, attribute, many, one, xsi_type

_SUBORDINATE = "COMP"
_PERIOD_UNITS = frozenset({"s", "min", "h", "d", "wk", "mo", "a"})
_EVENTS = frozenset({"HS", "WAKE", "C", "CM", "CD", "CV", "AC", "ACM", "ACD", "ACV", "PC", "PCM", "PCD", "PCV"})
# The older HL7 names of "during a meal".
_OTHER_EVENTS = {"IC": "C", "ICM": "CM", "ICD": "CD", "ICV": "CV"}


def dosages(reader: Reader, element: Element) -> list[Json]:
    """The dosages of an administration: its own, or those of its successive steps."""
    steps = [
        (link, part)
        for link in many(element, "entryRelationship")
        if link.get("typeCode") == _SUBORDINATE
        for part in many(link, "substanceAdministration")
    ]
    if not steps:
        own = _dosage(reader, element)
        return [own] if own else []
    found: list[Json] = []
    for place, (link, part) in enumerate(steps, start=1):
        written = attribute(link, "value", "sequenceNumber") or ""
        number = int(written) if written.isascii() and written.isdigit() and len(written) < 5 else place
        dosage = _dosage(reader, part)
        if dosage:
            found.append({"sequence": number, **dosage})
    if found:
        found[0] |= {name: value for name, value in _dosage(reader, element).items() if name not in found[0]}
    return found


def _dosage(reader: Reader, element: Element) -> Json:
    found: Json = {}
    words = reader.words(element, "text")
    if words:
        found["text"] = words
    said = [words for act in related(element, "act") if (words := _instruction(reader, act))]
    if said:
        found["patientInstruction"] = " ".join(said)
    timing = _timing(element)
    if timing:
        found["timing"] = timing
    needed = reader.words(element, "precondition/criterion/text")
    if needed:
        found["asNeededCodeableConcept"] = {"text": needed}
    for name, path in (("site", "approachSiteCode"), ("route", "routeCode")):
        concept = reader.concept(one(element, path))
        if concept:
            found[name] = concept
    dose = _amount(one(element, "doseQuantity"), "dose") | _amount(one(element, "rateQuantity"), "rate")
    if dose:
        found["doseAndRate"] = [dose]
    limit = ratio(one(element, "maxDoseQuantity"))
    if limit:
        found["maxDosePerPeriod"] = limit
    return found


def _instruction(reader: Reader, act: Element) -> str | None:
    return reader.words(act, "text") if attribute(act, "code", "code") == "PINSTRUCT" else None


def _amount(element: Element | None, name: str) -> Json:
    low, high = quantity(one(element, "low")), quantity(one(element, "high"))
    single = quantity(element)
    if low and high and low != high:
        return {f"{name}Range": {"low": low, "high": high}}
    value = single or low or high
    return {f"{name}Quantity": value} if value else {}


def _timing(element: Element) -> Json:
    repeat: Json = {}
    for time in many(element, "effectiveTime"):
        parts = many(time, "comp") if xsi_type(time) == "SXPR_TS" else [time]
        for part in parts:
            repeat |= _repeat(part)
    return {"repeat": repeat} if repeat else {}


def _repeat(time: Element) -> Json:
    match xsi_type(time):
        case "PIVL_TS":
            return _frequency(one(time, "period"))
        case "EIVL_TS":
            event = attribute(time, "code", "event") or ""
            event = _OTHER_EVENTS.get(event, event)
            return {"when": [event]} if event in _EVENTS else {}
        case _:
            return _bounds(time)


def _frequency(period: Element | None) -> Json:
    written, unit = quantity(period), attribute(period, "unit")
    if not written or unit not in _PERIOD_UNITS or written["value"] <= 0:
        return {}
    return {"frequency": 1, "period": written["value"], "periodUnit": unit}


def _bounds(time: Element) -> Json:
    width = quantity(one(time, "width"))
    found = values.period(time)
    bounds: Json = {}
    if found.low:
        bounds["start"] = found.low.fhir
    if found.high and attribute(time, "value") is None:
        bounds["end"] = found.high.fhir
    if bounds:
        return {"boundsPeriod": bounds}
    if width and attribute(time, "unit", "width") in _PERIOD_UNITS and width["value"] > 0:
        return {"boundsDuration": width}
    return {}
