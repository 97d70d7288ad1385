"""A clock that tests move."""

from datetime import UTC, datetime

import pytest

from ambroise.kernel.clock import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 14, 9, 30, tzinfo=UTC))
