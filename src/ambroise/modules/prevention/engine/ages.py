"""Acts by age: once, again and again, each year, in each campaign."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count

from ambroise.modules.prevention.engine.evidence import acts, alarming, declined
from ambroise.modules.prevention.model import (
    Discuss,
    History,
    Item,
    Person,
    Repeat,
    Rule,
    Seasonal,
    Source,
    State,
    Window,
    Yearly,
)
from ambroise.modules.prevention.spans import Span

_A_DAY = timedelta(days=1)


def window(rule: Rule, plan: Window, person: Person, history: History, today: date) -> list[Item]:
    """An act to do once between two ages. Its window ends while the rule holds, or it is not asked of this person."""
    start, until = plan.start.after(person.birth), plan.until.after(person.birth)
    late = plan.late.after(until)
    done = acts(rule, history, today)
    if plan.inside:
        done = [one for one in done if start <= one[0] < late]
    if done:
        return [_done(rule, rule.id, start, until, done[0])]
    if not rule.in_force(until - _A_DAY):
        return []
    state = _between(today, start, until, late)
    if state is State.UNKNOWN and not plan.remembered:
        return []
    return [_open(rule, rule.id, state, start, until, history, today)]


def repeat(rule: Rule, plan: Repeat, person: Person, history: History, today: date) -> list[Item]:
    """The last act, and the next one while the age allows it."""
    start, until = plan.start.after(person.birth), plan.until.after(person.birth)
    done = acts(rule, history, today)
    items: list[Item] = []
    if done:
        items.append(_done(rule, f"{rule.id}:{done[-1][0]:%Y%m%d}", done[-1][0], None, done[-1]))
    due = max(_next(rule, plan, start, [day for day, _ in done], history, today), rule.valid_from)
    if due >= until or today >= until or not rule.in_force(max(due, today)):
        return items
    if alarming(rule, history, today):
        # A result to talk about comes before the next turn.
        last = done[-1][0]
        return [*items, Item(rule.id, rule, State.TO_DISCUSS, last, last, alarmed=True)]
    state = _between(today, due, plan.late.after(due), date.max)
    item = _open(rule, rule.id, state, due, plan.late.after(due), history, today)
    if item.state is State.NOT_DONE and item.done is not None and today >= plan.every.after(item.done):
        # What was declined is proposed again at the next turn.
        again = plan.every.after(item.done)
        item = Item(rule.id, rule, _between(today, again, plan.late.after(again), date.max), again, again)
    return [*items, item]


def yearly(rule: Rule, plan: Yearly, person: Person, history: History, today: date) -> list[Item]:
    """The act of the present year of age, and the last one done before; the first to come when it is for later."""
    first, until = plan.start.after(person.birth), plan.until.after(person.birth)
    done = acts(rule, history, today)
    start = end = first
    for years in count(1):
        start, end = end, Span(plan.start.months + 12 * years, plan.start.days).after(person.birth)
        if today < end:
            break
    if start >= until or not rule.in_force(max(today, start)):
        return []
    within = [one for one in done if start <= one[0] < end]
    if within:
        return [_done(rule, f"{rule.id}:{start:%Y}", start, end, within[-1])]
    state = _between(today, start, end, end)
    return [_open(rule, f"{rule.id}:{start:%Y}", state, max(start, rule.valid_from), end, history, today)]


def seasonal(rule: Rule, plan: Seasonal, person: Person, history: History, today: date) -> list[Item]:
    """The act of the campaign under way, or of the next one that is announced."""
    age = plan.start.after(person.birth)
    if rule.audience.pregnant and (person.expected is None or today > person.expected):
        return []
    for one in sorted(plan.campaigns, key=lambda one: one.start):
        if plan.until is not None and today >= plan.until.after(person.birth):
            continue
        if today > one.until or one.until < age or not rule.in_force(max(today, one.start)):
            continue
        start, end = max(one.start, age), one.until + _A_DAY
        key = f"{rule.id}:{one.start:%Y}"
        within = [act for act in acts(rule, history, today) if one.start <= act[0]]
        if within:
            return [_done(rule, key, start, end, within[0])]
        return [_open(rule, key, _between(today, start, end, end), start, end, history, today)]
    return []


def discuss(rule: Rule, plan: Discuss, person: Person, history: History, today: date) -> list[Item]:
    """Something to talk about between two ages; done once enough acts say so, for a time or for ever."""
    start, until = plan.start.after(person.birth), plan.until.after(person.birth)
    since = (plan.since or plan.start).after(person.birth)
    found = [one for one in acts(rule, history, today) if one[0] >= since]
    items: list[Item] = []
    due = start
    if len(found) >= plan.enough:
        last = found[-1]
        if plan.again is None:
            # Whoever had it all before that age is not told of it.
            return [_done(rule, rule.id, start, until, last)] if last[0] >= start else []
        items = [_done(rule, f"{rule.id}:{last[0]:%Y%m%d}", start, until, last)] if last[0] >= start else []
        due = max(start, plan.again.after(last[0]))
    if not due <= today < until or not rule.in_force(today):
        return items
    if declined(rule.id, history, due, today) is not None:
        return [*items, _open(rule, rule.id, State.NOT_DONE, due, until, history, today)]
    return [*items, Item(rule.id, rule, State.TO_DISCUSS, due, due, until)]


def _next(rule: Rule, plan: Repeat, start: date, done: list[date], history: History, today: date) -> date:
    if done:
        step = plan.steps[len(done) - 1] if len(done) <= len(plan.steps) else plan.every
        return max(start, step.after(done[-1]))
    before = acts(rule, history, today, of=plan.after) if plan.after else []
    return max(start, plan.after_interval.after(before[-1][0])) if before else start


def _between(today: date, start: date, until: date, late: date) -> State:
    if today < start:
        return State.TO_COME
    if today < until:
        return State.DUE
    return State.OVERDUE if today < late else State.UNKNOWN


def _done(rule: Rule, key: str, start: date, until: date | None, act: tuple[date, Source]) -> Item:
    return Item(key, rule, State.DONE, start, start, until, done=act[0], source=act[1])


def _open(rule: Rule, key: str, state: State, start: date, until: date, history: History, today: date) -> Item:
    said = declined(key, history, start, today) if state is not State.TO_COME else None
    if said is None:
        return Item(key, rule, state, start, start, until)
    return Item(key, rule, State.NOT_DONE, start, start, until, done=said.day, source=said.source)
