"""Laboratory results and vital signs as Observation."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import (
    LOINC,
    Json,
    effective,
    hl7_concept,
    interval,
    performers,
    quantity,
)
from ambroise.modules.record.cda.extract.reader import FR, Found, Reader, declared
from ambroise.modules.record.cda.nodes import Element, attribute, many, one, text, xsi_type
from ambroise.modules.record.tables import system_url

_RESULT = (FR + "80", "1.3.6.1.4.1.19376.1.3.1.6")
_VITAL_SIGN = (FR + "50", "1.3.6.1.4.1.19376.1.5.3.1.4.13.2")
_ISOLATE = FR + "79"
_STATUS = {
    "completed": "final",
    "active": "preliminary",
    "aborted": "cancelled",
    "cancelled": "cancelled",
    "held": "registered",
    "suspended": "registered",
    "nullified": "entered-in-error",
}
_PRESSURES = {"8480-6": 0, "8462-4": 1}
_PRESSURE_PANEL = "85354-9"


def results(reader: Reader) -> Iterator[Found]:
    """Results of laboratory examinations; a former result quoted beside a new one is left to its own report."""
    for element in reader.entries("observation", *_RESULT):
        if reader.link_type(element) != "REFR" and element.get("moodCode", "EVN") == "EVN":
            resource = observation(reader, element, "laboratory")
            if resource:
                chapter = values.coded(one(reader.section_of(element), "code"))
                if chapter and chapter.system == LOINC:
                    resource["category"].append(
                        {"coding": [{"system": system_url(LOINC), "code": chapter.code, "display": chapter.label}]}
                    )
                notes = [*_isolate(reader, element), *reader.notes(element)]
                if notes:
                    resource["note"] = notes
                yield reader.found(element, resource)


def vital_signs(reader: Reader) -> Iterator[Found]:
    """Vital signs; the two pressures measured together make one blood pressure."""
    pairs: dict[tuple[int, str], list[tuple[Element, Json]]] = {}
    for element in reader.entries("observation", *_VITAL_SIGN):
        resource = observation(reader, element, "vital-signs")
        if resource is None or element.get("moodCode", "EVN") != "EVN":
            continue
        notes = reader.notes(element)
        if notes:
            resource["note"] = notes
        organizer = reader.within(element)
        if organizer is not None and attribute(element, "code", "code") in _PRESSURES:
            moment = str(resource.get("effectiveDateTime", ""))
            pairs.setdefault((id(organizer), moment), []).append((element, resource))
        else:
            yield reader.found(element, resource)
    for measured in pairs.values():
        yield from _pressure(reader, measured)


def observation(reader: Reader, element: Element, category: str) -> Json | None:
    """One measured or stated value; None when it says nothing."""
    code = reader.concept(one(element, "code"))
    if code is None:
        return None
    resource: Json = {
        "resourceType": "Observation",
        "status": _STATUS.get(attribute(element, "code", "statusCode") or "completed", "unknown"),
        "category": [hl7_concept("observation-category", category)],
        "code": code,
        **effective(element),
        **reader.value(one(element, "value")),
    }
    if "value" not in "".join(resource) and "dataAbsentReason" not in resource:
        # Nothing measured and no reason given: the narrative says more than an empty result.
        return None
    interpretations = [item for item in map(reader.concept, many(element, "interpretationCode")) if item]
    if interpretations:
        resource["interpretation"] = interpretations
    method, site = reader.concept(one(element, "methodCode")), reader.concept(one(element, "targetSiteCode"))
    if method:
        resource["method"] = method
    if site:
        resource["bodySite"] = site
    who = performers(element)
    if who:
        resource["performer"] = who
    ranges = [
        item for item in (_range(reader, part) for part in many(element, "referenceRange/observationRange")) if item
    ]
    if ranges:
        resource["referenceRange"] = ranges
    return resource


def _range(reader: Reader, element: Element) -> Json | None:
    value = one(element, "value")
    found: Json = {}
    if value is not None and xsi_type(value) == "IVL_PQ":
        for end in ("low", "high"):
            amount = quantity(one(value, end))
            if amount:
                found[end] = amount
        if not found and (single := interval(value).get("valueQuantity")):
            found["text"] = f"{single['value']} {single.get('unit', '')}".strip()
    elif value is not None:
        words = reader.words(value, "originalText") or attribute(value, "displayName") or text(value)
        if words:
            found["text"] = words
    words = reader.words(element, "text")
    if words:
        found["text"] = words
    return found or None


def _isolate(reader: Reader, element: Element) -> list[Json]:
    """The organism on which an antibiotic was tried: without it the result would mislead."""
    organizer = reader.within(element)
    while organizer is not None and _ISOLATE not in declared(organizer):
        organizer = reader.within(organizer)
    if organizer is None:
        return []
    code = one(organizer, "specimen/specimenRole/specimenPlayingEntity/code")
    words = attribute(code, "displayName") or reader.words(code, "originalText")
    return [{"text": words}] if words else []


def _pressure(reader: Reader, measured: list[tuple[Element, Json]]) -> Iterator[Found]:
    kinds = {attribute(element, "code", "code") for element, _ in measured}
    if len(measured) != 2 or len(kinds) != 2 or any("valueQuantity" not in part for _, part in measured):
        for element, resource in measured:
            yield reader.found(element, resource)
        return
    measured.sort(key=lambda pair: _PRESSURES[attribute(pair[0], "code", "code") or ""])
    element, first = measured[0]
    panel = {name: first[name] for name in ("resourceType", "status", "category")}
    panel["code"] = {"coding": [{"system": system_url(LOINC), "code": _PRESSURE_PANEL}]}
    panel |= {name: first[name] for name in first if name.startswith("effective") or name in ("performer", "method")}
    kept = ("code", "valueQuantity", "interpretation", "referenceRange")
    panel["component"] = [{name: part[name] for name in kept if name in part} for _, part in measured]
    yield reader.found(element, panel)
