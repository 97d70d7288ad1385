"""The evaluation order: who sees a resource, first matching row decides. Pure: facts in, verdict out.

`scope.py` says the same in SQL; a generative test keeps the two equal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from ambroise.fhir.store.types import Flags, Label
from ambroise.trust.access.facts import AUTHOR_STATES, HOLDER_STATES, OPEN_STATES, Eyes, Facts, Standing, Viewer
from ambroise.trust.access.kinds import IDENTITY, OPERATIONAL, Shelf
from ambroise.trust.context import Purpose

# As numbers: the members of an enum take far longer to combine, and every row is judged.
DELETED = int(Flags.DELETED)
_SIGNATURE = int(Flags.SIGNATURE)
_OPERATIONAL = int(Flags.OPERATIONAL)
_MASKED = int(Flags.MASKED)
_WITHHELD = int(Flags.INVISIBLE_PATIENT)
_WITHHELD_REPRESENTATIVES = int(Flags.INVISIBLE_REPRESENTATIVES)


class Rule(StrEnum):
    """The stable names of the rules: they stand in the trace, in refusals and on the pages that explain."""

    # Allowed because…
    DIRECTORY = "directory"
    SYSTEM = "system"
    OPERATOR = "operator"
    AUTHOR = "author"
    AUTHOR_STRUCTURE = "author_structure"
    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    CARER = "carer"
    MEDIATOR = "mediator"
    AUTHORISED = "authorised"
    CARE_TEAM = "care_team"
    TREATING = "treating_professional"
    ADMINISTRATOR = "administrator"
    EMERGENCY = "emergency"
    CENTRE_15 = "centre_15"
    FEEDING = "feeding"
    IDENTITY_ONLY = "identity_only"
    CONSENT = "consent_recorded"
    PRESENCE = "presence"
    CARD = "card"
    # Refused because…
    DELETED = "deleted"
    SIGNATURE = "signature"
    OPERATOR_ONLY = "operator_only"
    CLINICAL = "clinical_data"
    NO_SPACE = "no_space"
    SPACE_CLOSED = "space_closed"
    BLOCKED = "blocked"
    NOT_AUTHORISED = "not_authorised"
    CARE_TEAM_ONLY = "care_team_only"
    EMERGENCY_ROLE = "emergency_role"
    EMERGENCY_REFUSED = "emergency_refused"
    EMERGENCY_NOT_OPENED = "emergency_not_opened"
    EMERGENCY_REASON = "emergency_reason"
    MATRIX = "matrix"
    OPERATIONAL = "operational"
    MASKED = "masked"
    RESTRICTED = "restricted"
    OTHER_SPACE = "other_space"
    NO_RELATION = "no_relation"
    MEDIATOR_CONTENT = "content_hidden_from_mediator"
    WITHHELD = "withheld_from_patient"
    WITHHELD_REPRESENTATIVES = "withheld_from_representatives"
    NOT_AUTHOR = "not_author"
    FEED_OPPOSED = "feed_opposed"
    WRITE_RESERVED = "write_reserved"
    SYSTEM_ONLY_DEMONSTRATION = "system_only_demonstration"
    TOO_MANY_LOOKUPS = "too_many_lookups"


class Verdict(NamedTuple):
    """Whether, and under which rule."""

    allowed: bool
    rule: Rule


def first_match(
    facts: Facts, label: Label, eyes: Eyes, shelf: Shelf = Shelf.PATIENT, document: UUID | None = None
) -> Verdict:
    """Decide whether this viewer sees a resource with this label, its patient's facts being these.

    `document`: the document that it is or follows, which the patient may keep from somebody.
    """
    flags = int(label.flags)
    if flags & DELETED:
        return Verdict(False, Rule.DELETED)
    if eyes.viewer is Viewer.SYSTEM and eyes.trusted:
        return Verdict(True, Rule.SYSTEM)
    if label.patient is None:
        return _without_patient(label, eyes, shelf)
    if flags & _SIGNATURE:
        return Verdict(False, Rule.SIGNATURE)
    if eyes.viewer is Viewer.PROFESSIONAL:
        return _professional(facts, label, eyes, document)
    if eyes.viewer is Viewer.CITIZEN:
        return _citizen(facts, label, eyes)
    if eyes.viewer is Viewer.OPERATOR:
        mine = is_operational(label) or label.kind == IDENTITY
        return Verdict(True, Rule.OPERATOR) if mine else Verdict(False, Rule.CLINICAL)
    return Verdict(False, Rule.SYSTEM_ONLY_DEMONSTRATION)


def is_author(label: Label, eyes: Eyes) -> bool:
    """Whether this professional wrote it, or belongs to the structure that did when no person signed it."""
    if label.author:
        return label.author == eyes.key
    return eyes.organization != 0 and label.author_organization == eyes.organization


def is_operational(label: Label) -> bool:
    """Whether it belongs to the life of the space rather than to care."""
    return label.kind == OPERATIONAL or bool(int(label.flags) & _OPERATIONAL)


class Sight(NamedTuple):
    """What `first_match` comes to once the facts are known: the rest depends on each row of that patient alone.

    enters       sees what nothing hides
    own_words    sees what he wrote himself
    sees_masked  masking does not hide anything
    hidden       what has one of these flags is never seen
    identity_only   sees who it is, and nothing else
    """

    enters: bool
    own_words: bool
    sees_masked: bool
    hidden: int
    identity_only: bool = False


def sight(facts: Facts, eyes: Eyes, patient: UUID) -> Sight:
    """What a professional or a citizen sees of this patient, the facts being these."""
    if eyes.viewer is Viewer.PROFESSIONAL:
        masked_too = _sees_masked(facts, eyes)
        reached = eyes.reach(patient)
        enters, own_words = entry(facts, eyes).allowed, facts.state in AUTHOR_STATES
        return Sight(reached and enters, reached and own_words, masked_too, DELETED | _SIGNATURE)
    if eyes.viewer is not Viewer.CITIZEN:
        raise ValueError("only professionals and citizens look at a space by its facts")
    held = eyes.space == patient and (eyes.own or facts.relation is not None) and facts.state in HOLDER_STATES
    represents = not eyes.own and facts.relation == "representative"
    hidden = DELETED | _SIGNATURE | _WITHHELD | (_WITHHELD_REPRESENTATIVES if represents else 0)
    screens = not eyes.own and facts.relation == "mediator" and facts.limited
    return Sight(held, False, True, hidden, screens)


def entry(facts: Facts, eyes: Eyes) -> Verdict:
    """Rows 6 to 9: whether a professional gets into the space at all, before any document is looked at."""
    if facts.state is None:
        return Verdict(False, Rule.NO_SPACE)
    if facts.state not in OPEN_STATES:
        return Verdict(False, Rule.SPACE_CLOSED)
    if facts.standing is Standing.BLOCKED:
        return Verdict(False, Rule.BLOCKED)
    if eyes.purpose is not Purpose.NORMAL:
        return _emergency(facts, eyes)
    if facts.standing is Standing.NONE:
        return Verdict(False, Rule.NOT_AUTHORISED)
    if eyes.role.care_team_only and not facts.in_care_team:
        return Verdict(False, Rule.CARE_TEAM_ONLY)
    return Verdict(True, _granted(facts))


def _emergency(facts: Facts, eyes: Eyes) -> Verdict:
    call_centre = eyes.purpose is Purpose.CENTRE_15
    if not eyes.role.emergency:
        return Verdict(False, Rule.EMERGENCY_ROLE)
    if not (facts.etreat if call_centre else facts.btg):
        return Verdict(False, Rule.EMERGENCY_REFUSED)
    if not facts.emergency_open:
        return Verdict(False, Rule.EMERGENCY_NOT_OPENED)
    return Verdict(True, Rule.CENTRE_15 if call_centre else Rule.EMERGENCY)


def _granted(facts: Facts) -> Rule:
    if facts.standing is Standing.ADMINISTRATOR:
        return Rule.ADMINISTRATOR
    if facts.standing is Standing.TREATING:
        return Rule.TREATING
    if facts.only_present:
        return Rule.PRESENCE
    return Rule.CARE_TEAM if facts.in_care_team else Rule.AUTHORISED


def _professional(facts: Facts, label: Label, eyes: Eyes, document: UUID | None) -> Verdict:
    if facts.state in AUTHOR_STATES and is_author(label, eyes):
        return Verdict(True, Rule.AUTHOR if label.author else Rule.AUTHOR_STRUCTURE)
    verdict = entry(facts, eyes)
    if not verdict.allowed:
        return verdict
    if is_operational(label):
        return Verdict(False, Rule.OPERATIONAL)
    if label.kind not in eyes.role.readable:
        return Verdict(False, Rule.MATRIX)
    if _sees_masked(facts, eyes):
        return verdict
    if int(label.flags) & _MASKED:
        return Verdict(False, Rule.MASKED)
    # Kept from this one person: the same as masked (CSP R. 1111-49), for him alone.
    return Verdict(False, Rule.RESTRICTED) if facts.keeps(label.kind, document) else verdict


def _sees_masked(facts: Facts, eyes: Eyes) -> bool:
    """Whether masking hides nothing: from the treating doctor, from an administrator, or in an emergency if chosen."""
    in_emergency = eyes.purpose is not Purpose.NORMAL
    return facts.standing >= Standing.TREATING or (in_emergency and facts.emergency_masked)


def _citizen(facts: Facts, label: Label, eyes: Eyes) -> Verdict:
    if label.patient != eyes.space:
        return Verdict(False, Rule.OTHER_SPACE)
    if not eyes.own and facts.relation is None:
        return Verdict(False, Rule.NO_RELATION)
    if facts.state not in HOLDER_STATES:
        return Verdict(False, Rule.NO_SPACE if facts.state is None else Rule.SPACE_CLOSED)
    if int(label.flags) & _WITHHELD:
        return Verdict(False, Rule.WITHHELD)
    if eyes.own:
        return Verdict(True, Rule.PATIENT)
    if facts.relation == "carer":
        return Verdict(True, Rule.CARER)
    if facts.relation == "mediator":
        shown = not facts.limited or label.kind == IDENTITY
        return Verdict(shown, Rule.MEDIATOR if shown else Rule.MEDIATOR_CONTENT)
    if int(label.flags) & _WITHHELD_REPRESENTATIVES:
        return Verdict(False, Rule.WITHHELD_REPRESENTATIVES)
    return Verdict(True, Rule.REPRESENTATIVE)


def _without_patient(label: Label, eyes: Eyes, shelf: Shelf) -> Verdict:
    if shelf is Shelf.OPEN:
        return Verdict(True, Rule.DIRECTORY)
    if eyes.viewer is Viewer.OPERATOR:
        return Verdict(True, Rule.OPERATOR)
    if label.author and label.author == eyes.key:
        return Verdict(True, Rule.AUTHOR)
    return Verdict(False, Rule.OPERATOR_ONLY)
