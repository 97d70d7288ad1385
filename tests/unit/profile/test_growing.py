"""Growth among the centiles of the WHO, and the body mass index that nobody stores."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from msgspec.structs import replace

from ambroise.interfaces.web.growing import drawings
from ambroise.modules.profile import body, growth
from ambroise.modules.profile.model import Item, Origin, Part, Section, Sheet

BORN = date(2023, 1, 15)


def measure(name: str, day: str, value: str) -> Item:
    details = {"measure": name, "value": value, "unit": {"WEIGHT": "kg", "HEIGHT": "m"}.get(name, "cm")}
    return Item(
        f"{name}-{day}", "Observation", Section.MEASURES, name, Origin("patient"), day, None, "", day, "", details
    )


def index_of(*items: Item, born: date = date(1979, 3, 28)) -> list[tuple[str, str]]:
    return [(one.start, one.details["value"]) for one in body.with_index(items, born) if one.origin.by == "computed"]


@pytest.mark.parametrize(
    ("measure", "sex", "months", "third", "median", "ninety_seventh"),
    # As the WHO prints them, rounded: weight and length at birth, weight at a year, height at ten, head at two.
    [
        ("WEIGHT", "M", 0, 2.5, 3.3, 4.3),
        ("WEIGHT", "F", 12, 7.1, 8.9, 11.3),
        ("HEIGHT", "F", 120, 1.266, 1.386, 1.507),
        ("HEAD_CIRCUMFERENCE", "M", 24, 45.7, 48.3, 50.8),
        ("BODY_MASS_INDEX", "M", 60, 13.1, 15.2, 18.1),
    ],
)
def test_centiles_are_those_that_the_who_prints(
    measure: str, sex: str, months: int, third: float, median: float, ninety_seventh: float
) -> None:
    standard, age = growth.standard(measure, sex), round(months * 30.4375)
    assert standard is not None
    digits = 3 if measure == "HEIGHT" else 1
    for centile, printed in ((3, third), (50, median), (97, ninety_seventh)):
        value = standard.value(growth.CENTILES[centile], age)
        assert value is not None
        assert round(value, digits) == pytest.approx(printed, abs=1.01 * 10**-digits)
        assert standard.centile(value, age) == pytest.approx(centile, abs=0.01)


def test_ages_without_a_standard_have_no_centile_and_far_values_go_on_by_equal_steps() -> None:
    head = growth.standard("HEAD_CIRCUMFERENCE", "F")
    weight = growth.standard("WEIGHT", "F")
    assert head is not None
    assert weight is not None
    assert head.centile(50, 6 * 365) is None
    assert growth.standard("WEIGHT", "I") is None
    steps = [weight.value(deviations, 365) for deviations in (2, 3)]
    assert steps[0] is not None
    assert steps[1] is not None
    far = steps[1] + 2 * (steps[1] - steps[0])
    assert weight.centile(far, 365) == pytest.approx(100 - 0.00003, abs=0.0001), "five deviations"


def test_the_index_takes_a_height_of_grown_years_or_of_the_same_month_and_nothing_else() -> None:
    weight = measure("WEIGHT", "2026-03-01", "74.8")
    assert index_of(weight, measure("HEIGHT", "2001-05-01", "1.64")) == [("2026-03-01", "27.8")]
    assert index_of(weight, measure("HEIGHT", "1990-05-01", "1.40")) == [], "measured as a child"
    child = measure("WEIGHT", "2026-03-01", "15"), measure("HEIGHT", "2026-02-20", "0.98")
    assert index_of(*child, born=BORN) == [("2026-03-01", "15.6")]
    assert index_of(child[0], replace(child[1], start="2025-12-01"), born=BORN) == [], "three months before"
    assert index_of(*child, measure("BODY_MASS_INDEX", "2026-03-01", "15.9"), born=BORN) == [], "written by somebody"


def test_the_index_is_hidden_with_either_of_what_it_comes_from() -> None:
    weight, height = measure("WEIGHT", "2026-03-01", "70"), measure("HEIGHT", "2026-03-01", "1.75")
    for pair in ((replace(weight, hidden=True), height), (weight, replace(height, hidden=True))):
        (index,) = (one for one in body.with_index(pair, None) if one.origin.by == "computed")
        assert (index.hidden, index.id, index.links) == (True, "", (weight.reference, height.reference))


def test_a_child_is_drawn_among_the_centiles_and_who_has_grown_up_is_not() -> None:
    taken = [measure("WEIGHT", "2024-01-15", "9.5"), measure("WEIGHT", "2023-01-15", "3.4")]
    sheet = Sheet({Section.MEASURES: Part(Section.MEASURES, taken)})
    drawn = drawings(sheet, BORN, "M", date(2026, 11, 22))
    (weight,) = drawn["growths"]
    assert not drawn["curves"], "once is enough"
    assert [(one.age, one.centile) for one in weight.taken] == [("0\u00a0mois", "54"), ("12\u00a0mois", "44")]
    assert [one.number for one in weight.centiles] == [3, 15, 50, 85, 97]
    ends = [one.y for one in weight.centiles]
    assert all(lower - upper >= 13.9 for lower, upper in pairwise(ends)), "no number on another"
    assert not drawings(sheet, date(1979, 3, 28), "F", date(2026, 11, 22))["growths"]
    assert not drawings(sheet, BORN, "", date(2026, 11, 22))["growths"]
