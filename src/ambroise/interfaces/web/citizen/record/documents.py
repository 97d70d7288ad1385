"""The citizen's documents: listing, opening, hiding, adding, deleting, reporting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.parties import professional
from ambroise.interfaces.web.citizen.record.base import Base, citizen_of, space_of
from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.interfaces.web.files import fileable, sniffed
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.opening import opened_page
from ambroise.interfaces.web.records import Page, reported_as, row_of
from ambroise.interfaces.web.views import Content, DocumentFilter, DocumentList, DocumentPage, Shelf, Viewer
from ambroise.interfaces.xdm.writing import MOST
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.notification import api as notification
from ambroise.modules.record.api import Document, Incoming, Place, ReportKind, Submission, reports
from ambroise.trust.access import spaces
from ambroise.trust.access.grants import grants_of
from ambroise.trust.context import Context, Professional
from ambroise.trust.gateway import Stored


class Documents(Base):
    async def documents(self, ctx: Context, wanted: DocumentFilter) -> DocumentList:
        async with self._database.reader() as reader:
            told = await notification.notices(reader, ctx, count=100)
            folders = await self._folders.all(reader, ctx)
            if wanted.folder:
                wanted = replace(wanted, only=await self._folders.inside(reader, ctx, wanted.folder))
            pins = [] if _narrowed(wanted) else await self._folders.pinned(reader, ctx)
        page = await self._found(ctx, wanted)
        pinned = await self._records.named(ctx, space_of(ctx), pins)
        fresh = {(one.subject or "").rpartition("/")[2] for one in told}
        async with self._database.reader() as reader:
            places = await self._folders.places(reader, ctx, [one.id for one in page.documents])
        names = {one.id: one.name for one in folders}
        rows = [
            replace(row_of(one, ctx, new=one.id in fresh), folder=_folder_of(one.id, places, names))
            for one in page.documents
        ]
        inside = await self._records.inside(ctx, space_of(ctx), wanted)
        return DocumentList(
            rows,
            page.total,
            page.older,
            inside,
            [row_of(one, ctx) for one in pinned.values()],
            [Shelf(str(one.id), one.name, one.count if ctx.acting_for is None else None) for one in folders],
        )

    async def _found(self, ctx: Context, wanted: DocumentFilter) -> Page:
        if wanted.only is not None and not wanted.only and not wanted.cursor:
            return Page((), 0, None)
        return await self._records.page(ctx, space_of(ctx), wanted)

    async def document(self, ctx: Context, id: str) -> DocumentPage:
        opened = await self._records.open(ctx, id, f"/documents/{id}")
        page = await self._described(ctx, opened.document)
        async with self._database.reader() as reader:
            viewers = await self._viewers(reader, ctx, opened.stored)
        await self._seen(ctx, id)
        return replace(await opened_page(ctx, self._records, self._examined, page, opened), viewers=viewers)

    async def recent(self, ctx: Context, wanted: DocumentFilter) -> DocumentList:
        page = await self._records.page(ctx, space_of(ctx), wanted, count=MOST)
        return DocumentList([row_of(one, ctx) for one in page.documents], page.total, page.older)

    async def zipped(self, ctx: Context, ids: Sequence[str]) -> Content:
        return await self._records.zipped(ctx, space_of(ctx), ids)

    async def about(self, ctx: Context, id: str) -> DocumentPage:
        return await self._described(ctx, await self._records.described(ctx, id))

    async def content(self, ctx: Context, id: str) -> Content:
        return await self._records.content(ctx, id)

    async def joined(self, ctx: Context, id: str, name: str) -> Content:
        return await self._records.joined(ctx, id, name)

    async def set_masked(self, ctx: Context, id: str, masked: bool) -> None:
        async with self._database.transaction() as tx:
            await (self._record.mask(tx, ctx, id) if masked else self._record.unmask(tx, ctx, id))

    async def add(self, ctx: Context, new: NewDocument) -> str:
        content = await fileable(new.content)
        media_type = sniffed(content)
        submission = Submission(
            (Incoming(content, None, metadata(space_of(ctx), citizen_of(ctx).name, new, media_type)),)
        )
        async with self._database.transaction() as tx:
            filed = await self._record.submit(tx, ctx, submission)
        return str(filed.documents[0].document)

    async def delete(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._record.withdraw(tx, ctx, id)

    async def report_document(self, ctx: Context, id: str, words: str) -> None:
        async with self._database.transaction() as tx:
            document = await self._record.document(tx, ctx, id)
            if document.by_patient:
                raise Refusal(Kind.FORBIDDEN, "OWN_DOCUMENT", "Delete a document of one's own instead.")
            await reports.report(tx, ctx, document.patient, ReportKind.MISFILED_DOCUMENT, id, {"words": words})

    async def _seen(self, ctx: Context, id: str) -> None:
        """What was told of a document is read once the document is open."""
        async with self._database.transaction() as tx:
            for one in await notification.notices(tx, ctx, count=100):
                if (one.subject or "").rpartition("/")[2] == id:
                    await notification.mark_read(tx, ctx, one.id)

    async def _described(self, ctx: Context, document: Document) -> DocumentPage:
        """What the page says of a document besides its content."""
        async with self._database.reader() as reader:
            space = await spaces.space_of(reader, document.patient)
            grants = await grants_of(reader, document.patient)
            reported = await reported_as(reader, ctx, document)
            places = await self._folders.places(reader, ctx, [document.id])
        treating = (one for one in grants if one.state == "treating" and one.in_force(ctx.now()))
        return DocumentPage(
            row=row_of(document, ctx),
            media_type=document.media_type,
            size=document.size,
            filed=document.filed,
            comment=document.comment,
            version=document.version,
            can_delete=document.by_patient,
            pinned=document.id in places and places[document.id].pinned,
            emergency_opens_masked=bool(space and space.emergency_masked),
            treating=next((proper(one.party.name) for one in treating), None),
            reported=reported,
        )

    async def _viewers(self, reader: Reader, ctx: Context, stored: Stored) -> Sequence[Viewer]:
        """The people known to this record, and whether each may read this document now."""
        found: dict[str, Professional] = {}
        for grant in await grants_of(reader, space_of(ctx)):
            if grant.in_force(ctx.now()) and grant.party.kind == "professional" and grant.party.id not in found:
                actor = await professional(reader, grant.party)
                if actor is not None:
                    found[grant.party.id] = actor
        if not found:
            return ()
        told = await self._gateway.explain_read(reader, ctx, stored, list(found.values()))
        return [Viewer(proper(one.viewer.name), one.allowed, one.rule.value) for one in told]


def _narrowed(wanted: DocumentFilter) -> bool:
    """Whether only some documents are asked for: what is pinned stands on top of all of them alone."""
    return wanted != DocumentFilter()


def _folder_of(id: str, places: Mapping[str, Place], names: Mapping[UUID, str]) -> str:
    place = places.get(id)
    return names.get(place.folder, "") if place and place.folder else ""
