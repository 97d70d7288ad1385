"""The body mass index, computed from a weight and a height and never stored: it follows what it comes from.

Weight in kilograms over the square of the height in metres (WHO). An adult's height is the nearest one known since
they came of age; a child grows, so that only a height of the same month counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from ambroise.modules.profile.measures import measures
from ambroise.modules.profile.model import Item, Origin, Section

_INDEX = "BODY_MASS_INDEX"
_SAME_MONTH = timedelta(days=31)
_OF_AGE = 18


def with_index(items: Sequence[Item], born: date | None) -> list[Item]:
    """The lines, with the index of each weight that has a height and no index written by somebody that day."""
    taken = {name: [one for one in items if _is(one, name)] for name in ("WEIGHT", "HEIGHT", _INDEX)}
    known = {one.start for one in taken[_INDEX]}
    found: dict[str, Item] = {}
    for weight in taken["WEIGHT"]:
        height = _height_for(weight, taken["HEIGHT"], born)
        if height is not None and weight.start not in known:
            found.setdefault(weight.start, _index(weight, height))
    return [*items, *found.values()]


def can_have_index(items: Sequence[Item]) -> bool:
    """Whether there is a weight and a height at all."""
    return any(_is(one, "WEIGHT") for one in items) and any(_is(one, "HEIGHT") for one in items)


def _is(item: Item, measure: str) -> bool:
    return item.section is Section.MEASURES and item.details.get("measure") == measure and len(item.start) == 10


def _height_for(weight: Item, heights: Sequence[Item], born: date | None) -> Item | None:
    day = date.fromisoformat(weight.start)
    grown = _of_age(born)

    def usable(height: Item) -> bool:
        taken = date.fromisoformat(height.start)
        both_grown = grown is not None and min(taken, day) >= grown
        return both_grown or abs(taken - day) <= _SAME_MONTH

    near = [one for one in heights if usable(one)]
    return min(near, key=lambda one: abs(date.fromisoformat(one.start) - day), default=None)


def _of_age(born: date | None) -> date | None:
    if born is None:
        return None
    try:
        return born.replace(year=born.year + _OF_AGE)
    except ValueError:
        return date(born.year + _OF_AGE, 3, 1)


def _index(weight: Item, height: Item) -> Item:
    """It is hidden when one of the two is, and waits for a disclosure visit when one of the two does."""
    measure = measures()[_INDEX]
    metres = Decimal(height.details["value"])
    value = (Decimal(weight.details["value"]) / (metres * metres)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return Item(
        id="",
        type="Observation",
        section=Section.MEASURES,
        name=_INDEX,
        origin=Origin("computed"),
        recorded=max(weight.recorded, height.recorded),
        code=measure.codes[0],
        start=weight.start,
        details={"measure": _INDEX, "unit": measure.unit, "value": format(value, "f")},
        hidden=weight.hidden or height.hidden,
        withheld=weight.withheld or height.withheld,
        links=(weight.reference, height.reference),
    )
