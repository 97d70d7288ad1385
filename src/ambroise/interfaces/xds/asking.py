"""What a stored query asks: its parameters, read from their slots (IHE ITI TF-2, 3.18.4.1.2.3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from msgspec import Struct

from ambroise.interfaces.soap import Element
from ambroise.interfaces.xds.ebrim import RegistryObject
from ambroise.interfaces.xds.names import RIM, tag
from ambroise.interfaces.xds.values import Ce, Cx
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import tables

Json = dict[str, Any]
Group = tuple[str, ...]
_VALUE: Final = re.compile(r"\s*(?:'((?:[^']|'')*)'|([0-9]+))\s*")
_LONGEST: Final = 1_000


class Asked(Struct, frozen=True):
    """The query and its parameters: each occurrence of a slot is a group, whose values are alternatives."""

    query: str
    groups: Mapping[str, Sequence[Group]]

    def one(self, name: str, *, needed: bool = False) -> str | None:
        """The value of a parameter that has one. Refuses XDS_PARAMETER_NUMBER, XDS_PARAMETER_MISSING."""
        values = self.any(name, needed=needed)
        if len(values) > 1:
            raise Refusal(Kind.INVALID, "XDS_PARAMETER_NUMBER", f"{name} has one value.", element=name)
        return values[0] if values else None

    def any(self, name: str, *, needed: bool = False) -> list[str]:
        """The alternatives of a parameter. Refuses XDS_PARAMETER_MISSING."""
        values = [value for group in self.groups.get(name, ()) for value in group]
        if needed and not values:
            raise missing(name)
        return values

    def all(self, name: str) -> Sequence[Group]:
        """The groups of a parameter of which each must be met."""
        return self.groups.get(name, ())


def read_query(request: Element) -> Asked:
    """The query of an AdhocQueryRequest. Refuses what cannot be read."""
    query = request.find(tag(RIM, "AdhocQuery"))
    if query is None:
        raise Refusal(Kind.INVALID, "XDS_UNKNOWN_QUERY", "There is no AdhocQuery.")
    groups: dict[str, list[Group]] = {}
    for slot in query.iterfind(tag(RIM, "Slot")):
        name = slot.get("name", "")
        written = [(value.text or "").strip() for value in slot.iter(tag(RIM, "Value"))]
        alternatives = tuple(value for one in written for value in _values(one, name))
        if alternatives:
            groups.setdefault(name, []).append(alternatives)
    if sum(len(group) for some in groups.values() for group in some) > _LONGEST:
        raise Refusal(Kind.INVALID, "XDS_TOO_MANY", f"A query has at most {_LONGEST} values.")
    return Asked(query.get("id", ""), groups)


def missing(name: str) -> Refusal:
    """The refusal of a query without a parameter that it needs."""
    return Refusal(Kind.INVALID, "XDS_PARAMETER_MISSING", f"This query needs {name}.", element=name)


def has_codes(made: RegistryObject, scheme: str, groups: Sequence[Group]) -> bool:
    """Whether an object has, for each group, one of its codes (`code^^system`)."""
    own = [(one.code, one.system) for one in made.under(scheme)]
    return all(any(_same_code(value, code) for value in group for code in own) for group in groups)


def in_time(made: RegistryObject, slot: str, asked: Asked, name: str) -> bool:
    """Whether a time of an object is at or after `…From` and before `…To`; what is less precise begins there."""
    begins, ends = asked.one(f"{name}From"), asked.one(f"{name}To")
    if begins is None and ends is None:
        return True
    at = made.slot(slot)
    if at is None:
        return False
    return (begins is None or _whole(at) >= _whole(begins)) and (ends is None or _whole(at) < _whole(ends))


def has_author(made: RegistryObject, scheme: str, patterns: Sequence[str]) -> bool:
    """Whether one author matches one of the patterns (those of LIKE)."""
    people = [person for one in made.under(scheme) for person in one.slots.get("authorPerson", ())]
    return not patterns or any(like(pattern, person) for pattern in patterns for person in people)


def has_references(made: RegistryObject, slot: str, groups: Sequence[Group]) -> bool:
    """Whether an object has, for each group, one of its reference ids (CXi)."""
    own = [Cx.parse(one) for one in made.slots.get(slot, ())]
    return all(any(Cx.parse(value) in own for value in group) for group in groups)


def like(pattern: str, text: str) -> bool:
    """Whether a text is of a pattern of LIKE: `%` is any text, `_` one character; in bounded time."""
    place, at, star, resumed = 0, 0, -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "%":
            star, resumed = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("_", text[at]):
            place, at = place + 1, at + 1
        elif star >= 0:
            # The last `%` takes one character more; those before it need not be looked at again.
            resumed += 1
            place, at = star + 1, resumed
        else:
            return False
    return all(each == "%" for each in pattern[place:])


def code_pairs(name: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """Codes as a search parameter: their systems, that are written in many ways, are compared afterwards."""
    codes = sorted({Ce.parse(value).code for value in values})
    return [(name, ",".join(_escaped(code) for code in codes))] if codes else []


def time_pairs(name: str, asked: Asked, parameter: str) -> list[tuple[str, str]]:
    """A range of times as search parameters that find all of it, and more perhaps."""
    pairs: list[tuple[str, str]] = []
    # A day is added at each end, so that no zone matters: what is found is compared to the second afterwards.
    for prefix, end, margin in (("ge", "From", -1), ("le", "To", 1)):
        written = asked.one(f"{parameter}{end}")
        if written is None:
            continue
        if not (written.isascii() and written.isdigit() and 4 <= len(written) <= 14):
            text = f"{parameter}{end} is YYYY[MM[DD[hh[mm[ss]]]]]."
            raise Refusal(Kind.INVALID, "XDS_PARAMETER_INVALID", text, element=f"{parameter}{end}")
        try:
            day = date.fromisoformat(_whole(written)[:8]) + timedelta(days=margin)
        except (ValueError, OverflowError):
            continue
        pairs.append((name, f"{prefix}{day.isoformat()}"))
    return pairs


def _values(written: str, name: str) -> list[str]:
    """The values of one Value: `'a'`, `('a','b')` or a number."""
    text = written.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    found: list[str] = []
    place = 0
    while place < len(text):
        value = _VALUE.match(text, place)
        if value is None or (value.end() < len(text) and text[value.end()] != ","):
            shown = f"{name} is written 'value', ('one','two') or a number."
            raise Refusal(Kind.INVALID, "XDS_PARAMETER_INVALID", shown, element=name)
        found.append(value[1].replace("''", "'") if value[1] is not None else value[2])
        place = value.end() + 1
    return found


def _same_code(wanted: str, own: tuple[str, str]) -> bool:
    asked = Ce.parse(wanted)
    return asked.code == own[0] and (not asked.system or tables.same_system(asked.system, own[1]))


def _whole(time: str) -> str:
    """A time to the second: what is not said is the beginning."""
    return time + "00000101000000"[len(time) :]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")
