"""Curves drawn by the server: across in per cent, down in pixels, so that words keep their size at any width.

Every figure of a curve also stands in a table beside it; the drawing adds the shape, never a fact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import current, gettext

HEIGHT = 248
_TOP, _BOTTOM, _WORDS = 40, 214, 240
_LEFT, _RIGHT = 8.0, 92.0
_MOST_POINTS = 8


class Point(Struct, frozen=True):
    """One measure."""

    day: date
    value: Decimal


class Mark(Struct, frozen=True):
    """A point where it is drawn."""

    x: str
    y: int
    label_y: int
    value: str
    when: str
    last: bool
    quiet: bool


class Curve(Struct, frozen=True):
    """Everything the template draws."""

    name: str
    unit: str
    description: str
    marks: tuple[Mark, ...]
    lines: tuple[tuple[Mark, Mark], ...]
    range_y: int | None
    range_height: int
    range_words: str
    height: int = HEIGHT


def curve(
    name: str, unit: str, points: Sequence[Point], low: Decimal | None, high: Decimal | None, *, target: bool = False
) -> Curve | None:
    """A curve of the latest measures with its reference range; None when there is nothing to compare.

    `target`: the range is what the person aims at, not what is usual.
    """
    shown = sorted(points, key=lambda point: point.day)[-_MOST_POINTS:]
    if len(shown) < 2:
        return None
    values = [point.value for point in shown] + [bound for bound in (low, high) if bound is not None]
    bottom, top = min(values), max(values)
    spread = top - bottom or max(abs(top), Decimal(1))
    bottom, top = bottom - spread / 8, top + spread / 8

    def down(value: Decimal) -> int:
        return round(_BOTTOM - (_BOTTOM - _TOP) * float((value - bottom) / (top - bottom)))

    marks = tuple(
        Mark(
            x=f"{_LEFT + (_RIGHT - _LEFT) * index / (len(shown) - 1):.1f}%",
            y=down(point.value),
            label_y=down(point.value) + (24 if _is_low(shown, index) else -14),
            value=number(point.value),
            when=_when(shown, index),
            last=index == len(shown) - 1,
            quiet=len(shown) > 3 and (len(shown) - 1 - index) % 2 == 1,
        )
        for index, point in enumerate(shown)
    )
    range_y, range_height, range_words = _range(low, high, down, unit, target=target)
    return Curve(
        name=name,
        unit=unit,
        description=_description(shown, unit),
        marks=marks,
        lines=tuple(pairwise(marks)),
        range_y=range_y,
        range_height=range_height,
        range_words=range_words,
    )


def _is_low(shown: Sequence[Point], index: int) -> bool:
    """Whether both neighbours are higher: the figure then goes under the point, clear of the lines."""
    around = [shown[at].value for at in (index - 1, index + 1) if 0 <= at < len(shown)]
    return len(around) == 2 and all(value > shown[index].value for value in around)


def _when(shown: Sequence[Point], index: int) -> str:
    """The month of a measure; its day when a neighbour was made in the same month."""
    day = shown[index].day
    around = [shown[at].day for at in (index - 1, index + 1) if 0 <= at < len(shown)]
    same = any((other.year, other.month) == (day.year, day.month) for other in around)
    return dates.words(day, "d MMM" if same else "MMM yy")


def number(value: Decimal) -> str:
    """A figure as it was written, with the decimal comma in French."""
    text = format(value, "f")
    return text.replace(".", ",") if current().code == "fr" else text


def range_words(low: Decimal | None, high: Decimal | None, unit: str = "") -> str:
    """« 4,0 à 6,0 % », « moins de 1,00 g/L », « plus de 60 mL/min »."""
    with_unit = f"\u00a0{unit}" if unit else ""
    if low is not None and high is not None:
        return gettext("%(low)s à %(high)s", low=number(low), high=number(high)) + with_unit
    if high is not None:
        return gettext("moins de %(high)s", high=number(high)) + with_unit
    if low is not None:
        return gettext("plus de %(low)s", low=number(low)) + with_unit
    return ""


def _range(
    low: Decimal | None, high: Decimal | None, down: Callable[[Decimal], int], unit: str, *, target: bool
) -> tuple[int | None, int, str]:
    if low is None and high is None:
        return None, 0, ""
    upper = down(high) if high is not None else _TOP - 10
    lower = down(low) if low is not None else _BOTTOM + 6
    said = range_words(low, high, unit)
    words = (
        gettext("Objectif : %(range)s", range=said)
        if target
        else gettext("Valeurs de référence : %(range)s", range=said)
    )
    return upper, max(lower - upper, 4), words


def _description(points: Sequence[Point], unit: str) -> str:
    told = [
        gettext(
            "%(value)s en %(month)s",
            value=f"{number(point.value)}\u00a0{unit}".strip(),
            month=dates.words(point.day, "MMMM y"),
        )
        for point in points
    ]
    return ", ".join(told) + "."
