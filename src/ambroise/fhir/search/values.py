"""Reading the values of search parameters, one function per parameter type."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final, cast

from ambroise.fhir.definitions import SearchParameter, is_resource_type
from ambroise.fhir.paths.ranges import date_range, number_range
from ambroise.fhir.search.query import (
    DateRange,
    Modifier,
    NumberRange,
    Prefix,
    Presence,
    Target,
    Text,
    Token,
    TypedIdentifier,
    Value,
)
from ambroise.fhir.search.refusals import unreadable

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_PREFIX: Final = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[\d.+-])")
_DATE: Final = re.compile(
    r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
    r"(T([01]\d|2[0-3]):[0-5]\d(:([0-5]\d|60)(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4]):[0-5]\d)?)?)?)?"
)
_NUMBER: Final = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_VERSION: Final = re.compile(r"/_history/[^/]+\Z")
_TENTH: Final = Decimal("0.1")
_AP: Final = "ap"

Reader = Callable[[SearchParameter, str, "Reading"], Value]


class Reading:
    """What a value may depend on: the time now, and the addresses under which this server is known."""

    __slots__ = ("bases", "now")

    def __init__(self, now: datetime, bases: Sequence[str] = ()) -> None:
        self.now = now
        self.bases = tuple(base.rstrip("/") + "/" for base in bases)


def split(text: str, sign: str) -> list[str]:
    """The parts of `text` between signs that are not escaped; escapes stay as they are."""
    if "\\" not in text:
        return text.split(sign)
    parts: list[str] = []
    start = position = 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == sign:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    r"""`\,` `\|` `\$` `\\` mean the sign itself."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def read_values(
    parameter: SearchParameter, modifier: Modifier | None, name: str, raw: str, reading: Reading
) -> tuple[Value, ...]:
    """The alternatives of one parameter as it was written. Refuses a value that is empty or has the wrong form."""
    read = _reader(parameter, modifier)
    found: list[Value] = []
    for part in split(raw, ","):
        if not part:
            raise unreadable(name, raw, "a value; leave the parameter out when there is none")
        found.append(read(parameter, part, reading))
    return tuple(found)


def _reader(parameter: SearchParameter, modifier: Modifier | None) -> Reader:
    match modifier:
        case "missing":
            return _presence
        case "of-type":
            return _typed_identifier
        case "identifier":
            return _token
        case "text":
            return _text
        case _:
            return _READERS[parameter.type]


def _presence(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    if raw not in ("true", "false"):
        raise unreadable(f"{parameter.code}:missing", raw, "true or false")
    return Presence(raw == "true")


def _token(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    parts = [unescape(part) for part in split(raw, "|")]
    if len(parts) > 2 or not any(parts):
        raise unreadable(parameter.code, raw, r"code, system|code, |code or system| (a sign inside is written \|)")
    return Token(None, parts[0]) if len(parts) == 1 else Token(parts[0], parts[1] or None)


def _typed_identifier(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    parts = [unescape(part) for part in split(raw, "|")]
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise unreadable(f"{parameter.code}:of-type", raw, "type system|type code|value")
    return TypedIdentifier(*parts)


def _text(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    return Text(unescape(raw))


def _uri(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    return Text(unescape(raw))


def _reference(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    text = unescape(raw)
    for base in reading.bases:
        if text.startswith(base):
            text = text[len(base) :]
            break
    text = _VERSION.sub("", text)
    if "://" in text or text.startswith("urn:"):
        return Target((text,))
    kind, slash, id = text.rpartition("/")
    if not _ID.fullmatch(id) or (slash and not is_resource_type(kind)):
        raise unreadable(parameter.code, raw, "an id, Type/id or an address", parameter.targets)
    if slash:
        return Target((text,))
    return Target(tuple(f"{target}/{id}" for target in targets_of(parameter)))


def targets_of(parameter: SearchParameter) -> tuple[str, ...]:
    """The types that a reference parameter leads to: one alone when its path keeps only that."""
    _, narrowed, kept = parameter.expression.partition(".where(resolve() is ")
    return (kept.rstrip(")"),) if narrowed and is_resource_type(kept.rstrip(")")) else parameter.targets


def _prefixed(raw: str) -> tuple[Prefix, str]:
    match = _PREFIX.match(raw)
    return (cast(Prefix, match[1]), raw[2:]) if match else ("eq", raw)


def _date(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    prefix, text = _prefixed(raw)
    # In a query string the plus sign of an offset arrives as a space when the client did not escape it.
    text = text.replace(" ", "+")
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        low, high = date_range(text)
    except ValueError:
        raise unreadable(
            parameter.code, raw, "a date such as 2024, 2024-03, 2024-03-14 or 2024-03-14T09:30:00+01:00"
        ) from None
    if prefix == _AP:
        gap = abs(reading.now - low) / 10
        low, high = _moved(low, -gap), _moved(high, gap)
    return DateRange(prefix, low, high)


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment


def _number(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    return _number_range(parameter, raw, raw, None, None)


def _quantity(parameter: SearchParameter, raw: str, reading: Reading) -> Value:
    parts = [unescape(part) for part in split(raw, "|")]
    if len(parts) == 1:
        return _number_range(parameter, raw, parts[0], None, None)
    if len(parts) != 3 or not parts[2]:
        raise unreadable(parameter.code, raw, "a number, number|system|code or number||unit")
    return _number_range(parameter, raw, parts[0], parts[1] or None, parts[2])


def _number_range(parameter: SearchParameter, raw: str, text: str, system: str | None, code: str | None) -> NumberRange:
    prefix, digits = _prefixed(text)
    try:
        if not _NUMBER.fullmatch(digits):
            raise ValueError(digits)
        value = Decimal(digits)
        low, high = number_range(value)
    except (ValueError, InvalidOperation):
        raise unreadable(parameter.code, raw, "a number such as 5.4, with a prefix such as gt if need be") from None
    if prefix == _AP:
        low, high = min(low, value - abs(value) * _TENTH), max(high, value + abs(value) * _TENTH)
    return NumberRange(prefix, value, low, high, system, code)


_READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "token": _token,
        "string": _text,
        "reference": _reference,
        "date": _date,
        "number": _number,
        "quantity": _quantity,
        "uri": _uri,
    }
)
