"""What goes into each piece of a copy: documents in their bytes, resources as NDJSON, the trace, choices, lists."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ambroise.fhir.json import decode, encode
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import identity_of
from ambroise.modules.portability.model import Export, Listed, Listing, Names, Place, Scribe, Stage, Summary
from ambroise.modules.portability.repositories import copies
from ambroise.modules.portability.zipping import Member, directory, packed
from ambroise.modules.record.api import Document, may_act, read_document
from ambroise.modules.space.api import lives
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.relations import relations_of
from ambroise.trust.access.restrictions import restrictions_of
from ambroise.trust.access.spaces import space_of
from ambroise.trust.audit.render import stored_event
from ambroise.trust.context import Context
from ambroise.trust.gateway import Flags, Gateway, Stored

FORMAT: Final = "ambroise-copy"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
_DOCUMENTS: Final = 64
_RESOURCES: Final = 500
_LINES: Final = 200
_ENOUGH: Final = 8 * 1024 * 1024
"""A piece ends once it has this many bytes: memory stays at one piece and one document."""

_EXTENSIONS: Final = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "text/plain": "txt",
    "text/rtf": "rtf",
    "application/rtf": "rtf",
}
_NOT_IN_NAMES: Final = re.compile(r"[\\/:*?\"<>|\x00-\x1f\x7f]+")


class Piece:
    """The files of one piece, packed as they come."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._packed = io.BytesIO()
        self.members: list[Member] = []
        self.documents: list[Listed] = []
        self.resources: dict[str, int] = {}
        self.pages: list[str] = []
        self.hidden: list[str] = []

    def add(self, path: str, content: bytes, about: str | None = None) -> str:
        """Add a file; its path."""
        at = self._export.size + self._packed.tell()
        member, data = packed(path, content, at, self._export.asked_at, about)
        self._packed.write(data)
        self.members.append(member)
        return path

    def append(self, data: bytes) -> None:
        """Add what is no file: the directory that ends a zip."""
        self._packed.write(data)

    @property
    def enough(self) -> bool:
        return self._packed.tell() >= _ENOUGH

    @property
    def content(self) -> bytes:
        return self._packed.getvalue()

    @property
    def listing(self) -> Listing:
        return Listing(
            tuple(self.members), tuple(self.documents), self.resources, tuple(self.pages), tuple(self.hidden)
        )


class Made(Struct, frozen=True):
    """One piece, where the next one starts (None when the zip is whole), and how many resources it holds."""

    piece: Piece
    following: Place | None
    done: int


class Maker(Struct, frozen=True):
    """Makes the pieces of copies."""

    gateway: Gateway
    scribe: Scribe
    clock: Clock
    address: str

    async def next(self, tx: Transaction, ctx: Context, export: Export) -> Made:
        """The piece that comes now."""
        match export.place.stage:
            case Stage.DOCUMENTS:
                return await self._documents(tx, ctx, export)
            case Stage.RESOURCES:
                return await self._resources(tx, ctx, export)
            case Stage.HISTORY:
                return await self._history(tx, ctx, export)
            case Stage.SETTINGS:
                return await self._settings(tx, export)
            case Stage.CLOSING:
                return await self._closing(tx, export)

    async def _documents(self, tx: Transaction, ctx: Context, export: Export) -> Made:
        place, piece = export.place, Piece(export)
        after = UUID(place.after) if place.after else None
        found, following = await self.gateway.copies.batch(
            tx, ctx, export.patient, "DocumentReference", after, _DOCUMENTS
        )
        taken: list[Stored] = []
        for stored in found:
            await self._document(tx, export, piece, stored, export.done + len(taken) + 1)
            taken.append(stored)
            if piece.enough and stored is not found[-1]:
                following = stored.key
                break
        _put_resources(piece, "DocumentReference", place.page + 1, taken)
        if following is not None:
            return Made(piece, replace(place, after=str(following), page=place.page + 1), len(taken))
        return Made(piece, Place(Stage.RESOURCES, place.types), len(taken))

    async def _document(self, tx: Transaction, export: Export, piece: Piece, stored: Stored, number: int) -> None:
        """Its bytes under a name that says what it is, and a page to read it where a browser does not show it."""
        document = read_document(decode(stored.body))
        date = document.date or document.act_start or document.filed
        name = f"{number:04} {date:%Y-%m-%d} {_named(document.title)}".strip()
        about = f"DocumentReference/{document.id}"
        file = readable = None
        content = await self._content(tx, stored, document)
        if content is not None:
            # Packing and rendering take processor time: others are served meanwhile.
            extension = await asyncio.to_thread(_extension, document.media_type, content)
            path = f"documents/{name}.{extension}"
            file = await asyncio.to_thread(piece.add, path, content, about)
            shown = await asyncio.to_thread(self.scribe.document, export.language, document, content, f"{number:04}")
            paths = [piece.add(f"documents/{path}", page) for path, page in shown]
            readable = paths[0] if paths else None
        piece.documents.append(
            Listed(
                document.id,
                document.title,
                document.type_label,
                document.type_code,
                ", ".join(author.name for author in document.authors if author.name),
                document.place,
                date,
                "archived" if document.archived else document.status,
                file,
                readable,
                document.size,
            )
        )

    async def _content(self, tx: Transaction, stored: Stored, document: Document) -> bytes | None:
        """The bytes of a document; None for one whose content is elsewhere."""
        if document.binary is None:
            return None
        try:
            return await self.gateway.copies.content(tx, stored)
        except Refusal as refusal:
            if refusal.code not in ("CONTENT_NOT_FOUND", "BLOB_UNKNOWN"):
                raise
            return None

    async def _resources(self, tx: Transaction, ctx: Context, export: Export) -> Made:
        """The resources of one type at a time, among those that the record holds."""
        place, piece = export.place, Piece(export)
        if not place.types:
            return Made(piece, Place(Stage.HISTORY), 0)
        type, after = place.types[0], UUID(place.after) if place.after else None
        found, following = await self.gateway.copies.batch(tx, ctx, export.patient, type, after, _RESOURCES)
        _put_resources(piece, type, place.page + 1, found)
        if following is not None:
            return Made(piece, replace(place, after=str(following), page=place.page + 1), len(found))
        return Made(piece, Place(Stage.RESOURCES, place.types[1:]), len(found))

    async def _history(self, tx: Transaction, ctx: Context, export: Export) -> Made:
        place, piece = export.place, Piece(export)
        lines, following = await self.gateway.copies.history(tx, ctx, export.patient, place.after, _LINES)
        keys = {
            line.resource.key
            for line in lines
            if line.resource is not None and line.resource.type == "DocumentReference" and line.resource.key is not None
        }
        named = await self.gateway.copies.named(tx, ctx, export.patient, sorted(keys))
        documents = {one.id: read_document(decode(one.body)) for one in named}
        page, me = place.page + 1, UUID(export.asker.id) if export.asker.kind == "citizen" else export.patient
        shown = self.scribe.history(export.language, me, lines, documents, page, following is not None)
        folder = Names.of(export.language).history
        piece.pages.append(piece.add(f"{folder}/page-{page:04}.html", shown))
        _put_lines(piece, f"{folder}/AuditEvent-{page:04}.ndjson", [stored_event(line).body for line in lines])
        if following is not None:
            return Made(piece, Place(Stage.HISTORY, after=following, page=page), 0)
        return Made(piece, Place(Stage.SETTINGS), 0)

    async def _settings(self, tx: Transaction, export: Export) -> Made:
        piece = Piece(export)
        facts = await _facts(tx, export.patient)
        name = Names.of(export.language).settings
        piece.add(f"{name}.json", json.dumps(facts, ensure_ascii=False, indent=2).encode())
        piece.add(f"{name}.html", self.scribe.settings(export.language, facts))
        return Made(piece, Place(Stage.CLOSING), 0)

    async def _closing(self, tx: Transaction, export: Export) -> Made:
        """The lists that need all the rest: the pages one reads first, the manifest, and the directory of the zip."""
        piece = Piece(export)
        members: list[Member] = []
        documents: list[Listed] = []
        resources: dict[str, int] = {}
        history: list[str] = []
        hidden: list[str] = []
        async for listing in self.listings(tx, export):
            members += listing.members
            documents += listing.documents
            history += listing.pages
            hidden += listing.hidden
            for type, count in listing.resources.items():
                resources[type] = resources.get(type, 0) + count
        person = await identity_of(tx, export.patient)
        documents.sort(key=lambda one: one.date, reverse=True)
        made_at = self.clock.now()
        summary = Summary(
            export,
            person.display_name if person else "",
            self.address,
            made_at,
            documents,
            dict(sorted(resources.items())),
            [one.path for one in members if one.path.startswith("fhir/")],
            history,
        )
        for path, content in self.scribe.index(summary):
            piece.add(path, content)
        members += piece.members
        piece.add(MANIFEST, _manifest(members, made_at, export.patient, self.address, hidden))
        members.append(piece.members[-1])
        end = export.size + len(piece.content)
        for line in directory(members, end, export.asked_at):
            piece.append(line)
        return Made(piece, None, 0)

    async def listings(self, tx: Transaction, export: Export) -> AsyncIterator[Listing]:
        """What each piece that is kept so far holds."""
        for _, listing in await copies.parts(tx, export.id):
            stream = await self.gateway.copies.piece(tx, listing)
            content = b"".join([chunk async for chunk in stream.chunks])
            yield msgspec.json.decode(content, type=Listing)


def _put_resources(piece: Piece, type: str, number: int, found: list[Stored]) -> None:
    if found:
        _put_lines(piece, f"fhir/{type}-{number:04}.ndjson", [one.body for one in found])
        piece.resources[type] = len(found)
        # A document says it itself, in its labels.
        piece.hidden += [
            f"{type}/{one.id}"
            for one in found
            if type != "DocumentReference" and one.label.source is None and one.label.flags & Flags.MASKED
        ]


def _put_lines(piece: Piece, path: str, bodies: list[bytes]) -> None:
    """A file of NDJSON: each resource as it is stored, on one line."""
    lines = (body if b"\n" not in body else encode(decode(body)) for body in bodies)
    piece.add(path, b"".join(line + b"\n" for line in lines))


async def _facts(tx: Transaction, patient: UUID) -> dict[str, Any]:
    """What was chosen about a space: its life, who may see what, who helps."""
    space, life = await space_of(tx, patient), await lives.life(tx, patient)
    told: dict[str, Any] = {
        "space": msgspec.to_builtins(space),
        "life": msgspec.to_builtins(life),
        "grants": msgspec.to_builtins(await grants_of(tx, patient)),
        "restrictions": msgspec.to_builtins(await restrictions_of(tx, patient)),
        "relations": msgspec.to_builtins(await relations_of(tx, patient)),
    }
    return told


def _manifest(members: list[Member], made_at: datetime, patient: UUID, origin: str, hidden: list[str]) -> bytes:
    """What the copy holds, each file with its digest, so that one can check that nothing was lost or changed.

    `hidden`: the facts that professionals did not see, so that they do not see them elsewhere either.
    """
    files: list[Mapping[str, Any]] = [
        {"path": one.path, "size": one.size, "sha256": one.sha256, **({"about": one.about} if one.about else {})}
        for one in members
    ]
    told = {
        "format": FORMAT,
        "version": VERSION,
        "made": made_at.isoformat(),
        "origin": origin,
        "patient": f"Patient/{patient}",
        "hidden": hidden,
        "files": files,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _extension(media_type: str, content: bytes) -> str:
    """That of a sort of files; XML that could act in a browser, kept from before it was refused, opens as a text."""
    if media_type in ("text/xml", "application/xml"):
        return "xml.txt" if may_act(content) else "xml"
    return _EXTENSIONS.get(media_type, "bin")


def _named(title: str) -> str:
    """A title as part of a file name, on any system."""
    return " ".join(_NOT_IN_NAMES.sub(" ", title).split()).strip(" .")[:80].strip(" .")
