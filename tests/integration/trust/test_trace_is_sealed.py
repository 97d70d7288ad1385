"""The trace only grows, and a change behind a seal shows."""

from uuid import UUID

import psycopg
import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.db import Database
from ambroise.kernel.ids import new_id
from ambroise.trust.audit.entry import Entry, Line, record, record_lines
from ambroise.trust.audit.seal import seal, verify
from ambroise.trust.context import Context, Professional
from tests.support.database import TestDatabase

DOCTOR = Professional("899700000001", "99700000001", "Dr Test", "10")


def context(clock: FixedClock) -> Context:
    return Context(DOCTOR, clock, reason="essai")


async def write(database: Database, clock: FixedClock, patient: UUID, times: int = 1) -> None:
    async with database.transaction() as tx:
        for _ in range(times):
            await record(tx, context(clock), Entry("R", "read", patient, "Observation", new_id(), 3, 1, "authorised"))


async def sealed_trace(database: Database, clock: FixedClock) -> UUID:
    patient = new_id()
    for _ in range(3):
        await write(database, clock, patient, 2)
        await seal(database, clock)
    return patient


async def test_a_sealed_trace_verifies(database: Database, clock: FixedClock) -> None:
    await sealed_trace(database, clock)
    await write(database, clock, new_id())
    async with database.reader() as reader:
        report = await verify(reader)
    assert report.sound
    assert (report.seals, report.rows, report.unsealed) == (3, 6, 1)


async def test_many_lines_are_written_at_once(database: Database, clock: FixedClock) -> None:
    patient = new_id()
    lines = [Line.of(context(clock), Entry("R", "search", patient, count=n, details={"n": n})) for n in range(600)]
    async with database.transaction() as tx:
        await record_lines(tx, lines)
    async with database.reader() as reader:
        assert await reader.fetch_value("select sum(count) from trace where patient = %s", (patient,)) == sum(
            range(600)
        )


async def test_the_application_cannot_change_the_trace(database: Database, clock: FixedClock) -> None:
    await sealed_trace(database, clock)
    for statement in (
        "update trace set reason = 'x'",
        "delete from trace",
        "truncate trace",
        "delete from trace_seal",
        "update trace_seal set rows = 0",
        "insert into trace (shard, id, xid) values (1, gen_random_uuid(), '1'::xid8)",
        "insert into trace (shard, id, era) values (1, gen_random_uuid(), 1)",
        "alter table trace disable trigger all",
        "select trace_retire(now())",
        "select trace_begin_era()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.transaction() as tx:
                await tx.execute(statement)


async def test_the_owner_cannot_change_it_either_but_by_the_retention_job(
    fresh_database: TestDatabase, database: Database, clock: FixedClock
) -> None:
    await sealed_trace(database, clock)
    with psycopg.connect(fresh_database.owner_dsn, autocommit=True) as owner:
        for statement in (
            "update trace set reason = 'x'",
            "delete from trace",
            "truncate trace",
            "delete from trace_seal",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(statement)
        assert owner.execute("select trace_retire(%s)", (clock.now(),)).fetchone() == (0,)
        removed = owner.execute("select trace_retire(%s + interval '1 day')", (clock.now(),)).fetchone()
    assert removed == (6,)
    async with database.reader() as reader:
        report = await verify(reader)
    assert report.sound
    assert report.retired == 3


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (
            "update trace set actor_name = 'Somebody else' where id = (select min(id::text)::uuid from trace)",
            "ROWS_CHANGED",
        ),
        ("update trace set at = at - interval '1 microsecond'", "ROWS_CHANGED"),
        ("delete from trace where id = (select max(id::text)::uuid from trace)", "ROWS_LOST"),
        (
            "insert into trace select shard, gen_random_uuid(), patient, at, xid, era, actor_kind, actor_id,"
            " actor_name, actor_role, actor_specialty, organization, organization_name, acting_for, relation, action,"
            " event, resource_type, resource, resource_kind, version, purpose, reason, rule, outcome, channel,"
            " software, request_id, secret, count, query, details from trace limit 1",
            "ROWS_ADDED",
        ),
        ("delete from trace_seal where number = 2", "SEAL_MISSING"),
        ("update trace_seal set digest = previous where number = 2", "ROWS_CHANGED"),
    ],
)
async def test_a_change_by_somebody_who_owns_the_machine_is_detected(
    fresh_database: TestDatabase, database: Database, clock: FixedClock, harm: str, code: str
) -> None:
    await sealed_trace(database, clock)
    with psycopg.connect(fresh_database.superuser_dsn, autocommit=True) as root:
        root.execute("set session_replication_role = replica")
        root.execute(harm)  # type: ignore[arg-type]
    async with database.reader() as reader:
        report = await verify(reader)
    assert code in [problem.code for problem in report.problems]


async def test_rows_of_a_running_transaction_wait_for_the_next_seal(database: Database, clock: FixedClock) -> None:
    patient = new_id()
    async with database.transaction() as slow:
        await record(slow, context(clock), Entry("C", "create", patient))
        await slow.flush()
        assert await slow.fetch_value("select count(*) from trace where patient = %s", (patient,)) == 1
        await write(database, clock, patient)
        assert sum(one.rows for one in await seal(database, clock)) == 0
    await seal(database, clock)
    async with database.reader() as reader:
        report = await verify(reader)
    assert (report.sound, report.rows, report.unsealed) == (True, 2, 0)


async def test_the_chain_survives_a_restore_into_another_cluster(
    fresh_database: TestDatabase, database: Database, clock: FixedClock
) -> None:
    patient = await sealed_trace(database, clock)
    await write(database, clock, patient)
    with psycopg.connect(fresh_database.owner_dsn, autocommit=True) as owner:
        assert owner.execute("select trace_begin_era()").fetchone() == (2,)
    await write(database, clock, patient, 2)
    made = await seal(database, clock)
    assert [(one.era, one.rows) for one in made] == [(1, 1), (2, 2)]
    async with database.reader() as reader:
        report = await verify(reader)
    assert report.sound
    assert (report.rows, report.unsealed) == (9, 0)
