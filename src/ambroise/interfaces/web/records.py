"""Reading documents through the door, for every portal: a page of them, one of them open, its results, its bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Literal
from uuid import UUID

from markupsafe import escape
from msgspec import Struct
from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.interfaces.web.files import IMAGES, XML, file_name, sniffed
from ambroise.interfaces.web.header import described, told
from ambroise.interfaces.web.meanings import escaped, meanings
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.results import code_of, is_measure, quantity_of, result
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.views import (
    Content,
    DocumentFilter,
    DocumentRow,
    Joined,
    Reported,
    Result,
    Told,
    VisibleTo,
    Within,
)
from ambroise.interfaces.xdm.writing import Exports
from ambroise.kernel.db import Database, Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import (
    Category,
    Document,
    ReportKind,
    Texts,
    Words,
    attachment,
    category_of,
    header_facts,
    read_cda,
    read_document,
    render,
    reports,
    same_files,
    types_of,
)
from ambroise.trust.context import Context, Purpose
from ambroise.trust.gateway import Gateway, Stored

Json = Mapping[str, Any]

# Sections of a document are not landmarks of our page: two of them may well have the same title.
_LANDMARK = re.compile(r'<section aria-labelledby="[^"]*"')

PER_PAGE = 20
_MOST_WORDS = 8
_PAST_RESULTS = 300
# What a page shows in its own words; a frame asks for the other sorts by itself.
_WITHIN_PAGE = frozenset({*XML, "text/plain"})
_FRAMES: Mapping[str, Literal["pdf", "image"]] = {"application/pdf": "pdf", **dict.fromkeys(IMAGES, "image")}


class Page(Struct, frozen=True):
    """Some documents, how many there are in all, and where the older ones start."""

    documents: Sequence[Document]
    total: int
    older: str | None


class Opened(Struct, frozen=True):
    """One document with what can be shown of it. `frame`: the address, under the document's, of what fills a frame."""

    document: Document
    stored: Stored
    html: str | None = None
    frame: Literal["pdf", "image"] | None = None
    frame_at: str = "fichier"
    joined: Sequence[Joined] = ()
    header: Sequence[Told] = ()


class Records:
    """Reads documents for pages. Everything passes the gateway with the context of the visit."""

    def __init__(self, database: Database, gateway: Gateway, exports: Exports) -> None:
        self.database = database
        self.gateway = gateway
        self._exports = exports
        self._texts = Texts(database, gateway)

    async def page(self, ctx: Context, patient: UUID, wanted: DocumentFilter, *, count: int = PER_PAGE) -> Page:
        """One page of the documents in force, the newest first."""
        async with self.database.reader() as reader:
            pairs = [("_cursor", wanted.cursor)] if wanted.cursor else self._pairs(patient, wanted, count)
            found = await self.gateway.search(reader, ctx, parse("DocumentReference", pairs))
        shown = [document for document in map(_document, found.entries) if not document.archived]
        return Page(shown, found.total or 0, found.next_cursor)

    async def inside(self, ctx: Context, patient: UUID, wanted: DocumentFilter) -> Sequence[Within]:
        """The documents whose text has the words asked for, but those that the list has by their title or author."""
        if not wanted.words or wanted.cursor:
            return ()
        hits = await self._texts.search(ctx, patient, wanted.words)
        if not hits:
            return ()
        among = replace(wanted, only=[hit.document.id for hit in hits])
        shown = {document.id for document in (await self.page(ctx, patient, among)).documents}
        return [
            Within(row_of(hit.document, ctx), [(piece.text, piece.found) for piece in hit.extract])
            for hit in hits
            if hit.document.id not in shown
        ]

    async def latest(self, ctx: Context, patient: UUID, count: int) -> Sequence[Document]:
        """The newest documents."""
        pairs = self._pairs(patient, DocumentFilter(), count)
        async with self.database.reader() as reader:
            found = await self.gateway.search(reader, ctx, parse("DocumentReference", pairs))
        return [_document(entry) for entry in found.entries]

    async def named(self, ctx: Context, patient: UUID, ids: Sequence[str]) -> Mapping[str, Document]:
        """Those of these documents that the caller may see, by id."""
        if not ids:
            return {}
        pairs = [("patient", str(patient)), ("_id", ",".join(ids)), ("_count", str(len(ids)))]
        async with self.database.reader() as reader:
            found = await self.gateway.search(reader, ctx, parse("DocumentReference", pairs))
        return {document.id: document for document in map(_document, found.entries)}

    async def open(self, ctx: Context, id: str, address: str) -> Opened:
        """One document, rendered; read once. `address` is where the page serves it."""
        async with self.database.reader() as reader:
            stored, content = await self.gateway.document(reader, ctx, id, with_content_of=_WITHIN_PAGE)
        document = read_document(decode(stored.body))
        if content is None:
            return Opened(document, stored, frame=_FRAMES.get(document.media_type), header=described(document))
        if document.media_type == "text/plain":
            return Opened(document, stored, html=_plain(content), header=described(document))
        return _rendered(document, stored, content, address)

    async def zipped(self, ctx: Context, patient: UUID, ids: Sequence[str]) -> Content:
        """These documents of one patient in an XDM zip."""
        content = await self._exports.of(ctx, ids, patient=patient)
        return Content(content, "application/zip", "IHE_XDM.ZIP")

    async def same(self, ctx: Context, document: Document) -> Sequence[DocumentRow]:
        """The other documents that are the very same file, among those that the caller sees."""
        async with self.database.reader() as reader:
            ids = await same_files(reader, document.patient, document.id)
        found = await self.named(ctx, document.patient, ids)
        return [row_of(one, ctx) for one in found.values() if one.status == "current"]

    async def described(self, ctx: Context, id: str) -> Document:
        """One document, without its content."""
        async with self.database.reader() as reader:
            return read_document(decode((await self.gateway.read(reader, ctx, "DocumentReference", id)).body))

    async def content(self, ctx: Context, id: str) -> Content:
        """The bytes of a document, as they were filed."""
        document, content = await self._content(ctx, id)
        return Content(content, document.media_type, file_name(document.title, document.media_type, content))

    async def joined(self, ctx: Context, id: str, name: str) -> Content:
        """A file that a CDA carries inside."""
        document, content = await self._content(ctx, id)
        clinical = read_cda(content)
        found = attachment(clinical, name)
        if found is None:
            raise Refusal(Kind.NOT_FOUND, "FILE_NOT_FOUND", "The document carries no such file.")
        # What is served comes from the bytes of the file, never from what the document declares of it.
        rendered = render(clinical, words=Words("", "", ""), file_url=lambda _: "")
        media_type = next(
            (item.content_type for item in rendered.files if item.identifier == name), sniffed(found.content)
        )
        return Content(found.content, media_type, file_name(document.title, media_type, found.content))

    async def results(self, ctx: Context, document: Document) -> Sequence[Result]:
        """The results that a document states, each with those of the same examination before it."""
        source = f"DocumentReference/{document.id}"
        async with self.database.reader() as reader:
            pairs = [("patient", str(document.patient)), ("_source", source), ("_count", "100")]
            found = await self.gateway.search(reader, ctx, parse("Observation", pairs))
            # A resource may claim to come from any document; its label, which nobody writes, says from which it does.
            entries = [one for one, _ in found.entries if str(one.label.source) == document.id]
            # The ids of the facts of a document grow as they stand in it.
            stated = [decode(one.body) for one in sorted(entries, key=lambda one: str(one.id))]
            codes = sorted({code for one in stated if (code := code_of(one)) and quantity_of(one) is not None})
            past: list[Json] = []
            if codes:
                pairs = [
                    ("patient", str(document.patient)),
                    ("code", ",".join(codes[:40])),
                    ("_sort", "-date"),
                    ("_count", str(_PAST_RESULTS)),
                ]
                found = await self.gateway.search(reader, ctx, parse("Observation", pairs))
                past = [decode(one.body) for one, _ in found.entries]
        return [result(one, past) for one in stated if "hasMember" not in one and is_measure(one)]

    async def _content(self, ctx: Context, id: str) -> tuple[Document, bytes]:
        async with self.database.reader() as reader:
            stored, content = await self.gateway.document_content(reader, ctx, id)
        return read_document(decode(stored.body)), content

    def _pairs(self, patient: UUID, wanted: DocumentFilter, count: int) -> list[tuple[str, str]]:
        pairs = [
            ("patient", str(patient)),
            ("status", "current"),
            ("_sort", "-date"),
            ("_count", str(count)),
            ("_total", "accurate"),
        ]
        if wanted.only is not None:
            pairs.append(("_id", ",".join(wanted.only)))
        if wanted.category:
            pairs.append(("type", ",".join(types_of(Category(wanted.category)))))
        if wanted.since:
            pairs.append(("date", f"ge{wanted.since.isoformat()}"))
        if wanted.until:
            pairs.append(("date", f"le{wanted.until.isoformat()}"))
        if wanted.after:
            pairs.append(("_lastUpdated", f"gt{wanted.after.astimezone(UTC).isoformat(timespec='milliseconds')}"))
        pairs += [("words:contains", ",".join(map(escaped, meanings(word)))) for word in _words(wanted.words)]
        pairs += [("author-name:contains", escaped(word)) for word in _words(wanted.author)]
        return pairs


async def reported_as(reader: Reader, ctx: Context, document: Document) -> Reported | None:
    """What became of the caller's last report that this document is somebody else's."""
    told = await reports.about(reader, ctx, document.patient, ReportKind.MISFILED_DOCUMENT, document.id)
    if not told:
        return None
    last = told[0]
    outcome = last.outcome.value if last.outcome else ""
    return Reported(last.reported_at, last.state.value, outcome, last.outcome_note or "", last.closed_at)


def row_of(document: Document, ctx: Context, *, new: bool = False) -> DocumentRow:
    """A document as a line of a list."""
    author = document.authors[0] if document.authors else None
    return DocumentRow(
        id=document.id,
        title=document.title,
        category=category_of(document.type_code).value,
        author=proper(author.name or author.organization or "") if author else "",
        place=document.place,
        date=document.date or document.act_start or document.filed,
        visible_to=_visible_to(document, ctx),
        new=new,
        mine=document.by_patient,
        type_label=document.type_label,
    )


def _visible_to(document: Document, ctx: Context) -> VisibleTo:
    if document.masked:
        return "masked_emergency" if ctx.purpose is not Purpose.NORMAL else "masked"
    return "withheld" if document.withheld else "carers"


def _document(entry: tuple[Any, Any]) -> Document:
    return read_document(decode(entry[0].body))


def _rendered(document: Document, stored: Stored, content: bytes, address: str) -> Opened:
    words = Words(gettext("Image du document"), gettext("Fichier joint"), gettext("Rien n’est écrit ici."))
    clinical = read_cda(content)
    header = told(header_facts(clinical))
    shown = render(clinical, words=words, file_url=lambda name: f"{address}/joint/{name}", level=3)
    files = [
        Joined(item.identifier, item.title or gettext("Fichier joint"), item.content_type, item.size)
        for item in shown.files
    ]
    body = next((item for item in shown.files if item.in_body), None)
    if body is not None and body.content_type == "application/pdf":
        return Opened(
            document, stored, frame="pdf", frame_at=f"joint/{body.identifier}", joined=files[1:], header=header
        )
    return Opened(document, stored, html=_LANDMARK.sub("<section", shown.html), joined=files, header=header)


def _plain(content: bytes) -> str:
    return f'<pre class="cda-text">{escape(content.decode("utf-8", "replace"))}</pre>'


def _words(text: str) -> list[str]:
    return text.split()[:_MOST_WORDS]
