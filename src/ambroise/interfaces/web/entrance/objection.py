"""Objecting to the opening of a space without an account, by the code of the notice."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.paper import paper
from ambroise.interfaces.web.ui.security import content_headers
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import identity_of
from ambroise.modules.space.api import Life, Notices, Step
from ambroise.trust.access.facts import SpaceState


def objection_routes(site: Site, lives: Lives) -> list[BaseRoute]:
    """The pages that the letters of a space lead to."""
    screen = Screen(site)
    notices = Notices(lives.database, lives.spaces, site.identity.clock, demonstration=site.demonstration)

    async def show(visit: Visit) -> Response:
        code = visit.query.get("code", "")
        life = await notices.life(code) if code else None
        return await visit.render(
            "entrance/objection.html", code=code, life=life, may=life is not None and life.may(Step.OBJECT)
        )

    async def decide(visit: Visit, form: FormData) -> Response:
        code = str(form.get("code") or "")
        if form.get("geste") != "opposer":
            return visit.go(with_query("/opposition", code=code))
        await notices.object(code)
        return visit.go(with_query("/opposition", code=code))

    async def proof(visit: Visit) -> Response:
        life = await notices.life(visit.query.get("code", ""))
        return await objection_proof(visit, lives, life)

    return [
        screen.route("/opposition", show, decide),
        screen.route("/opposition/preuve.pdf", proof),
    ]


async def objection_proof(visit: Visit, lives: Lives, life: Life) -> Response:
    """The proof of an objection, as a PDF."""
    if life.state is not SpaceState.OPPOSED or life.objected_at is None:
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "There is no objection to prove.")
    async with lives.database.reader() as reader:
        known = await identity_of(reader, life.patient)
    content = await paper(visit, "citizen/objection_paper.html", life=life, known=known, proper=proper, now=visit.now)
    headers = {
        **content_headers(secure=visit.request.url.scheme == "https"),
        "content-disposition": 'inline; filename="opposition.pdf"',
        "cache-control": "no-store",
    }
    return Response(content, headers=headers, media_type="application/pdf")
