"""Encrypted documents: small ones in the database, large ones in an object store.

Every blob is sealed with the data key of its citizen. A large one is written and synced before its row commits, so that
an acknowledged document is whole after any crash; what a rolled back transaction left behind is swept later. Memory
stays at a few chunks whatever the size, when the content comes as a file and leaves as a stream.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import obstore
from msgspec import Struct
from obstore.store import LocalStore, ObjectStore

from ambroise.kernel.crypto import DataKey, DataKeys
from ambroise.kernel.crypto.envelope import CHUNK, Opener, seal, seal_stream, unseal
from ambroise.kernel.crypto.files import sync_folder
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.digests import Digests
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.log import logger

if TYPE_CHECKING:
    from obstore import ObjectMeta

_log = logger(__name__)

INLINE_LIMIT = 1024 * 1024

_IN_THREAD = 256 * 1024
_PART = 5 * 1024 * 1024
_ORPHAN_AGE = timedelta(hours=1)
_SWEEP_BATCH = 500
_KEY_ATTEMPTS = 3


class BlobInfo(Struct, frozen=True):
    """What is known of a document without opening it: size in bytes and digests of the clear text, content type."""

    size: int
    sha1: bytes
    sha256: bytes
    content_type: str


class BlobStream(Struct, frozen=True):
    info: BlobInfo
    chunks: AsyncIterator[bytes]


class _Row(Struct, frozen=True):
    info: BlobInfo
    patient: UUID | None
    key: DataKey
    place: str | None
    data: bytes | None


class Blobs:
    """Keeps encrypted documents, by id. The id of a citizen's blob carries the shard of that citizen."""

    def __init__(self, keys: DataKeys, store: ObjectStore, *, inline_limit: int = INLINE_LIMIT) -> None:
        self._keys = keys
        self._store = store
        self._inline_limit = inline_limit

    async def put(
        self,
        tx: Transaction,
        patient: UUID | None,
        id: UUID,
        content: bytes | BinaryIO,
        content_type: str,
        *,
        digests: Digests | None = None,
    ) -> BlobInfo:
        """Keep a document. A file is read from its present position to its end.

        `digests` are those of these very bytes, from who counted them already.
        """
        _check_shard(patient, id)
        start = 0 if isinstance(content, bytes) else content.tell()
        for _ in range(_KEY_ATTEMPTS):
            key = await self._keys.current(tx, patient)
            place, data, info = await self._write(key, id, content, content_type, digests)
            if await self._insert(tx, patient, id, info, key, place, data):
                return info
            # The key that we remembered was destroyed meanwhile, by a rotation or a purge.
            self._keys.forget_cached(patient)
            if not isinstance(content, bytes):
                content.seek(start)
        raise Refusal(Kind.UNAVAILABLE, "KEY_CHANGED", "The key of this space keeps changing; send it again later.")

    async def info(self, tx: Reader, id: UUID) -> BlobInfo:
        row = await tx.fetch_one(
            "select size, sha1, sha256, content_type from blob where shard = %s and id = %s", (shard_of(id), id)
        )
        if row is None:
            raise _missing(id)
        return BlobInfo(*row)

    async def get(self, tx: Reader, id: UUID) -> bytes:
        """The whole document, in memory; for large ones prefer `open_stream`."""
        row = await self._row(tx, id)
        context = _context(row.patient, id)
        if row.data is None:
            return b"".join([chunk async for chunk in self._chunks(row, id)])
        if len(row.data) > _IN_THREAD:
            return await asyncio.to_thread(unseal, row.key.key, context, row.data)
        return unseal(row.key.key, context, row.data)

    async def open_stream(self, tx: Reader, id: UUID) -> BlobStream:
        """The document chunk by chunk; the stream may be read after the transaction has ended."""
        row = await self._row(tx, id)
        return BlobStream(row.info, self._chunks(row, id))

    async def delete(self, tx: Transaction, id: UUID) -> None:
        """Forget one document; its object goes once the deletion is committed."""
        places = await tx.fetch_all("delete from blob where shard = %s and id = %s returning place", (shard_of(id), id))
        self._remove_after_commit(tx, [place for (place,) in places if place is not None])

    async def purge(self, tx: Transaction, patient: UUID) -> int:
        """Delete every document of a citizen and destroy their keys; how many documents."""
        rows = await tx.fetch_all(
            "delete from blob where shard = %s and patient = %s returning place", (shard_of(patient), patient)
        )
        await self._keys.destroy(tx, patient)
        self._remove_after_commit(tx, [place for (place,) in rows if place is not None])
        return len(rows)

    async def rotate(self, tx: Transaction, patient: UUID) -> int:
        """Give a citizen a new data key, seal every document again with it and destroy the former keys; how many."""
        await self._keys.hold(tx, patient)
        key = await self._keys.renew(tx, patient)
        rows = await tx.fetch_all(
            "select id from blob where shard = %s and patient = %s and key_version < %s order by id for update",
            (shard_of(patient), patient, key.version),
        )
        for (id,) in rows:
            await self._reseal(tx, id, key)
        await self._keys.destroy(tx, patient, below_version=key.version)
        return len(rows)

    async def sweep(self, tx: Transaction, now: datetime) -> int:
        """Remove the objects that no row names, left by transactions that rolled back; how many."""
        removed = 0
        listing: Iterator[Sequence[ObjectMeta]] = obstore.list(self._store, chunk_size=_SWEEP_BATCH)  # pyright: ignore[reportUnknownMemberType]
        for batch in listing:
            old = [meta["path"] for meta in batch if now - meta["last_modified"] > _ORPHAN_AGE]
            known = {place for (place,) in await tx.fetch_all("select place from blob where place = any(%s)", (old,))}
            orphans = [place for place in old if place not in known]
            if orphans:
                await obstore.delete_async(self._store, orphans)
                removed += len(orphans)
        return removed + _sweep_drafts(self._store, now)

    async def _write(
        self,
        key: DataKey,
        id: UUID,
        content: bytes | BinaryIO,
        content_type: str,
        digests: Digests | None = None,
    ) -> tuple[str | None, bytes | None, BlobInfo]:
        context = _context(None if key.patient.int == 0 else key.patient, id)
        if isinstance(content, bytes) and len(content) <= self._inline_limit:
            if len(content) > _IN_THREAD:
                return None, *await asyncio.to_thread(_seal_small, key, context, content, content_type, digests)
            return None, *_seal_small(key, context, content, content_type, digests)
        if not isinstance(content, bytes) and _remaining(content) <= self._inline_limit:
            return await self._write(key, id, content.read(), content_type)
        running = _RunningDigests()
        place = f"{shard_of(id):04}/{id}.{new_id().hex[-12:]}"
        sealed = seal_stream(key.key, context, running.follow(_pieces(content)))
        await obstore.put_async(self._store, place, sealed, chunk_size=_PART, max_concurrency=2, use_multipart=True)
        await asyncio.to_thread(make_durable, self._store, place)
        return place, None, running.info(content_type)

    async def _insert(
        self,
        tx: Transaction,
        patient: UUID | None,
        id: UUID,
        info: BlobInfo,
        key: DataKey,
        place: str | None,
        data: bytes | None,
    ) -> bool:
        """Write the row, unless the key it was sealed with has been destroyed meanwhile."""
        inserted = await tx.execute(
            """
            insert into blob (shard, id, patient, size, sha1, sha256, content_type, key_version, place, data)
            select %s, %s, %s, %s, %s, %s, %s, version, %s, %s
            from data_key
            where shard = %s and patient = %s and version = %s and wrapped is not null
            for share
            """,
            (
                shard_of(id),
                id,
                patient,
                info.size,
                info.sha1,
                info.sha256,
                info.content_type,
                place,
                data,
                shard_of(key.patient),
                key.patient,
                key.version,
            ),
        )
        return inserted == 1

    async def _row(self, tx: Reader, id: UUID) -> _Row:
        row = await tx.fetch_one(
            """
            select b.size, b.sha1, b.sha256, b.content_type, b.patient, b.place, b.data,
                   k.patient, k.version, k.master_id, k.wrapped
            from blob b
            left join data_key k
              on k.shard = case when b.patient is null then 0 else b.shard end
              and k.patient = coalesce(b.patient, '00000000-0000-0000-0000-000000000000')
              and k.version = b.key_version
            where b.shard = %s and b.id = %s
            """,
            (shard_of(id), id),
        )
        if row is None:
            raise _missing(id)
        key = self._keys.unwrap(row[7], row[8], row[9], row[10])
        return _Row(BlobInfo(*row[:4]), row[4], key, row[5], row[6])

    async def _chunks(self, row: _Row, id: UUID) -> AsyncIterator[bytes]:
        opener = Opener(row.key.key, _context(row.patient, id))
        if row.data is not None:
            for start in range(0, len(row.data), CHUNK):
                for chunk in opener.feed(row.data[start : start + CHUNK]):
                    yield chunk
        else:
            answer = await obstore.get_async(self._store, row.place or "")
            async for piece in answer.stream(min_chunk_size=CHUNK):
                for chunk in opener.feed(bytes(piece)):
                    yield chunk
        yield opener.finish()

    async def _reseal(self, tx: Transaction, id: UUID, key: DataKey) -> None:
        row = await self._row(tx, id)
        # One citizen's document at a time, in a temporary file when it is large, so that memory stays small.
        content: bytes | BinaryIO = await self.get(tx, id) if row.data is not None else await self._spool(row, id)
        place, data, _ = await self._write(key, id, content, row.info.content_type)
        await tx.execute(
            "update blob set key_version = %s, place = %s, data = %s where shard = %s and id = %s",
            (key.version, place, data, shard_of(id), id),
        )
        if row.place is not None:
            self._remove_after_commit(tx, [row.place])

    async def _spool(self, row: _Row, id: UUID) -> BinaryIO:
        # Clear text never touches the disk: an anonymous file in memory, gone with its last reference.
        descriptor = os.memfd_create("reseal")
        spool = os.fdopen(descriptor, "w+b")
        async for chunk in self._chunks(row, id):
            spool.write(chunk)
        spool.seek(0)
        return spool

    def _remove_after_commit(self, tx: Transaction, places: list[str]) -> None:
        if not places:
            return

        async def remove() -> None:
            await obstore.delete_async(self._store, places)

        tx.after_commit(remove)


class _RunningDigests:
    """Size and digests of what flows by."""

    def __init__(self) -> None:
        self._size = 0
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def follow(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._size += len(piece)
            self._sha1.update(piece)
            self._sha256.update(piece)
            yield piece

    def info(self, content_type: str) -> BlobInfo:
        return BlobInfo(self._size, self._sha1.digest(), self._sha256.digest(), content_type)


def _seal_small(
    key: DataKey, context: bytes, content: bytes, content_type: str, digests: Digests | None
) -> tuple[bytes, BlobInfo]:
    known = digests or Digests.of(content)
    info = BlobInfo(known.size, known.sha1, known.sha256, content_type)
    return seal(key.key, context, content), info


def _pieces(content: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(content, bytes):
        for start in range(0, len(content), CHUNK):
            yield content[start : start + CHUNK]
    else:
        while piece := content.read(CHUNK):
            yield piece


def _remaining(content: BinaryIO) -> int:
    here = content.tell()
    end = content.seek(0, os.SEEK_END)
    content.seek(here)
    return end - here


def _context(patient: UUID | None, id: UUID) -> bytes:
    return (patient.bytes if patient else bytes(16)) + id.bytes


def _check_shard(patient: UUID | None, id: UUID) -> None:
    if patient is not None and shard_of(id) != shard_of(patient):
        raise ValueError("the id of a citizen's blob must carry the citizen's shard: new_id(shard_of(patient))")


def _missing(id: UUID) -> Refusal:
    return Refusal(Kind.NOT_FOUND, "BLOB_UNKNOWN", f"There is no document content {id}.")


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


def _sweep_drafts(store: ObjectStore, now: datetime) -> int:
    """Remove the half-written files of a crash, which a listing does not show."""
    if not isinstance(store, LocalStore) or store.prefix is None:
        return 0
    removed = 0
    for draft in Path(store.prefix).glob("*/*#*"):
        if now.timestamp() - draft.stat().st_mtime > _ORPHAN_AGE.total_seconds():
            draft.unlink(missing_ok=True)
            removed += 1
    return removed


def open_store(url: str, **options: Any) -> ObjectStore:
    """An object store by address: `file:///…` (made when absent) or `s3://bucket/prefix`."""
    if url.startswith("file://"):
        folder = Path(url.removeprefix("file://"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(prefix=folder)
    return obstore.store.from_url(url, **options)
