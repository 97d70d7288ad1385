"""How children grow: the standards of the World Health Organization, by age and sex (`data/growth.json`).

A standard gives, for each age, the power L, the median M and the spread S of what healthy children measure, from which
any centile follows (Cole and Green 1992; WHO Child Growth Standards 2006, Growth Reference 2007).
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

CENTILES: Mapping[int, float] = {3: -1.880794, 15: -1.036433, 50: 0.0, 85: 1.036433, 97: 1.880794}
"""The centiles that the WHO draws, with how many deviations from the median each is."""
GROWN = 19
"""The age, in years, at which the reference ends."""
_FAR = 3.0
# Beyond three deviations what depends on weight goes on by equal steps, as the WHO computes it.
_OF_WEIGHT = frozenset({"WEIGHT", "BODY_MASS_INDEX"})


class Standard(Struct, frozen=True):
    """What children of one sex measure, from the age of `first` to that of `last` days."""

    measure: str
    ages: Sequence[int]
    rows: Sequence[Sequence[float]]

    @property
    def first(self) -> int:
        """The youngest age it speaks of, in days."""
        return self.ages[0]

    @property
    def last(self) -> int:
        """The oldest one."""
        return self.ages[-1]

    def value(self, deviations: float, age: int) -> float | None:
        """What a child of this age measures who is so many deviations from the median; None outside the ages."""
        row = self._at(age)
        return None if row is None else _value(row, deviations)

    def centile(self, value: float, age: int) -> float | None:
        """Of a hundred children of this age, how many measure less; None outside the ages."""
        row = self._at(age)
        if row is None or value <= 0:
            return None
        return 50 * (1 + math.erf(self._deviations(row, value) / math.sqrt(2)))

    def _deviations(self, row: tuple[float, float, float], value: float) -> float:
        power, median, spread = row
        found = math.log(value / median) / spread if power == 0 else ((value / median) ** power - 1) / (power * spread)
        if self.measure not in _OF_WEIGHT or abs(found) <= _FAR:
            return found
        side = math.copysign(1, found)
        far, near = _value(row, side * _FAR), _value(row, side * (_FAR - 1))
        return side * _FAR + (value - far) / abs(far - near)

    def _at(self, age: int) -> tuple[float, float, float] | None:
        """Power, median and spread at an age, on the straight line between the published rows."""
        if not self.first <= age <= self.last:
            return None
        after = min(bisect_right(self.ages, age), len(self.ages) - 1)
        low, high = self.ages[after - 1], self.ages[after]
        share = (age - low) / (high - low)
        power, median, spread = (
            one + (other - one) * share for one, other in zip(self.rows[after - 1], self.rows[after], strict=True)
        )
        return power, median, spread


def _value(row: tuple[float, float, float], deviations: float) -> float:
    power, median, spread = row
    if power == 0:
        return median * math.exp(spread * deviations)
    return median * (1 + power * spread * deviations) ** (1 / power)


def standard(measure: str, sex: str) -> Standard | None:
    """The standard of a measure for a sex (`F` or `M`); None when the WHO publishes none."""
    return _standards().get(f"{measure} {sex}")


def age_on(born: date, day: date) -> int:
    """An age in days."""
    return (day - born).days


@cache
def _standards() -> Mapping[str, Standard]:
    raw: dict[str, Any] = json.loads((files("ambroise.modules.profile") / "data" / "growth.json").read_text("utf-8"))
    return {
        name: Standard(name.partition(" ")[0], tuple(row[0] for row in rows), tuple(tuple(row[1:]) for row in rows))
        for name, rows in raw["tables"].items()
    }
