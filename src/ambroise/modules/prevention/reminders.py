"""When somebody is reminded: as the window opens, at its middle, two weeks before its end; later for screenings.

Pure. A reminder carries no health content: the notice says that something of a sort waits, the page says what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from ambroise.modules.notification.api import Code
from ambroise.modules.prevention.model import Item, Kind, State
from ambroise.modules.prevention.spans import Span

_LAST: Final = timedelta(days=14)
_SHORT: Final = timedelta(days=60)
_LATER: Final = (Span(6), Span(12))
_FAR: Final = timedelta(days=365)
ROUNDS: Final = {3: Span(3), 6: Span(6), 12: Span(12)}
"""How long after a check-up one is asked where one stands with its plan, in months."""
_RECENT: Final = timedelta(days=30)
_OVER: Final = (State.DONE, State.NOT_DONE, State.UNKNOWN, State.TO_DISCUSS)


def code_of(kind: Kind) -> Code:
    """The code under which a reminder of this sort is told."""
    if kind is Kind.VACCINE:
        return Code.VACCINE_REMINDER
    return Code.SCREENING_REMINDER if kind is Kind.SCREENING else Code.PREVENTION_REMINDER


def moments(item: Item) -> Sequence[date]:
    """The days on which one is reminded of an item that waits."""
    found = {item.due}
    if item.until is not None and item.until - item.due > _SHORT:
        found |= {item.due + (item.until - item.due) / 2, item.until - _LAST}
    if item.rule.kind is Kind.SCREENING:
        found |= {one.after(item.due) for one in _LATER}
    return sorted(found)


def reached(item: Item, today: date) -> date | None:
    """The latest day of reminder that came, of an item that waits."""
    return max((one for one in moments(item) if one <= today), default=None) if item.waits else None


def rounds(items: Iterable[Item], today: date) -> Sequence[tuple[str, int]]:
    """The plans, by their documents, of which one is asked now, and after how many months.

    Not what came more than a month ago: a space that opens again is not told of the past.
    """
    return [(document, months) for document, months, day in _asked(items) if day <= today <= day + _RECENT]


def _asked(items: Iterable[Item]) -> Iterator[tuple[str, int, date]]:
    for item in items:
        if item.rule.kind is Kind.CHECKUP and item.done and item.source and item.source.kind == "document":
            for months, span in ROUNDS.items():
                yield item.source.reference, months, span.after(item.done)


def next_look(items: Sequence[Item], today: date) -> date:
    """The day on which something begins, ends, or is recalled; within a year all the same."""
    days = {
        day
        for item in items
        if item.state not in _OVER
        for day in (*moments(item), item.start, item.until)
        if day is not None and today < day
    } | {day for _, _, day in _asked(items) if today < day}
    return min([*days, today + _FAR])
