"""Vaccines: doses in series with their catch-up, and boosters at fixed ages.

A dose counts when it was given at the least age and after the least interval, with a tolerance of four days. Who begins
late follows the series of the age at which the first dose was given, or would be given today.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from msgspec.structs import replace

from ambroise.modules.prevention.engine.evidence import declined, given
from ambroise.modules.prevention.model import (
    AtAges,
    Dose,
    Doses,
    Given,
    History,
    Item,
    Person,
    Rule,
    Series,
    State,
)
from ambroise.modules.prevention.spans import Span

TOLERANCE: Final = timedelta(days=4)
_FAR: Final = date.max
_GROWN: Final = 12 * 18


def series(rule: Rule, plan: Doses, person: Person, history: History, today: date) -> list[Item]:
    """Each dose of the series that this person follows."""
    doses = given(rule, history, today)
    chosen = _chosen(plan, person, doses, today)
    if chosen is None:
        return []
    counted, early = _counted(chosen, person, doses)
    items = [
        _counts(_key(rule, number), rule, dose, one, person)
        for number, (dose, one) in enumerate(zip(chosen.doses, counted, strict=False))
    ]
    if not rule.in_force(today):
        return items
    last, blocked = _last(counted), False
    nothing_known = not doses and today >= plan.proof_until.after(person.birth)
    for number in range(len(counted), len(chosen.doses)):
        item = _to_give(rule, number, chosen.doses[number], person, last, today)
        blocked = blocked or item.state is not State.TO_COME
        if blocked and number > len(counted):
            # A dose is asked for once the one before it was given.
            item = _later(item, today)
        item = _said(item, history, today, nothing_known=nothing_known and item.waits)
        if nothing_known and item.state is State.UNKNOWN:
            return [*items, item]
        items.append(replace(item, too_early=early) if number == len(counted) else item)
        last = max(item.due, today) if item.state is not State.UNKNOWN else item.due
    return items


def at_ages(rule: Rule, plan: AtAges, person: Person, history: History, today: date) -> list[Item]:
    """The booster of the present age, those that were given, and the next one to come."""
    starts = [one.at.after(person.birth) for one in plan.ages]
    opens = [Span(max(0, one.at.months - plan.early.months)).after(person.birth) for one in plan.ages]
    ends = [*opens[1:], _FAR]
    nothing_known = today >= plan.proof_until.after(person.birth)
    found: list[Item] = []
    for number, one in enumerate(plan.ages):
        key, start, end = _key(rule, number), starts[number], ends[number]
        until = one.until.after(person.birth)
        doses = [dose for dose in given(rule, history, today) if opens[number] <= dose.day < end]
        if doses:
            dose = doses[0]
            done = Item(key, rule, State.DONE, start, start, until, one.label, done=dose.day, source=dose.source)
            found.append(done)
        elif today < start:
            found.append(Item(key, rule, State.TO_COME, start, start, until, one.label))
            break
        elif number + 1 < len(starts) and today >= starts[number + 1]:
            continue
        else:
            state = State.DUE if today < until else State.OVERDUE
            item = Item(key, rule, state, start, start, until, one.label)
            found.append(_said(item, history, today, nothing_known=nothing_known and state is State.OVERDUE))
    return found if rule.in_force(today) else [item for item in found if item.state is State.DONE]


def _chosen(plan: Doses, person: Person, doses: Sequence[Given], today: date) -> Series | None:
    """The series of the age of the first dose that one of them counts, else of today, else the next to come."""
    known = [one for one in plan.series if person.premature or not one.premature]
    for one in doses:
        for series in known:
            least = series.doses[0].least.after(person.birth) - TOLERANCE
            begins = max(least, series.start.after(person.birth))
            if begins <= one.day < series.until.after(person.birth) and series.product <= one.antigens:
                return series
    known = [one for one in known if not one.product]
    day = max(today, min(one.start.after(person.birth) for one in known))
    for series in known:
        if series.start.after(person.birth) <= day < series.until.after(person.birth):
            return series
    return None


def _counted(chosen: Series, person: Person, doses: Sequence[Given]) -> tuple[list[Given | None], tuple[date, ...]]:
    """The doses that count, in order, and the days of those that were given too early.

    None stands for a dose that the record lacks, where who gave a later one says which one it was. What was given
    before the age at which a series begins belongs to another one.
    """
    counted: list[Given | None] = []
    early: list[date] = []
    begins = chosen.start.after(person.birth)
    for one in doses:
        if len(counted) == len(chosen.doses):
            break
        place = _place(one, chosen, counted, person)
        if place is not None:
            counted += [*([None] * (place - len(counted))), one]
        elif one.day >= begins:
            early.append(one.day)
    return counted, tuple(early)


def _place(one: Given, chosen: Series, counted: Sequence[Given | None], person: Person) -> int | None:
    """Which dose of a series this one is, the first being 0; None for one that was given too early."""
    following = len(counted)
    said = one.rank - 1 if one.source.kind != "declared" else following
    if following < said < len(chosen.doses) and one.day >= _least(chosen.doses[said], person, None) - TOLERANCE:
        return said
    return following if one.day >= _least(chosen.doses[following], person, _last(counted)) - TOLERANCE else None


def _last(counted: Sequence[Given | None]) -> date | None:
    return max((one.day for one in counted if one is not None), default=None)


def _counts(key: str, rule: Rule, dose: Dose, one: Given | None, person: Person) -> Item:
    if one is None:
        least = dose.least.after(person.birth)
        return Item(key, rule, State.UNKNOWN, least, least, label=dose.label)
    return Item(key, rule, State.DONE, one.day, one.day, label=dose.label, done=one.day, source=one.source)


def _least(dose: Dose, person: Person, last: date | None) -> date:
    """The first day on which a dose may be given."""
    age = dose.least.after(person.birth)
    return age if last is None else max(age, dose.after.after(last))


def _to_give(rule: Rule, number: int, dose: Dose, person: Person, last: date | None, today: date) -> Item:
    start = _least(dose, person, last)
    due = max(start, dose.at.after(person.birth)) if dose.at is not None else start
    if dose.least.months >= _GROWN:
        # Who was of that age already is asked from the day on which the rule began.
        due = max(due, rule.valid_from)
    until = max(due, dose.until.after(person.birth)) if dose.until is not None else None
    most = dose.most.after(person.birth) if dose.most is not None else _FAR
    state = State.TO_COME
    if today >= most:
        state = State.UNKNOWN
    elif today >= due:
        state = State.OVERDUE if until is not None and today >= until else State.DUE
    return Item(_key(rule, number), rule, state, start, due, until, dose.label)


def _later(item: Item, today: date) -> Item:
    state = State.UNKNOWN if item.state is State.UNKNOWN else State.TO_COME
    return replace(item, state=state, due=max(item.due, today))


def _said(item: Item, history: History, today: date, *, nothing_known: bool) -> Item:
    said = declined(item.key, history, item.start, today) if item.waits else None
    if said is not None:
        return replace(item, state=State.NOT_DONE, done=said.day, source=said.source)
    return replace(item, state=State.UNKNOWN) if nothing_known else item


def _key(rule: Rule, number: int) -> str:
    return f"{rule.id}:{number + 1}"
