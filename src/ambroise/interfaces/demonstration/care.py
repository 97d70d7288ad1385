"""Years of care for each citizen: courses of life told one after the other, in documents that make sense together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ambroise.interfaces.demonstration.courses.chronic import asthma, diabetes, hypertension, hypothyroidism
from ambroise.interfaces.demonstration.courses.common import background, emergency, healthy, test_identity
from ambroise.interfaces.demonstration.courses.elderly import frailty, heart_failure
from ambroise.interfaces.demonstration.courses.family import child, pregnancy
from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import Citizen, Course, Nation
from ambroise.interfaces.demonstration.story import Story

_COURSES: dict[Course, Callable[[Story], None]] = {
    Course.HEALTHY: healthy,
    Course.CHILD: child,
    Course.DIABETES: diabetes,
    Course.HYPERTENSION: hypertension,
    Course.PREGNANCY: pregnancy,
    Course.HEART_FAILURE: heart_failure,
    Course.FRAILTY: frailty,
    Course.ASTHMA: asthma,
    Course.HYPOTHYROIDISM: hypothyroidism,
    Course.EMERGENCY: emergency,
    Course.TEST_IDENTITY: test_identity,
}


def documents_of(nation: Nation, citizen: Citizen) -> list[Document]:
    """Every document of a citizen, oldest first: the same for the same nation and the same citizen."""
    story = Story(nation, citizen)
    for course in citizen.courses:
        _COURSES[course](story)
    background(story)
    return story.documents()


def all_documents(nation: Nation) -> Iterator[Document]:
    """Every document of the nation, citizen by citizen."""
    for citizen in nation.citizens:
        yield from documents_of(nation, citizen)
