"""An insurer's file: people enter once, wait six weeks, and a run that was killed goes on."""

import asyncio
import csv
import io
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Refusal
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.api import Ins, identity_under
from ambroise.modules.identity.ins import TEST_OID, nir_key
from ambroise.modules.identity.registry import repository as registry
from ambroise.modules.space.api import Handlers, Population, Populations, Step, end_delays
from ambroise.modules.space.population import loading, repository
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import count_by_state, space_of
from ambroise.trust.context import Citizen, Context, Operator, System
from tests.integration.record.conftest import TEST_OID as OID
from tests.integration.record.conftest import World
from tests.integration.space.conftest import Lives

HEADER = ("matricule", "nom_naissance", "premier_prenom", "date_naissance", "sexe", "courriel", "adresse", "commune")


def matricule(number: int) -> str:
    digits = f"2800275{number:06}"
    return f"{digits}{nir_key(digits):02}"


def written(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\n").writerows([HEADER, *rows])
    return out.getvalue().encode()


def somebody(number: int, **changed: str) -> tuple[str, ...]:
    row = dict(
        zip(HEADER, (matricule(number), "FICTIF", "ALIX", "1980-02-01", "F", f"p{number}@e.fr", "", ""), strict=True)
    )
    return tuple((row | changed).values())


def context(world: World) -> Context:
    return Context(System("space"), world.clock, channel="load", demonstration=True)


async def load(world: World, path: Path) -> Population:
    return await Populations(world.database, world.gateway).open_file(context(world), path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few lines."""
    monkeypatch.setattr(loading, "_BATCH_BYTES", 400)


async def test_everybody_enters_waits_and_opens(lives: Lives, tmp_path: Path, small: None) -> None:
    world = lives.world
    path = tmp_path / "people.csv"
    path.write_bytes(written(*(somebody(number) for number in range(1, 31)), somebody(99, sexe="?")))
    done = await load(world, path)
    assert (done.entered, done.known, done.refused, done.by_mail) == (30, 0, 1, 30)
    async with world.database.reader() as reader:
        assert (await count_by_state(reader))[SpaceState.NOTIFIED] == 30
        assert [(one.line, one.code) for one in await repository.refusals(reader, done.id, 10)] == [(32, "SEX_INVALID")]
        found = await identity_under(reader, Ins(matricule(7), OID))
        assert found is not None
        assert found.traits.birth_name == "FICTIF"
    world.clock.move(timedelta(days=42))
    assert await end_delays(world.database, lives.spaces, world.clock) == {Step.OPEN: 30}
    async with world.database.reader() as reader:
        holder = world.context(Citizen(found.patient, "Alix"))
        stored = await world.gateway.read(reader, holder, "Patient", str(found.patient))
        assert matricule(7).encode() in stored.body
        traced = await reader.fetch_all("select event from trace where patient = %s", (found.patient,))
        assert {event for (event,) in traced} >= {"space_state", "loaded", "space_opened"}


async def test_who_is_known_already_is_left_as_they_are(lives: Lives, tmp_path: Path) -> None:
    world = lives.world
    path = tmp_path / "people.csv"
    path.write_bytes(written(somebody(1), ("279035121518989", *somebody(2)[1:]), somebody(1)))
    done = await load(world, path)
    assert (done.entered, done.known, done.refused) == (1, 1, 1)
    assert await lives.state() is SpaceState.OPEN_INACTIVE


async def test_who_comes_twice_in_a_file_enters_once_however_far_apart(
    lives: Lives, tmp_path: Path, small: None
) -> None:
    path = tmp_path / "people.csv"
    # Six people a batch: twice in one, in two that are under way together, and at the other end of the file.
    again = [somebody(1), *(somebody(number) for number in range(2, 7)), somebody(1), somebody(8), somebody(8)]
    path.write_bytes(written(*again, *(somebody(number) for number in range(20, 40)), somebody(1)))
    done = await load(lives.world, path)
    assert (done.entered, done.known + done.refused) == (27, 3)
    async with lives.world.database.reader() as reader:
        assert (await count_by_state(reader))[SpaceState.NOTIFIED] == 27


async def test_the_people_of_a_file_are_spread_over_the_shards(lives: Lives, tmp_path: Path, small: None) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(written(*(somebody(number) for number in range(1, 41))))
    await load(lives.world, path)
    async with lives.world.database.reader() as reader:
        shards = await reader.fetch_value("select count(distinct shard) from space_life")
    assert shards > 24


async def test_somebody_who_enters_by_another_way_meanwhile_is_left_as_they_are(
    lives: Lives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = lives.world
    path = tmp_path / "people.csv"
    path.write_bytes(written(somebody(1), somebody(2)))
    asked = loading.known_among
    tries: list[int] = []

    async def known_before_the_other_commits(tx: Transaction, inses: Sequence[Ins]) -> set[Ins]:
        tries.append(len(inses))
        if len(tries) > 1:
            return await asked(tx, inses)
        async with world.database.transaction() as other:
            await registry.lead(other, inses[0], world.patient, world.clock.now())
        return set()

    monkeypatch.setattr(loading, "known_among", known_before_the_other_commits)
    done = await load(world, path)
    assert (done.entered, done.known, tries) == (1, 1, [2, 2])


async def test_the_same_file_is_never_read_twice(lives: Lives, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(written(somebody(1), somebody(2)))
    assert await load(lives.world, path) == await load(lives.world, path)


async def test_an_earlier_notice_counts_from_its_day(lives: Lives, tmp_path: Path) -> None:
    world = lives.world
    path = tmp_path / "people.csv"
    path.write_bytes(written(somebody(1)))
    day = world.clock.now().date() - timedelta(days=43)
    await Populations(world.database, world.gateway).open_file(context(world), path, notified_on=day)
    assert await end_delays(world.database, lives.spaces, world.clock) == {Step.OPEN: 1}


async def test_a_file_sent_to_the_desk_is_read_by_the_worker(lives: Lives, small: None) -> None:
    world = lives.world
    populations = Populations(world.database, world.gateway)
    desk = world.context(Operator("desk-1", "Guichet"))
    content = written(*(somebody(number) for number in range(1, 41)))
    begun = await populations.receive(desk, "people.csv", io.BytesIO(content))
    assert begun.position == 0
    subscriptions = Subscriptions()
    for event, handler in Handlers(populations, world.clock, demonstration=True).table().items():
        subscriptions.on(event, handler)
    await Delivery(world.database, subscriptions, world.clock).deliver_all()
    async with world.database.reader() as reader:
        done = await repository.population(reader, begun.id)
        parts = await reader.fetch_value("select count(*) from space_population_part")
    assert done is not None
    assert (done.entered, done.percent, parts) == (40, 100, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"a;b\n1;2\n", "POPULATION_COLUMNS"), (b"\xff\n1\n", "POPULATION_ENCODING"), (b"nothing", "POPULATION_EMPTY")],
)
async def test_a_file_of_another_form_is_refused_at_once(lives: Lives, content: bytes, code: str) -> None:
    desk = lives.world.context(Operator("desk-1", "Guichet"))
    with pytest.raises(Refusal) as refused:
        await Populations(lives.world.database, lives.world.gateway).receive(desk, "x.csv", io.BytesIO(content))
    assert refused.value.code == code


async def test_a_file_of_headers_alone_is_refused(lives: Lives, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(written())
    with pytest.raises(Refusal) as refused:
        await load(lives.world, path)
    assert refused.value.code == "POPULATION_EMPTY"


_KILLED = """
import asyncio, os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.db import Database, Transaction
from ambroise.modules.space.api import Populations
from ambroise.modules.space.population import loading
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import Gateway
loading._BATCH_BYTES = 400
async def main():
    clock = FixedClock(datetime.fromisoformat(sys.argv[3]))
    database = await Database.open(sys.argv[1], slots=4)
    def progress(one):
        if one.entered >= int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)
    ctx = Context(System("space"), clock, channel="load", demonstration=True)
    await Populations(database, Gateway(database, clock)).open_file(ctx, Path(sys.argv[2]), progress=progress)
asyncio.run(main())
"""


async def test_a_run_killed_in_the_middle_goes_on_without_losing_or_doubling_anybody(
    lives: Lives, database: Database, tmp_path: Path, small: None
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(written(*(somebody(number) for number in range(1, 61))))
    now = lives.world.clock.now().isoformat()
    for stop in (10, 35):
        command = [sys.executable, "-c", _KILLED, database.dsn, str(path), now, str(stop)]
        killed = await asyncio.create_subprocess_exec(*command)
        assert await killed.wait() == -signal.SIGKILL
    done = await load(lives.world, path)
    assert (done.entered, done.known, done.refused) == (60, 0, 0)
    async with lives.world.database.reader() as reader:
        assert (await count_by_state(reader))[SpaceState.NOTIFIED] == 60
        rows = await reader.fetch_value("select count(distinct patient) from space_life")
        one = await identity_under(reader, Ins(matricule(60), TEST_OID))
        assert one is not None
        assert await space_of(reader, one.patient) is not None
    assert rows == 60
