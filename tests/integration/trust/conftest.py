"""The world of these tests: a gateway on a fresh database."""

from collections.abc import AsyncIterator

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.db import Database
from ambroise.trust.gateway import Gateway
from tests.integration.trust.people import World


@pytest.fixture
async def world(database: Database, clock: FixedClock) -> AsyncIterator[World]:
    gateway = Gateway(database, clock)
    yield World(gateway, database, clock)
    await gateway.close()
