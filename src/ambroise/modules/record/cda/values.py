"""HL7 data types (TS, IVL_TS, II, CD, EN) read from elements into values."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from ambroise.modules.record.cda.model import Code, Identifier, Moment, Name, Period, Precision
from ambroise.modules.record.cda.nodes import Element, attribute, many, one, text

_TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:[.,](\d{1,6})\d*)?(?:Z|([+-])(\d\d):?(\d\d)?)?")
# A French producer that writes no offset means the legal time in France.
_HERE = ZoneInfo("Europe/Paris")


EPOCH = Moment(datetime(1970, 1, 1, tzinfo=UTC), Precision.DAY, "19700101")


@lru_cache(maxsize=1024)
def moment(written: str | None) -> Moment | None:
    """A TS value as a Moment; None when it is absent or is no point in time."""
    match = _TIME.fullmatch(written or "")
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups()
    parts = [part for part in (year, month, day, hour, minute, second) if part]
    try:
        naive = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),
            int((fraction or "").ljust(6, "0")),
        )
        start = naive.replace(tzinfo=_zone(written or "", sign, zone_hours, zone_minutes))
        # A first or last year that no offset can hold has no meaning in a record.
        start.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Moment(start, Precision(2 + 2 * len(parts)), written or "")


def period(element: Element | None) -> Period:
    """An IVL_TS element as a Period; a single value is both ends, a width gives the high end."""
    single = moment(attribute(element, "value"))
    if single:
        return Period(single, single)
    low, high = moment(attribute(element, "value", "low")), moment(attribute(element, "value", "high"))
    if low and not high and (width := _width(one(element, "width"))):
        end = low.start + width
        high = Moment(end, low.precision, end.strftime("%Y%m%d%H%M%S%z"))
    return Period(low, high)


def identifiers(element: Element | None, path: str = "id") -> tuple[Identifier, ...]:
    """The II elements at `path` that have a root."""
    return tuple(
        [found for item in many(element, path) if (found := _identifier(item.get("root"), item.get("extension")))]
    )


@lru_cache(maxsize=4096)
def _identifier(root: str | None, extension: str | None) -> Identifier | None:
    # Documents of one producer say the same identifiers: templates, structures, people.
    if not root or not root.strip():
        return None
    return Identifier(root.strip(), (extension or "").strip() or None)


def code(element: Element | None) -> Code | None:
    """A CD element; None when it is absent or says nothing at all."""
    if element is None:
        return None
    value, null, display = attribute(element, "code"), attribute(element, "nullFlavor"), element.get("displayName")
    # Most codes are attributes alone.
    inside = len(element) > 0
    original = text(element, "originalText") if inside else None
    translations = tuple([item for item in map(code, many(element, "translation")) if item]) if inside else ()
    if not (value or null or original or translations or display):
        return None
    return Code(
        value or "",
        attribute(element, "codeSystem") or "",
        (display.strip() or None) if display else None,
        original,
        null,
        translations,
    )


def coded(element: Element | None) -> Code | None:
    """A CD element that carries a code; a null flavour or a text alone is None."""
    found = code(element)
    return found if found and found.code else None


def name(element: Element | None) -> Name | None:
    """A person's name; the birth or used name is taken when several family names stand in it."""
    if element is None:
        return None
    families = many(element, "family")
    used = [item for item in families if item.get("qualifier") in ("CL", "SP")] or families
    givens = [item for item in many(element, "given") if item.get("qualifier") != "BR"] or many(element, "given")
    given = tuple(word for word in map(text, givens) if word)
    family = text(used[0]) if used else None
    if not family and not given:
        family = text(element)
    if not family and not given:
        return None
    return Name(family, given, text(element, "prefix"), text(element, "suffix"))


def _zone(written: str, sign: str | None, hours: str | None, minutes: str | None) -> tzinfo:
    if sign:
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return timezone(offset if sign == "+" else -offset)
    return UTC if written.endswith("Z") else _HERE


def _width(element: Element | None) -> timedelta | None:
    value, unit = attribute(element, "value"), attribute(element, "unit")
    seconds = {"s": 1, "min": 60, "h": 3600, "d": 86400, "wk": 604800, "mo": 2_629_746, "a": 31_556_952}.get(unit or "")
    try:
        return timedelta(seconds=float(value) * seconds) if value and seconds else None
    except (ValueError, OverflowError):
        return None
