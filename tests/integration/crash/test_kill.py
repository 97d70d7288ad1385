"""Kill -9 in the middle of submissions: what was acknowledged is there, whole; what was not is there whole or not."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.model import Nation, Professional
from ambroise.interfaces.demonstration.newcomers import Newcomers, care_team
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.demonstration.stars import SAMPLE_AUTHOR_RPPS
from ambroise.interfaces.token_claims import Role
from ambroise.kernel.clock import SystemClock
from ambroise.main.builder import InstanceBuilder
from ambroise.trust.context import Context, System
from tests.integration.crash.examination import examine_over_http, examine_rows, take_stock
from tests.integration.crash.load import SENDERS, Outcome, send_until
from tests.integration.crash.papers import Sending, sendings
from tests.support.instance import Instance

pytestmark = pytest.mark.slow

_CITIZENS = 6
_BEFORE_THE_KILL = 30
_AFTER_THE_KILL = 20
_PATIENCE_SECONDS = 90


async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report: list[str] = []
    with Instance(tmp_path / "instance") as instance:
        instance.start()
        nation = build("crash", _CITIZENS, until=SystemClock().now().date())
        author = next(one for one in nation.professionals if one.rpps == SAMPLE_AUTHOR_RPPS)
        await _let_in(instance, nation, author)
        everything = Outcome()
        for round_, strike in enumerate((_both_at_once, _database_then_server), start=1):
            outcome = Outcome()
            how = await strike(instance, sendings(author, nation.citizens, f"round {round_}"), outcome)
            everything.add(outcome)
            seconds = instance.start()
            report.append(
                f"round {round_}: {how}; {len(outcome.acknowledged)} acknowledged, "
                f"{len(outcome.in_doubt)} in doubt or turned away; "
                f"serving again {seconds:.1f} s after the start"
            )
            report += await _examine(instance, everything)
    with capsys.disabled():
        print("\n\nSIGKILL during submissions (8 senders; ITI-65, ITI-105, ITI-106; 60 kB, one in ten of 1.5 MB):")
        print("\n".join(f"  {line}" for line in report))


async def _both_at_once(instance: Instance, source: Iterator[Sending], outcome: Outcome) -> str:
    """The server, the postmaster and every backend die together."""
    async with _sending(instance, source, outcome):
        await _until(outcome, _BEFORE_THE_KILL)
        instance.kill_server()
        killed = instance.kill_postgres()
    return f"server and {killed} processes of PostgreSQL killed at once"


async def _database_then_server(instance: Instance, source: Iterator[Sending], outcome: Outcome) -> str:
    """PostgreSQL dies alone; the server brings it back and goes on; then the server dies."""
    async with _sending(instance, source, outcome):
        await _until(outcome, _BEFORE_THE_KILL)
        killed, before, begun = instance.kill_postgres(), len(outcome.acknowledged), time.monotonic()
        # What was under way may still be acknowledged; one more than that was sent after the kill.
        await _until(outcome, before + SENDERS + 1)
        gap = time.monotonic() - begun
        await _until(outcome, before + _AFTER_THE_KILL)
        instance.kill_server()
    return f"{killed} processes of PostgreSQL killed, acknowledging again {gap:.1f} s later, then the server killed"


@asynccontextmanager
async def _sending(instance: Instance, source: Iterator[Sending], outcome: Outcome) -> AsyncGenerator[None]:
    """Senders at work while the block runs."""
    stop = asyncio.Event()
    token = instance.token(Role.PROFESSIONAL, rpps=SAMPLE_AUTHOR_RPPS)
    senders = asyncio.create_task(send_until(stop, instance.address, token, source, outcome))
    try:
        yield
    finally:
        stop.set()
        await senders


async def _until(outcome: Outcome, acknowledged: int) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while len(outcome.acknowledged) < acknowledged:
            assert not outcome.unexpected, outcome.unexpected[0]
            await asyncio.sleep(0.005)


async def _examine(instance: Instance, outcome: Outcome) -> list[str]:
    """Everything that must hold after a restart; what was found, in words."""
    assert not outcome.unexpected, outcome.unexpected[0]
    objects = instance.folder / "objects"
    with InstanceBuilder().database(instance.settings) as (owner, _):
        assert examine_rows(owner, objects) == []
        found = take_stock(owner, objects, outcome.in_doubt)
    token = instance.token(Role.PROFESSIONAL, rpps=SAMPLE_AUTHOR_RPPS)
    assert await examine_over_http(instance.address, token, outcome.acknowledged, required=True) == []
    assert await examine_over_http(instance.address, token, outcome.in_doubt, required=False) == []
    # What the application says it filed is what senders know of, no more: nothing comes from nowhere.
    assert found.documents == len(outcome.acknowledged) + found.in_doubt_kept
    for command in ("seal", "verify"):
        done = instance.run("audit", command)
        assert done.returncode == 0, done.stdout + done.stderr
    return [
        f"  of {len(outcome.acknowledged)} acknowledged so far, {len(outcome.acknowledged)} found once, whole, traced; "
        f"of {len(outcome.in_doubt)} in doubt, {found.in_doubt_kept} there whole, the others not at all",
        f"  nothing half-written in {found.documents} documents ({found.objects} in the object store, "
        f"{found.orphans} orphans to sweep); audit: {done.stdout.splitlines()[0]}",
    ]


async def _let_in(instance: Instance, nation: Nation, author: Professional) -> None:
    """The author and the citizens, through the use cases, beside the running instance."""
    async with InstanceBuilder().services(instance.settings) as services:
        ctx = Context(System(), services.clock, channel="load", demonstration=True)
        newcomers = Newcomers(services.gateway, services.identity, ctx)
        async with services.database.transaction() as tx:
            await newcomers.structure(tx, author.organization)
            await newcomers.professional(tx, author)
            for citizen in nation.citizens:
                team = care_team(nation, citizen, documents_of(nation, citizen))
                await newcomers.citizen(tx, citizen, team, with_account=False)
