"""Ages and intervals as the calendars write them: "8d", "6w", "2m", "12y", and days reached by adding them."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

_WRITTEN = re.compile(r"(\d{1,4})([dwmy])")
_MONTHS = {"m": 1, "y": 12}
_DAYS = {"d": 1, "w": 7}


class Span:
    """A number of months, or of days. Not a struct, so that it is read and written as its text."""

    __slots__ = ("days", "months")

    def __init__(self, months: int = 0, days: int = 0) -> None:
        self.months, self.days = months, days

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and (self.months, self.days) == (other.months, other.days)

    def __hash__(self) -> int:
        return hash((self.months, self.days))

    @staticmethod
    def of(text: str) -> Span:
        """Read one. Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no age: write a number and d, w, m or y")
        number, unit = int(found[1]), found[2]
        return Span(number * _MONTHS[unit]) if unit in _MONTHS else Span(0, number * _DAYS[unit])

    def __repr__(self) -> str:
        if self.days or not self.months:
            return f"{self.days // 7}w" if self.days % 7 == 0 else f"{self.days}d"
        return f"{self.months // 12}y" if self.months and self.months % 12 == 0 else f"{self.months}m"

    def after(self, day: date) -> date:
        """The day that this much after another one; the last of the month where the month is shorter (29 February)."""
        years, month = divmod(day.month - 1 + self.months, 12)
        year = min(day.year + years, date.max.year)
        found = date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
        return min(found, date.max - timedelta(days=self.days)) + timedelta(days=self.days)


def shift_back(day: date, span: Span) -> date:
    """The latest day of birth at which this age is reached on `day`."""
    found = Span(-span.months).after(day) - timedelta(days=span.days)
    while span.after(found + timedelta(days=1)) <= day:
        found += timedelta(days=1)
    while span.after(found) > day:
        found -= timedelta(days=1)
    return found
