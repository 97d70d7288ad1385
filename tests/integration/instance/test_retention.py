"""The daily purge: what is over leaves, the rest stays, and each removal is counted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.health import examine
from ambroise.kernel.settings import Settings
from ambroise.main.composition import Application, compose
from ambroise.main.place import Addresses, prepare
from ambroise.modules.identity.api import AccountKind, NewAccount, Origin, SignedIn, hash_password
from ambroise.modules.letters.api import Channel, Kind
from tests.support.database import TestDatabase

PASSWORD = "quatre bateaux verts"
HERE = Origin("203.0.113.7")


async def test_what_is_over_leaves_and_is_counted(
    fresh_database: TestDatabase, tmp_path: Path, clock: FixedClock
) -> None:
    settings = Settings(data=tmp_path, database_url=fresh_database.app_dsn, database_owner_url=fresh_database.owner_dsn)
    prepare(settings, Addresses(fresh_database.app_dsn, fresh_database.owner_dsn), demonstration=True)
    async with compose(settings, fresh_database.app_dsn, clock=clock) as application:
        services = application.services
        async with services.database.transaction() as tx:
            new = NewAccount(AccountKind.OPERATOR, "guichet", "Nadia Inventée", password=hash_password(PASSWORD))
            await services.identity.create_account(tx, new)
            await services.letters.write(tx, Channel.MAIL, "ana@exemple.fr", Kind.ACCOUNT_OPENED)
        await services.identity.sign_in("guichet", "not the right one", HERE)
        assert isinstance(await services.identity.sign_in("guichet", PASSWORD, HERE), SignedIn)
        assert await left(application) == {"session": 1, "sign_in_failure": 2, "letter": 1}
        await application.runner.run_due()
        assert await left(application) == {"session": 1, "sign_in_failure": 2, "letter": 1}, "nothing leaves early"
        clock.move(timedelta(days=2))
        await application.runner.run_due()
        assert await left(application) == {"session": 0, "sign_in_failure": 0, "letter": 1}
        clock.move(timedelta(days=29))
        await application.runner.run_due()
        assert (await left(application))["letter"] == 0
        async with services.database.reader() as reader:
            counted = dict(
                await reader.fetch_all("select kind, removed_total::int from retention_run where removed_total > 0")
            )
        assert counted == {"sign-in: sessions, tries, drafts, devices, warnings, recoveries": 1, "letters": 1}
    seen = examine(fresh_database.app_dsn)
    assert (seen.purged_at, seen.purged, seen.failed_jobs) == (clock.now(), 1, 0)


async def left(application: Application) -> dict[str, int]:
    async with application.services.database.reader() as reader:
        return {
            table: await reader.fetch_value(f"select count(*)::int from {table}")
            for table in ("session", "sign_in_failure", "letter")
        }
