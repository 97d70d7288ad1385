"""How the patient lives and what runs in the family: habits, pregnancies, abilities, relatives' illnesses, stays."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import Json, is_absence
from ambroise.modules.record.cda.extract.observations import observation
from ambroise.modules.record.cda.extract.reader import FAMILY, FR, Found, Reader
from ambroise.modules.record.cda.nodes import attribute, local, many, one

HABIT = FR + "52"
PREGNANCY = FR + "53"
ABILITY = FR + "25"
STAY_FACT = FR + "48"
# Sections whose simple observations tell of a stay: its reason, its synthesis, the state of its letter.
_STAY_SECTIONS = frozenset({"42349-1", "42545-4", "33557-0"})
_SEXES = {"F": "female", "M": "male"}
_SEX_SYSTEM = "http://hl7.org/fhir/administrative-gender"


def habits(reader: Reader) -> Iterator[Found]:
    """Tobacco, alcohol, drugs, activity, and what else a lifestyle section says."""
    yield from _said(reader, HABIT, "social-history")


def pregnancies(reader: Reader) -> Iterator[Found]:
    """The state of a pregnancy, its dates, and those before it."""
    yield from _said(reader, PREGNANCY, "social-history")


def abilities(reader: Reader) -> Iterator[Found]:
    """Scores and abilities of a functional assessment."""
    yield from _said(reader, ABILITY, "survey")


def stay_facts(reader: Reader) -> Iterator[Found]:
    """What a discharge letter states of the stay by itself: ways in and out, synthesis, germs, transfusions."""
    for found, section in _observed(reader, STAY_FACT, "exam"):
        if section in _STAY_SECTIONS:
            yield found


def relatives(reader: Reader) -> Iterator[Found]:
    """Illnesses of relatives, one resource for each relative."""
    for element in reader.entries("organizer", FAMILY):
        subject = one(element, "subject/relatedSubject")
        relation = reader.concept(one(subject, "code"))
        if relation is None:
            continue
        resource: Json = {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "date": reader.document.effective_time.fhir,
            "relationship": relation,
        }
        sex = attribute(subject, "code", "subject/administrativeGenderCode")
        if sex in _SEXES:
            resource["sex"] = {"coding": [{"system": _SEX_SYSTEM, "code": _SEXES[sex]}]}
        conditions: list[Json] = []
        for problem in many(element, "component/observation"):
            code = reader.concept(one(problem, "value"))
            if code is None or is_absence(code) or problem.get("negationInd") == "true":
                continue
            condition: Json = {"code": code}
            began = values.period(one(problem, "effectiveTime")).low
            if began:
                condition["onsetString"] = began.fhir
            notes = reader.notes(problem)
            conditions.append({**condition, **({"note": notes} if notes else {})})
        if conditions:
            yield reader.found(element, {**resource, "condition": conditions})


def _said(reader: Reader, template: str, category: str) -> Iterator[Found]:
    for found, _ in _observed(reader, template, category):
        yield found


def _observed(reader: Reader, template: str, category: str) -> Iterator[tuple[Found, str | None]]:
    for element in reader.entries("observation", template):
        whole = reader.within(element)
        if (whole is not None and local(whole) != "organizer") or element.get("moodCode", "EVN") != "EVN":
            continue
        resource = observation(reader, element, category)
        if resource is None or element.get("negationInd") == "true" or is_absence(resource["code"]):
            continue
        if is_absence(resource.get("valueCodeableConcept")):
            continue
        notes = reader.notes(element)
        if notes:
            resource["note"] = notes
        yield reader.found(element, resource), reader.section_code(element)
