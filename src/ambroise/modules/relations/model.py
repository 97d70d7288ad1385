"""Who helps whom: invitations, limits, majority. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from ambroise.trust.access.relations import Reach
from ambroise.trust.audit.entry import PatientEvent
from ambroise.trust.context import Relation

_PARIS: Final = ZoneInfo("Europe/Paris")


class Traced(PatientEvent):
    """The acts of this module about a patient."""

    RELATION_INVITED = "relation_invited"
    RELATION_ACCEPTED = "relation_accepted"
    RELATION_REFUSED = "relation_refused"
    RELATION_WITHDRAWN = "relation_withdrawn"
    HELP_ASKED = "help_asked"
    MEDIATOR_ENROLLED = "mediator_enrolled"
    MEDIATOR_ENDED = "mediator_ended"


class Answer(StrEnum):
    """Where an invitation stands; one that nobody answered in time is pending no more (`Invitation.state_at`)."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Limits(Struct, frozen=True):
    """The numbers of the data table."""

    carers: int
    cared_for: int
    representatives: int
    majority: int
    invitation: timedelta
    code: timedelta
    help: timedelta


@lru_cache(maxsize=1)
def limits() -> Limits:
    """How many, and how long."""
    raw: Mapping[str, Mapping[str, Any]] = tomllib.loads(
        (files("ambroise.modules.relations") / "data" / "limits.toml").read_text("utf-8")
    )
    return Limits(
        carers=raw["carers"]["of_one_person"],
        cared_for=raw["carers"]["people_of_one_carer"],
        representatives=raw["representatives"]["of_one_child"],
        majority=raw["representatives"]["majority_years"],
        invitation=timedelta(days=raw["invitation"]["days"]),
        code=timedelta(minutes=raw["mediation"]["code_minutes"]),
        help=timedelta(minutes=raw["mediation"]["help_minutes"]),
    )


class Invitation(Struct, frozen=True):
    """Somebody was asked to act in a space."""

    id: UUID
    patient: UUID
    kind: Relation
    invitee: UUID
    invitee_name: str
    invited_by: UUID
    inviter_name: str
    scope: Reach
    ends_at: datetime | None
    state: Answer
    sent_at: datetime
    expires_at: datetime
    answered_at: datetime | None = None

    def state_at(self, now: datetime) -> Answer:
        """Where it stands at this instant."""
        return Answer.EXPIRED if self.state is Answer.PENDING and now >= self.expires_at else self.state


class Known(Struct, frozen=True):
    """Somebody who was found by the exact identity."""

    patient: UUID
    name: str


class Mediator(Struct, frozen=True):
    """Somebody enrolled to help on the spot, and where."""

    person: UUID
    name: str
    place: str
    enrolled_at: datetime
    ended_at: datetime | None = None


def majority(birth: date) -> datetime:
    """The instant from which somebody is of age: the first of the eighteenth birthday, in Paris."""
    year = birth.year + limits().majority
    try:
        day = birth.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime.combine(day, time(), _PARIS).astimezone(ZoneInfo("UTC"))


def is_minor(birth: date | None, now: datetime) -> bool:
    """Whether somebody is not of age yet."""
    return birth is not None and now < majority(birth)
