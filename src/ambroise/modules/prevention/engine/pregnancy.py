"""What a pregnancy calls for, by weeks of amenorrhea.

The expected date is told by the person. In France it stands 41 weeks after the last period; health professionals date
every act in weeks since then (semaines d'aménorrhée).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from ambroise.modules.prevention.engine.evidence import acts, declined
from ambroise.modules.prevention.model import History, Item, Person, Pregnancy, Rule, State

TERM_WEEKS: Final = 41


def began(expected: date) -> date:
    """The day from which weeks of amenorrhea are counted."""
    return expected - timedelta(weeks=TERM_WEEKS)


def window(rule: Rule, plan: Pregnancy, person: Person, history: History, today: date) -> list[Item]:
    """An act between two weeks; over, it is left unsaid when nobody said that it was done."""
    if person.expected is None:
        return []
    zero = person.expected if plan.after_birth else began(person.expected)
    start, until = zero + timedelta(weeks=plan.start), zero + timedelta(weeks=plan.until)
    key = f"{rule.id}:{person.expected:%Y%m}"
    done = [one for one in acts(rule, history, today) if began(person.expected) <= one[0]]
    if done:
        return [Item(key, rule, State.DONE, start, start, until, done=done[-1][0], source=done[-1][1])]
    if not rule.in_force(max(today, start)):
        return []
    state = State.TO_COME if today < start else State.DUE if today < until else State.UNKNOWN
    said = declined(key, history, start, today) if state is State.DUE else None
    if said is not None:
        return [Item(key, rule, State.NOT_DONE, start, start, until, done=said.day, source=said.source)]
    return [Item(key, rule, state, start, start, until)]
