"""The clock of a demonstration: it goes forward for every process, on a demonstration only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ambroise.interfaces.sandbox import move_clock
from ambroise.kernel import installation
from ambroise.kernel.clock import ShiftedClock
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.kernel.settings import Settings
from ambroise.kernel.time_shift import catch_up, move, parse_step
from ambroise.main.composition import compose
from ambroise.main.place import Addresses, prepare
from ambroise.modules.identity.api import AccountKind, NewAccount, Origin
from tests.support.database import TestDatabase
from tests.support.server import house_on

SIX_WEEKS = timedelta(weeks=6)


def ahead_of(moment: datetime) -> timedelta:
    """How far ahead of now, to the minute."""
    return timedelta(minutes=round((moment - datetime.now(UTC)) / timedelta(minutes=1)))


@pytest.mark.parametrize(
    ("text", "step"),
    [("12h", timedelta(hours=12)), ("42d", timedelta(days=42)), ("6w", SIX_WEEKS), ("4y", timedelta(days=1461))],
)
def test_a_step_is_written_in_hours_days_weeks_or_years(text: str, step: timedelta) -> None:
    assert parse_step(text) == step


@pytest.mark.parametrize("text", ["", "0d", "-1d", "1", "1m", "d", "1 d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_step(text)
    assert refused.value.code == "CLOCK_STEP"


async def test_steps_add_up_and_every_process_follows(
    fresh_database: TestDatabase, database: Database, tmp_path: Path
) -> None:
    installation.claim(fresh_database.owner_dsn, demonstration=True)
    for _ in range(2):
        await move_clock(database, SIX_WEEKS)
    assert ahead_of(await catch_up(database, ShiftedClock())) == 2 * SIX_WEEKS
    async with house_on(fresh_database, tmp_path) as house:
        assert ahead_of(house.services.clock.now()) == 2 * SIX_WEEKS


async def test_time_neither_goes_back_nor_beyond_reason(fresh_database: TestDatabase, database: Database) -> None:
    installation.claim(fresh_database.owner_dsn, demonstration=True)
    for step, code in ((timedelta(days=-1), "CLOCK_BACKWARD"), (timedelta(days=36500), "CLOCK_TOO_FAR")):
        with pytest.raises(Refusal) as refused:
            async with database.transaction() as tx:
                await move(tx, step)
        assert refused.value.code == code


async def test_a_real_installation_keeps_the_true_time(
    fresh_database: TestDatabase, database: Database, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, database_url=fresh_database.app_dsn, database_owner_url=fresh_database.owner_dsn)
    prepare(settings, Addresses(fresh_database.app_dsn, fresh_database.owner_dsn), demonstration=False)
    with pytest.raises(Refusal) as refused:
        await move_clock(database, SIX_WEEKS)
    assert refused.value.code == "NOT_A_DEMONSTRATION"
    async with database.transaction() as tx:
        await tx.execute("insert into clock_shift (ahead) values (%s)", (SIX_WEEKS,))
    async with compose(settings, fresh_database.app_dsn) as application:
        assert ahead_of(application.services.clock.now()) == timedelta(), "whatever the database says"
        with pytest.raises(Refusal) as refused:
            await application.check(demonstration=False)
    assert refused.value.code == "CLOCK_MOVED"


async def test_visitors_stay_signed_in_when_time_moves(fresh_database: TestDatabase, tmp_path: Path) -> None:
    async with house_on(fresh_database, tmp_path) as house:
        services = house.services
        async with services.database.transaction() as tx:
            account = await services.identity.create_account(
                tx, NewAccount(AccountKind.OPERATOR, "guichet", "Guichet", demonstration=True)
            )
        signed = await services.identity.be(account, Origin())
        await move_clock(services.database, SIX_WEEKS)
        assert isinstance(services.clock, ShiftedClock)
        await catch_up(services.database, services.clock)
        session = await services.identity.session(signed.token)
        assert session is not None
        assert session.live
