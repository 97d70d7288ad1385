"""What the rules say for one person on a day: what was done, what is due, what comes, and by which rule.

Pure. Items stand in the order of the dates at which they begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import assert_never

from msgspec.structs import replace

from ambroise.modules.prevention.engine import ages, doses, pregnancy
from ambroise.modules.prevention.engine.evidence import apart
from ambroise.modules.prevention.model import (
    AtAges,
    Discuss,
    Doses,
    History,
    Item,
    Person,
    Pregnancy,
    Repeat,
    Rule,
    Seasonal,
    State,
    Window,
    Yearly,
)

__all__ = ["concerns", "path"]


def path(rules: Iterable[Rule], person: Person, history: History, today: date) -> Sequence[Item]:
    """Every act that the rules name for this person, and where it stands on this day."""
    known = [rule for rule in rules if concerns(rule, person)]
    found = [item for rule in known for item in _for(rule, person, history, today)]
    return sorted(found, key=lambda item: (item.start, item.due, item.key))


def concerns(rule: Rule, person: Person) -> bool:
    """Whether a rule is about this sort of person; its ages are for its plan to say."""
    audience = rule.audience
    if None not in (audience.sex, person.sex) and person.sex != audience.sex:
        return False
    if audience.born_from is not None and person.birth < audience.born_from:
        return False
    return person.expected is not None or not audience.pregnant


def _for(rule: Rule, person: Person, history: History, today: date) -> list[Item]:
    """The items of a rule, unless it is not for this person, or for a professional to say."""
    items = _items(rule, person, history, today)
    done = [item for item in items if item.state is State.DONE]
    aside = apart(rule, history, today)
    if aside is not None and len(done) < len(items):
        day, source = aside
        items = [*done, Item(rule.id, rule, State.NOT_CONCERNED, day, day, done=day, source=source)]
    elif not done and _depends(rule, person):
        # What was done once, or refused, shows that it is theirs.
        items = [replace(item, state=State.TO_DISCUSS) if item.waits else item for item in items]
        items = [item for item in items if item.state in (State.TO_DISCUSS, State.NOT_DONE)][:1]
    if not rule.obliges(person, today):
        return items
    return [replace(item, mandatory=True) for item in items]


def _depends(rule: Rule, person: Person) -> bool:
    """Whether only a professional can say that a rule is for this person."""
    return bool(rule.audience.conditions) or (rule.audience.sex is not None and person.sex is None)


def _items(rule: Rule, person: Person, history: History, today: date) -> list[Item]:
    plan = rule.plan
    match plan:
        case Window():
            return ages.window(rule, plan, person, history, today)
        case Repeat():
            return ages.repeat(rule, plan, person, history, today)
        case Yearly():
            return ages.yearly(rule, plan, person, history, today)
        case Seasonal():
            return ages.seasonal(rule, plan, person, history, today)
        case Discuss():
            return ages.discuss(rule, plan, person, history, today)
        case AtAges():
            return doses.at_ages(rule, plan, person, history, today)
        case Doses():
            return doses.series(rule, plan, person, history, today)
        case Pregnancy():
            return pregnancy.window(rule, plan, person, history, today)
        case _:
            assert_never(plan)
