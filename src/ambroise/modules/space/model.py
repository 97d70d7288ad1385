"""The life of a space: its steps, which state each leads to, and when a waiting state ends by itself. Pure."""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.facts import SpaceState


class Step(StrEnum):
    """What can happen to a space (CSP R. 1111-28 and R. 1111-36)."""

    NOTIFY = "notify"
    OBJECT = "object"
    OPEN = "open"
    ACTIVATE = "activate"
    CLOSE = "close"
    REOPEN = "reopen"
    REQUEST_DELETION = "request_deletion"
    CANCEL_DELETION = "cancel_deletion"
    SUSPEND = "suspend"
    LIFT = "lift"
    CONTEST = "contest"
    CLOSE_SUSPENDED = "close_suspended"
    DECLARE_DEATH = "declare_death"
    CORRECT_DEATH = "correct_death"
    PURGE = "purge"


class Channel(StrEnum):
    """How the notice was sent: by e-mail, by post without an address (CSP R. 1111-28)."""

    MAIL = "mail"
    POST = "post"


class Reason(StrEnum):
    """Why somebody closes a space; what the person chooses among."""

    NO_USE = "no_use"
    CONFIDENTIALITY = "confidentiality"
    UNWANTED = "unwanted"
    OTHER = "other"
    NOT_CONTESTED = "not_contested"
    """The instance closes: nobody contested a suspension."""


class Suspicion(StrEnum):
    """Why an operator suspends a space."""

    MALFUNCTION = "malfunction"
    FRAUD = "fraud"


class Back(Enum):
    """A state that the past decides."""

    OPEN = "open"
    """As it was when it was last open: activated or not."""
    ALIVE = "alive"
    """As it was before the death was declared."""


_S = SpaceState
_OPEN = (_S.OPEN_INACTIVE, _S.OPEN_ACTIVE)

TABLE: Final[Mapping[Step, Mapping[SpaceState, SpaceState | Back]]] = MappingProxyType(
    {
        Step.NOTIFY: {_S.ELIGIBLE: _S.NOTIFIED},
        Step.OBJECT: {_S.NOTIFIED: _S.OPPOSED},
        Step.OPEN: {_S.NOTIFIED: _S.OPEN_INACTIVE},
        # An objection is not for ever: the person may ask for the space later, as after a closing.
        Step.ACTIVATE: {one: _S.OPEN_ACTIVE for one in (_S.NOTIFIED, _S.OPEN_INACTIVE, _S.OPPOSED)},
        Step.CLOSE: dict.fromkeys(_OPEN, _S.CLOSED),
        Step.REOPEN: {_S.CLOSED: Back.OPEN, _S.DELETING: Back.OPEN},
        Step.REQUEST_DELETION: {_S.CLOSED: _S.DELETING},
        Step.CANCEL_DELETION: {_S.DELETING: _S.CLOSED},
        Step.SUSPEND: dict.fromkeys(_OPEN, _S.SUSPENDED),
        Step.LIFT: {_S.SUSPENDED: Back.OPEN},
        Step.CONTEST: {_S.SUSPENDED: Back.OPEN},
        Step.CLOSE_SUSPENDED: {_S.SUSPENDED: _S.CLOSED},
        Step.DECLARE_DEATH: {one: _S.DECEASED for one in _S if one not in (_S.DECEASED, _S.PURGED)},
        Step.CORRECT_DEATH: {_S.DECEASED: Back.ALIVE},
        Step.PURGE: {one: _S.PURGED for one in (_S.CLOSED, _S.DELETING, _S.DECEASED)},
    }
)
"""From which states a step is possible, and where it leads. Purged is the end: a new space has a new key."""

ENDS: Final[Mapping[SpaceState, Step]] = MappingProxyType(
    {
        _S.NOTIFIED: Step.OPEN,
        _S.SUSPENDED: Step.CLOSE_SUSPENDED,
        _S.CLOSED: Step.PURGE,
        _S.DELETING: Step.PURGE,
        _S.DECEASED: Step.PURGE,
    }
)
"""The step by which a waiting state ends when its delay is over."""


class Delay(Struct, frozen=True):
    """A length of time as the law counts it."""

    days: int = 0
    months: int = 0
    years: int = 0

    def after(self, moment: datetime) -> datetime:
        """The instant this much later; the last day of a month that is too short."""
        month = moment.month - 1 + self.months
        year, month = moment.year + self.years + month // 12, month % 12 + 1
        day = min(moment.day, calendar.monthrange(year, month)[1])
        return moment.replace(year=year, month=month, day=day) + timedelta(days=self.days)


@lru_cache(maxsize=1)
def delays() -> Mapping[SpaceState, Delay]:
    """The delay of each waiting state, from the data table."""
    raw = _table()
    return {state: _delay(raw[state]) for state in ENDS}


@lru_cache(maxsize=1)
def deletion_limit() -> Delay:
    """The longest that the law lets a requested deletion take."""
    return _delay(_table()["deletion_limit"])


def _table() -> dict[str, Any]:
    return tomllib.loads((files("ambroise.modules.space") / "data" / "delays.toml").read_text("utf-8"))


def _delay(row: Mapping[str, Any]) -> Delay:
    return Delay(row.get("days", 0), row.get("months", 0), row.get("years", 0))


class Life(Struct, frozen=True):
    """What is known of one space: its state and the dates of its life."""

    patient: UUID
    state: SpaceState
    since: datetime
    due_at: datetime | None = None
    notified_at: datetime | None = None
    notified_by: Channel | None = None
    objected_at: datetime | None = None
    opened_at: datetime | None = None
    activated_at: datetime | None = None
    terms: str | None = None
    closed_at: datetime | None = None
    close_reason: str | None = None
    deletion_requested_at: datetime | None = None
    suspended_at: datetime | None = None
    suspicion: str | None = None
    died_on: date | None = None
    before_death: SpaceState | None = None
    purged_at: datetime | None = None

    @property
    def next_step(self) -> Step | None:
        """What happens when `due_at` comes."""
        return ENDS.get(self.state) if self.due_at is not None else None

    def may(self, step: Step) -> bool:
        """Whether this step is possible now."""
        return self.state in TABLE[step]


def follow(life: Life, step: Step, at: datetime) -> Life:
    """The same life after a step, with what that step writes down. Raises the refusal of an illegal one."""
    wanted = TABLE[step].get(life.state)
    if wanted is None:
        raise refused(life.state, step)
    if life.state is _S.OPEN_ACTIVE and life.activated_at is None:
        # It was opened active at once, before anything of its life was written down.
        life = replace(life, activated_at=life.since)
    if wanted is Back.OPEN:
        wanted = _S.OPEN_ACTIVE if life.activated_at is not None else _S.OPEN_INACTIVE
    elif wanted is Back.ALIVE:
        wanted = life.before_death or _S.CLOSED
    assert isinstance(wanted, SpaceState)  # noqa: S101 - the two others were replaced above.
    moved = replace(life, state=wanted, since=at, **_written(life, step, at))
    return replace(moved, due_at=due(moved))


def _written(life: Life, step: Step, at: datetime) -> dict[str, Any]:
    """The dates that a step writes down."""
    match step:
        case Step.NOTIFY:
            return {"notified_at": at}
        case Step.OBJECT:
            return {"objected_at": at}
        case Step.OPEN:
            return {"opened_at": at}
        case Step.ACTIVATE:
            return {"activated_at": at, "opened_at": life.opened_at or at}
        case Step.CLOSE | Step.CLOSE_SUSPENDED:
            return {"closed_at": at}
        case Step.REOPEN:
            return {"closed_at": None, "close_reason": None, "deletion_requested_at": None}
        case Step.REQUEST_DELETION:
            return {"deletion_requested_at": at}
        case Step.CANCEL_DELETION:
            return {"deletion_requested_at": None}
        case Step.SUSPEND:
            return {"suspended_at": at}
        case Step.LIFT | Step.CONTEST:
            return {"suspended_at": None, "suspicion": None}
        case Step.DECLARE_DEATH:
            return {"before_death": life.state}
        case Step.CORRECT_DEATH:
            return {"before_death": None, "died_on": None}
        case Step.PURGE:
            return {"purged_at": at}


def due(life: Life) -> datetime | None:
    """When the present state ends by itself, counted from the act that began it, not from a later correction."""
    if life.state not in ENDS:
        return None
    begun = {
        _S.NOTIFIED: life.notified_at,
        _S.SUSPENDED: life.suspended_at,
        _S.CLOSED: life.closed_at,
        _S.DELETING: life.deletion_requested_at,
    }.get(life.state)
    return delays()[life.state].after(begun or life.since)


def refused(state: SpaceState, step: Step) -> Refusal:
    """The refusal of a step that this state does not allow."""
    code = {
        SpaceState.PURGED: "SPACE_PURGED",
        SpaceState.DECEASED: "SPACE_HOLDER_DECEASED",
    }.get(state, "SPACE_STEP_REFUSED")
    if step is Step.OBJECT and state in _OPEN:
        code = "OBJECTION_TOO_LATE"
    return Refusal(
        Kind.CONFLICT,
        code,
        f"The step {step.value} is not possible while the space is {state.value}.",
        data={"state": state.value, "step": step.value},
    )
