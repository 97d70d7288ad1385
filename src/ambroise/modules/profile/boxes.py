"""The code on the box of a medicine: a DataMatrix of GS1 that says which product, which lot, until when.

GS1 General Specifications: elements follow one another, each with its identifier; 01 (14 digits) and 17 (a day,
AAMMJJ, the day 00 being the end of the month) have a fixed length, 10 (lot) and 21 (number of the box) end at a
separator or with the code. In France the product is a CIP of 13 digits behind a zero, 3400 being its country.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal

CIP = "urn:oid:1.2.250.1.213.2.3.2"
"""The system of CIP codes, as the documents of the CI-SIS write it."""

_SEPARATOR = "\x1d"
_BEFORE = re.compile(r"^(\]d2|\]C1|\]Q3|\x1d)+")
_SPOKEN = re.compile(r"\((\d{2,4})\)")
_FIXED = {"01": 14, "02": 14, "11": 6, "13": 6, "15": 6, "17": 6}
_LONGEST = {"10": 20, "21": 20, "710": 20, "711": 20, "712": 20, "713": 20, "714": 20}


class Box(Struct, frozen=True):
    """What the code of a box says. `cip` is empty for a product of another country."""

    gtin: str
    cip: str = ""
    lot: str = ""
    expires: date | None = None


def read(content: str) -> Box:
    """What a code says, as a scanner gives it, as it is printed beside the symbol, or as a CIP of 13 digits alone.

    Raises BOX_CODE_UNREADABLE for what is no code of a box, or whose check digit is wrong.
    """
    typed = _BEFORE.sub("", content.strip())
    digits = re.sub(r"[\s.-]", "", typed)
    elements = {"01": digits.zfill(14)} if re.fullmatch(r"\d{13,14}", digits) else _elements(typed)
    gtin = elements.get("01", "")
    if not re.fullmatch(r"\d{14}", gtin) or not _right(gtin):
        raise _unreadable()
    cip = gtin[1:] if gtin.startswith("03400") else ""
    return Box(gtin, cip, elements.get("10", ""), _day(elements.get("17", "")))


def _elements(typed: str) -> dict[str, str]:
    if _SPOKEN.match(typed):
        # (01)03400…(17)271231(10)AB123: as it is printed.
        parts = _SPOKEN.split(typed)
        return {name: value.strip() for name, value in zip(parts[1::2], parts[2::2], strict=True)}
    found: dict[str, str] = {}
    rest = typed
    while rest:
        name = next((one for one in (rest[:2], rest[:3]) if one in _FIXED or one in _LONGEST), None)
        if name is None:
            break
        rest = rest[len(name) :]
        end = _FIXED[name] if name in _FIXED else (rest + _SEPARATOR).index(_SEPARATOR)
        if name in _LONGEST and end > _LONGEST[name]:
            raise _unreadable()
        found.setdefault(name, rest[:end])
        rest = rest[end:].removeprefix(_SEPARATOR)
    return found


def _right(digits: str) -> bool:
    """The last digit completes the weighted sum of the others to a multiple of ten."""
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits)) % 10 == 0


def _day(value: str) -> date | None:
    if not re.fullmatch(r"\d{6}", value):
        return None
    year, month, day = 2000 + int(value[:2]), int(value[2:4]), int(value[4:])
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        return None


def _unreadable() -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, "BOX_CODE_UNREADABLE", "This is not the code of a box of medicine.")
