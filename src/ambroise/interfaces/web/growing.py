"""The growth curves of a child: their measures among the centiles of the World Health Organization.

Across in per cent and down in pixels for what is written, so that words keep their size; the centiles themselves are
drawn in a frame of a thousand by a thousand that stretches with the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from msgspec import Struct

from ambroise.interfaces.web import curves
from ambroise.interfaces.web.ui import dates, plots, units
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.modules.profile.api import Item, Part, Section, Sheet, growth

LEFT, WIDTH, TOP, HEIGHT = 11, 79, 12, 236
_YEAR = 365.25
_MONTH = _YEAR / 12
_STEPS = 48
_LETTERS = 14
_MOST_TICKS = 6
# The window of ages drawn: the first that holds every measure. Years → how far apart its marks are.
_WINDOWS = ((1, 0.25), (2, 0.5), (5, 1.0), (10, 2.0), (19, 3.0))
_TITLES = {
    "WEIGHT": N_("Poids selon l’âge"),
    "HEIGHT": N_("Taille selon l’âge"),
    "HEAD_CIRCUMFERENCE": N_("Périmètre crânien selon l’âge"),
    "BODY_MASS_INDEX": N_("Indice de masse corporelle selon l’âge"),
}
# Heights are told in metres and grow in centimetres.
_SHOWN = {"HEIGHT": (Decimal(100), "cm")}


class Tick(Struct, frozen=True):
    """A figure beside an axis: where it stands, what it says."""

    place: str | float
    words: str


class Centile(Struct, frozen=True):
    """One centile: its points in the frame, and where its number stands at the right."""

    number: int
    points: str
    y: float


class Taken(Struct, frozen=True):
    """One measure of the child: where it is drawn, and what the table says of it."""

    x: str
    y: float
    day: str
    age: str
    value: str
    centile: str


class Growth(Struct, frozen=True):
    """Everything the template draws."""

    measure: str
    name: str
    unit: str
    axis: str
    centiles: Sequence[Centile]
    line: str
    taken: Sequence[Taken]
    across: Sequence[Tick]
    down: Sequence[Tick]

    @property
    def description(self) -> str:
        """The drawing in words."""
        return " ".join(
            gettext("%(age)s : %(value)s, centile %(centile)s.", age=one.age, value=one.value, centile=one.centile)
            for one in self.taken
        )


def drawings(sheet: Sheet, born: date | None, sex: str, today: date) -> Mapping[str, Any]:
    """All the curves of a page of measures: those of growth, then the others. `sex`: `F`, `M` or nothing."""
    part = sheet[Section.MEASURES]
    growing = growths(part, born, sex, today)
    others = curves.of_measures(part, sheet[Section.TARGETS], without=[one.measure for one in growing])
    return {"growths": growing, "curves": others}


def growths(part: Part, born: date | None, sex: str, today: date) -> list[Growth]:
    """The curves of a child, of each measure that has a standard and was taken; none for who has grown up."""
    if born is None or growth.age_on(born, today) > growth.GROWN * _YEAR:
        return []
    found = (_growth(measure, part.items, born, sex) for measure in _TITLES)
    return [one for one in found if one is not None]


def _growth(measure: str, items: Sequence[Item], born: date, sex: str) -> Growth | None:
    standard = growth.standard(measure, sex)
    if standard is None:
        return None
    taken = [
        (growth.age_on(born, date.fromisoformat(one.start)), one)
        for one in items
        if one.details.get("measure") == measure and len(one.start) == 10
    ]
    taken = sorted(((age, one) for age, one in taken if standard.first <= age <= standard.last), key=lambda one: one[0])
    if not taken:
        return None
    years, apart = _window(taken[-1][0])
    last = min(round(years * _YEAR), standard.last)
    return _drawn(standard, taken, last, apart, born)


def _drawn(standard: growth.Standard, taken: Sequence[tuple[int, Item]], last: int, apart: float, born: date) -> Growth:
    factor, unit = _SHOWN.get(standard.measure, (Decimal(1), units.unit(taken[0][1].details["unit"])))
    values = [float(Decimal(one.details["value"]) * factor) for _, one in taken]
    centiles = {number: _curve(standard, far, last, float(factor)) for number, far in growth.CENTILES.items()}
    every = [value for points in centiles.values() for _, value in points] + values
    marks = _marks(min(every), max(every))
    low, high = marks[0], marks[-1]

    def frame(age: int, value: float) -> tuple[float, float]:
        return age / last * 1000, (high - value) / (high - low) * 1000

    def joined(points: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{x:.0f},{y:.0f}" for x, y in (frame(*point) for point in points))

    def down(value: float) -> float:
        return round(TOP + HEIGHT * (high - value) / (high - low), 1)

    ends = _apart([down(points[-1][1]) for points in centiles.values()])
    months = apart < 1
    unit_of_age = _MONTH if months else _YEAR
    step = round(apart * 12) if months else round(apart)
    return Growth(
        measure=standard.measure,
        name=gettext(_TITLES[standard.measure]),
        unit=unit,
        axis=gettext("Âge en mois") if months else gettext("Âge en années"),
        centiles=[
            Centile(number, joined(points), words)
            for (number, points), words in zip(centiles.items(), ends, strict=True)
        ],
        line=joined([(age, value) for (age, _), value in zip(taken, values, strict=True)]),
        taken=[
            Taken(
                x=f"{LEFT + WIDTH * age / last:.1f}%",
                y=down(value),
                day=dates.words(date.fromisoformat(one.start), "dd/MM/y"),
                age=dates.age(born, date.fromisoformat(one.start)),
                value=f"{plots.number(_rounded(value))}\u00a0{unit}",
                centile=_among(standard.centile(float(one.details["value"]), age)),
            )
            for (age, one), value in zip(taken, values, strict=True)
        ],
        across=[
            Tick(f"{LEFT + WIDTH * count * unit_of_age / last:.1f}%", str(count))
            for count in range(0, int(last / unit_of_age + 0.01) + 1, step)
        ],
        down=[Tick(down(mark), plots.number(_rounded(mark))) for mark in marks],
    )


def _window(oldest: int) -> tuple[int, float]:
    return next((one for one in _WINDOWS if oldest <= one[0] * _YEAR), _WINDOWS[-1])


def _curve(standard: growth.Standard, deviations: float, last: int, factor: float) -> list[tuple[int, float]]:
    ages = (round(standard.first + (last - standard.first) * place / _STEPS) for place in range(_STEPS + 1))
    values = ((age, standard.value(deviations, age)) for age in ages)
    return [(age, value * factor) for age, value in values if value is not None]


def _apart(places: Sequence[float]) -> list[float]:
    """Where the numbers of the centiles stand, from the lowest line up: the middle one at its line, none on another."""
    middle, found = len(places) // 2, list(places)
    for at in range(middle + 1, len(found)):
        found[at] = min(found[at], found[at - 1] - _LETTERS)
    for at in range(middle - 1, -1, -1):
        found[at] = max(found[at], found[at + 1] + _LETTERS)
    return found


def _marks(low: float, high: float) -> list[float]:
    """Round figures around what is drawn, at most so many."""
    steps = (size * digit for size in (0.1, 1, 10, 100) for digit in (1, 2, 5))
    step = next(one for one in steps if (high - low) / one <= _MOST_TICKS)
    first, last = int(low // step), -int(-high // step)
    return [place * step for place in range(first, last + 1)]


def _rounded(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP).normalize() + 0


def _among(centile: float | None) -> str:
    if centile is None:
        return ""
    if centile < 1:
        return gettext("moins de 1")
    if centile > 99:
        return gettext("plus de 99")
    return str(round(centile))
