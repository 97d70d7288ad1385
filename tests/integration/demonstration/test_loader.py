"""The demonstration nation, loaded into a real database through the same use cases as anything else."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import pytest
from psycopg.sql import SQL, Identifier

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.interfaces.demonstration import loader
from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.loader import Doors, Loaded, Progress
from ambroise.interfaces.demonstration.model import Nation
from ambroise.interfaces.demonstration.newcomers import actor_of
from ambroise.interfaces.demonstration.population import build
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto import ApplicationSecret, DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs, open_store
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import (
    AccountKind,
    Identity,
    Ins,
    KeySealer,
    identity_under,
    on_patient_created,
    on_patient_updated,
)
from ambroise.modules.notification.api import notices
from ambroise.modules.record.api import Record, own_types
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.relations import relations_of
from ambroise.trust.context import Citizen, Context
from ambroise.trust.gateway import Gateway
from tests.support.database import TestDatabase

POPULATION = 9
INS = "1.2.250.1.213.1.4.10"


NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
UNTIL = date(2026, 11, 1)


@asynccontextmanager
async def opened(dsn: str, folder: Path, clock: FixedClock) -> AsyncGenerator[Doors]:
    """The doors of an instance whose keys and objects are in a folder."""
    database = await Database.open(dsn, slots=6)
    (folder / "objects").mkdir(exist_ok=True)
    master = MasterKeys.open(folder / "master.key", create=True)
    gateway = Gateway(database, clock, blobs=Blobs(DataKeys(master), open_store(f"file://{folder}/objects")))
    record = Record(gateway)
    own_types(record, gateway)
    gateway.on_patient_created, gateway.on_patient_updated = on_patient_created, on_patient_updated
    sealer = KeySealer(ApplicationSecret.load(folder / "application.key"))
    yield Doors(database, gateway, record, Identity(database, clock, sealer, demonstration=True), clock)
    await gateway.close()
    await database.close()


@dataclass(frozen=True)
class Instance:
    """A database that holds a nation, and how the load went."""

    dsn: str
    folder: Path
    result: Loaded
    seen: list[Progress]


@pytest.fixture(scope="module")
def instance(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    folder = tmp_path_factory.mktemp("instance")
    seen: list[Progress] = []

    async def fill() -> Loaded:
        async with opened(module_database.app_dsn, folder, FixedClock(NOW)) as doors:
            return await loader.load(doors, POPULATION, report=seen.append)

    return Instance(module_database.app_dsn, folder, asyncio.run(fill()), seen)


@pytest.fixture
async def full(instance: Instance) -> AsyncIterator[Doors]:
    """The doors of the instance that the module loaded: its tests only read."""
    async with opened(instance.dsn, instance.folder, FixedClock(NOW)) as doors:
        yield doors


@pytest.fixture
async def empty(fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Doors]:
    """The doors of an empty instance."""
    async with opened(fresh_database.app_dsn, tmp_path, FixedClock(NOW)) as doors:
        yield doors


@pytest.fixture(scope="module")
def nation() -> Nation:
    return build(loader.DEFAULT_SEED, POPULATION, until=UNTIL)


async def patient_of(doors: Doors, nation: Nation, star: str) -> UUID:
    citizen = next(c for c in nation.citizens if c.star == star)
    async with doors.database.reader() as reader:
        found = await identity_under(reader, Ins(citizen.matricule, INS))
    assert found is not None
    return found.patient


def as_citizen(doors: Doors, patient: UUID) -> Context:
    return Context(Citizen(patient, "the holder"), doors.clock, demonstration=True)


async def titles(doors: Doors, ctx: Context, patient: UUID) -> list[str]:
    query = parse("DocumentReference", [("patient", f"Patient/{patient}"), ("_count", "100")])
    async with doors.database.reader() as reader:
        page = await doors.gateway.search(reader, ctx, query)
    return [decode(stored.body)["content"][0]["attachment"]["title"] for stored, _ in page.entries]


async def count(doors: Doors, table: LiteralString) -> int:
    async with doors.database.reader() as reader:
        return await reader.fetch_value(SQL("select count(*) from {}").format(Identifier(table)))


async def test_a_nation_is_loaded_with_everything_it_says(instance: Instance, full: Doors, nation: Nation) -> None:
    documents = sum(len(documents_of(nation, citizen)) for citizen in nation.citizens)
    assert instance.result == Loaded("ambroise", POPULATION, UNTIL, finished=True)
    assert await count(full, "record_unique_id") == documents
    assert await count(full, "identity_registry") == POPULATION
    assert await count(full, "directory_professional") == len(nation.professionals)
    assert [p.stage for p in instance.seen if p.done == p.total] == ["directory", "citizens", "documents"]
    async with full.database.reader() as reader:
        author = await directory.professional(reader, "01234567897")
        people = await full.identity.demonstration_people(reader, AccountKind.CITIZEN)
    assert author.organization == "1750803447"
    assert [person.display_name for person in people][:3] == ["NADIA EXEMPLE", "MARCEL FICTIF", "INES MODELE"]


async def test_a_nation_of_nobody_is_a_directory(empty: Doors) -> None:
    result = await loader.load(empty, 0)
    assert (result.population, result.finished) == (0, True)
    assert await count(empty, "identity_registry") == 0
    async with empty.database.reader() as reader:
        assert (await directory.professional(reader, "01234567897")).organization == "1750803447"


async def test_the_rights_of_the_known_people_are_there(full: Doors, nation: Nation) -> None:
    child, elderly, public = [await patient_of(full, nation, star) for star in ("child", "elderly", "test-identity")]
    async with full.database.reader() as reader:
        parents = await relations_of(reader, child)
        carers = await relations_of(reader, elderly)
        grants = await grants_of(reader, public)
    assert {(fact.kind, fact.person_name) for fact in parents} == {
        ("representative", "INES MODELE"),
        ("representative", "KARIM MODELE"),
    }
    assert [(fact.kind, fact.person_name) for fact in carers] == [("carer", "NADIA EXEMPLE")]
    treating = [grant.party.name for grant in grants if grant.state == "treating"]
    authorised = {grant.party.name for grant in grants if grant.state == "authorised"}
    assert treating == ["Camille TEMOIN"]
    assert {"Victor ECHANTILLON", "Sofia MAQUETTE", "Julien ESSAI", "Charles AUTEUR-EXEMPLE"} <= authorised


async def test_what_is_hidden_is_hidden(full: Doors, nation: Nation) -> None:
    diabetic, elderly = [await patient_of(full, nation, star) for star in ("diabetic", "elderly")]
    cardiologist = next(p for p in nation.professionals if p.star == "cardiologist")
    doctor = Context(actor_of(cardiologist), full.clock, demonstration=True)
    masked, withheld = "Compte rendu d'entretien psychologique", "Scanner thoracique"

    assert masked in await titles(full, as_citizen(full, diabetic), diabetic)
    assert masked not in await titles(full, doctor, diabetic)
    assert withheld in await titles(full, doctor, elderly)
    assert withheld not in await titles(full, as_citizen(full, elderly), elderly)


async def test_only_what_came_lately_waits_to_be_read(full: Doors, nation: Nation) -> None:
    for citizen, star in [(one, one.star) for one in nation.citizens if one.star]:
        patient = await patient_of(full, nation, star)
        lately = [
            one
            for one in documents_of(nation, citizen)
            if one.author is not None and one.moment.date() > UNTIL - timedelta(days=45)
        ]
        async with full.database.reader() as reader:
            waiting = await notices(reader, as_citizen(full, patient), count=200)
        assert len(waiting) <= len(lately), star


async def test_an_interrupted_load_goes_on_with_the_same_nation(empty: Doors) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(progress: Progress) -> None:
        if progress.stage == "documents":
            raise Interrupted

    with pytest.raises(Interrupted):
        await loader.load(empty, 3, report=interrupt)
    async with empty.database.reader() as reader:
        begun = await loader.loaded(reader)
    assert begun == Loaded("ambroise", 3, UNTIL, finished=False)

    result = await loader.load(empty, 8, seed="another")
    assert result == Loaded("ambroise", 3, UNTIL, finished=True)
    nation = build("ambroise", 3, until=UNTIL)
    documents = sum(len(documents_of(nation, citizen)) for citizen in nation.citizens)
    assert await count(empty, "record_unique_id") == documents
    assert await count(empty, "identity_registry") == 3


async def test_two_processes_load_the_nation_that_one_does(
    fresh_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: Instance, full: Doors
) -> None:
    monkeypatch.setattr(loader, "_WORTH_A_HELPER", 1)
    again = partial(opened, fresh_database.app_dsn, tmp_path, FixedClock(NOW))
    seen: list[Progress] = []
    async with again() as doors:
        await loader.load(doors, POPULATION, report=seen.append, open_doors=again)
        for table in ("record_unique_id", "resource", "identity_registry", "account", "access_relation"):
            assert await count(doors, table) == await count(full, table)
    assert [p.stage for p in seen if p.done == p.total] == ["directory", "citizens", "documents"]


async def test_a_second_load_does_nothing(empty: Doors) -> None:
    await loader.load(empty, 2)
    resources = await count(empty, "resource")
    assert (await loader.load(empty, 2)).finished
    assert await count(empty, "resource") == resources
