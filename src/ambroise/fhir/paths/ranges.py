"""What a date or a number covers.

A date covers what its written precision leaves open, low inclusive, high exclusive, as UTC instants; a date without
an offset is read in UTC. A number in a resource is a point, whatever its precision; only a number that one searches
for covers what rounds to it (R4, search on numbers).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Final

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)
BELOW_ALL: Final = Decimal("-Infinity")
ABOVE_ALL: Final = Decimal("Infinity")

Instants = tuple[datetime, datetime]
Numbers = tuple[Decimal, Decimal]

_SECOND: Final = timedelta(seconds=1)
# Enough digits for any number that the validator lets pass.
_EXACT: Final = Context(prec=2_000)


def date_range(text: str) -> Instants:
    """The instants that a date, dateTime or instant covers: `2020-02` is all of February. Raises ValueError."""
    length = len(text)
    if length > 10:
        return _instant_range(text)
    if length == 10:
        low = datetime(int(text[:4]), int(text[5:7]), int(text[8:]), tzinfo=UTC)
        return low, _after(low, timedelta(days=1))
    if length == 7:
        year, month = int(text[:4]), int(text[5:])
        following = (year, month + 1) if month < 12 else (year + 1, 1)
        return datetime(year, month, 1, tzinfo=UTC), _first_day(*following)
    if length == 4:
        year = int(text)
        return datetime(year, 1, 1, tzinfo=UTC), _first_day(year + 1, 1)
    raise ValueError(f"'{text}' is not a date")


def _instant_range(text: str) -> Instants:
    if text[17:19] == "60":
        # A leap second has no instant of its own here: it is read as the second before.
        text = text[:17] + "59" + text[19:]
    low = datetime.fromisoformat(text)
    try:
        low = low.astimezone(UTC) if low.tzinfo else low.replace(tzinfo=UTC)
    except OverflowError:
        low = low.replace(tzinfo=UTC)
    if text[19:20] == ".":
        digits = 0
        while text[20 + digits : 21 + digits].isdigit():
            digits += 1
        return low, _after(low, timedelta(microseconds=10 ** max(0, 6 - digits)))
    if text[16:17] == ":":
        return low, _after(low, _SECOND)
    return low, _after(low, timedelta(minutes=1))


def _first_day(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC) if year < 10_000 else LATEST


def _after(low: datetime, step: timedelta) -> datetime:
    try:
        return low + step
    except OverflowError:
        return LATEST


def period_range(period: Mapping[str, Any]) -> Instants | None:
    """The instants of a Period; an end that is not stated is open. None when neither end is."""
    start, end = period.get("start"), period.get("end")
    if start is None and end is None:
        return None
    return (date_range(start)[0] if start else EARLIEST, date_range(end)[1] if end else LATEST)


def timing_range(timing: Mapping[str, Any]) -> Instants | None:
    """The outer limits of a Timing: its events and the period that bounds its repetition."""
    found = [date_range(event) for event in timing.get("event", ()) if event]
    bounds = timing.get("repeat", {}).get("boundsPeriod")
    if bounds and (limits := period_range(bounds)):
        found.append(limits)
    if not found:
        return None
    return min(low for low, _ in found), max(high for _, high in found)


def number_range(number: int | Decimal) -> Numbers:
    """The numbers that a searched `number` stands for: 5.40 is from 5.395 inclusive to 5.405 exclusive."""
    value = Decimal(number)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is not a finite number")
    half = Decimal((0, (5,), exponent - 1))
    return _EXACT.subtract(value, half), _EXACT.add(value, half)


def quantity_range(quantity: Mapping[str, Any]) -> Numbers | None:
    """The numbers of a Quantity: its value, or what its comparator opens; both ends closed. None without a value."""
    value = quantity.get("value")
    if value is None:
        return None
    match quantity.get("comparator"):
        case "<" | "<=":
            return BELOW_ALL, Decimal(value)
        case ">" | ">=":
            return Decimal(value), ABOVE_ALL
        case _:
            return Decimal(value), Decimal(value)


def limits_range(limits: Mapping[str, Any]) -> Numbers | None:
    """The numbers of a Range; a limit that is not stated is open. None when neither is."""
    low = quantity_range(limits.get("low") or {})
    high = quantity_range(limits.get("high") or {})
    if low is None and high is None:
        return None
    return low[0] if low else BELOW_ALL, high[1] if high else ABOVE_ALL
