"""Values of the searches of the published directory, read with care, and the conditions that any type has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, LiteralString

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory.model import key, words

_ID: Final = re.compile(r"[A-Za-z0-9.\-]{1,140}")
_DATE: Final = re.compile(r"(eq|ge|gt|le|lt)?(\d{4}-\d{2}-\d{2})(T[0-9:.+\-Z]{1,24})?")

Condition = tuple[LiteralString, list[Any]]
"""Some SQL, and what it is filled with."""


def any_of(found: Sequence[Condition]) -> Condition:
    """Any of these."""
    sql: LiteralString = "(" + " or ".join([one for one, _ in found]) + ")"
    return sql, [value for _, values in found for value in values]


def named(modifier: str, value: str) -> Condition:
    """A family name that begins so, is so, or holds it."""
    wanted = key(value)
    if not wanted:
        raise invalid("family", "give letters")
    match modifier:
        case "exact":
            return "p.family = %s", [value]
        case "contains":
            return "p.search like %s and p.name_key like %s", [f"%{escaped(wanted)}%"] * 2
        case _:
            return "p.name_key between %s and %s", [wanted, wanted + "\uffff"]


def with_words(sql: LiteralString, value: str, *, twice: bool = False) -> Condition:
    """Every word of a text."""
    found = [f"% {escaped(word)}%" for word in words(value)]
    if not found:
        raise invalid("name", "give letters")
    every: LiteralString = "(" + " and ".join([sql for _ in found]) + ")"
    return every, [pattern for pattern in found for _ in range(2 if twice else 1)]


def like(column: LiteralString, modifier: str, value: str) -> Condition:
    """A column that begins with a text, is it, or holds it."""
    if modifier == "exact":
        return f"{column} = %s", [value]
    flat = escaped(value.lower())
    return f"lower({column}) like %s", [f"%{flat}%" if modifier == "contains" else f"{flat}%"]


def updated(type: str, value: str) -> Condition:
    """What changed at, before or after a date. Refuses SEARCH_VALUE_INVALID."""
    match = _DATE.fullmatch(value)
    try:
        if not match:
            raise ValueError(value)
        precise = match[3] is not None
        start = datetime.fromisoformat(match[2] + match[3]) if precise else _midnight(date.fromisoformat(match[2]))
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
    except ValueError:
        raise invalid("_lastUpdated", "write YYYY-MM-DD or an instant, after eq, ge, gt, le or lt") from None
    end = start if precise else start + timedelta(days=1)
    column = _UPDATED[type]
    match match[1] or "eq":
        case "ge":
            return f"{column} >= %s", [start]
        case "gt":
            return (f"{column} > %s" if precise else f"{column} >= %s"), [end]
        case "le":
            return (f"{column} <= %s" if precise else f"{column} < %s"), [end]
        case "lt":
            return f"{column} < %s", [start]
        case _:
            if precise:
                return f"{column} = %s", [start]
            return f"({column} >= %s and {column} < %s)", [start, end]


_UPDATED: Final[Mapping[str, LiteralString]] = {
    "Practitioner": "p.updated_at",
    "PractitionerRole": "s.updated_at",
    "Organization": "o.updated_at",
    "HealthcareService": "h.updated_at",
    "Device": "d.updated_at",
}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def constant(holds: bool) -> Condition:
    """Everything, or nothing."""
    return ("true", []) if holds else ("false", [])


def token(value: str) -> tuple[str | None, str]:
    """System, if one is said, and code."""
    system, bar, code = value.rpartition("|")
    return (system or None) if bar else None, code


def code_of(value: str) -> str:
    """The code alone."""
    return token(value)[1]


def reference_of(type: str, value: str) -> str:
    """The id that a reference leads to. Refuses SEARCH_VALUE_INVALID."""
    return checked_id(value.rpartition(f"{type}/")[2])


def checked_id(value: str) -> str:
    """An id that may be one. Refuses SEARCH_VALUE_INVALID."""
    if not _ID.fullmatch(value):
        raise invalid("_id", "an id holds letters, digits, points and hyphens")
    return value


def escaped(text: str) -> str:
    """A text in which nothing stands for something else in a pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def invalid(name: str, why: str) -> Refusal:
    """The refusal of a value."""
    return Refusal(Kind.INVALID, "SEARCH_VALUE_INVALID", f"The parameter {name} cannot be read: {why}.", element=name)
