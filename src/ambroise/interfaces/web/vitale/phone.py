"""Putting the card on a telephone: the page makes a key there, and registers its public half with the secret code."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.errors import explain
from ambroise.interfaces.web.ui.security import page_headers
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.interfaces.web.vitale.card import UnlockForm
from ambroise.kernel.errors import Refusal
from ambroise.modules.vitale.api import CardState, Vitale, limits


def phone_routes(screen: Screen, vitale: Vitale) -> list[BaseRoute]:
    async def ask(visit: Visit) -> Response:
        present = await vitale.cards.present(visit.context())
        if present.card is None or present.card.state is not CardState.ACTIVE:
            return visit.go("/vitale")
        return await visit.render(
            "vitale/phone.html", form=UnlockForm(), device=present.device, problems=[], place="vitale"
        )

    async def register(visit: Visit, sent: FormData) -> Response:
        try:
            key: object = orjson.loads(str(sent.get("cle") or ""))
        except ValueError:
            key = None
        name = str(sent.get("nom") or "")
        try:
            made = await vitale.cards.register_device(visit.context(), str(sent.get("code") or ""), key, name)
        except Refusal as refusal:
            why = explain(refusal)
            return _json(visit, {"code": refusal.code, "words": why.text}, why.status)
        card = made.card
        return _json(
            visit,
            {
                "device": made.device.id.hex,
                "seed": base64.urlsafe_b64encode(made.seed).decode(),
                "name": proper(made.name),
                "birth": made.birth_date.isoformat() if made.birth_date else None,
                "until": card.expires_at.date().isoformat() if card.expires_at else None,
                "now": int(made.now.timestamp() * 1000),
                "lasts": int(limits().token.total_seconds()),
                "tries": limits().tries,
            },
        )

    return [screen.route("/vitale/telephone", ask, register)]


def _json(visit: Visit, said: Mapping[str, Any], status: int = 200) -> Response:
    headers = {**page_headers(secure=visit.request.url.scheme == "https"), "cache-control": "no-store"}
    return Response(orjson.dumps(said), status, headers, "application/json")
