"""What a backup says of itself.

A backup is a folder: `manifest.json`, its seal, one sealed file a table, the sealed keys of the installation except the
master key, and the large documents, which are sealed already. A key made for this backup seals everything; the manifest
holds it, wrapped by the master key. Without the master key file a backup says how many rows it has and nothing else.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from ambroise.kernel.crypto import MasterKeys
from ambroise.kernel.crypto.envelope import Altered, seal, unseal

FORMAT = 1
NAME = "manifest.json"

_SEAL = "manifest.seal"
_KEY_CONTEXT = b"ambroise backup"


class BackupError(Exception):
    """The backup cannot be made or restored; the message says why."""


class Table(msgspec.Struct, frozen=True):
    name: str
    columns: tuple[str, ...]
    rows: int

    @property
    def file(self) -> str:
        return f"tables/{self.name}.sealed"


class Sequence(msgspec.Struct, frozen=True):
    name: str
    value: int
    called: bool


class Applied(msgspec.Struct, frozen=True):
    """A migration that the database had."""

    package: str
    number: int
    checksum: str


class Manifest(msgspec.Struct, frozen=True):
    format: int
    created: str
    installation: str
    demonstration: bool
    server: int
    master_id: str
    wrapped_key: bytes
    migrations: tuple[Applied, ...]
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    objects: tuple[str, ...]
    gone: tuple[str, ...]
    """Places of documents purged while the backup ran: their rows are dropped when it is restored."""

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    def key(self, master: MasterKeys) -> bytes:
        return master.unwrap(self.master_id, self.wrapped_key, _KEY_CONTEXT)


def wrap(master: MasterKeys, key: bytes) -> tuple[str, bytes]:
    return master.wrap(key, _KEY_CONTEXT)


def write(folder: Path, manifest: Manifest, key: bytes) -> None:
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (folder / NAME).write_bytes(text)
    (folder / _SEAL).write_bytes(seal(key, b"manifest", hashlib.sha256(text).digest()))


def read(folder: Path, master: MasterKeys) -> tuple[Manifest, bytes]:
    """The manifest and the key of a backup, once it is certain that nobody changed it."""
    try:
        text = (folder / NAME).read_bytes()
        manifest = msgspec.json.decode(text, type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise BackupError(f"{folder} is not a backup: {NAME} is missing or cannot be read.") from error
    if manifest.format != FORMAT:
        raise BackupError(f"This backup has format {manifest.format}; this version reads format {FORMAT}.")
    key = manifest.key(master)
    try:
        sealed = unseal(key, b"manifest", (folder / _SEAL).read_bytes())
    except (OSError, Altered) as error:
        raise BackupError(f"The seal of {folder / NAME} is missing or broken.") from error
    if sealed != hashlib.sha256(text).digest():
        raise BackupError(f"{folder / NAME} was changed after the backup.")
    return manifest, key


def context(name: str) -> bytes:
    """What a sealed file of a backup is bound to: its own name."""
    return name.encode()
