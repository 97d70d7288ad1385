"""When a notice leaves: at once or with the next digest, never in quiet hours, by the reader's own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ambroise.modules.notification.wishes import Cadence, Rhythm

DIGEST_AT: Final = time(8)
"""The hour of digests on the reader's clock; a weekly one leaves on Monday."""
_MONDAY: Final = 0


def due_at(rhythm: Rhythm, now: datetime, *, urgent: bool) -> datetime:
    """The first instant from now on at which this person is told. What is urgent never waits."""
    if urgent:
        return now
    zone = ZoneInfo(rhythm.zone)
    if rhythm.cadence is Cadence.AT_ONCE:
        return _after_quiet(rhythm, zone, now)
    return _after_quiet(rhythm, zone, _next_digest(rhythm.cadence, zone, now))


def is_quiet(rhythm: Rhythm, at: datetime) -> bool:
    """Whether an instant is within the quiet hours of this person."""
    here, start, end = at.astimezone(ZoneInfo(rhythm.zone)).time(), rhythm.quiet_from, rhythm.quiet_until
    if start <= end:
        return start <= here < end
    return here >= start or here < end


def _after_quiet(rhythm: Rhythm, zone: ZoneInfo, at: datetime) -> datetime:
    """This instant, or the end of the quiet hours that it falls in."""
    if not is_quiet(rhythm, at):
        return at
    today = at.astimezone(zone).date()
    ends = (
        moment
        for day in (today, today + timedelta(days=1))
        for moment in _instants(day, rhythm.quiet_until, zone)
        if moment > at and not is_quiet(rhythm, moment)
    )
    return next(ends)


def _next_digest(cadence: Cadence, zone: ZoneInfo, now: datetime) -> datetime:
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(9))
    return next(
        moment
        for day in days
        if cadence is Cadence.DAILY or day.weekday() == _MONDAY
        for moment in _instants(day, DIGEST_AT, zone)
        if moment > now
    )


def _instants(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """The instants at which a wall clock shows this time on this day, in order: two where the clock goes back.

    A time that the clock jumps over is the instant just after the jump by the old offset, which the wall shows later.
    """
    local = datetime.combine(day, at, zone)
    return sorted({local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)})
