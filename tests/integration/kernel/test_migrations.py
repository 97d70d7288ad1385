import psycopg
import pytest

from ambroise.kernel.migrations import Migration, MigrationError, discover, migrate, pending
from tests.support.database import TestDatabase


def tables(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as owner:
        return {name for (name,) in owner.execute("select tablename from pg_tables where schemaname = 'public'")}


FIRST = Migration("kernel", 1, "one", "create table one (x int);")
SECOND = Migration("kernel", 2, "two", "create table two (x int); insert into two values (1);")


def test_migrations_run_once_in_order(empty_database: TestDatabase) -> None:
    dsn = empty_database.owner_dsn
    assert migrate(dsn, [FIRST]) == [FIRST]
    assert migrate(dsn, [FIRST, SECOND]) == [SECOND]
    assert migrate(dsn, [FIRST, SECOND]) == []
    assert tables(dsn) == {"migration", "one", "two"}


def test_a_file_changed_after_it_was_applied_is_refused(empty_database: TestDatabase) -> None:
    migrate(empty_database.owner_dsn, [FIRST])
    changed = Migration("kernel", 1, "one", "create table one (x bigint);")
    with pytest.raises(MigrationError, match=r"kernel/sql/0001_one\.sql was changed after it was applied"):
        migrate(empty_database.owner_dsn, [changed])


def test_a_migration_that_fails_leaves_nothing(empty_database: TestDatabase) -> None:
    broken = Migration("kernel", 2, "broken", "create table two (x int); select 1 / 0;")
    with pytest.raises(MigrationError, match="0002_broken"):
        migrate(empty_database.owner_dsn, [FIRST, broken])
    assert tables(empty_database.owner_dsn) == {"migration", "one"}


def test_an_index_can_be_built_outside_a_transaction(empty_database: TestDatabase) -> None:
    index = Migration("kernel", 2, "index", "-- no transaction\ncreate index concurrently one_x on one (x)")
    assert migrate(empty_database.owner_dsn, [FIRST, index]) == [FIRST, index]


def test_a_migration_gives_up_rather_than_blocking_everybody(empty_database: TestDatabase) -> None:
    migrate(empty_database.owner_dsn, [FIRST])
    slow = Migration("kernel", 2, "alter", "alter table one add y int;")
    with psycopg.connect(empty_database.owner_dsn) as reader:
        reader.execute("select * from one")
        with pytest.raises(Exception, match="waited more than"):
            migrate(empty_database.owner_dsn, [FIRST, slow])
    assert migrate(empty_database.owner_dsn, [FIRST, slow]) == [slow]


def test_every_file_of_the_program_applies_in_the_order_of_the_layers(fresh_database: TestDatabase) -> None:
    assert pending(fresh_database.owner_dsn) == []
    assert pending(fresh_database.app_dsn) == []
    packages = list(dict.fromkeys(migration.package for migration in discover()))
    layers = [package.split(".")[0] for package in packages]
    assert layers == sorted(layers, key=["kernel", "fhir", "trust", "modules", "interfaces"].index)
    assert packages[0] == "kernel"


def test_the_application_role_owns_no_table(fresh_database: TestDatabase) -> None:
    with psycopg.connect(fresh_database.owner_dsn) as owner:
        owners = owner.execute("select distinct tableowner from pg_tables where schemaname = 'public'").fetchall()
    assert owners == [("ambroise_owner",)]
