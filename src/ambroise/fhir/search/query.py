"""A search as it was understood: typed, checked against the definitions, nothing left to guess."""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from ambroise.fhir.definitions import SearchParameter

_SAFE: Final = "/:|,.$-_~"
_PLAIN: Final = re.compile(r"[A-Za-z0-9/:|,.$_~-]*")

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
Modifier = Literal["missing", "not", "text", "of-type", "exact", "contains", "identifier", "above", "below"]


class Token(msgspec.Struct, frozen=True):
    """`code` (system None), `|code` (system empty), `system|code`, `system|` (code None)."""

    system: str | None
    code: str | None


class TypedIdentifier(msgspec.Struct, frozen=True):
    """`:of-type=system|code|value`; an empty system stands for any."""

    system: str
    code: str
    value: str


class Text(msgspec.Struct, frozen=True):
    """The text of a string search, of `:text`, or a uri."""

    text: str


class Target(msgspec.Struct, frozen=True):
    """What a reference may point to: `Type/id` for each type that an id alone may belong to, or a URL."""

    targets: tuple[str, ...]


class DateRange(msgspec.Struct, frozen=True):
    """A prefix and the instants that the value covers, low inclusive, high exclusive."""

    prefix: Prefix
    low: datetime
    high: datetime


class NumberRange(msgspec.Struct, frozen=True):
    """A prefix, the value, and the numbers that round to it: low inclusive, high exclusive.

    A quantity adds its unit: system None for `||code`, both None when no unit is asked for.
    """

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None = None
    code: str | None = None


class Presence(msgspec.Struct, frozen=True):
    """`:missing`."""

    missing: bool


Value = Token | TypedIdentifier | Text | Target | DateRange | NumberRange | Presence


class Filter(msgspec.Struct, frozen=True):
    """One parameter; any of its values will do."""

    type: str
    parameter: SearchParameter
    modifier: Modifier | None
    values: tuple[Value, ...]


class Chain(msgspec.Struct, frozen=True):
    """What a reference points to matches: one clause for each type that it may be."""

    type: str
    parameter: SearchParameter
    targets: "tuple[tuple[str, Clause], ...]"


class Has(msgspec.Struct, frozen=True):
    """Some resource of type `source` that refers here by `parameter` matches `clause`."""

    type: str
    source: str
    parameter: SearchParameter
    clause: "Clause"


class AllOf(msgspec.Struct, frozen=True):
    """Every clause matches."""

    clauses: "tuple[Clause, ...]"


class AnyOf(msgspec.Struct, frozen=True):
    """One clause at least matches."""

    clauses: "tuple[Clause, ...]"


Clause = Filter | Chain | Has | AllOf | AnyOf


class Sort(msgspec.Struct, frozen=True):
    """One key of the order."""

    parameter: SearchParameter
    descending: bool


class Include(msgspec.Struct, frozen=True):
    """`_include` or `_revinclude`: resources of `source` refer by `parameter` to `target`.

    No parameter stands for all, no target for any; `iterate` applies it to what was included as well.
    """

    source: str
    parameter: SearchParameter | None
    target: str | None
    iterate: bool


class Total(StrEnum):
    NONE = "none"
    ESTIMATE = "estimate"
    ACCURATE = "accurate"


class Summary(StrEnum):
    TRUE = "true"
    TEXT = "text"
    DATA = "data"
    COUNT = "count"
    FALSE = "false"


class Ignored(msgspec.Struct, frozen=True):
    """What a lenient search left out, and why."""

    parameter: str
    value: str
    diagnostics: str


class Query(msgspec.Struct, frozen=True):
    """A search. `pairs` are the parameters that apply, as they came; `cursor` stands for a whole query by itself.

    `now` and `bases` are what its values were read with, so that its other pages read them alike.
    """

    type: str
    clauses: tuple[Clause, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    total: Total | None = None
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    cursor: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Ignored, ...] = ()
    now: datetime | None = None
    bases: tuple[str, ...] = ()

    @property
    def applied(self) -> str:
        """The query string of what applies, for the self link."""
        return canonical(self.pairs)


def canonical(pairs: Iterable[tuple[str, str]]) -> str:
    """The query string of these parameters, escaped no more than needed."""
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in pairs])


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)
