"""Notices that go by post: the letter of one person, and runs of letters for the printer."""

from __future__ import annotations

from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.paper import paper
from ambroise.interfaces.web.ui.security import content_headers
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.space.api import Printings


def letter_routes(site: Site, screen: Screen, lives: Lives) -> list[BaseRoute]:
    """The pages of the desk about letters on paper."""
    identity = site.identity
    printings = Printings(lives.database, lives.gateway, identity.sealer, identity.clock, site.demonstration)

    async def show(visit: Visit) -> Response:
        ctx = visit.context()
        async with lives.database.reader() as reader:
            waiting = await printings.waiting(reader, ctx)
            runs = await printings.latest(reader, ctx)
        return await visit.render(
            "desk/letters.html",
            waiting=waiting,
            runs=runs,
            running=any(run.finished_at is None for run, _ in runs),
            place="espaces",
        )

    async def ask(visit: Visit, sent: FormData) -> Response:
        try:
            await printings.ask(visit.context())
        except Refusal as refusal:
            if refusal.code != "NOTHING_TO_PRINT":
                raise
            return visit.go("/guichet/espaces/lettres", Toast("desk-no-letters"))
        return visit.go("/guichet/espaces/lettres", Toast("desk-letters"))

    async def sheet(visit: Visit) -> Response:
        number = visit.request.path_params["number"]
        async with lives.database.reader() as reader:
            content = await printings.sheet(reader, visit.context(), visit.id(), number)
        return _pdf(visit, content, f"lettres-{number}.pdf")

    async def back(visit: Visit) -> Response:
        return visit.go(with_query("/guichet/espaces", dossier=str(visit.id())))

    async def one(visit: Visit, sent: FormData) -> Response:
        patient: UUID = visit.id()
        try:
            notice = await printings.one(visit.context(), patient)
        except Refusal as refusal:
            if refusal.kind not in (Kind.CONFLICT, Kind.UNPROCESSABLE):
                raise
            return visit.go(with_query("/guichet/espaces", dossier=str(patient)), Toast("desk-no-letter"))
        place = str(visit.request.base_url).rstrip("/")
        return _pdf(visit, await paper(visit, "desk/notice_paper.html", notices=[notice], place=place), "lettre.pdf")

    return [
        screen.route("/guichet/espaces/lettres", show, ask),
        screen.route("/guichet/espaces/lettres/{id}/{number:int}.pdf", sheet),
        screen.route("/guichet/espaces/{id}/lettre", back, one),
    ]


def _pdf(visit: Visit, content: bytes, name: str) -> Response:
    headers = {
        **content_headers(secure=visit.request.url.scheme == "https"),
        "content-disposition": f'inline; filename="{name}"',
        "cache-control": "no-store",
    }
    return Response(content, headers=headers, media_type="application/pdf")
