"""What dates and numbers cover."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.fhir.paths import ranges
from ambroise.fhir.validation.primitives import is_date_time


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("2020", "2020-01-01", "2021-01-01"),
        ("2020-02", "2020-02-01", "2020-03-01"),
        ("2020-12", "2020-12-01", "2021-01-01"),
        ("2020-02-29", "2020-02-29", "2020-03-01"),
        ("2020-02-29T10:00:00Z", "2020-02-29T10:00:00", "2020-02-29T10:00:01"),
        ("2020-02-29T10:00:00+02:00", "2020-02-29T08:00:00", "2020-02-29T08:00:01"),
        ("2020-02-29T10:00:00.5Z", "2020-02-29T10:00:00.500", "2020-02-29T10:00:00.600"),
        ("2020-02-29T10:00:00.123Z", "2020-02-29T10:00:00.123", "2020-02-29T10:00:00.124"),
        ("2020-02-29T10:00", "2020-02-29T10:00:00", "2020-02-29T10:01:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59", "2017-01-01T00:00:00"),
    ],
)
def test_a_date_covers_what_its_precision_leaves_open(written: str, low: str, high: str) -> None:
    assert ranges.date_range(written) == (instant(low), instant(high))


@given(
    st.from_regex(
        r"[0-9]{4}(-[0-1][0-9](-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,9})?(Z|[+-]1[0-4]:[0-5]0))?)?",
        fullmatch=True,
    )
)
def test_every_valid_date_covers_something(written: str) -> None:
    if is_date_time(written):
        low, high = ranges.date_range(written)
        assert low < high


def test_the_last_year_ends_with_time_itself() -> None:
    assert ranges.date_range("9999")[1] == ranges.LATEST
    assert ranges.date_range("9999-12-31T23:59:59-12:00")[1] <= ranges.LATEST
    assert ranges.date_range("0001-01-01T00:00:00+12:00")[0] >= ranges.EARLIEST


@pytest.mark.parametrize(
    "written", ["", "20", "2020-13", "2020-02-30", "2020-1-1", "next week", "2020-01-01T25:00:00Z"]
)
def test_what_is_not_a_date_is_a_value_error(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError will do.
        ranges.date_range(written)


def test_a_period_is_open_where_nothing_is_stated() -> None:
    assert ranges.period_range({"start": "2020"}) == (instant("2020-01-01"), ranges.LATEST)
    assert ranges.period_range({"end": "2020"}) == (ranges.EARLIEST, instant("2021-01-01"))
    assert ranges.period_range({"extension": []}) is None


def test_a_timing_covers_its_outer_limits() -> None:
    timing = {"event": ["2020-03", "2019"], "repeat": {"boundsPeriod": {"start": "2020", "end": "2022"}}}
    assert ranges.timing_range(timing) == (instant("2019-01-01"), instant("2023-01-01"))
    assert ranges.timing_range({"code": {"text": "daily"}}) is None


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("5.40", "5.395", "5.405"),
        ("-5.4", "-5.45", "-5.35"),
        ("0", "-0.5", "0.5"),
        ("5.40e-3", "0.005395", "0.005405"),
        ("1e2", "50", "150"),
    ],
)
def test_a_searched_number_covers_what_rounds_to_it(written: str, low: str, high: str) -> None:
    assert ranges.number_range(Decimal(written)) == (Decimal(low), Decimal(high))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_searched_number_is_strictly_inside_what_it_covers(number: Decimal) -> None:
    low, high = ranges.number_range(number)
    assert low < number < high


@pytest.mark.parametrize(
    ("comparator", "low", "high"),
    [("<", "-Infinity", "5"), ("<=", "-Infinity", "5"), (">", "5", "Infinity"), (">=", "5", "Infinity")],
)
def test_a_comparator_opens_one_side(comparator: str, low: str, high: str) -> None:
    covered = ranges.quantity_range({"value": Decimal(5), "comparator": comparator})
    assert covered == (Decimal(low), Decimal(high))


def test_a_quantity_in_a_resource_is_a_point() -> None:
    assert ranges.quantity_range({"value": Decimal("5.40")}) == (Decimal("5.4"), Decimal("5.4"))
    assert ranges.quantity_range({"unit": "g"}) is None


def test_a_range_is_open_where_nothing_is_stated() -> None:
    assert ranges.limits_range({"low": {"value": 5}}) == (Decimal(5), ranges.ABOVE_ALL)
    assert ranges.limits_range({}) is None
