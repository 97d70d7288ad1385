"""What a resource offers to search, by search parameter number."""

from datetime import datetime
from decimal import Decimal

import msgspec

Token = tuple[int, str | None, str | None]
Text = tuple[int, str]
ReferenceTo = tuple[int, str | None, tuple[str | None, str | None] | None]
DateRange = tuple[int, datetime, datetime]
NumberRange = tuple[int, Decimal, Decimal]
QuantityRange = tuple[int, Decimal, Decimal, str | None, str | None, str | None]
TypedIdentifier = tuple[int, str | None, str | None, str]


class Extracted(msgspec.Struct):
    """The index entries of one resource. Every row starts with the number of its search parameter.

    tokens       system or None, code or None
    strings      text as written
    texts        what `:text` reads on a token parameter: displays and texts
    typed        what `:of-type` reads on an identifier: system and code of its type, value
    references   `Type/id`, an absolute URL, a canonical (with and without its version), or None when the reference
                 has only an identifier; and that identifier as (system, value)
    dates        UTC instants, low inclusive, high exclusive; an open end is datetime.min or datetime.max
    numbers      low and high, both inclusive and equal for a plain value; an open end is infinite
    quantities   the same, then system, code, unit
    uris         as written
    """

    tokens: list[Token] = msgspec.field(default_factory=list[Token])
    strings: list[Text] = msgspec.field(default_factory=list[Text])
    texts: list[Text] = msgspec.field(default_factory=list[Text])
    typed: list[TypedIdentifier] = msgspec.field(default_factory=list[TypedIdentifier])
    references: list[ReferenceTo] = msgspec.field(default_factory=list[ReferenceTo])
    dates: list[DateRange] = msgspec.field(default_factory=list[DateRange])
    numbers: list[NumberRange] = msgspec.field(default_factory=list[NumberRange])
    quantities: list[QuantityRange] = msgspec.field(default_factory=list[QuantityRange])
    uris: list[Text] = msgspec.field(default_factory=list[Text])
