"""Search inside documents: their words are indexed by a job after they were filed, and found within one record.

What is found passes the door like any search: the index proposes, the scope of the caller decides.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import hash64, new_id, shard_of
from ambroise.kernel.log import logger
from ambroise.modules.record import entry, extracting, repository
from ambroise.modules.record.content.words import folded, words_of
from ambroise.modules.record.model import Document
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import Gateway

_log = logger(__name__)

_BATCH = 50
_MOST_PROPOSED = 1000
_AROUND = 70
_MOST_ATTEMPTS = 3
_WORD = re.compile(r"[^\W_]+")


class Piece(Struct, frozen=True):
    """A part of an extract; `found` when it is one of the words that were sought."""

    text: str
    found: bool


class Hit(Struct, frozen=True):
    """A document whose text has every word that was sought, and the place where the first of them stand."""

    document: Document
    extract: tuple[Piece, ...]


class Texts:
    """Indexes the words of documents, and finds documents by them."""

    def __init__(self, database: Database, gateway: Gateway) -> None:
        self._database = database
        self._gateway = gateway

    async def work(self, clock: Clock, *, seconds: float, patient: UUID | None = None) -> int:
        """Index what waits, of one record or of all, for about so long; how many documents."""
        ctx = Context(System("record"), clock, channel="job")
        end, done = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            async with self._database.transaction() as tx:
                waiting = await repository.next_to_index(tx, patient)
                if waiting is None:
                    return done
                await self._try(tx, ctx, *waiting)
            done += 1
        return done

    async def search(self, ctx: Context, patient: UUID, words: str, *, count: int = 20) -> Sequence[Hit]:
        """The newest documents of a record whose text has all these words, among those that the caller sees."""
        # What was filed a moment ago is searched too, as far as a page can wait for it.
        await self.work(ctx.clock, seconds=0.8, patient=patient)
        found: list[Hit] = []
        async with self._database.reader() as reader:
            stems = await repository.stems_of(reader, folded(words))
            if not stems:
                return ()
            terms = [_term(patient, stem) for stem in stems]
            proposed = await repository.with_terms(reader, patient, terms, limit=_MOST_PROPOSED)
            for start in range(0, len(proposed), _BATCH):
                batch = proposed[start : start + _BATCH]
                for document in await self._seen(reader, ctx, patient, [one for one, _ in batch]):
                    text = await self._gateway.kept_text(reader, dict(batch)[UUID(document.id)])
                    found.append(Hit(document, _extract(text, stems)))
                    if len(found) == count:
                        return found
        return found

    async def _seen(self, reader: Reader, ctx: Context, patient: UUID, ids: Sequence[UUID]) -> Sequence[Document]:
        pairs = [
            ("patient", str(patient)),
            ("status", "current"),
            ("_id", ",".join(map(str, ids))),
            ("_sort", "-date"),
            ("_count", str(len(ids))),
        ]
        page = await self._gateway.search(reader, ctx, parse("DocumentReference", pairs))
        documents = (entry.read(decode(stored.body)) for stored, _ in page.entries)
        return [document for document in documents if not document.archived]

    async def _try(self, tx: Transaction, ctx: Context, patient: UUID, document: UUID, attempts: int) -> None:
        """Index a document; what cannot be read now is tried again later, and given up in the end."""
        try:
            content = await self._gateway.content_to_index(tx, ctx, document)
        except Refusal as refusal:
            if attempts + 1 < _MOST_ATTEMPTS and refusal.code not in ("NOT_FOUND", "CONTENT_NOT_FOUND", "DELETED"):
                await repository.wait_to_index(tx, patient, [document], attempts + 1)
            _log.warning("document_not_indexed", code=refusal.code)
            return
        await extracting.restate(tx, self._gateway, ctx, document, content)
        text = await asyncio.to_thread(words_of, content)
        stems = await repository.stems_of(tx, folded(text))
        terms = sorted({_term(patient, stem) for stem in stems})
        text_id = new_id(shard_of(patient))
        await self._gateway.keep_text(tx, patient, text_id, text)
        former = await repository.keep_terms(tx, patient, document, text_id, terms)
        if former is not None:
            await self._gateway.forget_text(tx, former)


async def forget(tx: Transaction, gateway: Gateway, patient: UUID, document: UUID) -> None:
    """Remove a document from the index, its text with it."""
    text_id = await repository.forget_terms(tx, patient, document)
    if text_id is not None:
        await gateway.forget_text(tx, text_id)


async def index_again(database: Database) -> int:
    """Have the worker index every document anew, and state again what a newer extraction reads in it; how many."""
    count, after = 0, None
    while True:
        async with database.transaction() as tx:
            some = await repository.documents_after(tx, after, limit=2000)
            if not some:
                return count
            await repository.wait_to_index_all(tx, some)
            count, after = count + len(some), some[-1][1]


def _term(patient: UUID, stem: str) -> int:
    """The hash of a stem in one record: the same word makes another number in another record."""
    return hash64(f"{patient}/{stem}")


def _extract(text: str, stems: Sequence[str]) -> tuple[Piece, ...]:
    """Some words around the first that was sought, those sought marked; empty when none stands as it was written."""
    spans = [match.span() for match in _WORD.finditer(text) if any(folded(match[0]).startswith(stem) for stem in stems)]
    if not spans:
        return ()
    begin = max(0, spans[0][0] - _AROUND)
    end = min(len(text), spans[0][1] + 2 * _AROUND)
    # Whole words at both ends.
    begin = text.find(" ", begin, spans[0][0]) + 1 if begin else 0
    end = max(text.rfind(" ", spans[0][1], end), spans[0][1]) if end < len(text) else end
    pieces: list[Piece] = [Piece("… ", False)] if begin else []
    here = begin
    for start, stop in spans:
        if stop > end:
            break
        pieces += (Piece(text[here:start], False), Piece(text[start:stop], True))
        here = stop
    pieces.append(Piece(text[here:end] + (" …" if end < len(text) else ""), False))
    return tuple(piece for piece in pieces if piece.text)
