"""Numbered SQL files, applied once each by the owner role.

Every package may have a folder `sql/` with files `NNNN_name.sql`. They run in the order of the layers (kernel, fhir,
trust, modules, interfaces), each in its own transaction, under an advisory lock so that two processes never migrate at
once, and with a short lock timeout so that a migration never queues a whole site behind itself. A file whose first line
is `-- no transaction` holds one single statement (`create index concurrently …`) and runs outside a transaction.
"""

import hashlib
import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import psycopg
from msgspec import Struct
from psycopg import Connection
from psycopg.sql import SQL

import ambroise
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

_log = logger(__name__)

_LAYERS = (
    "kernel",
    "fhir.store",
    "fhir",
    "trust.access",
    "trust.audit",
    "trust",
    "modules.identity",
    "modules.directory",
    "modules",
    "interfaces",
)
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK = 0x416D62726F697365 >> 1
_LOCK_TIMEOUT = "5s"
_NO_TRANSACTION = "-- no transaction"

_LEDGER = """
create table if not exists migration (
  package text not null,
  number integer not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (package, number)
)
"""


class Migration(Struct, frozen=True):
    package: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def transactional(self) -> bool:
        return not self.sql.startswith(_NO_TRANSACTION)

    def __str__(self) -> str:
        return f"{self.package}/sql/{self.number:04}_{self.name}.sql"


class MigrationError(Exception):
    """The files and the database do not agree; the message says what to do."""


def discover(root: Path | None = None) -> list[Migration]:
    """Find every migration of the installed package, in the order in which to run them."""
    root = root or Path(ambroise.__file__).parent
    found = [_read(file, root) for file in root.glob("**/sql/*.sql")]
    found.sort(key=lambda migration: (_rank(migration.package), migration.package, migration.number))
    for one, other in itertools.pairwise(found):
        if (one.package, one.number) == (other.package, other.number):
            raise MigrationError(f"{one} and {other} have the same number: give one the next free number.")
    return found


def _read(file: Path, root: Path) -> Migration:
    match = _FILE.fullmatch(file.name)
    if match is None:
        raise MigrationError(f"{file.name}: a migration is named NNNN_name.sql, for example 0001_tables.sql.")
    package = ".".join(file.parent.parent.relative_to(root).parts)
    return Migration(package, int(match[1]), match[2], file.read_text(encoding="utf-8"))


def _rank(package: str) -> int:
    for rank, layer in enumerate(_LAYERS):
        if package == layer or package.startswith(layer + "."):
            return rank
    return len(_LAYERS)


def migrate(owner_dsn: str, migrations: Iterable[Migration] | None = None) -> list[Migration]:
    """Bring the database up to date; which migrations were applied. Safe to run twice, and by two processes at once."""
    wanted = discover() if migrations is None else list(migrations)
    with psycopg.connect(owner_dsn, autocommit=True, options="-c timezone=UTC -c client_min_messages=warning") as owner:
        owner.execute("select pg_advisory_lock(%s)", (_LOCK,))
        try:
            owner.execute(_LEDGER)
            owner.execute("grant select on migration to ambroise_app")
            done = _ledger(owner)
            _check(wanted, done)
            pending = [migration for migration in wanted if (migration.package, migration.number) not in done]
            for migration in pending:
                _apply(owner, migration)
            return pending
        finally:
            owner.execute("select pg_advisory_unlock(%s)", (_LOCK,))


def pending(dsn: str) -> list[Migration]:
    """Which migrations this database still lacks; the application's role may ask."""
    wanted = discover()
    with psycopg.connect(dsn, autocommit=True) as owner:
        row = owner.execute("select to_regclass('migration') is not null").fetchone()
        done = _ledger(owner) if row and row[0] else {}
    _check(wanted, done)
    return [migration for migration in wanted if (migration.package, migration.number) not in done]


def _ledger(owner: Connection) -> dict[tuple[str, int], str]:
    rows = owner.execute("select package, number, checksum from migration order by package, number").fetchall()
    return {(package, number): checksum for package, number, checksum in rows}


def _check(wanted: list[Migration], done: dict[tuple[str, int], str]) -> None:
    for migration in wanted:
        known = done.get((migration.package, migration.number))
        if known is not None and known != migration.checksum:
            raise MigrationError(
                f"{migration} was changed after it was applied to this database. "
                "Put the file back as it was and write the change as a new migration with the next number."
            )


def _apply(owner: Connection, migration: Migration) -> None:
    sql = SQL(migration.sql)  # type: ignore[arg-type]  # The files are part of the program.
    try:
        if migration.transactional:
            with owner.transaction():
                owner.execute(SQL("set local lock_timeout = {}").format(_LOCK_TIMEOUT))
                owner.execute(sql)
                _record(owner, migration)
        else:
            owner.execute(sql)
            _record(owner, migration)
    except psycopg.errors.LockNotAvailable as error:
        raise Refusal(
            Kind.UNAVAILABLE,
            "MIGRATION_LOCKED",
            f"{migration} waited more than {_LOCK_TIMEOUT} for a lock; nothing was changed. Run it again later.",
        ) from error
    except psycopg.Error as error:
        raise MigrationError(f"{migration}: {error}") from error
    _log.info("migration_applied", migration=str(migration))


def _record(owner: Connection, migration: Migration) -> None:
    owner.execute(
        "insert into migration (package, number, name, checksum) values (%s, %s, %s, %s)",
        (migration.package, migration.number, migration.name, migration.checksum),
    )
