"""Bring a backup back, into a place where nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import obstore
import psycopg
from obstore.store import ObjectStore
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from ambroise.kernel.backup import manifest
from ambroise.kernel.backup.manifest import Applied, BackupError, Manifest, Table
from ambroise.kernel.backup.saving import SECRETS, Progress
from ambroise.kernel.crypto import MasterKeys
from ambroise.kernel.crypto.envelope import Altered, unseal, unseal_stream
from ambroise.kernel.migrations import Migration, discover, migrate
from ambroise.kernel.objects import make_durable

_PIECE = 1 << 20


def restore(
    folder: Path,
    owner_dsn: str,
    store: ObjectStore,
    master: MasterKeys,
    *,
    progress: Progress = lambda what: None,
) -> tuple[Manifest, dict[str, bytes]]:
    """Load a backup into an empty database; its manifest and the files of secrets that were kept with it.

    The schema is first made as it was, then filled in one transaction, then brought up to date.
    """
    described, key = manifest.read(folder, master)
    _check_empty(owner_dsn)
    migrate(owner_dsn, _as_it_was(described.migrations))
    try:
        keys = msgspec.json.decode(
            unseal(key, manifest.context(SECRETS), (folder / SECRETS).read_bytes()), type=dict[str, bytes]
        )
        _restore_objects(folder, store, described, progress)
        _restore_tables(folder, owner_dsn, described, key, progress)
    except (Altered, OSError) as error:
        raise BackupError(f"The backup is damaged: {error}") from error
    migrate(owner_dsn)
    return described, keys


def _check_empty(owner_dsn: str) -> None:
    with psycopg.connect(owner_dsn) as owner:
        row = owner.execute("select to_regclass('installation') is not null").fetchone()
        if row and row[0] and owner.execute("select 1 from installation").fetchone():
            raise BackupError("This installation has data already: restore into a new folder or an empty database.")


def _as_it_was(applied: tuple[Applied, ...]) -> list[Migration]:
    """The migrations that the database had when it was saved."""
    wanted = {(each.package, each.number): each.checksum for each in applied}
    known = [migration for migration in discover() if (migration.package, migration.number) in wanted]
    same = all(wanted[migration.package, migration.number] == migration.checksum for migration in known)
    if len(known) != len(wanted) or not same:
        raise BackupError(
            "This backup was made by a later version of Ambroise, or by one changed since: restore it with that one."
        )
    return known


def _restore_tables(folder: Path, owner_dsn: str, described: Manifest, key: bytes, progress: Progress) -> None:
    with psycopg.connect(owner_dsn, options="-c timezone=UTC") as owner:
        # Migrations put rows into some tables; the backup has them too.
        for table in reversed(described.tables):
            owner.execute(SQL("delete from {}").format(Identifier(table.name)))
        for table in described.tables:
            progress(table.name)
            _restore_table(owner, folder, table, key)
        for sequence in described.sequences:
            owner.execute("select setval(%s, %s, %s)", (sequence.name, sequence.value, sequence.called))
        owner.execute("delete from blob where place = any(%s)", (list(described.gone),))
        owner.commit()
        owner.autocommit = True
        owner.execute("analyze")


def _restore_table(owner: Connection, folder: Path, table: Table, key: bytes) -> None:
    cursor = owner.cursor()
    columns = SQL(", ").join(map(Identifier, table.columns))
    statement = SQL("copy {} ({}) from stdin (format binary)").format(Identifier(table.name), columns)
    with cursor.copy(statement) as copy:
        for piece in unseal_stream(key, manifest.context(table.file), _pieces(folder / table.file)):
            copy.write(piece)
    if cursor.rowcount != table.rows:
        raise BackupError(f"{table.name}: {cursor.rowcount} rows came back instead of {table.rows}.")


def _restore_objects(folder: Path, store: ObjectStore, described: Manifest, progress: Progress) -> None:
    for place in described.objects:
        progress(place)
        obstore.put(store, place, folder / "objects" / place)
        make_durable(store, place)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
