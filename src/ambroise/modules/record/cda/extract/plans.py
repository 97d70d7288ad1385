"""The plan of a prevention check-up as one CarePlan: its aims and its actions, each a line that can be followed."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import Json, actor_reference
from ambroise.modules.record.cda.extract.reader import Found, Reader
from ambroise.modules.record.cda.nodes import Element, one

PLAN = "83869-8"
_LOINC = "http://loinc.org"
_MOODS = {"observation": "GOL", "act": "INT"}
"""How each sort of entry says that it is for later."""


def prevention_plans(reader: Reader) -> Iterator[Found]:
    """The lines of a document that says of itself that it is a plan of prevention."""
    if reader.document.code.code != PLAN:
        return
    planned = [element for kind, mood in _MOODS.items() for element in reader.standing(kind, mood)]
    activity = [{"detail": found} for element in planned if (found := _line(reader, element))]
    if not activity:
        return
    resource: Json = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [{"system": _LOINC, "code": PLAN}]}],
        "title": reader.document.title,
        "created": reader.document.effective_time.fhir,
        "activity": activity,
    }
    author = actor_reference(reader.document.authors[0].actor)
    if author:
        resource["author"] = author
    yield Found("plan", resource, None)


def _line(reader: Reader, element: Element) -> Json | None:
    said = reader.words(element, "text")
    if not said:
        return None
    line: Json = {"status": "not-started", "description": said}
    code = reader.concept(one(element, "code"))
    if code:
        line["code"] = code
    until = values.period(one(element, "effectiveTime")).high
    if until:
        line["scheduledPeriod"] = {"end": until.fhir}
    return line
