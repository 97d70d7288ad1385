"""The bytes of documents: encrypted at rest, given out under the rules of the resource they belong to."""

from __future__ import annotations

from typing import BinaryIO
from uuid import UUID

from ambroise.fhir.store import reading as store
from ambroise.fhir.store.types import Label, Stored
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.objects import BlobInfo, Blobs, BlobStream
from ambroise.trust.access.decide import Action, Target, unknown
from ambroise.trust.access.scope import scope
from ambroise.trust.audit.entry import Event
from ambroise.trust.context import Context
from ambroise.trust.gateway.reads import gone
from ambroise.trust.gateway.writes import Writes


class Contents(Writes):
    """The part of the gateway that keeps contents."""

    async def put_content(
        self,
        tx: Transaction,
        ctx: Context,
        label: Label,
        key: UUID,
        content: bytes | BinaryIO,
        media_type: str,
    ) -> BlobInfo:
        """Keep the bytes of the Binary that will be filed under this key and label; filing it is what gets traced."""
        await self.decide(tx, ctx, Action.CREATE, Target("Binary", label))
        return await self._kept.put(tx, label.patient, key, content, media_type)

    async def replace_content(
        self, tx: Transaction, ctx: Context, current: Stored, content: bytes | BinaryIO, media_type: str
    ) -> BlobInfo:
        """Put other bytes behind a resource that `open` returned for an update; the rewrite is what gets traced."""
        await self.decide(tx, ctx, Action.UPDATE, Target(current.type, current.label))
        await self._kept.delete(tx, current.key)
        return await self._kept.put(tx, current.label.patient, current.key, content, media_type)

    async def content(self, reader: Reader, ctx: Context, type: str, id: str) -> tuple[BlobInfo, bytes]:
        """The bytes behind a resource, in memory; traced as a reading of the content."""
        stored = await self._readable(reader, ctx, type, id)
        return await self._kept.info(reader, stored.key), await self._kept.get(reader, stored.key)

    async def open_content(self, reader: Reader, ctx: Context, type: str, id: str) -> BlobStream:
        """The bytes behind a resource, chunk by chunk; traced before the first one leaves."""
        stored = await self._readable(reader, ctx, type, id)
        return await self._kept.open_stream(reader, stored.key)

    async def content_info(self, reader: Reader, ctx: Context, type: str, id: str) -> BlobInfo:
        """Size, digests and media type of the bytes, for who may read the resource."""
        return await self._kept.info(reader, (await self._readable(reader, ctx, type, id)).key)

    async def _readable(self, reader: Reader, ctx: Context, type: str, id: str) -> Stored:
        stored = await store.read(reader, scope(ctx, type=type), type, id)
        if stored is None:
            if await self._missed(reader, ctx, type, id) is None:
                stored = await store.read(reader, scope(ctx, type=type), type, id)
            if stored is None:
                raise unknown(type)
        if stored.deleted:
            raise gone(stored)
        await self._trace_read(reader, ctx, Event.CONTENT_READ, stored)
        return stored

    @property
    def _kept(self) -> Blobs:
        if self._blobs is None:
            raise RuntimeError("this gateway was built without a place for contents")
        return self._blobs
