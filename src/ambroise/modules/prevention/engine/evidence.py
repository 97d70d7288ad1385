"""Finding in a history what closes a rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from ambroise.modules.prevention.model import Declined, Given, History, Rule, Source


def acts(rule: Rule, history: History, today: date, *, of: Collection[str] = ()) -> list[tuple[date, Source]]:
    """The days of what closes a rule (or what bears these codes), the oldest first; nothing dated in the future."""
    codes = frozenset(of) or rule.evidence.codes | rule.evidence.events | {rule.id}
    found = [(act.day, act.source) for act in history.acts if act.codes & codes]
    if rule.evidence.antigens and not of:
        found += [(one.day, one.source) for one in given(rule, history, today)]
    return sorted((one for one in found if one[0] <= today), key=lambda one: one[0])


def given(rule: Rule, history: History, today: date) -> Sequence[Given]:
    """The doses that hold every antigen of a rule, the oldest first, one a day."""
    wanted = rule.evidence.antigens
    if not wanted:
        return []
    found = {one.day: one for one in history.given if wanted <= one.antigens and one.day <= today}
    return [found[day] for day in sorted(found)]


def declined(key: str, history: History, start: date, today: date) -> Declined | None:
    """What the person said of an item since it may be done."""
    said = [one for one in history.declined if one.key == key and start <= one.day <= today and not one.never]
    return max(said, key=lambda one: one.day, default=None)


def apart(rule: Rule, history: History, today: date) -> tuple[date, Source] | None:
    """Since when, and by what, a rule is not for this person: their own word first, else an illness of the record."""
    said = [(one.day, one.source) for one in history.declined if one.never and one.key == rule.id and one.day <= today]
    ill = [
        (one.day, one.source)
        for one in history.illnesses
        if one.day <= today and any(code.startswith(tuple(rule.unless)) for code in one.codes)
    ]
    return max(said, key=_when, default=None) or min(ill, key=_when, default=None)


def alarming(rule: Rule, history: History, today: date) -> bool:
    """Whether the last act of a rule has a result that calls for something else first."""
    codes = rule.evidence.codes | {rule.id}
    found = [act for act in history.acts if act.codes & codes and act.day <= today]
    last = max((act.day for act in found), default=None)
    return any(act.values & rule.evidence.alarms for act in found if act.day == last)


def _when(one: tuple[date, Source]) -> date:
    return one[0]
