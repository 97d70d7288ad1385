"""The desk's queue of identity checks for the e-carte Vitale: somebody looks, and says what was seen."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.ui.errors import explain
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.interfaces.web.vitale.card import DOCUMENTS, REASONS
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.vitale.api import CheckReason, Vitale


def desk_card_routes(screen: Screen, vitale: Vitale) -> list[BaseRoute]:
    cards = vitale.cards

    async def show(visit: Visit) -> Response:
        return await page(visit, [])

    async def page(visit: Visit, problems: list[tuple[Any, str]], status: int = 200) -> Response:
        return await visit.render(
            "vitale/desk.html",
            status,
            queue=await cards.queue(visit.context()),
            reasons={name: gettext(words) for name, words in REASONS.items()},
            documents={code: gettext(words) for code, words in DOCUMENTS.items()},
            problems=problems,
            place="cartes",
        )

    async def answer(visit: Visit, sent: FormData) -> Response:
        ctx, gesture = visit.context(), str(sent.get("geste"))
        check = visit.id()
        try:
            if gesture == "accepter":
                seen = {"document_seen": "document" in sent, "person_seen": "personne" in sent}
                await cards.accept(ctx, check, **seen)
            elif gesture == "refuser" and str(sent.get("motif")) in CheckReason.__members__.values():
                await cards.refuse(ctx, check, CheckReason(str(sent.get("motif"))))
            else:
                raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Accept, or refuse with a reason.")
        except Refusal as refusal:
            if refusal.kind is Kind.FORBIDDEN:
                raise
            return await page(visit, [(None, explain(refusal).text)], 422)
        return visit.go("/guichet/cartes", Toast("desk-relation"))

    return [screen.route("/guichet/cartes", show), screen.route("/guichet/cartes/{id}", None, answer)]
