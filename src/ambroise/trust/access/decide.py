"""The question asked before everything: may this caller do this to that? Answered with a permit or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

import msgspec

from ambroise.fhir.store.seal import SEAL
from ambroise.fhir.store.types import Flags, Label, Permit
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access import kinds
from ambroise.trust.access.facts import HOLDER_STATES, OPEN_STATES, Eyes, Facts, Viewer
from ambroise.trust.access.kinds import Shelf, shelf_of
from ambroise.trust.access.loader import Question, load_facts
from ambroise.trust.access.rules import DELETED, Rule, Verdict, entry, first_match, is_author, is_operational
from ambroise.trust.context import Context, Purpose

NOTHING_KNOWN = Facts()
RECTIFY = "rectification"
"""The duty of an operator who ends reports of misfiled documents."""


def inspection() -> Permit:
    """The permit by which the door itself looks at a label, to decide or to explain."""
    return Permit(SEAL, "inspect", None, "door")


class Action(StrEnum):
    """What one may want to do with a resource."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    MASK = "mask"
    DISCLOSE = "disclose"
    DISCLOSE_TO_REPRESENTATIVES = "disclose_to_representatives"
    ARCHIVE = "archive"
    REPLACE = "replace"
    WITHDRAW = "withdraw"


class Target(msgspec.Struct, frozen=True):
    """What the action is about: a type and the label of the present (or future) resource."""

    type: str
    label: Label
    key: UUID | None = None

    @property
    def document(self) -> UUID | None:
        """The document that it is, or follows."""
        return self.label.source or self.key

    @property
    def shelf(self) -> Shelf:
        """Where it stands."""
        return shelf_of(self.type, with_patient=self.label.patient is not None)


async def decide(reader: Reader, ctx: Context, action: Action, target: Target) -> Permit:
    """The permit for one action on one target; raises Refusal when the rules say no."""
    eyes = Eyes.of(ctx)
    facts = await facts_about(reader, ctx, eyes, target.label.patient)
    return permit(action, target, judge(facts, eyes, action, target))


async def facts_about(reader: Reader, ctx: Context, eyes: Eyes, patient: UUID | None) -> Facts:
    """What the rules need to know about this caller and this patient, now."""
    if patient is None:
        return NOTHING_KNOWN
    return (await load_facts(reader, [Question(eyes, patient, ctx.now())]))[0]


def permit(action: Action, target: Target, verdict: Verdict) -> Permit:
    """The permit behind a verdict; raises the refusal that the verdict calls for."""
    if not verdict.allowed:
        raise refusal(action, target.type, verdict.rule)
    return Permit(SEAL, action.value, target.label.patient, verdict.rule.value)


def judge(facts: Facts, eyes: Eyes, action: Action, target: Target) -> Verdict:
    """Whether the rules allow this action, the facts being these. Pure."""
    label = target.label
    if not eyes.reach(label.patient):
        return Verdict(False, Rule.OTHER_SPACE)
    if action is Action.READ:
        return first_match(facts, label, eyes, target.shelf, target.document)
    if int(label.flags) & DELETED:
        return Verdict(False, Rule.DELETED)
    if eyes.viewer is Viewer.SYSTEM:
        return Verdict(eyes.trusted, Rule.SYSTEM if eyes.trusted else Rule.SYSTEM_ONLY_DEMONSTRATION)
    if action is Action.CREATE:
        return _create(facts, eyes, target)
    if action in (Action.UPDATE, Action.DELETE, Action.REPLACE, Action.WITHDRAW):
        return _change(facts, eyes, action, target)
    return _relabel(facts, eyes, action, target)


def _create(facts: Facts, eyes: Eyes, target: Target) -> Verdict:
    """Feeding: any professional while the space is open, even blocked ones; citizens write notes of their own."""
    label, type = target.label, target.type
    if label.patient is None:
        if eyes.viewer is Viewer.PROFESSIONAL and kinds.professional_may_write(type, kinds.OPERATIONAL):
            return Verdict(True, Rule.FEEDING)
        return _operator_only(eyes)
    if eyes.viewer is Viewer.OPERATOR:
        mine = is_operational(label) or label.kind == kinds.IDENTITY
        return Verdict(True, Rule.OPERATOR) if mine else Verdict(False, Rule.CLINICAL)
    if facts.state not in OPEN_STATES:
        return Verdict(False, Rule.NO_SPACE if facts.state is None else Rule.SPACE_CLOSED)
    if eyes.viewer is Viewer.CITIZEN:
        return _citizen_writes(facts, eyes, target)
    if facts.feed_opposed:
        return Verdict(False, Rule.FEED_OPPOSED)
    if not kinds.professional_may_write(type, label.kind):
        return Verdict(False, Rule.WRITE_RESERVED)
    return Verdict(True, Rule.FEEDING)


def _citizen_writes(facts: Facts, eyes: Eyes, target: Target) -> Verdict:
    """A citizen writes notes of his own (operational), tells his profile, files documents of the patient's class."""
    label = target.label
    if label.patient != eyes.space:
        return Verdict(False, Rule.OTHER_SPACE)
    if not eyes.own and facts.relation is None:
        return Verdict(False, Rule.NO_RELATION)
    if not eyes.own and not facts.may_act:
        return Verdict(False, Rule.WRITE_RESERVED)
    notes = is_operational(label) and kinds.citizen_may_write(target.type)
    own = bool(label.flags & Flags.PATIENT_AUTHORED)
    filed = own and label.kind in kinds.citizen_kinds()
    told = own and not is_operational(label) and kinds.citizen_may_tell(target.type, label.kind)
    if not notes and not filed and not told:
        return Verdict(False, Rule.WRITE_RESERVED)
    return Verdict(True, _acting_as(facts, eyes))


def _change(facts: Facts, eyes: Eyes, action: Action, target: Target) -> Verdict:
    """Changing or withdrawing is for the author; a citizen changes what the holder's side wrote."""
    label = target.label
    if label.patient is None:
        if label.author and label.author == eyes.key:
            return Verdict(True, Rule.AUTHOR)
        return _operator_only(eyes)
    if eyes.viewer is Viewer.OPERATOR:
        mine = is_operational(label) or label.kind == kinds.IDENTITY
        rectifies = action is Action.WITHDRAW and RECTIFY in eyes.duties
        return Verdict(True, Rule.OPERATOR) if mine or rectifies else Verdict(False, Rule.CLINICAL)
    if action is Action.REPLACE and _same_structure(label, eyes) and facts.state in OPEN_STATES:
        return Verdict(True, Rule.AUTHOR_STRUCTURE)
    sight = first_match(facts, label, eyes, target.shelf, target.document)
    if not sight.allowed:
        return sight
    if eyes.viewer is Viewer.CITIZEN:
        if not eyes.own and not facts.may_act:
            return Verdict(False, Rule.WRITE_RESERVED)
        own = bool(label.flags & Flags.PATIENT_AUTHORED)
        return Verdict(own, sight.rule if own else Rule.NOT_AUTHOR)
    if not is_author(label, eyes):
        return Verdict(False, Rule.NOT_AUTHOR)
    if facts.state not in OPEN_STATES:
        return Verdict(False, Rule.SPACE_CLOSED)
    return Verdict(True, sight.rule)


def _same_structure(label: Label, eyes: Eyes) -> bool:
    return (
        eyes.viewer is Viewer.PROFESSIONAL and eyes.organization != 0 and label.author_organization == eyes.organization
    )


def _relabel(facts: Facts, eyes: Eyes, action: Action, target: Target) -> Verdict:
    """Masking, disclosing: the patient's side, and professionals who see the document; archiving: the latter."""
    label = target.label
    if label.patient is None:
        return _operator_only(eyes)
    if eyes.viewer is Viewer.OPERATOR:
        return Verdict(False, Rule.CLINICAL)
    sight = first_match(facts, label, eyes, target.shelf, target.document)
    if not sight.allowed:
        return sight
    if eyes.viewer is Viewer.CITIZEN and not eyes.own and not facts.may_act:
        return Verdict(False, Rule.WRITE_RESERVED)
    if eyes.viewer is Viewer.CITIZEN and action is Action.ARCHIVE and not label.flags & Flags.PATIENT_AUTHORED:
        return Verdict(False, Rule.NOT_AUTHOR)
    if eyes.viewer is Viewer.CITIZEN and action is Action.DISCLOSE_TO_REPRESENTATIVES and not eyes.own:
        return Verdict(False, Rule.WRITE_RESERVED)
    if facts.state not in HOLDER_STATES:
        return Verdict(False, Rule.SPACE_CLOSED)
    return sight


def _acting_as(facts: Facts, eyes: Eyes) -> Rule:
    if eyes.own:
        return Rule.PATIENT
    return Rule.CARER if facts.relation == "carer" else Rule.REPRESENTATIVE


def _operator_only(eyes: Eyes) -> Verdict:
    return Verdict(
        eyes.viewer is Viewer.OPERATOR, Rule.OPERATOR if eyes.viewer is Viewer.OPERATOR else Rule.OPERATOR_ONLY
    )


def judge_entry(facts: Facts, eyes: Eyes) -> Verdict:
    """Whether the caller gets into this space at all, before any document is looked at."""
    if eyes.viewer is Viewer.PROFESSIONAL:
        return entry(facts, eyes)
    probe = Label(patient=eyes.space, kind=kinds.OPERATIONAL, flags=Flags.OPERATIONAL)
    return first_match(facts, probe, eyes)


# Refusing.

SECRET_RULES = frozenset(
    {
        Rule.DELETED,
        Rule.SIGNATURE,
        Rule.OPERATOR_ONLY,
        Rule.CLINICAL,
        Rule.OPERATIONAL,
        Rule.MATRIX,
        Rule.MASKED,
        Rule.RESTRICTED,
        Rule.OTHER_SPACE,
        Rule.NO_RELATION,
        Rule.NO_SPACE,
        Rule.MEDIATOR_CONTENT,
        Rule.WITHHELD,
        Rule.WITHHELD_REPRESENTATIVES,
    }
)
"""Rules whose refusal would reveal that somebody or something exists: the answer is that of an unknown id."""

WAYS: Mapping[Rule, tuple[str, ...]] = MappingProxyType(
    {
        Rule.NOT_AUTHORISED: ("ask_consent", "emergency"),
        Rule.CARE_TEAM_ONLY: ("join_care_team",),
        Rule.BLOCKED: ("ask_unblock", "feed"),
        Rule.SPACE_CLOSED: (),
        Rule.EMERGENCY_REFUSED: ("ask_consent",),
        Rule.EMERGENCY_NOT_OPENED: ("open_emergency",),
        Rule.EMERGENCY_REASON: ("give_reason",),
        Rule.NOT_AUTHOR: ("ask_author", "report"),
        Rule.FEED_OPPOSED: ("keep_local",),
        Rule.WRITE_RESERVED: (),
    }
)
"""What a person can do about a refusal; pages turn these into sentences and links."""

_SAYS: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.NOT_AUTHORISED: "The patient has not authorised you: ask for consent, or use an emergency purpose.",
        Rule.CARE_TEAM_ONLY: "Your profession reads this as a member of an authorised care team only.",
        Rule.BLOCKED: "The patient blocked you: you can still deposit documents and read your own.",
        Rule.SPACE_CLOSED: "This space is not open.",
        Rule.EMERGENCY_ROLE: "Your profession or structure does not open this kind of emergency access.",
        Rule.EMERGENCY_REFUSED: "The patient refused this kind of emergency access.",
        Rule.EMERGENCY_NOT_OPENED: "Open an emergency access to this patient first.",
        Rule.EMERGENCY_REASON: "Breaking the glass needs a reason.",
        Rule.NOT_AUTHOR: "Only the author may do this.",
        Rule.FEED_OPPOSED: "The patient opposes feeding for a legitimate reason: keep the document in your own system.",
        Rule.WRITE_RESERVED: "This type is not written this way, or not by you.",
        Rule.SYSTEM_ONLY_DEMONSTRATION: "The operator's token works on demonstration instances only.",
    }
)


def refusal(action: Action, type: str, rule: Rule) -> Refusal:
    """The refusal for a rule: one that says why, or one that looks like an unknown id where existence is a secret."""
    if rule in SECRET_RULES and action is not Action.CREATE:
        return unknown(type)
    return Refusal(
        Kind.FORBIDDEN,
        f"ACCESS_{rule.name}",
        _SAYS.get(rule, f"Refused by the rule {rule.value}."),
        data={"rule": rule.value, "ways": list(WAYS.get(rule, ()))},
    )


def unknown(type: str) -> Refusal:
    """The answer for what does not exist, or must look so: one and the same for every rule that hides a resource."""
    return Refusal(Kind.NOT_FOUND, "NOT_FOUND", f"There is no {type} with this id, or none that you may see.")


def emergency_allowed(facts: Facts, eyes: Eyes) -> Verdict:
    """Whether this professional may open an emergency access now."""
    if eyes.purpose is Purpose.NORMAL:
        return Verdict(False, Rule.EMERGENCY_NOT_OPENED)
    verdict = entry(facts, eyes)
    if verdict.rule is Rule.EMERGENCY_NOT_OPENED:
        return Verdict(True, Rule.CENTRE_15 if eyes.purpose is Purpose.CENTRE_15 else Rule.EMERGENCY)
    return verdict
