"""The life of a space against the reference: every step in every state, and long random lives."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.space.model import ENDS, TABLE, Delay, Life, Step, delays, follow
from ambroise.trust.access.facts import SpaceState

START = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
PATIENT = UUID(int=1)
S = SpaceState

# Written again from the articles R. 1111-26 to R. 1111-36, apart from the program: state, step, where it leads.
REFERENCE = {
    (S.ELIGIBLE, Step.NOTIFY): S.NOTIFIED,
    (S.NOTIFIED, Step.OBJECT): S.OPPOSED,
    (S.NOTIFIED, Step.OPEN): S.OPEN_INACTIVE,
    (S.NOTIFIED, Step.ACTIVATE): S.OPEN_ACTIVE,
    (S.OPEN_INACTIVE, Step.ACTIVATE): S.OPEN_ACTIVE,
    (S.OPPOSED, Step.ACTIVATE): S.OPEN_ACTIVE,
    (S.OPEN_INACTIVE, Step.CLOSE): S.CLOSED,
    (S.OPEN_ACTIVE, Step.CLOSE): S.CLOSED,
    (S.OPEN_INACTIVE, Step.SUSPEND): S.SUSPENDED,
    (S.OPEN_ACTIVE, Step.SUSPEND): S.SUSPENDED,
    (S.SUSPENDED, Step.LIFT): "open",
    (S.SUSPENDED, Step.CONTEST): "open",
    (S.SUSPENDED, Step.CLOSE_SUSPENDED): S.CLOSED,
    (S.CLOSED, Step.REOPEN): "open",
    (S.DELETING, Step.REOPEN): "open",
    (S.CLOSED, Step.REQUEST_DELETION): S.DELETING,
    (S.DELETING, Step.CANCEL_DELETION): S.CLOSED,
    (S.CLOSED, Step.PURGE): S.PURGED,
    (S.DELETING, Step.PURGE): S.PURGED,
    (S.DECEASED, Step.PURGE): S.PURGED,
    (S.DECEASED, Step.CORRECT_DEATH): "alive",
    **{(state, Step.DECLARE_DEATH): S.DECEASED for state in S if state not in (S.DECEASED, S.PURGED)},
}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", S)
def test_a_step_is_possible_where_the_reference_says_and_nowhere_else(state: SpaceState, step: Step) -> None:
    life = Life(PATIENT, state, START, before_death=S.CLOSED if state is S.DECEASED else None)
    wanted = REFERENCE.get((state, step))
    if wanted is None:
        with pytest.raises(Refusal) as refused:
            follow(life, step, START)
        assert refused.value.kind is Kind.CONFLICT
        assert refused.value.data == {"state": state.value, "step": step.value}
        return
    assert follow(life, step, START).state == {"open": S.OPEN_INACTIVE, "alive": S.CLOSED}.get(wanted, wanted)


@pytest.mark.parametrize(
    ("state", "step", "code"),
    [
        (S.OPEN_ACTIVE, Step.OBJECT, "OBJECTION_TOO_LATE"),
        (S.PURGED, Step.REOPEN, "SPACE_PURGED"),
        (S.DECEASED, Step.ACTIVATE, "SPACE_HOLDER_DECEASED"),
        (S.OPPOSED, Step.CLOSE, "SPACE_STEP_REFUSED"),
    ],
)
def test_a_refusal_says_which_sort_it_is(state: SpaceState, step: Step, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        follow(Life(PATIENT, state, START), step, START)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (S.NOTIFIED, START + timedelta(days=42)),
        (S.SUSPENDED, START + timedelta(days=42)),
        (S.CLOSED, START.replace(year=2036)),
        (S.DECEASED, START.replace(year=2036)),
    ],
)
def test_the_delays_are_those_of_the_code(state: SpaceState, wanted: datetime) -> None:
    assert delays()[state].after(START) == wanted


def test_a_deletion_comes_within_three_months() -> None:
    assert delays()[S.DELETING].after(START) <= Delay(months=3).after(START)


def test_ten_years_after_a_leap_day_is_the_last_of_february() -> None:
    assert Delay(years=10).after(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2038, 2, 28, tzinfo=UTC)


class Lives(RuleBasedStateMachine):
    """Any steps at any instants: the model keeps what the law promises about dates."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.life = Life(PATIENT, S.ELIGIBLE, START)
        self.was_active = False
        self.closed_at: datetime | None = None

    @rule(days=st.integers(0, 400))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        while self.life.due_at is not None and self.life.due_at <= self.now:
            step = self.life.next_step
            assert step is not None
            self._moved(step, self.life.due_at)

    @rule(step=st.sampled_from([one for one in Step if one not in (Step.OPEN, Step.CLOSE_SUSPENDED, Step.PURGE)]))
    def somebody_acts(self, step: Step) -> None:
        if not self.life.may(step):
            with pytest.raises(Refusal):
                follow(self.life, step, self.now)
            return
        self._moved(step, self.now)

    def _moved(self, step: Step, at: datetime) -> None:
        before = self.life
        self.life = follow(before, step, at)
        if self.life.state is S.OPEN_ACTIVE:
            self.was_active = True
        if step in (Step.CLOSE, Step.CLOSE_SUSPENDED):
            self.closed_at = at
        if step is Step.CANCEL_DELETION:
            assert self.life.due_at == delays()[S.CLOSED].after(self.closed_at or at), "the ten years count on"

    @invariant()
    def waiting_states_end_and_others_do_not(self) -> None:
        assert (self.life.due_at is not None) == (self.life.state in ENDS)

    @precondition(lambda self: self.life.state is S.OPEN_INACTIVE)
    @invariant()
    def an_activated_space_never_opens_inactive_again(self) -> None:
        assert not self.was_active

    @precondition(lambda self: self.life.state is S.OPPOSED)
    @invariant()
    def an_objection_never_ends_by_itself(self) -> None:
        assert self.life.due_at is None

    @precondition(lambda self: self.life.state is S.PURGED)
    @invariant()
    def purged_is_the_end(self) -> None:
        assert not any(self.life.may(step) for step in Step)

    @precondition(lambda self: self.life.state is S.DELETING)
    @invariant()
    def a_deletion_is_done_within_three_months_of_being_asked(self) -> None:
        asked, due = self.life.deletion_requested_at, self.life.due_at
        assert asked is not None
        assert due is not None
        assert due <= Delay(months=3).after(asked)


TestLives = Lives.TestCase


def test_every_step_leads_somewhere_and_every_end_is_a_step() -> None:
    assert set(TABLE) == set(Step)
    for state, step in ENDS.items():
        assert follow(replace(Life(PATIENT, state, START)), step, START).state is not state
