"""Whom a rule reaches: everybody who was born between two days, of one sex or of both. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from ambroise.modules.prevention.model import AtAges, Doses, Pregnancy, Rule, Seasonal
from ambroise.modules.prevention.spans import Span, shift_back

_EVER = Span(12 * 150)
_GROWN = 12 * 18
_A_DAY = timedelta(days=1)


class Reach(Struct, frozen=True):
    """Births from the first to the last of two days."""

    first: date
    last: date
    sex: Literal["F", "M"] | None = None

    def within(self, other: Reach) -> Reach | None:
        """Who is in both."""
        if None not in (self.sex, other.sex) and self.sex != other.sex:
            return None
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Reach(first, last, self.sex or other.sex) if first <= last else None


def reach(rule: Rule, today: date) -> Reach | None:
    """Who is of the age of a rule on a day; None when only a pregnancy tells, or when the rule does not hold."""
    plan = rule.plan
    if isinstance(plan, Pregnancy) or rule.audience.pregnant or not rule.in_force(today):
        return None
    if isinstance(plan, Doses):
        start, until = _asked(plan), plan.series[-1].until
    elif isinstance(plan, AtAges):
        start, until = plan.ages[0].at, _EVER
    elif isinstance(plan, Seasonal):
        start, until = plan.start, plan.until or _EVER
    else:
        start, until = plan.start, plan.until
    first, last = shift_back(today, until) + _A_DAY, shift_back(today, start)
    if rule.audience.born_from is not None:
        first = max(first, rule.audience.born_from)
    return Reach(first, last, rule.audience.sex) if first <= last else None


def _asked(plan: Doses) -> Span:
    """The age at which a first dose is asked for: some may have it before, for a reason of their own."""
    first = plan.series[0]
    wished = first.doses[0].at
    return wished if wished is not None and first.start.months >= _GROWN else first.start
