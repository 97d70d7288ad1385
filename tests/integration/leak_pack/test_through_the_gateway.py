"""The leak pack through the gateway itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs, open_store
from ambroise.trust.gateway import Gateway
from tests.integration.leak_pack.cases import CASES
from tests.integration.leak_pack.door import GatewayDoor
from tests.integration.leak_pack.record import Secrets, write_secrets
from tests.integration.trust.people import World


@pytest.fixture
async def secrets(database: Database, clock: FixedClock, tmp_path: Path) -> AsyncIterator[Secrets]:
    blobs = Blobs(
        DataKeys(MasterKeys.open(tmp_path / "master.key", create=True)), open_store(f"file://{tmp_path}/objects")
    )
    gateway = Gateway(database, clock, blobs=blobs)
    yield await write_secrets(World(gateway, database, clock))
    await gateway.close()


@pytest.mark.parametrize("name", CASES)
async def test_nothing_leaks(name: str, secrets: Secrets) -> None:
    await CASES[name](GatewayDoor(secrets.world), secrets)
