"""A thousand random acts by every way in leave exactly the lines of the trace that a model foretells."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from tests.integration.invariants.model import Line, Model
from tests.integration.invariants.soap import Soap
from tests.integration.invariants.world import world_on
from tests.support.database import TestDatabase

pytestmark = pytest.mark.slow

ACTS = 1_000
# How often each is drawn. A command opens the whole application: a few are enough.
WEIGHTS = {
    "read": 14,
    "read_a_version": 3,
    "history": 3,
    "read_what_is_not_there": 2,
    "read_without_a_token": 2,
    "read_content": 10,
    "read_a_person": 4,
    "search_documents": 10,
    "search_observations": 6,
    "search_everywhere": 3,
    "read_several_at_once": 3,
    "create": 8,
    "create_what_is_wrong": 2,
    "update": 5,
    "update_another_version": 1,
    "patch": 4,
    "delete": 3,
    "transaction": 4,
    "transaction_that_fails": 2,
    "provide": 5,
    "publish": 4,
    "generate": 4,
    "send_again": 4,
    "send_in_the_name_of_another": 1,
    "send_for_a_day_that_is_wrong": 1,
    "hide_or_show": 10,
    "withdraw": 3,
    "timeline": 2,
    "open_a_page": 4,
    "download": 3,
    "submit_by_command": 1,
}
# Over SOAP, once the world is full.
LAST = ("ask_whether_a_record_exists", "try_to_close_a_record") * 6
# A page may search twice while it is made: what counts is what was seen, not how often.
AS_A_SET = frozenset({"timeline", "open_a_page"})

Act = Callable[[], Awaitable[list[Line]]]


@pytest.mark.parametrize("seed", [20260114])
async def test_a_thousand_random_acts_leave_exactly_their_lines(
    fresh_database: TestDatabase, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    async with world_on(fresh_database, tmp_path) as world:
        acts = Soap(world, Model(next(iter(world.citizens))), random)
        done: Counter[str] = Counter()
        written = 0
        for name in ("create", "provide", *_drawn(random, ACTS), *LAST):
            act: Act = getattr(acts, name)
            expected, found = await act(), world.lines()
            missing, surplus = _difference(expected, found, as_a_set=name in AS_A_SET)
            told = f"act {done.total()}, {name}"
            assert not missing, f"{told}: not in the trace: {missing}; there, unexpected: {surplus}"
            assert not surplus, f"{told}: in the trace, and nobody expects it: {surplus}"
            done[name] += 1
            written += len(found)
        assert set(done) == {*WEIGHTS, *LAST}, "every act was drawn"
        assert written > ACTS // 2


def _drawn(random: Random, count: int) -> list[str]:
    return random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count)


def _difference(expected: list[Line], found: list[Line], *, as_a_set: bool) -> tuple[list[Line], list[Line]]:
    if not as_a_set:
        return list((Counter(expected) - Counter(found)).elements()), list(
            (Counter(found) - Counter(expected)).elements()
        )
    # Searches of a page count what they please.
    shown, traced = ({line._replace(count=None, resource=_one(line)) for line in lines} for lines in (expected, found))
    return sorted(shown - traced, key=str), sorted(traced - shown, key=str)


def _one(line: Line) -> object:
    return None if line.event == "search" else line.resource
