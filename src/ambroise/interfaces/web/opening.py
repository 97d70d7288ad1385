"""The page of an open document: what it says, and what the record knows that bears on it."""

from __future__ import annotations

from msgspec.structs import replace

from ambroise.interfaces.web.examinations import Examined
from ambroise.interfaces.web.records import Opened, Records
from ambroise.interfaces.web.views import DocumentPage
from ambroise.trust.context import Context


async def opened_page(
    ctx: Context, records: Records, examined: Examined, page: DocumentPage, opened: Opened
) -> DocumentPage:
    """A page with its content, the same file filed elsewhere, the same image taken before, the results it states."""
    return replace(
        page,
        html=opened.html,
        frame=opened.frame,
        frame_at=opened.frame_at,
        joined=opened.joined,
        header=opened.header,
        same=await records.same(ctx, opened.document),
        imaged=await examined.imaged_before(ctx, opened.document),
        results=await records.results(ctx, opened.document),
    )
