from datetime import UTC, datetime, timedelta

from ambroise.modules.identity.throttle import delay, still_to_wait

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


def test_the_delay_grows_and_never_passes_two_hours() -> None:
    delays = [delay(failures, free=5) for failures in range(40)]
    assert delays[:5] == [timedelta()] * 5
    assert delays[5] == timedelta(minutes=1)
    assert delays == sorted(delays)
    assert max(delays) == timedelta(hours=2)


def test_one_name_meets_at_most_some_25_tries_a_day() -> None:
    instant, failures = NOW, 0
    while instant < NOW + timedelta(hours=24):
        failures += 1
        instant += delay(failures, free=5)
    assert failures <= 25


def test_old_failures_are_forgotten() -> None:
    assert still_to_wait(20, NOW - timedelta(hours=25), NOW) == timedelta()
    assert still_to_wait(20, NOW - timedelta(hours=1), NOW) == timedelta(hours=1)
