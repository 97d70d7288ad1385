"""Encrypted documents: small ones in the database, large ones in an object store.

Every blob is sealed with the data key of its citizen. A large one is written and synced before its row commits, so that
an acknowledged document is whole after any crash; what a rolled back transaction left behind is swept later. Memory
stays at a few chunks whatever the size, when the content comes as a file and leaves as a stream.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

import obstore
from msgspec import Struct
from obstore.store import ObjectStore

from ambroise.kernel.crypto import DataKey, DataKeys
from ambroise.kernel.crypto.envelope import CHUNK, Opener, seal, seal_stream, unseal
from ambroise.kernel.db import Answer, Reader, Transaction
from ambroise.kernel.digests import Digests
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.objects.packing import Form, pack, unpack
from ambroise.kernel.objects.stores import ORPHAN_AGE, make_durable, sweep_drafts

if TYPE_CHECKING:
    from obstore import ObjectMeta

INLINE_LIMIT = 1024 * 1024

_IN_THREAD = 256 * 1024
_PART = 5 * 1024 * 1024
_SWEEP_BATCH = 500
_PIECE = 8112
"""Bytes of a row of `blob_piece` that fills a page of PostgreSQL: 8,160 less the head of the row, key and length."""


# That the key is there, and was not destroyed, is known already; a content without a key would be lost, so that it is
# looked at once more: the column is never null.
_INSERT = """
    insert into blob (shard, id, patient, size, sha1, sha256, content_type, place, form, key_version)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, (
      select version from data_key where shard = %s and patient = %s and version = %s and wrapped is not null))
"""
# The numbers of the pieces as an array: of a series PostgreSQL supposes a thousand rows, and plans it anew each time.
_PIECES = """
    with content as (select %s::smallint as shard, %s::uuid as id, %s::bytea as data)
    insert into blob_piece (shard, id, number, data)
    select shard, id, n, substr(data, n * 8112 + 1, 8112) from content, unnest(%s::smallint[]) n
"""
_FORGET = """
    with gone as ({which} returning shard, id, place),
         pieces as (delete from blob_piece p using gone where p.shard = gone.shard and p.id = gone.id)
    select place from gone
"""


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
    form: Form
    data: bytes | None

    def open_whole(self, id: UUID) -> bytes:
        """The content of a small document. Raises Altered."""
        sealed = self.data or b""
        return unpack(self.form, unseal(self.key.key, _context(self.patient, id, self.form), sealed), self.info.size)


class _Sealed(Struct, frozen=True):
    """A content as it will be kept: sealed bytes for the database, or a place in the object store."""

    info: BlobInfo
    place: str | None = None
    form: Form = Form.PLAIN
    data: bytes = b""


class Blobs:
    """Keeps encrypted documents, by id. The id of a citizen's blob carries the shard of that citizen."""

    def __init__(self, keys: DataKeys, store: ObjectStore, *, inline_limit: int = INLINE_LIMIT) -> None:
        self._keys = keys
        self._store = store
        self._inline_limit = inline_limit

    def expect(self, tx: Transaction, patient: UUID | None) -> Answer | None:
        """Have what a `put` needs to know come with the next statement."""
        return self._keys.ask(tx, patient)

    async def put(
        self,
        tx: Transaction,
        patient: UUID | None,
        id: UUID,
        content: bytes | BinaryIO,
        content_type: str,
        *,
        digests: Digests | None = None,
        expected: Answer | None = None,
    ) -> BlobInfo:
        """Keep a document: it leaves with the next statement. A file is read from its present position to its end.

        `digests` are those of these very bytes, from who counted them already; `expected` is what `expect` gave.
        """
        _check_shard(patient, id)
        key = await self._keys.current(tx, patient, expected)
        sealed = await self._seal(key, id, content, content_type, digests)
        self._write(tx, patient, id, key, sealed)
        return sealed.info

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
        return b"".join([chunk async for chunk in self._chunks(row, id)])

    async def open_stream(self, tx: Reader, id: UUID) -> BlobStream:
        """The document chunk by chunk; the stream may be read after the transaction has ended."""
        row = await self._row(tx, id)
        return BlobStream(row.info, self._chunks(row, id))

    async def delete(self, tx: Transaction, id: UUID) -> None:
        """Forget one document; its object goes once the deletion is committed."""
        places = await tx.fetch_all(
            _FORGET.format(which="delete from blob where shard = %s and id = %s"), (shard_of(id), id)
        )
        self._remove_after_commit(tx, [place for (place,) in places if place is not None])

    async def purge(self, tx: Transaction, patient: UUID) -> int:
        """Delete every document of a citizen and destroy their keys; how many documents."""
        rows = await tx.fetch_all(
            _FORGET.format(which="delete from blob where shard = %s and patient = %s"), (shard_of(patient), patient)
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
            old = [meta["path"] for meta in batch if now - meta["last_modified"] > ORPHAN_AGE]
            known = {place for (place,) in await tx.fetch_all("select place from blob where place = any(%s)", (old,))}
            orphans = [place for place in old if place not in known]
            if orphans:
                await obstore.delete_async(self._store, orphans)
                removed += len(orphans)
        return removed + sweep_drafts(self._store, now)

    async def _seal(
        self,
        key: DataKey,
        id: UUID,
        content: bytes | BinaryIO,
        content_type: str,
        digests: Digests | None = None,
    ) -> _Sealed:
        patient = None if key.patient.int == 0 else key.patient
        if not isinstance(content, bytes) and _remaining(content) <= self._inline_limit:
            content = content.read()
        if isinstance(content, bytes) and len(content) <= self._inline_limit:
            if len(content) > _IN_THREAD:
                return await asyncio.to_thread(_seal_small, key, patient, id, content, content_type, digests)
            return _seal_small(key, patient, id, content, content_type, digests)
        running = _RunningDigests()
        place = f"{shard_of(id):04}/{id}.{new_id().hex[-12:]}"
        sealed = seal_stream(key.key, _context(patient, id), running.follow(_pieces(content)))
        await obstore.put_async(self._store, place, sealed, chunk_size=_PART, max_concurrency=2, use_multipart=True)
        await asyncio.to_thread(make_durable, self._store, place)
        return _Sealed(running.info(content_type), place)

    def _write(self, tx: Transaction, patient: UUID | None, id: UUID, key: DataKey, sealed: _Sealed) -> None:
        info, shard = sealed.info, shard_of(id)
        # fmt: off
        tx.enqueue(_INSERT, (
            shard, id, patient, info.size, info.sha1, info.sha256, info.content_type, sealed.place, int(sealed.form),
            shard_of(key.patient), key.patient, key.version,
        ))
        # fmt: on
        self._write_pieces(tx, id, sealed)

    def _write_pieces(self, tx: Transaction, id: UUID, sealed: _Sealed) -> None:
        if sealed.data:
            tx.enqueue(_PIECES, (shard_of(id), id, sealed.data, _numbers(-(-len(sealed.data) // _PIECE))))

    async def _row(self, tx: Reader, id: UUID) -> _Row:
        row = await tx.fetch_one(
            """
            select b.size, b.sha1, b.sha256, b.content_type, b.patient, b.place, b.form,
                   (select string_agg(p.data, ''::bytea order by p.number)
                    from blob_piece p where p.shard = b.shard and p.id = b.id),
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
        key = self._keys.unwrap(row[8], row[9], row[10], row[11])
        return _Row(BlobInfo(*row[:4]), row[4], key, row[5], Form(row[6]), row[7])

    async def _chunks(self, row: _Row, id: UUID) -> AsyncIterator[bytes]:
        if row.place is None:
            large = row.info.size > _IN_THREAD
            yield await asyncio.to_thread(row.open_whole, id) if large else row.open_whole(id)
            return
        opener = Opener(row.key.key, _context(row.patient, id))
        answer = await obstore.get_async(self._store, row.place)
        async for piece in answer.stream(min_chunk_size=CHUNK):
            for chunk in opener.feed(bytes(piece)):
                yield chunk
        yield opener.finish()

    async def _reseal(self, tx: Transaction, id: UUID, key: DataKey) -> None:
        row = await self._row(tx, id)
        # One citizen's document at a time, in a temporary file when it is large, so that memory stays small.
        content: bytes | BinaryIO = await self.get(tx, id) if row.place is None else await self._spool(row, id)
        sealed = await self._seal(key, id, content, row.info.content_type)
        tx.enqueue(
            "update blob set key_version = %s, place = %s, form = %s where shard = %s and id = %s",
            (key.version, sealed.place, int(sealed.form), shard_of(id), id),
        )
        tx.enqueue("delete from blob_piece where shard = %s and id = %s", (shard_of(id), id))
        self._write_pieces(tx, id, sealed)
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
    key: DataKey, patient: UUID | None, id: UUID, content: bytes, content_type: str, digests: Digests | None
) -> _Sealed:
    known = digests or Digests.of(content)
    form, packed = pack(content)
    return _Sealed(
        BlobInfo(known.size, known.sha1, known.sha256, content_type),
        form=form,
        data=seal(key.key, _context(patient, id, form), packed),
    )


@cache
def _numbers(count: int) -> str:
    """The numbers from 0, as PostgreSQL reads an array."""
    return "{" + ",".join(map(str, range(count))) + "}"


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


def _context(patient: UUID | None, id: UUID, form: Form = Form.PLAIN) -> bytes:
    """What a content is sealed for: a row moved elsewhere, or said to be of another form, does not open."""
    return (patient.bytes if patient else bytes(16)) + id.bytes + (bytes([form]) if form else b"")


def _check_shard(patient: UUID | None, id: UUID) -> None:
    if patient is not None and shard_of(id) != shard_of(patient):
        raise ValueError("the id of a citizen's blob must carry the citizen's shard: new_id(shard_of(patient))")


def _missing(id: UUID) -> Refusal:
    return Refusal(Kind.NOT_FOUND, "BLOB_UNKNOWN", f"There is no document content {id}.")
