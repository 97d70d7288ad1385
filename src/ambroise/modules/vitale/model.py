"""What an e-carte Vitale is, its states, and what may happen to it. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal

Medium: TypeAlias = Literal["qr", "nfc"]
Way: TypeAlias = Literal["online", "device"]


class CardState(StrEnum):
    """Where a card stands."""

    REQUESTED = "requested"
    """The desk has not checked the identity yet."""
    ACCEPTED = "accepted"
    """The identity was checked; the secret code is to be chosen."""
    REFUSED = "refused"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    """Put aside by its holder, who takes it back with the secret code."""
    BLOCKED = "blocked"
    """Too many wrong codes: the identity is to be checked again."""
    REVOKED = "revoked"
    EXPIRED = "expired"


class Step(StrEnum):
    """What happens to a card."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    BLOCK = "block"
    REVOKE = "revoke"
    EXPIRE = "expire"


_S = CardState
TRANSITIONS: Final[Mapping[tuple[CardState, Step], CardState]] = MappingProxyType(
    {
        (_S.REQUESTED, Step.ACCEPT): _S.ACCEPTED,
        (_S.REQUESTED, Step.REFUSE): _S.REFUSED,
        (_S.REQUESTED, Step.REVOKE): _S.REVOKED,
        (_S.ACCEPTED, Step.ACTIVATE): _S.ACTIVE,
        (_S.ACCEPTED, Step.REVOKE): _S.REVOKED,
        (_S.ACCEPTED, Step.EXPIRE): _S.EXPIRED,
        (_S.ACTIVE, Step.SUSPEND): _S.SUSPENDED,
        (_S.ACTIVE, Step.BLOCK): _S.BLOCKED,
        (_S.ACTIVE, Step.REVOKE): _S.REVOKED,
        (_S.ACTIVE, Step.EXPIRE): _S.EXPIRED,
        (_S.SUSPENDED, Step.RESUME): _S.ACTIVE,
        (_S.SUSPENDED, Step.BLOCK): _S.BLOCKED,
        (_S.SUSPENDED, Step.REVOKE): _S.REVOKED,
        (_S.SUSPENDED, Step.EXPIRE): _S.EXPIRED,
        # Checked again: a new secret code is to be chosen.
        (_S.BLOCKED, Step.ACCEPT): _S.ACCEPTED,
        (_S.BLOCKED, Step.REVOKE): _S.REVOKED,
        (_S.BLOCKED, Step.EXPIRE): _S.EXPIRED,
    }
)
"""Every transition there is."""

LIVE: Final = frozenset({_S.REQUESTED, _S.ACCEPTED, _S.ACTIVE, _S.SUSPENDED, _S.BLOCKED})
"""States of a card that may still serve: a person has one at most."""


def follow(state: CardState, step: Step) -> CardState:
    """The state after a step. Raises VITALE_STEP."""
    found = TRANSITIONS.get((state, step))
    if found is None:
        raise Refusal(Kind.CONFLICT, "VITALE_STEP", f"A card that is {state} cannot {step}.", data={"state": state})
    return found


class Limits(Struct, frozen=True):
    """The numbers of the data table."""

    own_from_age: int
    valid_years: int
    shortest: int
    longest: int
    tries: int
    token: timedelta
    skew: timedelta
    unlocked: timedelta
    challenge: timedelta
    verifications: int
    meeting: timedelta
    meetings: int
    context: timedelta
    answer: timedelta
    delegation: timedelta


@lru_cache(maxsize=1)
def limits() -> Limits:
    """How many, how long."""
    text = (files("ambroise.modules.vitale") / "data" / "limits.toml").read_text("utf-8")
    raw: Mapping[str, Mapping[str, Any]] = tomllib.loads(text)
    return Limits(
        own_from_age=raw["card"]["own_from_age"],
        valid_years=raw["card"]["valid_years"],
        shortest=raw["code"]["shortest"],
        longest=raw["code"]["longest"],
        tries=raw["code"]["tries"],
        token=timedelta(seconds=raw["token"]["lasts_seconds"]),
        skew=timedelta(seconds=raw["token"]["skew_seconds"]),
        unlocked=timedelta(minutes=raw["token"]["unlocked_minutes"]),
        challenge=timedelta(seconds=raw["token"]["challenge_seconds"]),
        verifications=raw["token"]["verifications_per_minute"],
        meeting=timedelta(minutes=raw["meeting"]["code_minutes"]),
        meetings=raw["meeting"]["tries_per_minute"],
        context=timedelta(minutes=raw["context"]["valid_minutes"]),
        answer=timedelta(days=raw["delegation"]["answer_days"]),
        delegation=timedelta(days=raw["delegation"]["longest_days"]),
    )


class Card(Struct, frozen=True):
    """The card of one person. `reason`: why it was refused, suspended or revoked."""

    patient: UUID
    id: UUID
    holder: UUID
    holder_name: str
    state: CardState
    requested_at: datetime
    state_since: datetime
    expires_at: datetime | None = None
    reason: str = ""

    def state_at(self, now: datetime) -> CardState:
        """Where it stands at this instant: one whose day has come has expired, whether somebody wrote it or not."""
        over = self.expires_at is not None and now >= self.expires_at
        return CardState.EXPIRED if over and (self.state, Step.EXPIRE) in TRANSITIONS else self.state


class Document(Struct, frozen=True):
    """What somebody types of an identity document: its sort (a code of `proofs`), its number, its last day."""

    kind: str
    number: str
    until: date | None = None


class Check(Struct, frozen=True):
    """One identity check that the desk answers. `number` is known until it is answered."""

    id: UUID
    patient: UUID
    card: UUID
    document: str
    number: str | None
    document_until: date | None
    asked_at: datetime
    again: bool
    """Whether it is to unlock a card that was blocked."""


class Device(Struct, frozen=True):
    """A telephone that shows the card by itself."""

    id: UUID
    patient: UUID
    card: UUID
    name: str
    since: datetime


class DelegationState(StrEnum):
    """Where a delegation of use stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    REVOKED = "revoked"
    ENDED = "ended"


class Delegation(Struct, frozen=True):
    """Somebody trusted shows the card for its holder, until a day."""

    id: UUID
    patient: UUID
    card: UUID
    person: UUID
    person_name: str
    given_by: UUID
    given_by_name: str
    state: DelegationState
    asked_at: datetime
    answer_before: datetime
    until: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None

    def state_at(self, now: datetime) -> DelegationState:
        """Where it stands at this instant: it ends by itself."""
        over = now >= (self.answer_before if self.state is DelegationState.PENDING else self.until)
        living = self.state in (DelegationState.PENDING, DelegationState.ACCEPTED)
        return DelegationState.ENDED if living and (over or now >= self.until) else self.state


class Rights(Struct, frozen=True):
    """What an insurer says of somebody's rights. An exemption says until when, never why."""

    regime: str
    fund: str
    fund_name: str
    centre: str
    quality: str
    since: date
    until: date
    exempt_until: date | None
    source: str
    stated_at: datetime


class Receipt(Struct, frozen=True):
    """One use of a card: who asked, where, when, and what was returned."""

    id: UUID
    patient: UUID
    card: UUID
    at: datetime
    reader: str
    reader_name: str
    profession: str
    organization_name: str
    software: str
    medium: Medium
    way: Way
    person: UUID
    person_name: str
    delegation: UUID | None
    returned: tuple[str, ...]
    access_until: datetime | None = None


class Unlocked(Struct, frozen=True):
    """What a right secret code gives: the means to make tokens for some minutes."""

    secret: str
    until: datetime


class Shown(Struct, frozen=True):
    """A token to show, and until when it is good."""

    token: str
    expires_at: datetime
    lasts: timedelta


class Challenge(Struct, frozen=True):
    """What a contactless reader gives the card to answer to."""

    id: UUID
    expires_at: datetime


class Registered(Struct, frozen=True):
    """What a telephone keeps after its registration: `seed` under the secret code."""

    device: Device
    card: Card
    seed: bytes
    name: str
    birth_date: date | None
    now: datetime
