"""The bytes of documents: encrypted at rest, given out under the rules of the resource they belong to."""

from __future__ import annotations

from collections.abc import Container
from typing import BinaryIO
from uuid import UUID

from ambroise.fhir.json import decode
from ambroise.fhir.store import reading as store
from ambroise.fhir.store.keys import as_key
from ambroise.fhir.store.types import Label, Stored
from ambroise.kernel.db import Answer, Reader, Transaction
from ambroise.kernel.digests import Digests
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.objects import BlobInfo, Blobs, BlobStream
from ambroise.trust.access.decide import Action, Target, inspection, unknown
from ambroise.trust.access.facts import Eyes, Viewer
from ambroise.trust.access.scope import scope
from ambroise.trust.audit.entry import Event
from ambroise.trust.context import Context
from ambroise.trust.gateway.reads import gone
from ambroise.trust.gateway.writes import Writes


class Contents(Writes):
    """The part of the gateway that keeps contents."""

    def expect_content(self, tx: Transaction, patient: UUID) -> Answer | None:
        """Have what a `put_content` needs to know come with the next statement; nothing is given nor written by it."""
        return self._kept.expect(tx, patient)

    async def put_content(
        self,
        tx: Transaction,
        ctx: Context,
        label: Label,
        key: UUID,
        content: bytes | BinaryIO,
        media_type: str,
        *,
        digests: Digests | None = None,
        expected: Answer | None = None,
    ) -> BlobInfo:
        """Keep the bytes of the Binary that will be filed under this key and label; filing it is what gets traced.

        `digests` are those of these very bytes, from who counted them already; `expected` is from `expect_content`.
        """
        await self.decide(tx, ctx, Action.CREATE, Target("Binary", label))
        return await self._kept.put(tx, label.patient, key, content, media_type, digests=digests, expected=expected)

    async def replace_content(
        self, tx: Transaction, ctx: Context, current: Stored, content: bytes | BinaryIO, media_type: str
    ) -> BlobInfo:
        """Put other bytes behind a resource that `open` returned for an update; the rewrite is what gets traced."""
        await self.decide(tx, ctx, Action.UPDATE, Target(current.type, current.label, current.key))
        await self._kept.delete(tx, current.key)
        return await self._kept.put(tx, current.label.patient, current.key, content, media_type)

    async def content(self, reader: Reader, ctx: Context, type: str, id: str) -> tuple[BlobInfo, bytes]:
        """The bytes behind a resource, in memory; traced as a reading of the content."""
        stored = await self._readable(reader, ctx, type, id)
        return await self._kept.info(reader, stored.key), await self._kept.get(reader, stored.key)

    async def resource_and_content(
        self, reader: Reader, ctx: Context, type: str, id: str
    ) -> tuple[Stored, bytes | None]:
        """A resource and the bytes behind it, None when it keeps none here; one reading of the content in the trace."""
        stored = await self._readable(reader, ctx, type, id)
        try:
            return stored, await self._kept.get(reader, stored.key)
        except Refusal as refusal:
            if refusal.code != "BLOB_UNKNOWN":
                raise
            return stored, None

    async def open_content(self, reader: Reader, ctx: Context, type: str, id: str) -> BlobStream:
        """The bytes behind a resource, chunk by chunk; traced before the first one leaves."""
        stored = await self._readable(reader, ctx, type, id)
        return await self._kept.open_stream(reader, stored.key)

    async def content_info(self, reader: Reader, ctx: Context, type: str, id: str) -> BlobInfo:
        """Size, digests and media type of the bytes, for who may read the resource."""
        return await self._kept.info(reader, (await self._readable(reader, ctx, type, id)).key)

    async def document(
        self, reader: Reader, ctx: Context, id: str, *, with_content_of: Container[str]
    ) -> tuple[Stored, bytes | None]:
        """A document, and its bytes when they are of one of these media types: one line of the trace in either case."""
        stored = await self._visible(reader, ctx, "DocumentReference", id)
        given = _media_type(stored) in with_content_of
        await self._trace_read(reader, ctx, Event.CONTENT_READ if given else Event.READ, stored)
        return stored, await self._held(reader, stored) if given else None

    async def document_content(self, reader: Reader, ctx: Context, id: str) -> tuple[Stored, bytes]:
        """The bytes that a document holds, with the document that names them; traced as a reading of its content."""
        stored = await self._readable(reader, ctx, "DocumentReference", id)
        return stored, await self._held(reader, stored)

    async def content_to_index(self, reader: Reader, ctx: Context, document: UUID) -> bytes:
        """The bytes of a document, for the instance's own job that indexes its words.

        Nobody sees them, so that no line is written: who finds the document by its words leaves theirs. Raises
        FORBIDDEN to anybody else, NOT_FOUND for a document that is not there any more.
        """
        eyes = Eyes.of(ctx)
        if eyes.viewer is not Viewer.SYSTEM or not eyes.trusted:
            raise Refusal(Kind.FORBIDDEN, "INDEXING_RESERVED", "Only the instance itself indexes documents.")
        found = await store.read(reader, scope(ctx, type="DocumentReference"), "DocumentReference", str(document))
        if found is None or found.deleted:
            raise unknown("DocumentReference")
        return await self._held(reader, found)

    async def keep_text(self, tx: Transaction, patient: UUID, id: UUID, text: str) -> None:
        """Keep the words of a document under its patient's key."""
        await self._kept.put(tx, patient, id, text.encode(), "text/plain")

    async def kept_text(self, reader: Reader, id: UUID) -> str:
        """The words of a document, for a page that found that document through a search of this door."""
        return (await self._kept.get(reader, id)).decode()

    async def forget_text(self, tx: Transaction, id: UUID) -> None:
        """Remove the words of a document."""
        await self._kept.delete(tx, id)

    async def _held(self, reader: Reader, document: Stored) -> bytes:
        """The bytes behind a document that was just judged: its own, since they follow its label, and no others."""
        key = as_key(_attachment(document).get("url", "").rpartition("Binary/")[2])
        binary = await store.peek(reader, inspection(), "Binary", str(key)) if key is not None else None
        if binary is None or binary.deleted or binary.label.source != document.key:
            raise Refusal(Kind.NOT_FOUND, "CONTENT_NOT_FOUND", "This document has no content here.")
        return await self._kept.get(reader, binary.key)

    async def _readable(self, reader: Reader, ctx: Context, type: str, id: str) -> Stored:
        stored = await self._visible(reader, ctx, type, id)
        await self._trace_read(reader, ctx, Event.CONTENT_READ, stored)
        return stored

    async def _visible(self, reader: Reader, ctx: Context, type: str, id: str) -> Stored:
        """The resource if its rules let the caller see it, not traced yet; the refusal it deserves otherwise."""
        stored = await store.read(reader, scope(ctx, type=type), type, id)
        if stored is None:
            if await self._missed(reader, ctx, type, id) is None:
                stored = await store.read(reader, scope(ctx, type=type), type, id)
            if stored is None:
                raise unknown(type)
        if stored.deleted:
            raise gone(stored)
        return stored

    @property
    def _kept(self) -> Blobs:
        if self._blobs is None:
            raise RuntimeError("this gateway was built without a place for contents")
        return self._blobs


def _attachment(document: Stored) -> dict[str, str]:
    return decode(document.body)["content"][0]["attachment"]


def _media_type(document: Stored) -> str:
    return _attachment(document).get("contentType", "")
