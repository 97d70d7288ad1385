from pathlib import Path

import psycopg
import pytest

from ambroise.kernel import installation
from ambroise.kernel.backup import BackupError, restore, save
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.ids import new_id
from ambroise.kernel.objects import Blobs, open_store
from ambroise.kernel.outbox import emit
from tests.support.database import TestDatabase

PATIENT = new_id(5)
LARGE = bytes(2 * 1024 * 1024)


@pytest.fixture
def master(tmp_path: Path) -> MasterKeys:
    return MasterKeys.open(tmp_path / "master.key", create=True)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
async def small(database: Database, fresh_database: TestDatabase, master: MasterKeys, tmp_path: Path) -> object:
    """An installation with a small and a large document and an event."""
    installation.claim(fresh_database.owner_dsn, demonstration=True)
    blobs = Blobs(DataKeys(master), open_store(f"file://{tmp_path}/objects"))
    async with database.transaction() as tx:
        small, large = new_id(5), new_id(5)
        await blobs.put(tx, PATIENT, small, b"a small document", "text/plain")
        await blobs.put(tx, PATIENT, large, LARGE, "text/plain")
        await emit(tx, "Told", {"n": 1}, patient=PATIENT)
    return small, large


def saved(fresh_database: TestDatabase, master: MasterKeys, tmp_path: Path, backup: Path) -> None:
    store = open_store(f"file://{tmp_path}/objects")
    save(backup, fresh_database.owner_dsn, store, master, {"application.key": b"k" * 32})


async def test_what_was_saved_comes_back_elsewhere(
    small: tuple[object, object],
    fresh_database: TestDatabase,
    empty_database: TestDatabase,
    master: MasterKeys,
    tmp_path: Path,
    backup: Path,
) -> None:
    saved(fresh_database, master, tmp_path, backup)
    store = open_store(f"file://{tmp_path}/elsewhere")
    described, keys = restore(backup, empty_database.owner_dsn, store, master)
    assert described.demonstration
    assert len(described.objects) == 1
    assert keys == {"application.key": b"k" * 32}
    with psycopg.connect(fresh_database.owner_dsn) as before, psycopg.connect(empty_database.owner_dsn) as after:
        for table in described.tables:
            question = f"select count(*), md5(string_agg(t::text, ';' order by t::text)) from {table.name} t"
            assert before.execute(question).fetchone() == after.execute(question).fetchone()  # type: ignore[arg-type]
    database = await Database.open(empty_database.app_dsn, slots=1)
    blobs = Blobs(DataKeys(master), store)
    async with database.reader() as reader:
        assert await blobs.get(reader, small[0]) == b"a small document"  # type: ignore[arg-type]
        assert await blobs.get(reader, small[1]) == LARGE  # type: ignore[arg-type]
    await database.close()


async def test_nothing_in_a_backup_is_readable_without_the_master_key(
    small: object, fresh_database: TestDatabase, master: MasterKeys, tmp_path: Path, backup: Path
) -> None:
    saved(fresh_database, master, tmp_path, backup)
    everything = b"".join(path.read_bytes() for path in backup.rglob("*") if path.is_file())
    assert b"a small document" not in everything
    assert str(PATIENT).encode() not in everything
    assert PATIENT.bytes not in everything
    other = MasterKeys.open(tmp_path / "other.key", create=True)
    with pytest.raises(Exception, match="master key"):
        restore(backup, fresh_database.owner_dsn, open_store(f"file://{tmp_path}/x"), other)


async def test_a_backup_never_lands_on_data(
    small: object, fresh_database: TestDatabase, master: MasterKeys, tmp_path: Path, backup: Path
) -> None:
    saved(fresh_database, master, tmp_path, backup)
    with pytest.raises(BackupError, match="has data already"):
        restore(backup, fresh_database.owner_dsn, open_store(f"file://{tmp_path}/x"), master)
    with pytest.raises(BackupError, match="not empty"):
        saved(fresh_database, master, tmp_path, backup)


@pytest.mark.parametrize("damage", ["manifest.json", "manifest.seal", "tables/blob.sealed", "secrets.sealed"])
async def test_a_damaged_backup_is_refused_and_leaves_nothing(
    small: object,
    fresh_database: TestDatabase,
    empty_database: TestDatabase,
    master: MasterKeys,
    tmp_path: Path,
    backup: Path,
    damage: str,
) -> None:
    saved(fresh_database, master, tmp_path, backup)
    file = backup / damage
    content = file.read_bytes()
    file.write_bytes(content[:-30] + bytes([content[-30] ^ 1]) + content[-29:])
    with pytest.raises(BackupError):
        restore(backup, empty_database.owner_dsn, open_store(f"file://{tmp_path}/x"), master)
    with psycopg.connect(empty_database.owner_dsn) as owner:
        row = owner.execute("select to_regclass('installation')").fetchone()
        assert row == (None,) or owner.execute("select count(*) from installation").fetchone() == (0,)


async def test_a_backup_that_misses_a_document_is_a_failure(
    small: tuple[object, object],
    fresh_database: TestDatabase,
    empty_database: TestDatabase,
    master: MasterKeys,
    tmp_path: Path,
    backup: Path,
) -> None:
    purged = open_store(f"file://{tmp_path}/purged")
    with pytest.raises(BackupError, match="missing from the object store"):
        save(backup, fresh_database.owner_dsn, purged, master, {})


async def test_a_backup_is_the_state_of_one_instant(
    small: object,
    database: Database,
    fresh_database: TestDatabase,
    empty_database: TestDatabase,
    master: MasterKeys,
    tmp_path: Path,
    backup: Path,
) -> None:
    """Rows that commit while tables are copied are in none of them."""
    with psycopg.connect(fresh_database.owner_dsn, autocommit=True) as writer:

        def write_meanwhile(table: str) -> None:
            writer.execute(
                "insert into job_schedule (name, next_at) values (%s, now()) on conflict do nothing", (table,)
            )

        described = save(
            backup,
            fresh_database.owner_dsn,
            open_store(f"file://{tmp_path}/objects"),
            master,
            {},
            progress=write_meanwhile,
        )
    counts = {table.name: table.rows for table in described.tables}
    assert counts["job_schedule"] == 0
