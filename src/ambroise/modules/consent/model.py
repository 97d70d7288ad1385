"""What a request for consent is, and where it stands."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from uuid import UUID

from msgspec import Struct

from ambroise.trust.access.people import Party
from ambroise.trust.audit.entry import PatientEvent


class Traced(PatientEvent):
    """The acts of requests for consent."""

    ASKED = "consent_asked"
    REFUSED = "consent_refused"
    REOPENED = "consent_reopened"


class State(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"


class Limits(Struct, frozen=True):
    """How long a request lasts, when one may ask again, and how many a professional sends in a day."""

    lasts: timedelta
    again_after: timedelta
    per_day: int


class Request(Struct, frozen=True):
    """One request, as it was made, and its answer. `role`: the profession, as (code system, code)."""

    id: UUID
    patient: UUID
    party: Party
    role: tuple[str, str]
    specialty: str | None
    organization_name: str | None
    reason: str
    asked_at: datetime
    expires_at: datetime
    answer: State | None = None
    answered_at: datetime | None = None

    def state(self, now: datetime) -> State:
        """Where it stands at this instant."""
        if self.answer is not None:
            return self.answer
        return State.EXPIRED if self.expires_at <= now else State.WAITING

    def again_from(self) -> datetime:
        """When its author may ask the same patient again: after a delay once answered, at its end otherwise."""
        return self.answered_at + limits().again_after if self.answered_at else self.expires_at


@cache
def limits() -> Limits:
    """The limits of the data table."""
    table = tomllib.loads(files("ambroise.modules.consent").joinpath("data/limits.toml").read_text("utf-8"))["requests"]
    return Limits(timedelta(days=table["lasts_days"]), timedelta(days=table["again_after_days"]), table["per_day"])
