"""The life of a card: only the steps of the table, and a person's card never serves twice at once."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ambroise.kernel.errors import Refusal
from ambroise.modules.vitale.codes import check_code
from ambroise.modules.vitale.model import LIVE, TRANSITIONS, Card, CardState, Step, follow

START = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
SHOWS = CardState.ACTIVE


class Life(RuleBasedStateMachine):
    """A card walks through its table, time passing; what it went through is remembered apart."""

    @initialize()
    def ask(self) -> None:
        self.now = START
        self.card = Card(uuid4(), uuid4(), uuid4(), "A", CardState.REQUESTED, START, START)
        self.checked = self.coded = self.ended = False

    @rule(step=st.sampled_from(Step))
    def take(self, step: Step) -> None:
        before = self.card.state_at(self.now)
        if (before, step) not in TRANSITIONS:
            with pytest.raises(Refusal, match="VITALE_STEP"):
                follow(before, step)
            return
        after = follow(before, step)
        assert not self.ended
        if step is Step.ACCEPT:
            self.checked, self.coded = True, False
        if step is Step.ACTIVATE:
            self.coded = True
        if step is Step.BLOCK:
            self.coded = self.checked = False
        self.ended = after not in LIVE
        end = self.now + timedelta(days=5) if step is Step.ACCEPT else self.card.expires_at
        card = self.card
        self.card = Card(card.patient, card.id, card.holder, "A", after, START, self.now, end)

    @precondition(lambda self: self.card.expires_at is not None)
    @rule(days=st.integers(1, 6))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        if self.card.state_at(self.now) is CardState.EXPIRED:
            self.ended = True

    @invariant()
    def shown_only_when_checked_and_coded(self) -> None:
        if self.card.state_at(self.now) is SHOWS:
            assert self.checked
            assert self.coded

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if self.ended:
            assert self.card.state_at(self.now) not in LIVE


TestLife = Life.TestCase


def test_every_state_is_reached_and_nothing_leaves_an_end() -> None:
    assert {CardState.REQUESTED, *TRANSITIONS.values()} == set(CardState)
    assert {before for before, _ in TRANSITIONS} == LIVE


def test_every_card_that_serves_can_be_ended() -> None:
    assert all((state, Step.REVOKE) in TRANSITIONS for state in LIVE)


@pytest.mark.parametrize("code", ["123", "123456789", "12a4", "١٢٣٤", "12 4", ""])
def test_a_secret_code_is_four_to_eight_digits(code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check_code(code, None)
    assert refusal.value.code == "VITALE_CODE_FORM"


@pytest.mark.parametrize("code", ["0000", "1234", "4321", "9012", "1979", "2803", "280379", "28031979", "19790328"])
def test_a_secret_code_that_anybody_would_try_first_is_refused(code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check_code(code, date(1979, 3, 28))
    assert refusal.value.code == "VITALE_CODE_WEAK"


def test_other_codes_are_taken() -> None:
    check_code("7291", date(1979, 3, 28))
    check_code("50718264", None)
