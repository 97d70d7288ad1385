"""When people are told: never in their quiet hours, never before, and soon enough, on days when the clock jumps too."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ambroise.modules.notification.timing import DIGEST_AT, due_at, is_quiet
from ambroise.modules.notification.wishes import ZONES, Cadence, Rhythm

HOURS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
# Two days around each change of the clock in 2026 (29 March, 25 October), and any other time.
CHANGES = [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)]
INSTANTS = st.one_of(
    st.builds(
        lambda day, minutes: day + timedelta(minutes=minutes), st.sampled_from(CHANGES), st.integers(0, 2 * 24 * 60)
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
RHYTHMS = st.builds(
    Rhythm, st.just("fr"), st.sampled_from([*ZONES, "Australia/Lord_Howe"]), HOURS, HOURS, st.sampled_from(Cadence)
)
LONGEST = {Cadence.AT_ONCE: timedelta(days=1), Cadence.DAILY: timedelta(days=2), Cadence.WEEKLY: timedelta(days=8)}


@settings(max_examples=150, deadline=None)
@given(RHYTHMS, INSTANTS)
def test_people_are_told_in_time_and_never_in_their_quiet_hours(rhythm: Rhythm, now: datetime) -> None:
    due = due_at(rhythm, now, urgent=False)
    assert now <= due <= now + LONGEST[rhythm.cadence] + timedelta(hours=1)
    assert not is_quiet(rhythm, due)
    assert due_at(rhythm, now, urgent=True) == now
    if rhythm.cadence is Cadence.AT_ONCE:
        assert due_at(rhythm, due, urgent=False) == due
    if rhythm.cadence is Cadence.WEEKLY and rhythm.quiet_from <= rhythm.quiet_until < DIGEST_AT:
        assert due.astimezone(ZoneInfo(rhythm.zone)).weekday() == 0


@pytest.mark.parametrize(
    ("cadence", "now", "due"),
    [
        # The night when the clock goes from two to three: quiet hours end at seven by the new time.
        (Cadence.AT_ONCE, "2026-03-28T23:00+01:00", "2026-03-29T07:00+02:00"),
        # The night that is an hour longer.
        (Cadence.AT_ONCE, "2026-10-24T23:00+02:00", "2026-10-25T07:00+01:00"),
        (Cadence.AT_ONCE, "2026-03-14T12:00+01:00", "2026-03-14T12:00+01:00"),
        (Cadence.DAILY, "2026-03-28T08:00+01:00", "2026-03-29T08:00+02:00"),
        (Cadence.DAILY, "2026-03-28T07:59+01:00", "2026-03-28T08:00+01:00"),
        # A Saturday: the digest of the week leaves on Monday.
        (Cadence.WEEKLY, "2026-10-24T12:00+02:00", "2026-10-26T08:00+01:00"),
    ],
)
def test_these_nights_and_mornings(cadence: Cadence, now: str, due: str) -> None:
    told = due_at(Rhythm(cadence=cadence), datetime.fromisoformat(now), urgent=False)
    assert told == datetime.fromisoformat(due)


def test_a_time_that_the_clock_shows_twice_ends_quiet_hours_each_time() -> None:
    rhythm = Rhythm(quiet_from=time(22), quiet_until=time(2, 30))
    first, second = datetime(2026, 10, 25, 0, 15, tzinfo=UTC), datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert due_at(rhythm, first, urgent=False) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert due_at(rhythm, second, urgent=False) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
