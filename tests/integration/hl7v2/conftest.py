"""The application with its HL7 v2 ports, the patient of the example documents, and their author's software."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from ambroise.interfaces.hl7v2.listener import Listener
from ambroise.main.feeds import chosen, open_feeds
from tests.integration.xds.conftest import people
from tests.support.database import TestDatabase
from tests.support.hl7v2 import Laboratory
from tests.support.server import House, house_on


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("house")
    async with house_on(module_database, folder, roles={"api"}, document_max_bytes=2_000_000) as house:
        await people(house)
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ports(house: House) -> AsyncIterator[dict[str, int]]:
    settings = replace(house.services.settings, port=0, hl7_plain_port=0)
    doors = open_feeds(settings, demonstration=True)
    async with Listener(house.services, doors):
        yield chosen(doors)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def laboratory(house: House, ports: dict[str, int]) -> Laboratory:
    return Laboratory(house, ports["hl7_port"])


@pytest.fixture
def sample(samples: Path) -> Callable[[str], Path]:
    return lambda name: samples / "hl7v2" / name
