"""What is there, who may see it, and which lines of the trace an act must leave: no code of the application."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple
from uuid import UUID


class Line(NamedTuple):
    """One line of the trace, without what differs from run to run."""

    actor: str
    action: str
    event: str
    patient: UUID | None
    type: str | None
    resource: UUID | None
    outcome: int
    count: int | None
    channel: str


DONE, REFUSED = 0, 4


class Standing(Enum):
    """What somebody is to the citizens of this world."""

    SYSTEM = "the operator's token"
    HOLDER = "the citizen, in his or her own space"
    TREATING = "the treating doctor of everybody"
    TEAM = "of everybody's care team"
    AUTHOR = "who wrote the documents, of the care team of the first citizen only"
    STRANGER = "a doctor whom nobody authorised"


@dataclass(frozen=True)
class Person:
    """Who acts, under the identifier that the trace gives."""

    id: str
    standing: Standing
    own: UUID | None = None


@dataclass
class Thing:
    """A resource of a patient: an Observation on its own, or a document."""

    type: str
    key: UUID
    patient: UUID
    author: str
    deleted: bool = False
    masked: bool = False
    binary: UUID | None = None
    extracted: int = 0
    cda: bool = True
    sent: object = None
    version: int = 1


@dataclass
class Model:
    """Everything that the acts so far have made."""

    first: UUID
    things: list[Thing] = field(default_factory=list)

    def in_circle(self, person: Person, patient: UUID) -> bool:
        """Whether a person has access to a space."""
        match person.standing:
            case Standing.SYSTEM | Standing.TREATING | Standing.TEAM:
                return True
            case Standing.HOLDER:
                return person.own == patient
            case Standing.AUTHOR:
                return patient == self.first
            case Standing.STRANGER:
                return False

    def sees(self, person: Person, thing: Thing) -> bool:
        """Whether a person sees a thing that is there."""
        if thing.type == "DocumentReference" and thing.deleted:
            return False
        if person.id == thing.author:
            return True
        if thing.masked and person.standing in (Standing.TEAM, Standing.AUTHOR):
            return False
        return self.in_circle(person, thing.patient)

    def visible(self, person: Person, type: str, patient: UUID) -> list[Thing]:
        """The things of one type in a space that a person sees."""
        return [
            one
            for one in self.things
            if one.type == type and one.patient == patient and not one.deleted and self.sees(person, one)
        ]

    def of(self, type: str) -> list[Thing]:
        return [one for one in self.things if one.type == type]


def line(
    person: Person,
    action: str,
    event: str,
    patient: UUID | None,
    type: str | None,
    resource: UUID | None = None,
    *,
    refused: bool = False,
    count: int | None = None,
    channel: str = "fhir",
) -> Line:
    """One line that must be there."""
    return Line(person.id, action, event, patient, type, resource, REFUSED if refused else DONE, count, channel)


def about(person: Person, action: str, event: str, thing: Thing, *, refused: bool = False) -> Line:
    """A line about one thing."""
    return line(person, action, event, thing.patient, thing.type, thing.key, refused=refused)
