"""The evaluation order, row by row."""

from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest
from msgspec.structs import replace

from ambroise.fhir.store.types import NO_FLAGS, Flags, Label
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.ids import new_id
from ambroise.trust.access import kinds
from ambroise.trust.access.decide import Action, Target, judge, refusal
from ambroise.trust.access.facts import Eyes, Facts, SpaceState, Standing
from ambroise.trust.access.rules import Rule, first_match
from ambroise.trust.context import Citizen, Context, Operator, Professional, Purpose, System

CLOCK = FixedClock(datetime(2026, 3, 14, tzinfo=UTC))
PATIENT, PARENT = new_id(), new_id()
DOCTOR = Professional("899700000001", "99700000001", "Dr Fictif", "10", organization="1750000001")
REGULATOR = replace(DOCTOR, organization_setting="SAMU_SMUR")
NURSE = Professional("899700000002", "99700000002", "Inf. Fictif", "60")
AIDE = Professional("899700000003", "99700000003", "Aide fictive", "38")
GLASS_MODE, CENTRE_MODE = Purpose.BREAK_GLASS, Purpose.CENTRE_15
BIOLOGY = kinds.kinds().number("11502-2")
OPEN = SpaceState.OPEN_ACTIVE


def label(flags: Flags = NO_FLAGS, kind: int = BIOLOGY, author: int = 1, organization: int = 0) -> Label:
    return Label(PATIENT, kind, flags, author, organization)


def eyes(actor: Professional, purpose: Purpose = Purpose.NORMAL) -> Eyes:
    return Eyes.of(Context(actor, CLOCK, purpose))


def citizen(person: UUID = PATIENT, acting_for: UUID | None = None) -> Eyes:
    return Eyes.of(Context(Citizen(person, ""), CLOCK, acting_for=acting_for))


AUTHORISED = Facts(OPEN, Standing.AUTHORISED)
TREATING = Facts(OPEN, Standing.TREATING)
GLASS = Facts(OPEN, emergency_open=True)
NO_GLASS = Facts(OPEN, emergency_open=True, btg=False)
NO_CENTRE = Facts(OPEN, emergency_open=True, etreat=False)
BLOCKED_IN_GLASS = Facts(OPEN, Standing.BLOCKED, emergency_open=True)
CARED = Facts(OPEN, relation="carer")
MEDIATED, SHOWN = Facts(OPEN, relation="mediator", limited=True), Facts(OPEN, relation="mediator")


@pytest.mark.parametrize(
    ("facts", "of", "viewer", "allowed", "rule"),
    [
        (TREATING, label(Flags.DELETED), eyes(DOCTOR), False, Rule.DELETED),
        (TREATING, label(Flags.DELETED, author=DOCTOR.key), eyes(DOCTOR), False, Rule.DELETED),
        (TREATING, label(Flags.SIGNATURE, author=DOCTOR.key), eyes(DOCTOR), False, Rule.SIGNATURE),
        (Facts(OPEN), label(Flags.SIGNATURE), citizen(), False, Rule.SIGNATURE),
        (Facts(OPEN), label(Flags.MASKED, author=DOCTOR.key), eyes(DOCTOR), True, Rule.AUTHOR),
        (Facts(OPEN, Standing.BLOCKED), label(author=DOCTOR.key), eyes(DOCTOR), True, Rule.AUTHOR),
        (Facts(SpaceState.SUSPENDED), label(author=DOCTOR.key), eyes(DOCTOR), True, Rule.AUTHOR),
        (Facts(SpaceState.CLOSED), label(author=DOCTOR.key), eyes(DOCTOR), False, Rule.SPACE_CLOSED),
        (Facts(SpaceState.PURGED), label(author=DOCTOR.key), eyes(DOCTOR), False, Rule.SPACE_CLOSED),
        (Facts(OPEN), label(author=0, organization=DOCTOR.organization_key), eyes(DOCTOR), True, Rule.AUTHOR_STRUCTURE),
        (Facts(OPEN), label(author=7, organization=DOCTOR.organization_key), eyes(DOCTOR), False, Rule.NOT_AUTHORISED),
        (Facts(OPEN), label(author=0), eyes(NURSE), False, Rule.NOT_AUTHORISED),
        (Facts(OPEN), label(Flags.MASKED), citizen(), True, Rule.PATIENT),
        (Facts(SpaceState.CLOSED), label(), citizen(), True, Rule.PATIENT),
        (Facts(SpaceState.DECEASED), label(), citizen(), False, Rule.SPACE_CLOSED),
        (Facts(OPEN), label(Flags.INVISIBLE_PATIENT), citizen(), False, Rule.WITHHELD),
        (Facts(OPEN), label(Flags.INVISIBLE_REPRESENTATIVES), citizen(), True, Rule.PATIENT),
        (Facts(OPEN), label(), citizen(PARENT), False, Rule.OTHER_SPACE),
        (Facts(OPEN), label(), citizen(PARENT, PATIENT), False, Rule.NO_RELATION),
        (Facts(OPEN, relation="representative"), label(), citizen(PARENT, PATIENT), True, Rule.REPRESENTATIVE),
        (
            Facts(OPEN, relation="representative"),
            label(Flags.INVISIBLE_REPRESENTATIVES),
            citizen(PARENT, PATIENT),
            False,
            Rule.WITHHELD_REPRESENTATIVES,
        ),
        (CARED, label(Flags.INVISIBLE_REPRESENTATIVES), citizen(PARENT, PATIENT), True, Rule.CARER),
        (CARED, label(Flags.INVISIBLE_PATIENT), citizen(PARENT, PATIENT), False, Rule.WITHHELD),
        (MEDIATED, label(), citizen(PARENT, PATIENT), False, Rule.MEDIATOR_CONTENT),
        (MEDIATED, label(kind=kinds.IDENTITY), citizen(PARENT, PATIENT), True, Rule.MEDIATOR),
        (SHOWN, label(), citizen(PARENT, PATIENT), True, Rule.MEDIATOR),
        (SHOWN, label(Flags.INVISIBLE_PATIENT), citizen(PARENT, PATIENT), False, Rule.WITHHELD),
        (Facts(None, Standing.TREATING), label(), eyes(DOCTOR), False, Rule.NO_SPACE),
        (Facts(SpaceState.SUSPENDED, Standing.TREATING), label(), eyes(DOCTOR), False, Rule.SPACE_CLOSED),
        (Facts(OPEN, Standing.BLOCKED), label(), eyes(DOCTOR), False, Rule.BLOCKED),
        (BLOCKED_IN_GLASS, label(), eyes(DOCTOR, GLASS_MODE), False, Rule.BLOCKED),
        (Facts(OPEN), label(), eyes(DOCTOR), False, Rule.NOT_AUTHORISED),
        (AUTHORISED, label(), eyes(DOCTOR), True, Rule.AUTHORISED),
        (AUTHORISED, label(Flags.INVISIBLE_PATIENT), eyes(DOCTOR), True, Rule.AUTHORISED),
        (Facts(OPEN, Standing.AUTHORISED, in_care_team=True), label(), eyes(DOCTOR), True, Rule.CARE_TEAM),
        (AUTHORISED, label(), eyes(AIDE), False, Rule.CARE_TEAM_ONLY),
        (Facts(OPEN, Standing.AUTHORISED, in_care_team=True), label(), eyes(AIDE), True, Rule.CARE_TEAM),
        (NO_GLASS, label(), eyes(DOCTOR, GLASS_MODE), False, Rule.EMERGENCY_REFUSED),
        (NO_CENTRE, label(), eyes(REGULATOR, CENTRE_MODE), False, Rule.EMERGENCY_REFUSED),
        (NO_GLASS, label(), eyes(REGULATOR, CENTRE_MODE), True, Rule.CENTRE_15),
        (NO_GLASS, label(), eyes(DOCTOR, CENTRE_MODE), False, Rule.EMERGENCY_ROLE),
        (Facts(OPEN), label(), eyes(DOCTOR, GLASS_MODE), False, Rule.EMERGENCY_NOT_OPENED),
        (GLASS, label(), eyes(AIDE, GLASS_MODE), False, Rule.EMERGENCY_ROLE),
        (GLASS, label(), eyes(DOCTOR, GLASS_MODE), True, Rule.EMERGENCY),
        (GLASS, label(Flags.MASKED), eyes(DOCTOR, GLASS_MODE), False, Rule.MASKED),
        (
            Facts(OPEN, emergency_open=True, emergency_masked=True),
            label(Flags.MASKED),
            eyes(DOCTOR, GLASS_MODE),
            True,
            Rule.EMERGENCY,
        ),
        (AUTHORISED, label(kind=kinds.kinds().number("68599-0")), eyes(NURSE), False, Rule.MATRIX),
        (TREATING, label(kind=kinds.kinds().number("ATTEST-RESID")), eyes(DOCTOR), False, Rule.MATRIX),
        (AUTHORISED, label(kind=kinds.OPERATIONAL), eyes(DOCTOR), False, Rule.OPERATIONAL),
        (AUTHORISED, label(Flags.MASKED), eyes(DOCTOR), False, Rule.MASKED),
        (TREATING, label(Flags.MASKED), eyes(DOCTOR), True, Rule.TREATING),
        (Facts(OPEN, Standing.ADMINISTRATOR), label(Flags.MASKED), eyes(DOCTOR), True, Rule.ADMINISTRATOR),
        (Facts(OPEN), label(), Eyes.of(Context(Operator("d", ""), CLOCK)), False, Rule.CLINICAL),
        (Facts(OPEN), label(kind=kinds.OPERATIONAL), Eyes.of(Context(Operator("d", ""), CLOCK)), True, Rule.OPERATOR),
        (Facts(OPEN), label(), Eyes.of(Context(System(), CLOCK)), False, Rule.SYSTEM_ONLY_DEMONSTRATION),
        (Facts(OPEN), label(), Eyes.of(Context(System(), CLOCK, demonstration=True)), True, Rule.SYSTEM),
    ],
)  # fmt: skip
def test_the_first_matching_row_decides(facts: Facts, of: Label, viewer: Eyes, allowed: bool, rule: Rule) -> None:
    assert first_match(facts, of, viewer) == (allowed, rule)


def test_the_administrator_is_exempt_from_masking_but_not_from_the_matrix() -> None:
    facts = Facts(OPEN, Standing.ADMINISTRATOR)
    residence = label(Flags.MASKED, kinds.kinds().number("ATTEST-RESID"))
    assert first_match(facts, residence, eyes(DOCTOR)) == (False, Rule.MATRIX)


def test_an_author_may_lift_what_he_withheld_and_others_who_see_it_too() -> None:
    withheld = Target("DocumentReference", label(Flags.INVISIBLE_PATIENT, author=DOCTOR.key))
    assert judge(Facts(OPEN), eyes(DOCTOR), Action.DISCLOSE, withheld).allowed
    assert judge(AUTHORISED, eyes(NURSE), Action.DISCLOSE, withheld).allowed
    assert not judge(Facts(OPEN), eyes(NURSE), Action.DISCLOSE, withheld).allowed
    assert not judge(Facts(OPEN), citizen(), Action.DISCLOSE, withheld).allowed


def test_only_the_author_withdraws() -> None:
    document = Target("DocumentReference", label(author=DOCTOR.key))
    assert judge(Facts(OPEN, Standing.BLOCKED), eyes(DOCTOR), Action.WITHDRAW, document).allowed
    assert judge(TREATING, eyes(NURSE), Action.WITHDRAW, document) == (False, Rule.NOT_AUTHOR)
    assert judge(Facts(OPEN), citizen(), Action.WITHDRAW, document) == (False, Rule.NOT_AUTHOR)


def test_every_professional_feeds_an_open_space_even_blocked() -> None:
    new = Target("DocumentReference", label())
    for standing, who in product(Standing, (DOCTOR, NURSE, AIDE)):
        assert judge(Facts(OPEN, standing), eyes(who), Action.CREATE, new) == (True, Rule.FEEDING)
    assert judge(Facts(SpaceState.CLOSED), eyes(DOCTOR), Action.CREATE, new) == (False, Rule.SPACE_CLOSED)
    assert judge(Facts(OPEN, feed_opposed=True), eyes(DOCTOR), Action.CREATE, new) == (False, Rule.FEED_OPPOSED)


def test_a_citizen_files_documents_of_the_patients_class_only() -> None:
    mine = Label(PATIENT, kinds.kinds().number("EXPPAT_2"), Flags.PATIENT_AUTHORED)
    theirs = Label(PATIENT, BIOLOGY, Flags.PATIENT_AUTHORED)
    assert judge(Facts(OPEN), citizen(), Action.CREATE, Target("DocumentReference", mine)).allowed
    assert not judge(Facts(OPEN), citizen(), Action.CREATE, Target("DocumentReference", theirs)).allowed


def test_refusals_that_would_reveal_existence_look_like_an_unknown_id() -> None:
    for rule in (Rule.MASKED, Rule.MATRIX, Rule.WITHHELD, Rule.DELETED, Rule.OTHER_SPACE, Rule.NO_RELATION):
        hidden = refusal(Action.READ, "DocumentReference", rule)
        assert hidden.code == "NOT_FOUND"
        assert not hidden.data
