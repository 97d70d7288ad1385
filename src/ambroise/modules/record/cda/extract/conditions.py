"""Problems, active or past, as Condition."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import Json, author_of, hl7_concept, is_absence
from ambroise.modules.record.cda.extract.reader import FR, Found, Reader, declared, related
from ambroise.modules.record.cda.nodes import Element, attribute, one

_PROBLEM = FR + "37"
_CONCERN = FR + "39"
_PROBLEM_LISTS = frozenset({"11450-4", "11348-0"})
_HISTORY = "11348-0"
_CLINICAL = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
_VERIFICATION = frozenset({"unconfirmed", "provisional", "differential", "confirmed", "refuted"})
_OVER = frozenset({"inactive", "remission", "resolved"})


def conditions(reader: Reader) -> Iterator[Found]:
    """The problems that a document states by themselves; a reaction or a reason belongs to another entry."""
    for element in reader.entries("observation", _PROBLEM):
        concern = reader.within(element)
        if concern is not None and _CONCERN not in declared(concern):
            continue
        code = reader.concept(one(element, "value"))
        if code is None or is_absence(code):
            continue
        listed = reader.section_code(element) in _PROBLEM_LISTS
        resource: Json = {
            "resourceType": "Condition",
            "category": [hl7_concept("condition-category", "problem-list-item" if listed else "encounter-diagnosis")],
            "code": code,
        }
        resource |= _course(reader, element, concern)
        severity = reader.concept(_stated(element, "SEV"))
        if severity:
            resource["severity"] = severity
        recorded, _ = author_of(element)
        if recorded:
            resource["recordedDate"] = recorded
        notes = reader.notes(element)
        if notes:
            resource["note"] = notes
        yield reader.found(element, resource)


def _course(reader: Reader, element: Element, concern: Element | None) -> Json:
    """When it began and ended, how it stands, how sure it is."""
    found: Json = {}
    period = values.period(one(element, "effectiveTime"))
    certainty = attribute(_stated(element, "66455-7"), "code")
    if element.get("negationInd") == "true":
        return {"verificationStatus": hl7_concept("condition-ver-status", "refuted")}
    if certainty in _VERIFICATION:
        found["verificationStatus"] = hl7_concept("condition-ver-status", certainty)
    status = attribute(_stated(element, "33999-4"), "code") or ""
    if status not in _CLINICAL:
        status = _deduced(reader, element, concern, ended=period.high is not None and period.high != period.low)
    found["clinicalStatus"] = hl7_concept("condition-clinical", status)
    if period.low:
        found["onsetDateTime"] = period.low.fhir
    if period.high and period.high != period.low and status in _OVER:
        found["abatementDateTime"] = period.high.fhir
    return found


def _deduced(reader: Reader, element: Element, concern: Element | None, *, ended: bool) -> str:
    if ended:
        return "resolved"
    state = attribute(concern, "code", "statusCode") if concern is not None else None
    if state in ("suspended", "aborted"):
        return "inactive"
    return "inactive" if reader.section_code(element) == _HISTORY and state != "active" else "active"


def _stated(element: Element, code: str) -> Element | None:
    """The value of an observation joined to another, by its code."""
    for observation in related(element, "observation"):
        if attribute(observation, "code", "code") == code:
            return one(observation, "value")
    return None
