"""Taking one's data away: asking for a copy, how far it is, taking it, deleting it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.security import content_headers
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.portability.api import Exports, State

_STATES: Mapping[State, tuple[str, str, str]] = {
    State.MAKING: ("due", "clock", N_("En préparation")),
    State.READY: ("done", "check", N_("Prête")),
    State.STOPPED: ("off", "ban", N_("Arrêtée : elle n’a pas pu être finie")),
    State.GONE: ("off", "trash-2", N_("Supprimée")),
}


def copy_routes(screen: Screen, exports: Exports) -> list[BaseRoute]:
    async def show(visit: Visit) -> Response:
        ctx = visit.context()
        async with exports.database.reader() as reader:
            copies = await exports.mine(reader, ctx, _space(visit))
        return await visit.render(
            "citizen/copies.html",
            copies=copies,
            making=any(one.state is State.MAKING for one in copies),
            states={state: (look, picture, gettext(words)) for state, (look, picture, words) in _STATES.items()},
            days=exports.kept.days,
            may=visit.who.relation in (None, "representative"),
            place="copies",
        )

    async def ask(visit: Visit, _: FormData) -> Response:
        async with exports.database.transaction() as tx:
            await exports.ask(tx, visit.context(), _space(visit), language=visit.language)
        return visit.go("/mes-donnees", Toast("copy-asked"))

    async def take(visit: Visit, _: FormData) -> Response:
        taken = await exports.take(visit.context(), _space(visit), visit.id())
        headers = {
            **content_headers(secure=visit.request.url.scheme == "https"),
            "content-disposition": f'attachment; filename="ambroise-{visit.now:%Y-%m-%d}.zip"',
            "content-length": str(taken.size),
            "cache-control": "no-store",
        }
        return StreamingResponse(taken.chunks, headers=headers, media_type="application/zip")

    async def drop(visit: Visit, _: FormData) -> Response:
        await exports.drop(visit.context(), _space(visit), visit.id())
        return visit.go("/mes-donnees", Toast("copy-deleted"))

    async def back(visit: Visit) -> Response:
        return visit.go("/mes-donnees")

    return [
        screen.route("/mes-donnees", show, ask, proof=Act.EXPORT),
        screen.route("/mes-donnees/{id}/telecharger", back, take, proof=Act.EXPORT),
        screen.route("/mes-donnees/{id}/supprimer", back, drop),
    ]


def _space(visit: Visit) -> UUID:
    space = visit.context().space
    if space is None:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return space
