"""Choosing documents to take away in an XDM zip, in both portals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.responses import Response

from ambroise.interfaces.web.ui.security import content_headers
from ambroise.interfaces.web.ui.visit import Visit
from ambroise.interfaces.web.views import Content

Page = Callable[[Visit, bool], Awaitable[Response]]
Zipped = Callable[[Visit, list[str]], Awaitable[Content]]


async def answer(visit: Visit, sent: FormData, page: Page, zipped: Zipped) -> Response:
    """The zip of what was ticked; without a tick, the page again."""
    ids = [one for one in sent.getlist("document") if isinstance(one, str) and one]
    if not ids:
        return await page(visit, True)
    found = await zipped(visit, [str(visit.id_of(one)) for one in ids])
    headers = {
        **content_headers(secure=visit.request.url.scheme == "https"),
        "content-disposition": f"attachment; filename*=UTF-8''{quote(found.file_name)}",
        "cache-control": "no-store",
    }
    return Response(found.content, headers=headers, media_type=found.media_type)
