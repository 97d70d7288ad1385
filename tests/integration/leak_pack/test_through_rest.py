"""The leak pack through the FHIR interface, with tokens, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.modules.directory import api as directory
from ambroise.trust.context import Context, Professional, System
from tests.integration.leak_pack.cases import CASES
from tests.integration.leak_pack.record import AUTHOR, NURSE_VIEWER, VIEWER, Secrets, write_secrets
from tests.integration.leak_pack.rest import RestDoor
from tests.integration.trust.people import World
from tests.support.database import TestDatabase
from tests.support.server import House, house_on


@pytest.fixture
async def house(fresh_database: TestDatabase, tmp_path: Path, clock: FixedClock) -> AsyncIterator[House]:
    async with house_on(fresh_database, tmp_path, clock=clock, roles={"api"}) as house:
        for who in (AUTHOR, VIEWER, NURSE_VIEWER):
            await register(house, who)
        yield house


async def register(house: House, who: Professional) -> None:
    services = house.services
    ctx = Context(System(), services.clock, channel="load", demonstration=True)
    entry = directory.ProfessionalEntry(who.rpps, "FICTIF", "Alix", who.profession, test_identity=True)
    async with services.database.transaction() as tx:
        await directory.register(tx, ctx, services.gateway, entry, ())


@pytest.fixture
async def secrets(house: House, clock: FixedClock) -> Secrets:
    return await write_secrets(World(house.services.gateway, house.services.database, clock))


@pytest.mark.parametrize("name", CASES)
async def test_nothing_leaks(name: str, house: House, secrets: Secrets) -> None:
    await CASES[name](RestDoor(house), secrets)
