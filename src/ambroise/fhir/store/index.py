"""From what a resource offers to search to the columns and rows that stand for it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from ambroise.fhir.paths import extract
from ambroise.fhir.paths.extracted import Extracted
from ambroise.fhir.store import terms
from ambroise.fhir.store.folding import fold
from ambroise.fhir.store.layout import Layout, layout

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)
_INFINITE: Final = Decimal("Infinity")
_MICROSECOND: Final = timedelta(microseconds=1)
LONGEST_TEXT: Final = 500  # Beyond it a btree entry does not fit; a search reads no further either.

_ONE_LINE: Final = str.maketrans({"\n": "\x1d", "\x1e": "\x1d", "\x00": " "})

RangeRow = tuple[int, Decimal, Decimal, tuple[int, ...] | None]
TextRow = tuple[int, str, str | None]


class Indexed(msgspec.Struct, frozen=True):
    """The searchable side of one resource. `texts` are those that do not stand in `displays`.

    Dates are None when the type has no principal date or this one lacks it.
    """

    terms: tuple[int, ...]
    present: tuple[int, ...]
    displays: str | None
    date_low: datetime | None
    date_high: datetime | None
    ranges: tuple[RangeRow, ...]
    texts: tuple[TextRow, ...]


def index(resource: dict[str, Any]) -> Indexed:
    """The index entries of a valid resource."""
    return from_extracted(extract(resource), layout(resource["resourceType"]))


def from_extracted(extracted: Extracted, plan: Layout) -> Indexed:
    """The rows that stand for extracted values; entries of parameters that others make up are left out."""
    found: set[int] = set()
    present: set[int] = set()
    _tokens(extracted, plan, found, present)
    _references(extracted, plan, found, present)
    _uris(extracted, plan, found, present)
    ranges = _ranges(extracted, plan)
    low, high = _dates(extracted, plan, ranges)
    texts = _texts(extracted, plan)
    present.update([row[0] for row in ranges])
    present.update([row[0] for row in texts])
    displays = _displays(extracted, plan)
    if plan.inside:
        displays, texts = (displays or "") + "".join(text_line(*row) for row in texts) or None, ()
    return Indexed(tuple(sorted(found)), tuple(sorted(present)), displays, low, high, tuple(ranges), texts)


def microseconds(instant: datetime) -> Decimal:
    """An instant as the tables of ranges hold it: microseconds since 1970, infinite at the ends of time."""
    if instant >= LATEST:
        return _INFINITE
    if instant <= EARLIEST:
        return -_INFINITE
    return Decimal((instant - EPOCH) // _MICROSECOND)


@lru_cache(8192)
def display_line(number: int, text: str) -> str:
    """How the start of a display or text of a token stands in `displays`."""
    return f"\n{number}\x1f{fold(text)}"


def text_line(number: int, folded: str, original: str | None) -> str:
    """How a text stands in `displays`, where the texts of its type do: a search reads it up to its end."""
    return f"\n{number}\x1f{folded}" if original is None else f"\n{number}\x1f{folded}\x1e{in_one_line(original)}"


def line_of(numbers: Iterable[int]) -> str:
    """The start of a line of `displays` for one of these parameters, as a regular expression of PostgreSQL."""
    return f"\n({'|'.join(map(str, numbers))})\x1f"


def in_one_line(text: str) -> str:
    """A text without what ends a line, or a part of one."""
    return text.translate(_ONE_LINE)


@lru_cache(1024)
def unit_terms(system: str | None, code: str | None, unit: str | None) -> tuple[int, ...]:
    """The hashes that the unit of a stored quantity answers to."""
    found = {terms.unit("", word) for word in (code, unit) if word}
    if system and code:
        found.add(terms.unit(system, code))
    return tuple(sorted(found))


def _tokens(extracted: Extracted, plan: Layout, found: set[int], present: set[int]) -> None:
    skipped = plan.skipped
    for number, system, code in extracted.tokens:
        if number not in skipped:
            present.add(number)
            found.update(terms.of_token(number, system, code))
    for number, system, code, value in extracted.typed:
        if number not in skipped and code is not None:
            found.add(terms.of_type(number, "", code, value))
            if system:
                found.add(terms.of_type(number, system, code, value))


def _references(extracted: Extracted, plan: Layout, found: set[int], present: set[int]) -> None:
    for number, target, identifier in extracted.references:
        present.add(number)
        if target is not None and number not in plan.narrows:
            found.add(terms.reference(number, target))
        if identifier is not None:
            found.update(terms.of_token(number, identifier[0], identifier[1]))


def _uris(extracted: Extracted, plan: Layout, found: set[int], present: set[int]) -> None:
    for number, address in extracted.uris:
        if number not in plan.skipped:
            present.add(number)
            found.update(terms.of_uri(number, address))


def _ranges(extracted: Extracted, plan: Layout) -> list[RangeRow]:
    found: list[RangeRow] = [
        (number, low, high, None) for number, low, high in extracted.numbers if number not in plan.skipped
    ]
    for number, low, high, system, code, unit in extracted.quantities:
        if number not in plan.skipped:
            found.append((number, low, high, unit_terms(system, code, unit)))
    return found


def _dates(extracted: Extracted, plan: Layout, ranges: list[RangeRow]) -> tuple[datetime | None, datetime | None]:
    """The principal date; the other dates are added to `ranges`."""
    low = high = None
    for number, start, end in extracted.dates:
        if number == plan.principal:
            low = start if low is None else min(low, start)
            high = end if high is None else max(high, end)
        elif number not in plan.skipped:
            ranges.append((number, microseconds(start), microseconds(end), None))
    return low, high


def _texts(extracted: Extracted, plan: Layout) -> tuple[TextRow, ...]:
    found: dict[tuple[int, str], None] = {
        (number, text[:LONGEST_TEXT]): None for number, text in extracted.strings if number not in plan.skipped
    }
    return tuple([row for number, text in found if (row := _text_row(number, text)) is not None])


@lru_cache(16_384)
def _text_row(number: int, text: str) -> TextRow | None:
    """The row of a text; None when nothing of it can be searched."""
    folded = fold(text)[:LONGEST_TEXT]
    return (number, folded, None if folded == text else text.replace("\x00", " ")) if folded else None


def _displays(extracted: Extracted, plan: Layout) -> str | None:
    if not extracted.texts:
        return None
    lines = dict.fromkeys(display_line(number, text) for number, text in extracted.texts if number not in plan.skipped)
    return "".join(lines) or None
