"""Backups and key rotation of one installation."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from ambroise.interfaces.cli.toolbox import Rotated
from ambroise.kernel.backup import BackupError, Manifest, restore, save
from ambroise.kernel.backup.saving import Progress
from ambroise.kernel.crypto import DataKeys, MasterKeys, SigningKeys
from ambroise.kernel.crypto.files import write_secret
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs, open_store
from ambroise.kernel.postgres import locks
from ambroise.kernel.settings import Settings
from ambroise.main.place import database
from ambroise.modules.record.api import index_again as index_all
from ambroise.trust.audit.restored import begin_era

_BATCH = 200


def backup(settings: Settings, folder: Path, progress: Progress) -> Manifest:
    """Save the installation, beside the running instance or alone."""
    with database(settings) as addresses:
        url, options = settings.objects()
        master = MasterKeys.open(settings.master_key)
        return save(folder, addresses.owner, open_store(url, **options), master, _keys(settings), progress=progress)


def bring_back(settings: Settings, folder: Path, master_key: Path | None, progress: Progress) -> Manifest:
    """Restore a backup into this installation, which must be empty and not running."""
    if master_key is not None:
        if settings.master_key.exists():
            raise BackupError(f"{settings.master_key} exists already: this installation is not new.")
        write_secret(settings.master_key, master_key.read_bytes())
    if not settings.master_key.exists():
        raise BackupError("Give the master key of the saved installation with --master-key.")
    if settings.embedded and settings.data is not None:
        settings.data.mkdir(parents=True, exist_ok=True)
    alone = locks.instance(settings.data) if settings.embedded and settings.data is not None else nullcontext()
    with alone, database(settings, create=True) as addresses:
        url, options = settings.objects()
        master = MasterKeys.open(settings.master_key)
        described, keys = restore(folder, addresses.owner, open_store(url, **options), master, progress=progress)
        begin_era(addresses.owner)
        for name, content in keys.items():
            write_secret(_place(settings, name), content)
    return described


async def index_again(settings: Settings) -> int:
    """Put every document back among those whose words wait to be indexed; how many."""
    with database(settings) as addresses:
        opened = await Database.open(addresses.app, slots=2)
        try:
            return await index_all(opened)
        finally:
            await opened.close()


async def rotate(settings: Settings, *, documents: bool, signing: bool) -> Rotated:
    """New keys, beside the running instance or alone; what was wrapped or sealed again."""
    with database(settings) as addresses:
        opened = await Database.open(addresses.app, slots=2)
        try:
            return await _rotate(settings, opened, documents=documents, signing=signing)
        finally:
            await opened.close()


async def _rotate(settings: Settings, opened: Database, *, documents: bool, signing: bool) -> Rotated:
    keys = DataKeys(MasterKeys.open(settings.master_key))
    async with opened.transaction() as tx:
        master_id = await keys.rotate_master(tx)
    wrapped = 0
    while True:
        async with opened.transaction() as tx:
            batch = await keys.rewrap(tx)
        if batch == 0:
            break
        wrapped += batch
    citizens = sealed = 0
    if documents:
        url, options = settings.objects()
        blobs = Blobs(keys, open_store(url, **options))
        async with opened.reader() as reader:
            owners = await keys.owners(reader)
        for patient in owners:
            async with opened.transaction() as tx:
                sealed += await blobs.rotate(tx, patient)
            citizens += 1
    if signing:
        SigningKeys.add_to(settings.signing_keys)
    return Rotated(master_id, wrapped, citizens, sealed)


def _keys(settings: Settings) -> dict[str, bytes]:
    files = {f"signing/{path.name}": path for path in sorted(settings.signing_keys.glob("*.pem"))}
    files["application.key"] = settings.application_key
    return {name: path.read_bytes() for name, path in files.items() if path.is_file()}


def _place(settings: Settings, name: str) -> Path:
    folder, _, file = name.rpartition("/")
    return settings.signing_keys / Path(file).name if folder == "signing" else settings.application_key
