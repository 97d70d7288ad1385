"""Where large contents lie: a folder, or a bucket that speaks S3."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.store import LocalStore, ObjectStore

from ambroise.kernel.crypto.files import sync_folder

ORPHAN_AGE = timedelta(hours=1)
"""What nothing names is left alone so long: the transaction that will name it may still be under way."""


def open_store(url: str, **options: Any) -> ObjectStore:
    """An object store by address: `file:///…` (made when absent) or `s3://bucket/prefix`."""
    if url.startswith("file://"):
        folder = Path(url.removeprefix("file://"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(prefix=folder)
    return obstore.store.from_url(url, **options)


def make_durable(store: ObjectStore, place: str) -> None:
    """Sync a local object and the names that lead to it; a remote store answers only once it is durable."""
    if not isinstance(store, LocalStore) or store.prefix is None:
        return
    file = Path(store.prefix) / place
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(file.parent)
    sync_folder(file.parent.parent)


def sweep_drafts(store: ObjectStore, now: datetime) -> int:
    """Remove the half-written files of a crash, which a listing does not show."""
    if not isinstance(store, LocalStore) or store.prefix is None:
        return 0
    removed = 0
    for draft in Path(store.prefix).glob("*/*#*"):
        if now.timestamp() - draft.stat().st_mtime > ORPHAN_AGE.total_seconds():
            draft.unlink(missing_ok=True)
            removed += 1
    return removed
