"""Make a backup while the instance runs: one snapshot for every table."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
import obstore
import psycopg
from obstore.store import ObjectStore
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from ambroise.kernel.backup import manifest
from ambroise.kernel.backup.manifest import FORMAT, Applied, BackupError, Manifest, Sequence, Table
from ambroise.kernel.crypto import MasterKeys
from ambroise.kernel.crypto.envelope import seal, seal_stream
from ambroise.kernel.crypto.files import sync_folder

SECRETS = "secrets.sealed"


class Progress(Protocol):
    def __call__(self, what: str, /) -> None: ...


def save(
    folder: Path,
    owner_dsn: str,
    store: ObjectStore,
    master: MasterKeys,
    keys: Mapping[str, bytes],
    *,
    progress: Progress = lambda what: None,
) -> Manifest:
    """Write a backup into a folder that is new or empty; `keys` are the files of secrets to keep with it."""
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty: give each backup a folder of its own.")
    draft = folder.with_name(folder.name + ".partial")
    (draft / "tables").mkdir(parents=True, mode=0o700)
    key = secrets.token_bytes(32)
    with psycopg.connect(owner_dsn, options="-c timezone=UTC") as owner:
        owner.execute("set transaction isolation level repeatable read, read only")
        _write(draft / SECRETS, [seal(key, manifest.context(SECRETS), msgspec.json.encode(dict(keys)))])
        tables = [_save_table(owner, draft, name, columns, key, progress) for name, columns in _tables(owner)]
        places = [place for (place,) in owner.execute("select place from blob where place is not null order by place")]
        described = _describe(owner, master, key, tables)
        saved, missing = _save_objects(draft, store, places, progress)
    gone = _check_gone(owner_dsn, missing)
    complete = msgspec.structs.replace(described, objects=tuple(saved), gone=gone)
    manifest.write(draft, complete, key)
    _sync(draft)
    # A folder with the final name is a whole backup.
    draft.rename(folder)
    sync_folder(folder.parent)
    return complete


def _tables(owner: Connection) -> list[tuple[str, tuple[str, ...]]]:
    """Every table but the ledger, with the columns that hold data; a table comes after those it refers to."""
    rows = owner.execute(
        """
        select c.relname, array_agg(a.attname::text order by a.attnum)
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and c.relname <> 'migration'
        group by c.relname
        order by c.relname
        """
    ).fetchall()
    references = owner.execute(
        """
        select distinct conrelid::regclass::text, confrelid::regclass::text
        from pg_constraint
        where contype = 'f' and conrelid <> confrelid
        order by 1, 2
        """
    ).fetchall()
    columns: dict[str, tuple[str, ...]] = {name: tuple(names) for name, names in rows}
    return [(name, columns[name]) for name in _after_references(list(columns), references)]


def _after_references(names: list[str], references: Iterable[tuple[str, str]]) -> list[str]:
    needs: dict[str, set[str]] = {name: set() for name in names}
    for name, needed in references:
        needs[name].add(needed)
    ordered: list[str] = []
    while needs:
        free = sorted(name for name, needed in needs.items() if needed <= set(ordered))
        if not free:
            raise BackupError(f"Tables refer to each other in a circle: {', '.join(sorted(needs))}.")
        ordered.extend(free)
        for name in free:
            del needs[name]
    return ordered


def _save_table(
    owner: Connection, draft: Path, name: str, columns: tuple[str, ...], key: bytes, progress: Progress
) -> Table:
    table = Table(name, columns, 0)
    progress(name)
    cursor = owner.cursor()
    with cursor.copy(
        SQL("copy {} ({}) to stdout (format binary)").format(Identifier(name), SQL(", ").join(map(Identifier, columns)))
    ) as copy:
        _write(draft / table.file, seal_stream(key, manifest.context(table.file), (bytes(piece) for piece in copy)))
    return msgspec.structs.replace(table, rows=cursor.rowcount)


def _describe(owner: Connection, master: MasterKeys, key: bytes, tables: list[Table]) -> Manifest:
    installed = owner.execute("select id, demonstration from installation").fetchone()
    if installed is None:
        raise BackupError("There is nothing to back up: the database is empty.")
    applied = owner.execute("select package, number, checksum from migration order by package, number").fetchall()
    master_id, wrapped = manifest.wrap(master, key)
    return Manifest(
        format=FORMAT,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        installation=str(installed[0]),
        demonstration=installed[1],
        server=owner.info.server_version,
        master_id=master_id,
        wrapped_key=wrapped,
        migrations=tuple(Applied(*row) for row in applied),
        tables=tuple(tables),
        sequences=tuple(_sequences(owner)),
        objects=(),
        gone=(),
    )


def _sequences(owner: Connection) -> list[Sequence]:
    names = owner.execute(
        "select relname from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace order by relname"
    ).fetchall()
    found: list[Sequence] = []
    for (name,) in names:
        row: Any = owner.execute(SQL("select last_value, is_called from {}").format(Identifier(name))).fetchone()
        found.append(Sequence(name, row[0], row[1]))
    return found


def _save_objects(
    draft: Path, store: ObjectStore, places: list[str], progress: Progress
) -> tuple[list[str], list[str]]:
    saved: list[str] = []
    missing: list[str] = []
    for place in places:
        progress(place)
        target = draft / "objects" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(target, (bytes(piece) for piece in obstore.get(store, place).stream(min_chunk_size=1 << 20)))
            saved.append(place)
        except FileNotFoundError:
            missing.append(place)
    return saved, missing


def _check_gone(owner_dsn: str, missing: list[str]) -> tuple[str, ...]:
    """Of the objects that were not there, all must have been purged since the snapshot."""
    if not missing:
        return ()
    with psycopg.connect(owner_dsn) as owner:
        kept = [place for (place,) in owner.execute("select place from blob where place = any(%s)", (missing,))]
    if kept:
        raise BackupError(f"{len(kept)} documents are missing from the object store, {kept[0]} for one.")
    return tuple(missing)


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
