"""One application for the tests of each module, and a client with the system token."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.support.database import TestDatabase
from tests.support.server import House, house_on


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house_on(module_database, tmp_path_factory.mktemp("house"), roles={"api"}) as house:
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client() as client:
        yield client
