"""Who may change the facts themselves: authorise, block, choose for emergencies, close a space."""

from __future__ import annotations

from enum import StrEnum

from ambroise.trust.access.facts import HOLDER_STATES, OPEN_STATES, Eyes, Facts, Standing, Viewer
from ambroise.trust.access.rules import Rule, Verdict, entry


class Act(StrEnum):
    """What one may want to change in the rights over a space."""

    OPEN = "open"
    STATE = "state"
    CHOICES = "choices"
    RELATE = "relate"
    OBJECT = "object"
    LIVE = "live"
    AUTHORISE = "authorise"
    DECLARE_TREATING = "declare_treating"
    APPOINT = "appoint"
    REVOKE = "revoke"
    BLOCK = "block"
    UNBLOCK = "unblock"
    RESTRICT = "restrict"
    MEET = "meet"
    FORM_TEAM = "form_team"
    FEEDING = "feeding"
    COPY = "copy"


_DESK = frozenset({Act.OPEN, Act.STATE, Act.RELATE, Act.OBJECT})
_CARER = frozenset({Act.AUTHORISE, Act.FORM_TEAM, Act.REVOKE, Act.BLOCK, Act.UNBLOCK, Act.RESTRICT})
_CLOSED_TOO = frozenset({Act.OPEN, Act.STATE, Act.COPY})
COPIES = "copies"
"""The duty of the operators who answer, off line, somebody's request for a copy of their data (GDPR art. 15)."""
_LIFE = frozenset({Act.OBJECT, Act.LIVE})
"""Objecting, activating, closing, reopening, deleting: when they are possible is for the life of the space to say."""


def authority(facts: Facts, eyes: Eyes, act: Act, *, for_oneself: bool = False) -> Verdict:
    """Whether this caller may do this act; `for_oneself`: the professional or his structure is the one concerned."""
    match eyes.viewer:
        case Viewer.SYSTEM:
            return Verdict(eyes.trusted, Rule.SYSTEM if eyes.trusted else Rule.SYSTEM_ONLY_DEMONSTRATION)
        case Viewer.OPERATOR:
            may = act in _DESK or (act is Act.COPY and COPIES in eyes.duties)
            return Verdict(may, Rule.OPERATOR if may else Rule.WRITE_RESERVED)
        case Viewer.CITIZEN:
            return _citizen(facts, eyes, act)
        case Viewer.PROFESSIONAL:
            return _professional(facts, eyes, act, for_oneself)


def _citizen(facts: Facts, eyes: Eyes, act: Act) -> Verdict:
    if act in _LIFE and facts.state is not None:
        return _lives(facts, eyes)
    states = HOLDER_STATES if act in _CLOSED_TOO else OPEN_STATES
    if facts.state not in states and not (act is Act.OPEN and eyes.own):
        return Verdict(False, Rule.NO_SPACE if facts.state is None else Rule.SPACE_CLOSED)
    if eyes.own:
        return Verdict(True, Rule.PATIENT)
    if facts.relation is None:
        return Verdict(False, Rule.NO_RELATION)
    if facts.relation == "representative":
        return Verdict(True, Rule.REPRESENTATIVE)
    may = facts.may_act and act in _CARER
    return Verdict(may, Rule.CARER if may else Rule.WRITE_RESERVED)


def _lives(facts: Facts, eyes: Eyes) -> Verdict:
    """The life of a space belongs to its holder and to a legal representative, never to a carer (R. 1111-36)."""
    if eyes.own:
        return Verdict(True, Rule.PATIENT)
    if facts.relation is None:
        return Verdict(False, Rule.NO_RELATION)
    represents = facts.relation == "representative"
    return Verdict(represents, Rule.REPRESENTATIVE if represents else Rule.WRITE_RESERVED)


def _professional(facts: Facts, eyes: Eyes, act: Act, for_oneself: bool) -> Verdict:
    if facts.state not in OPEN_STATES:
        return Verdict(False, Rule.NO_SPACE if facts.state is None else Rule.SPACE_CLOSED)
    if facts.standing is Standing.BLOCKED:
        return Verdict(False, Rule.BLOCKED)
    in_charge = facts.standing >= Standing.TREATING
    if act is Act.AUTHORISE and for_oneself:
        return Verdict(True, Rule.CONSENT)
    if act is Act.FEEDING and for_oneself:
        return Verdict(True, Rule.CONSENT)
    if act is Act.MEET and for_oneself:
        outside = eyes.role.care_team_only and not facts.in_care_team
        return Verdict(not outside, Rule.CARE_TEAM_ONLY if outside else Rule.PRESENCE)
    if act is Act.FORM_TEAM and for_oneself:
        # Who only reads within a team joins one that somebody else answers for.
        under = eyes.role.care_team_only
        return Verdict(not under, Rule.CARE_TEAM_ONLY if under else Rule.CONSENT)
    if act is Act.AUTHORISE and facts.standing > Standing.NONE:
        return entry(facts, eyes)
    if act is Act.DECLARE_TREATING and for_oneself and eyes.role.may_treat:
        return Verdict(True, Rule.CONSENT)
    if act is Act.REVOKE and for_oneself:
        return Verdict(True, Rule.CONSENT)
    if act in (Act.REVOKE, Act.BLOCK) and in_charge:
        return Verdict(True, Rule.ADMINISTRATOR if facts.standing is Standing.ADMINISTRATOR else Rule.TREATING)
    return Verdict(False, Rule.WRITE_RESERVED)
