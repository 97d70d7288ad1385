"""How long to wait after failures: longer each time, never for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

_FREE_BY_NAME = 5
_FREE_BY_ADDRESS = 30
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=2)
# With these figures one name meets at most some 25 tries a day, as the CNIL advises.
FORGOTTEN_AFTER = timedelta(hours=24)


def delay(failures: int, *, free: int) -> timedelta:
    """The delay imposed after so many failures in a row; the first `free` cost nothing."""
    if failures < free:
        return timedelta()
    doublings = min(failures - free, 12)
    return min(_FIRST_DELAY * 2**doublings, _LONGEST_DELAY)


def still_to_wait(failures: int, last_at: datetime, now: datetime, *, by_address: bool = False) -> timedelta:
    """What remains of the delay at this instant."""
    if now - last_at > FORGOTTEN_AFTER:
        return timedelta()
    imposed = delay(failures, free=_FREE_BY_ADDRESS if by_address else _FREE_BY_NAME)
    return max(timedelta(), last_at + imposed - now)
