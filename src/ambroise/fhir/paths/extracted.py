"""What a resource offers to search, by search parameter number."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

Token = tuple[int, str | None, str | None]
Text = tuple[int, str]
ReferenceTo = tuple[int, str | None, tuple[str | None, str | None] | None]
DateRange = tuple[int, datetime, datetime]
NumberRange = tuple[int, Decimal, Decimal]
QuantityRange = tuple[int, Decimal, Decimal, str | None, str | None, str | None]
TypedIdentifier = tuple[int, str | None, str | None, str]


@dataclass(slots=True)
class Extracted:
    """The index entries of one resource. Every row starts with the number of its search parameter.

    tokens       system or None, code or None
    strings      text as written
    texts        what `:text` reads on a token parameter: displays and texts
    typed        what `:of-type` reads on an identifier: system and code of its type, value
    references   `Type/id`, an absolute URL, a canonical (with and without its version), or None when the reference
                 has only an identifier; and that identifier as (system, value)
    dates        UTC instants, low inclusive, high exclusive; an open end is datetime.min or datetime.max
    numbers      low inclusive, high exclusive, by written precision; an open end is infinite
    quantities   the same, then system, code, unit
    uris         as written
    """

    tokens: list[Token] = field(default_factory=list[Token])
    strings: list[Text] = field(default_factory=list[Text])
    texts: list[Text] = field(default_factory=list[Text])
    typed: list[TypedIdentifier] = field(default_factory=list[TypedIdentifier])
    references: list[ReferenceTo] = field(default_factory=list[ReferenceTo])
    dates: list[DateRange] = field(default_factory=list[DateRange])
    numbers: list[NumberRange] = field(default_factory=list[NumberRange])
    quantities: list[QuantityRange] = field(default_factory=list[QuantityRange])
    uris: list[Text] = field(default_factory=list[Text])
