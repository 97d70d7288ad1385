"""The facts one decision reads: the state of a space, the viewer's standing in it, its emergency choices."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from uuid import UUID

import msgspec

from ambroise.trust.access.matrix import NO_ROLE, Role, matrix
from ambroise.trust.context import Citizen, Context, Operator, Professional, Purpose, Relation, System
from ambroise.trust.limits import Limits


class SpaceState(StrEnum):
    """The life of a space (états de l'espace)."""

    ELIGIBLE = "eligible"
    NOTIFIED = "notified"
    OPPOSED = "opposed"
    OPEN_INACTIVE = "open_inactive"
    OPEN_ACTIVE = "open_active"
    CLOSED = "closed"
    SUSPENDED = "suspended"
    DELETING = "deleting"
    PURGED = "purged"
    DECEASED = "deceased"


OPEN_STATES = (SpaceState.OPEN_INACTIVE, SpaceState.OPEN_ACTIVE)
"""Professionals may feed and, with the patient's consent, read."""
AUTHOR_STATES = (*OPEN_STATES, SpaceState.SUSPENDED)
"""An author still reads what he deposited."""
HOLDER_STATES = (*AUTHOR_STATES, SpaceState.CLOSED, SpaceState.DELETING)
"""The holder, and who acts for the holder, still reads."""


_INSIDE = ("job", "load", "cli")


class Standing(IntEnum):
    """What a professional is to a patient: the best of the grants in force, unless one of them blocks."""

    BLOCKED = -1
    NONE = 0
    AUTHORISED = 1
    TREATING = 2
    ADMINISTRATOR = 3


class Facts(msgspec.Struct, frozen=True):
    """What the rules know about one viewer and one patient at one instant. The default is: nothing is allowed."""

    state: SpaceState | None = None
    standing: Standing = Standing.NONE
    in_care_team: bool = False
    only_present: bool = False
    """The standing comes from the patient being there, and from nothing that lasts."""
    relation: Relation | None = None
    limited: bool = False
    """A carer who reads without acting; a mediator who is shown the screens without the content."""
    emergency_open: bool = False
    etreat: bool = True
    btg: bool = True
    emergency_masked: bool = False
    masked_by_default: bool = False
    feed_opposed: bool = False
    """The patient opposes any feeding, or that of the viewer's structure."""
    kept_kinds: frozenset[int] = frozenset()
    """The kinds that the patient keeps from this professional or his structure."""
    kept_documents: frozenset[UUID] = frozenset()
    """The documents that the patient keeps from them, with all that follows each."""

    def keeps(self, kind: int, document: UUID | None) -> bool:
        """Whether the patient keeps what is of this kind, or follows this document, from the viewer."""
        return kind in self.kept_kinds or document in self.kept_documents

    @property
    def may_act(self) -> bool:
        """Whether somebody who is not the holder does things in the space, besides reading it."""
        return self.relation == "representative" or (self.relation == "carer" and not self.limited)


class Viewer(Enum):
    """Which rows of the evaluation order concern a caller."""

    PROFESSIONAL = "professional"
    CITIZEN = "citizen"
    OPERATOR = "operator"
    SYSTEM = "system"


class Eyes(msgspec.Struct, frozen=True):
    """A context reduced to what the rules compare: who looks, with which role, in which mode."""

    viewer: Viewer
    key: int
    organization: int = 0
    role: Role = NO_ROLE
    purpose: Purpose = Purpose.NORMAL
    space: UUID | None = None
    person: UUID | None = None
    own: bool = True
    trusted: bool = False
    duties: frozenset[str] = frozenset()
    limits: Limits | None = None
    """What the token leaves: of professionals alone, since software acts for nobody else by a launch."""

    def reach(self, patient: UUID | None) -> bool:
        """Whether the token leaves what concerns this patient."""
        return self.limits is None or self.limits.reach(patient)

    @staticmethod
    def of(ctx: Context) -> Eyes:
        """The eyes of a context."""
        match ctx.actor:
            case Professional() as actor:
                return Eyes(
                    Viewer.PROFESSIONAL,
                    actor.key,
                    actor.organization_key,
                    _role(actor, ctx.purpose, ctx.now()),
                    ctx.purpose,
                    limits=ctx.limits,
                )
            case Citizen() as actor:
                own = ctx.acting_for is None or ctx.acting_for == actor.patient
                return Eyes(Viewer.CITIZEN, actor.key, space=ctx.space, person=actor.patient, own=own)
            case Operator() as actor:
                return Eyes(Viewer.OPERATOR, actor.key, duties=actor.duties)
            case System() as actor:
                # The instance's own jobs and loader are trusted everywhere; its token only for demonstrations.
                return Eyes(Viewer.SYSTEM, actor.key, trusted=ctx.demonstration or ctx.channel in _INSIDE)


def _role(actor: Professional, purpose: Purpose, at: datetime) -> Role:
    system, code = actor.profession_system, actor.profession
    if purpose is Purpose.CENTRE_15:
        return matrix(at).role_in_call_centre(system, code, actor.organization_setting)
    return matrix(at).role(system, code)
