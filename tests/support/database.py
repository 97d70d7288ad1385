"""A real PostgreSQL for tests: one throw-away cluster a process, one migrated template, one clone a test."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from ambroise.kernel.db import Database
from ambroise.kernel.migrations import migrate
from ambroise.kernel.postgres.cluster import APP, DATABASE, OWNER, SUPERUSER, EmbeddedPostgres

_numbers = itertools.count(1)


@dataclass(frozen=True)
class TestDatabase:
    """The addresses of one database, by role."""

    __test__ = False

    name: str
    server: EmbeddedPostgres

    @property
    def app_dsn(self) -> str:
        return self.server.dsn(APP, self.name)

    @property
    def owner_dsn(self) -> str:
        return self.server.dsn(OWNER, self.name)

    @property
    def superuser_dsn(self) -> str:
        return self.server.dsn(SUPERUSER, self.name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The session's server, with the empty database `ambroise`."""
    folder = Path(tempfile.mkdtemp(prefix="ambroise-test-"))
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that nobody is connected to."""
    migrate(postgres.owner_dsn)
    return DATABASE


@contextmanager
def _clone(server: EmbeddedPostgres, template: str) -> Iterator[TestDatabase]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.dsn(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            SQL("create database {} template {} owner {} strategy file_copy").format(
                Identifier(name), Identifier(template), Identifier(OWNER)
            )
        )
    try:
        yield TestDatabase(name, server)
    finally:
        with psycopg.connect(server.dsn(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(SQL("drop database {} with (force)").format(Identifier(name)))


@pytest.fixture
def fresh_database(postgres: EmbeddedPostgres, template: str) -> Iterator[TestDatabase]:
    """A clone of the migrated template, for this test alone."""
    with _clone(postgres, template) as clone:
        yield clone


@pytest.fixture(scope="module")
def module_database(postgres: EmbeddedPostgres, template: str) -> Iterator[TestDatabase]:
    """A clone shared by the tests of one module, for those that only read what the module loaded."""
    with _clone(postgres, template) as clone:
        yield clone


@pytest.fixture
def owner_dsn(fresh_database: TestDatabase) -> str:
    return fresh_database.owner_dsn


@pytest.fixture
async def database(fresh_database: TestDatabase) -> AsyncIterator[Database]:
    """The application's view of a fresh database."""
    opened = await Database.open(fresh_database.app_dsn, slots=6)
    yield opened
    await opened.close()


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """A database without any table."""
    with _clone(postgres, "template1") as clone:
        yield clone
