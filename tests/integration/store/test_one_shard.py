"""The tables can be distributed by shard: laid out in eight partitions, every hot statement touches one of them."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib.resources import files
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from ambroise.fhir import json, store
from ambroise.fhir.search import pairs_of, parse, search
from ambroise.fhir.store.types import Flags, Label, Scope
from ambroise.kernel.db import Database, Params, Row, Statement, Transaction
from tests.integration.store.conftest import ANY_PERMIT, EVERYTHING, NOW, permit_for, scope_of
from tests.support.database import TestDatabase
from tools.fhir_samples import Generator

PARTITIONS = 8
TABLES = ("resource", "resource_history", "resource_range", "resource_text", "named_id")
PAGES = store.PageSeal(bytes(32))


@pytest.fixture
def partitioned(empty_database: TestDatabase) -> TestDatabase:
    """The store's own tables, in eight hash partitions."""
    script = files("ambroise.fhir.store").joinpath("sql", "0001_resources.sql").read_text()
    for table in TABLES:
        end = script.index(");", script.index(f"create table {table} ("))
        key = "slot" if table == "named_id" else "shard"
        script = f"{script[:end]}) partition by hash ({key});{script[end + 2 :]}"
    with psycopg.connect(empty_database.superuser_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL(script))  # type: ignore[arg-type]
        for table in TABLES:
            for number in range(PARTITIONS):
                connection.execute(
                    sql.SQL("create table {} partition of {} for values with (modulus {}, remainder {})").format(
                        sql.Identifier(f"{table}_{number}"),
                        sql.Identifier(table),
                        sql.Literal(PARTITIONS),
                        sql.Literal(number),
                    )
                )
        connection.execute("grant select, insert, update, delete on all tables in schema public to ambroise_app")
    return empty_database


class Watched:
    """A transaction that notes what is sent through it."""

    def __init__(self, inner: Transaction) -> None:
        self._inner = inner
        self.sent: list[tuple[Statement, Params]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def noted(sql: Statement, params: Params = (), **options: Any) -> Any:
            self.sent.append(sql([params]) if name == "enqueue_row" else (sql, params))
            return method(sql, params, **options)

        return noted


def _relations(plan: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in plan:
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _relations(part)


async def _touched(database: Database, work: Callable[[Any], Awaitable[object]]) -> list[set[str]]:
    """The tables and partitions that each statement of some work touches, rows being inserted left out."""
    touched: list[set[str]] = []
    async with database.transaction() as tx:
        watched = Watched(tx)
        await work(watched)
        for statement, params in watched.sent:
            text = statement if isinstance(statement, str) else statement.as_string(None)
            explained: Row | None = await tx.fetch_one(f"explain (format json) {text}", params)  # type: ignore[arg-type]
            assert explained is not None
            names = set(_relations(explained[0][0]["Plan"]))
            # The parent is only named where rows are written through it: each of them finds its own partition.
            touched.append({name for name in names if name not in TABLES})
    return touched


def everything(type: str, patient: UUID | None) -> Scope:
    return EVERYTHING if patient is None else scope_of(patient)


@pytest.fixture
async def world(partitioned: TestDatabase) -> Any:
    database = await Database.open(partitioned.app_dsn, slots=2)
    generator = Generator(3)
    patient = store.new_key()
    async with database.transaction() as tx:
        identity = generator.patient()
        await store.insert(tx, ANY_PERMIT, identity, Label(), now=NOW, key=patient)
        records = [generator.clinical(str(patient), generator.id()) for _ in range(30)]
        encounter = await store.insert(tx, ANY_PERMIT, generator.encounter(str(patient), "p"), Label(patient), now=NOW)
        for resource in records:
            if resource["resourceType"] == "Observation":
                resource["encounter"] = {"reference": f"Encounter/{encounter.id}"}
            await store.insert(tx, ANY_PERMIT, resource, Label(patient), now=NOW)
        document = await store.insert(
            tx, ANY_PERMIT, generator.document_reference(str(patient), "p"), Label(patient), now=NOW
        )
        named = await store.insert(
            tx, ANY_PERMIT, generator.condition(str(patient), "p"), Label(patient), now=NOW, id="named"
        )
        for _ in range(20):
            other = await store.insert(tx, ANY_PERMIT, generator.patient(), Label(), now=NOW)
            await store.insert(tx, ANY_PERMIT, generator.observation(other.id, "p"), Label(other.key), now=NOW)
    yield database, patient, identity, document, named
    await database.close()


READS = {
    "read": lambda tx, patient, document: store.read(tx, EVERYTHING, "DocumentReference", document.id),
    "vread": lambda tx, patient, document: store.vread(tx, EVERYTHING, "DocumentReference", document.id, 1),
    "peek": lambda tx, patient, document: store.peek(tx, ANY_PERMIT, "DocumentReference", document.id),
    "lock": lambda tx, patient, document: store.lock(tx, ANY_PERMIT, "DocumentReference", document.id),
    "read_keys": lambda tx, patient, document: store.read_keys(tx, EVERYTHING, "DocumentReference", [document.key]),
    "history": lambda tx, patient, document: store.history(
        tx, everything, pages=PAGES, type="Patient", id=str(patient)
    ),
    "relabel": lambda tx, patient, document: store.relabel(tx, permit_for(patient), document.key, set=Flags.MASKED),
    "purge": lambda tx, patient, document: store.purge(tx, permit_for(patient)),
}

SEARCHES = [
    "Observation?patient={patient}&_sort=-date&_count=5",
    "Observation?subject=Patient/{patient}&code=http://loinc.org|718-7&_total=accurate&_count=1",
    "Observation?patient={patient}&date=ge2015&value-quantity=gt5&status=final&_sort=_lastUpdated",
    "DocumentReference?patient={patient}&description=cr&period=ge2015-01&type:not=x",
    "Observation?patient={patient}&encounter.status=finished",
    "Observation?patient={patient}&patient.name=a",
    "Encounter?patient={patient}&_has:Observation:encounter:status=final",
    "Patient?_id={patient}&_has:Observation:patient:status=final&family=a",
    "Patient?_id={patient}&_revinclude=Observation:patient",
    "DocumentReference?patient={patient}&_include=DocumentReference:patient",
    "Condition?patient={patient}&_summary=count",
]


async def test_what_is_done_by_id_or_to_one_record_touches_one_partition(world: Any) -> None:
    database, patient, _, document, _ = world
    for name, work in READS.items():
        touched = await _touched(database, partial(work, patient=patient, document=document))
        assert touched
        for names in touched:
            # The register of names has its own distribution: a purge looks through all of it for those of the record.
            shards = {each.rsplit("_", 1)[1] for each in names if not each.startswith("named_id")}
            assert len(shards) <= 1, (name, names)


async def test_every_write_of_one_resource_touches_one_partition(world: Any) -> None:
    database, patient, _, document, _ = world
    generator = Generator(9)

    async def writes(tx: Any) -> None:
        await store.insert(tx, ANY_PERMIT, generator.observation(str(patient), "p"), Label(patient), now=NOW)
        current = await store.lock(tx, ANY_PERMIT, "DocumentReference", document.id)
        assert current is not None
        updated = await store.update(tx, ANY_PERMIT, current, json.decode(document.body), document.label, now=NOW)
        current = await store.lock(tx, ANY_PERMIT, "DocumentReference", updated.id)
        assert current is not None
        await store.delete(tx, ANY_PERMIT, current, now=NOW)

    for names in await _touched(database, writes):
        assert len({each.rsplit("_", 1)[1] for each in names}) <= 1, names


async def test_a_search_in_one_record_touches_one_partition(world: Any) -> None:
    database, patient, _, _, _ = world
    for asked in SEARCHES:
        type, _, query = asked.format(patient=patient).partition("?")
        run = partial(search, scope_for=everything, query=parse(type, pairs_of(query)), pages=PAGES)
        for names in await _touched(database, run):
            assert len({each.rsplit("_", 1)[1] for each in names}) == 1, (asked, names)


async def test_a_search_by_the_patients_identifier_looks_for_the_patient_then_touches_one_partition(
    world: Any,
) -> None:
    database, _, identity, _, _ = world
    ins = identity["identifier"][0]
    query = f"patient.identifier={ins['system']}|{ins['value']}&_sort=-date"

    async def run(tx: Any) -> None:
        result = await search(tx, everything, parse("Observation", pairs_of(query)), pages=PAGES)
        assert result.entries

    looked_up, found = await _touched(database, run)
    assert len(looked_up) == PARTITIONS
    assert len(found) == 1
