import asyncio

import psycopg
import pytest

from ambroise.kernel.db import Database, json_rows
from ambroise.kernel.errors import Kind, Refusal
from tests.support.database import TestDatabase


@pytest.fixture
async def numbers(fresh_database: TestDatabase) -> str:
    with psycopg.connect(fresh_database.owner_dsn, autocommit=True) as owner:
        owner.execute("create table number (value bigint primary key)")
        owner.execute("grant select, insert, update, delete on number to ambroise_app")
    return "number"


async def count(database: Database) -> int:
    async with database.reader() as reader:
        return await reader.fetch_value("select count(*) from number")


async def test_a_transaction_commits_when_its_block_ends(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        assert await tx.execute("insert into number values (%s), (%s)", (1, 2)) == 2
    assert await count(database) == 2


async def test_a_transaction_rolls_back_when_its_block_raises(database: Database, numbers: str) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await tx.execute("insert into number values (1)")
            raise RuntimeError
    assert await count(database) == 0


async def test_an_error_in_the_first_statement_rolls_back(database: Database, numbers: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with database.transaction() as tx:
            await tx.execute("insert into nothing values (1)")
    async with database.transaction() as tx:
        await tx.execute("insert into number values (1)")
    assert await count(database) == 1


async def test_a_statement_that_fails_can_be_undone_with_a_savepoint(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        await tx.execute("insert into number values (1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            async with tx.savepoint():
                await tx.execute("insert into number values (2)")
                await tx.execute("insert into number values (1)")
        async with tx.savepoint():
            await tx.execute("insert into number values (3)")
    async with database.reader() as reader:
        assert await reader.fetch_all("select value from number order by value") == [(1,), (3,)]


async def test_callbacks_run_after_commit_and_never_after_a_roll_back(database: Database, numbers: str) -> None:
    seen: list[str] = []
    async with database.transaction() as tx:
        tx.after_commit(lambda: seen.append("committed"))
        with pytest.raises(RuntimeError):
            async with tx.savepoint():
                tx.after_commit(lambda: seen.append("undone"))
                raise RuntimeError
        assert seen == []
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            tx.after_commit(lambda: seen.append("rolled back"))
            raise RuntimeError
    assert seen == ["committed"]


async def test_many_rows_go_in_one_pipeline_or_one_copy(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        assert await tx.execute_many("insert into number values (%s)", [(n,) for n in range(50)]) == 50
        await tx.copy_in("copy number from stdin (format binary)", [(n,) for n in range(50, 90)], ["int8"])
        async with tx.pipeline():
            await tx.execute("insert into number values (1000)")
            await tx.execute("insert into number values (1001)")
    assert await count(database) == 92


async def test_integers_of_every_size_are_one_prepared_statement(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        for n in (1, 70_000, 2**40, -3, 2**40 + 1):
            await tx.execute("insert into number values (%s)", (n,))
        prepared = await tx.fetch_value(
            "select count(*) from pg_prepared_statements where statement like 'insert into number%%'"
        )
    assert prepared == 1


async def test_a_slot_left_by_a_cancelled_task_is_not_handed_on_in_a_transaction(
    database: Database, numbers: str
) -> None:
    async def dawdle() -> None:
        async with database.transaction() as tx:
            await tx.execute("insert into number values (1)")
            await tx.fetch_value("select pg_sleep(30)")

    task = asyncio.create_task(dawdle())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(database) == 0


async def test_more_tasks_than_slots_wait_for_their_turn(fresh_database: TestDatabase) -> None:
    database = await Database.open(fresh_database.app_dsn, slots=2)

    async def one(n: int) -> int:
        async with database.transaction() as tx:
            return await tx.fetch_value("select %s + 0 * length(pg_sleep(0.01)::text)", (n,))

    assert await asyncio.gather(*(one(n) for n in range(12))) == list(range(12))
    await database.close()


async def test_a_dead_connection_is_replaced_before_anything_was_done(
    database: Database, fresh_database: TestDatabase
) -> None:
    async with database.reader() as reader:
        pid = await reader.fetch_value("select pg_backend_pid()")
    with psycopg.connect(fresh_database.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("select pg_terminate_backend(%s)", (pid,))
    async with database.transaction() as tx:
        assert await tx.fetch_value("select 1") == 1


async def test_a_statement_alone_is_committed_as_it_ends(database: Database, numbers: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.alone() as alone:
            assert await alone.fetch_value("insert into number values (7) returning value") == 7
            raise ZeroDivisionError
    assert await count(database) == 1


async def test_a_statement_alone_is_not_run_twice_when_its_connection_dies(
    database: Database, fresh_database: TestDatabase
) -> None:
    async with database.alone() as alone:
        pid = await alone.fetch_value("select pg_backend_pid()")
        with psycopg.connect(fresh_database.superuser_dsn, autocommit=True) as superuser:
            superuser.execute("select pg_terminate_backend(%s)", (pid,))
        with pytest.raises(psycopg.OperationalError):
            await alone.fetch_value("select 1")


async def test_connections_that_died_unused_are_not_handed_out(
    database: Database, fresh_database: TestDatabase, numbers: str
) -> None:
    async def pid() -> int:
        async with database.transaction() as tx:
            return await tx.fetch_value("select pg_backend_pid() + 0 * length(pg_sleep(0.05)::text)")

    pids = await asyncio.gather(*(pid() for _ in range(4)))
    with psycopg.connect(fresh_database.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", (pids,))
    await asyncio.sleep(0.2)
    for n in range(4):
        async with database.transaction() as tx:
            # Nothing but enqueued statements and the commit: such a transaction is never sent twice.
            tx.enqueue("insert into number values (%s)", (n,))
    assert await count(database) == 4


async def test_a_connection_lost_in_the_middle_is_an_error(database: Database, fresh_database: TestDatabase) -> None:
    with pytest.raises(psycopg.OperationalError):
        async with database.transaction() as tx:
            pid = await tx.fetch_value("select pg_backend_pid()")
            with psycopg.connect(fresh_database.superuser_dsn, autocommit=True) as superuser:
                superuser.execute("select pg_terminate_backend(%s)", (pid,))
            await tx.fetch_value("select 1")
    async with database.reader() as reader:
        assert await reader.fetch_value("select 1") == 1


async def test_a_database_that_does_not_answer_is_unavailable(tmp_path: object) -> None:
    with pytest.raises(Refusal) as refused:
        await Database.open(f"host={tmp_path} dbname=nothing user=nobody")
    assert refused.value.kind is Kind.UNAVAILABLE


async def test_listen_hears_what_a_transaction_notifies(database: Database) -> None:
    heard = asyncio.Event()

    async def listen() -> None:
        async for channel, payload in database.listen("bell"):
            assert (channel, payload) == ("bell", "now")
            heard.set()
            return

    task = asyncio.create_task(listen())
    await asyncio.sleep(0.3)
    async with database.transaction() as tx:
        await tx.execute("select pg_notify('bell', 'now')")
    await asyncio.wait_for(heard.wait(), 5)
    await task


async def test_what_is_enqueued_leaves_with_the_commit(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        tx.enqueue("insert into number values (%s)", (1,))
        tx.enqueue("insert into number values (%s)", (2,))
    assert await count(database) == 2


async def test_what_is_asked_ahead_comes_with_the_next_statement_or_when_it_is_wanted(
    database: Database, numbers: str
) -> None:
    async with database.transaction() as tx:
        taken = tx.ask("insert into number values (%s) on conflict do nothing", (1,))
        again = tx.ask("insert into number values (%s) on conflict do nothing", (1,))
        assert await tx.fetch_value("select count(*) from number") == 1
        assert (await taken.touched(), await again.touched()) == (1, 0)
        assert await tx.ask("select value + 1 from number").row() == (2,)
        never_wanted = tx.ask("insert into number values (7)")
    assert await count(database) == 2
    assert await never_wanted.touched() == 1


async def test_what_was_asked_in_an_undone_savepoint_has_no_answer(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        with pytest.raises(InterruptedError):
            async with tx.savepoint():
                undone = tx.ask("insert into number values (1)")
                raise InterruptedError
        with pytest.raises(RuntimeError, match="undone"):
            await undone.touched()
        before = tx.ask("insert into number values (2)")
        with pytest.raises(InterruptedError):
            async with tx.savepoint():
                assert await before.touched() == 1
                raise InterruptedError
    assert await count(database) == 1


async def test_an_error_of_what_is_enqueued_undoes_everything(database: Database, numbers: str) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with database.transaction() as tx:
            await tx.execute("insert into number values (1)")
            tx.enqueue("insert into number values (%s)", (1,))
    assert await count(database) == 0


async def test_what_is_enqueued_in_a_savepoint_is_undone_with_it(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        tx.enqueue("insert into number values (1)")
        with pytest.raises(RuntimeError):
            async with tx.savepoint():
                tx.enqueue("insert into number values (2)")
                raise RuntimeError
        with pytest.raises(psycopg.errors.UniqueViolation):
            async with tx.savepoint():
                tx.enqueue("insert into number values (1)")
        async with tx.savepoint():
            tx.enqueue("insert into number values (3)")
        async with tx.savepoint():
            async with tx.savepoint():
                await tx.execute("insert into number values (4)")
            with pytest.raises(RuntimeError):
                async with tx.savepoint():
                    await tx.execute("insert into number values (5)")
                    raise RuntimeError
    async with database.reader() as reader:
        assert await reader.fetch_all("select value from number order by value") == [(1,), (3,), (4,)]


async def test_an_error_caught_and_ignored_does_not_pass_for_a_commit(database: Database, numbers: str) -> None:
    with pytest.raises(RuntimeError, match="rolled back"):
        async with database.transaction() as tx:
            await tx.execute("insert into number values (1)")
            with pytest.raises(psycopg.errors.UndefinedTable):
                await tx.execute("insert into nothing values (1)")
    assert await count(database) == 0


async def test_parameters_have_names_or_places(database: Database) -> None:
    async with database.reader() as reader:
        row = await reader.fetch_one("select %(b)s::int - %(a)s, '100 %%', %(b)s::int", {"a": 1, "b": 5})
        assert row == (4, "100 %", 5)
        with pytest.raises(psycopg.ProgrammingError):
            await reader.fetch_one("select %s", ())
        with pytest.raises(psycopg.ProgrammingError):
            await reader.fetch_one("select %d", (1,))
        assert await reader.fetch_value("select %s::int", (None,)) is None


async def test_nulls_do_not_multiply_prepared_statements(database: Database, numbers: str) -> None:
    values = [(1, "a"), (2, "b"), (3, None), (None, "c"), (None, None)]
    async with database.transaction() as tx:
        for n, text in values:
            assert await tx.fetch_one("select %s::bigint, %s::text", (n, text)) == (n, text)
        prepared = await tx.fetch_value(
            "select count(*) from pg_prepared_statements where statement like 'select $1::bigint%%'"
        )
    assert prepared == 1


async def test_values_larger_than_any_buffer_pass_both_ways(database: Database) -> None:
    large = bytes(range(256)) * 4096 * 16
    async with database.transaction() as tx:
        async with asyncio.timeout(30):
            assert await tx.fetch_value("select %s::bytea", (large,)) == large


async def test_a_statement_prepared_before_a_migration_still_works_after_it(
    database: Database, fresh_database: TestDatabase, numbers: str
) -> None:
    async with database.transaction() as tx:
        await tx.execute("insert into number values (1)")
    for _ in range(3):
        async with database.reader() as reader:
            await reader.fetch_one("select * from number")
    with psycopg.connect(fresh_database.owner_dsn, autocommit=True) as owner:
        owner.execute("alter table number add column note text")
    async with database.reader() as reader:
        assert await reader.fetch_one("select * from number") == (1, None)


async def test_copy_and_statements_alternate_on_one_connection(database: Database, numbers: str) -> None:
    async with database.transaction() as tx:
        await tx.execute("insert into number values (1)")
        await tx.copy_in("copy number from stdin", [(2,), (3,)])
        assert await tx.fetch_value("select count(*) from number") == 3
        await tx.copy_in("copy number from stdin", [(4,)])
    assert await count(database) == 4


_ROWS = json_rows("insert into number (value) select x.value from json_to_recordset(%s::json) as x (value integer)")


async def test_rows_of_one_statement_leave_together(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("create temporary table number (value integer) on commit preserve rows")
        for value in range(3):
            tx.enqueue_row(_ROWS, {"value": value})
        assert await tx.fetch_value("select count(*) from number") == 3
        tx.enqueue_row(_ROWS, {"value": 3})
    async with database.transaction() as tx:
        assert await tx.fetch_value("select sum(value) from number") == 6
        tx.enqueue_row(_ROWS, {"value": 4})
        with pytest.raises(RuntimeError, match="undo"):
            async with tx.savepoint():
                tx.enqueue_row(_ROWS, {"value": 100})
                raise RuntimeError("undo")
        async with tx.savepoint():
            tx.enqueue_row(_ROWS, {"value": 5})
    with pytest.raises(RuntimeError, match="undo"):
        async with database.transaction() as tx:
            tx.enqueue_row(_ROWS, {"value": 1000})
            raise RuntimeError("undo")
    async with database.reader() as reader:
        assert await reader.fetch_value("select sum(value) from number") == 15


async def test_rows_that_leave_last_leave_with_the_commit(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("create temporary table number (value integer) on commit preserve rows")
        tx.write_last(_ROWS, {"value": 1})
        assert await tx.fetch_value("select count(*) from number") == 0
        await tx.flush()
        assert await tx.fetch_value("select count(*) from number") == 1
        tx.write_last(_ROWS, {"value": 2})
    async with database.reader() as reader:
        assert await reader.fetch_value("select sum(value) from number") == 3
    with pytest.raises(RuntimeError, match="undo"):
        async with database.transaction() as tx:
            tx.write_last(_ROWS, {"value": 100})
            raise RuntimeError("undo")
    async with database.reader() as reader:
        assert await reader.fetch_value("select sum(value) from number") == 3


@pytest.mark.parametrize("flushed", [False, True])
async def test_a_savepoint_undoes_its_own_last_rows_and_no_other(database: Database, flushed: bool) -> None:
    async with database.transaction() as tx:
        await tx.execute("create temporary table number (value integer) on commit preserve rows")
        tx.write_last(_ROWS, {"value": 1})
        with pytest.raises(RuntimeError, match="undo"):
            async with tx.savepoint():
                tx.write_last(_ROWS, {"value": 100})
                if flushed:
                    await tx.flush()
                raise RuntimeError("undo")
        async with tx.savepoint():
            tx.write_last(_ROWS, {"value": 2})
            if flushed:
                await tx.flush()
    async with database.reader() as reader:
        assert await reader.fetch_value("select sum(value) from number") == 3
