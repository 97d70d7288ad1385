"""Who leaves the directory loses access at the next request, token and account alike, until the return."""

import asyncio
from pathlib import Path

import httpx

from ambroise.interfaces.departures import follow
from ambroise.interfaces.token_claims import Role
from ambroise.modules.directory.api import FileKind, import_file
from ambroise.modules.identity.api import AccountKind, NewAccount
from ambroise.trust.context import Context, System
from tests.integration.directory.conftest import Write, activity, rpps
from tests.support.database import TestDatabase
from tests.support.server import House, house_on


async def imported(house: House, file: Path) -> None:
    services = house.services
    ctx = Context(System(), services.clock, channel="cli", demonstration=True)
    await import_file(services.database, ctx, file, follow=follow)


async def answered(client: httpx.AsyncClient, status: int) -> bool:
    """Whether the next requests are answered so: the notice travels through the database in a few milliseconds."""
    for _ in range(100):
        if (await client.get("Organization")).status_code == status:
            return True
        await asyncio.sleep(0.02)
    return False


async def suspended(house: House) -> bool:
    async with house.services.database.reader() as reader:
        found = await reader.fetch_value(
            "select suspended_at is not null from account where professional = %s", (f"8{rpps(2)}",)
        )
    return bool(found)


async def test_access_ends_with_the_activity_and_comes_back_with_it(
    fresh_database: TestDatabase, tmp_path: Path, write: Write
) -> None:
    async with house_on(fresh_database, tmp_path / "house", roles={"api"}) as house:
        await imported(house, write(FileKind.ACTIVITY, [activity(1), activity(2)]))
        async with house.services.database.transaction() as tx:
            new = NewAccount(AccountKind.PROFESSIONAL, "zoe@example.org", "Zoé Deux", professional=f"8{rpps(2)}")
            await house.services.identity.create_account(tx, new)
        async with (
            house.client(Role.PROFESSIONAL, rpps=rpps(2)) as leaving,
            house.client(Role.PROFESSIONAL, rpps=rpps(1)) as staying,
        ):
            assert (await leaving.get("Organization")).status_code == 200
            assert (await staying.get("Organization")).status_code == 200
            await imported(house, write(FileKind.ACTIVITY, [activity(1)]))
            assert await suspended(house)
            assert await answered(leaving, 401)
            assert (await staying.get("Organization")).status_code == 200
            await imported(house, write(FileKind.ACTIVITY, [activity(1), activity(2, city="Blois")]))
            assert not await suspended(house)
            assert await answered(leaving, 200)
