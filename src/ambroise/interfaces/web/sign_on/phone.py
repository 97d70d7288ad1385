"""The simulated e-CPS: a page that plays the phone of a demonstration professional."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.sign_on.forms import NumberForm
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, Provider

_SHOWN = 12


def phone_routes(site: Site, provider: Provider) -> list[BaseRoute]:
    """Choosing whose phone it is, what it shows, what its holder answers."""
    screen = Screen(site)

    async def choose(visit: Visit) -> Response:
        if not site.demonstration:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "Only a demonstration has this page.")
        words = visit.query.get("nom", "")
        async with site.identity.database.reader() as reader:
            people = await site.identity.demonstration_people(reader, AccountKind.PROFESSIONAL, words, _SHOWN)
        return await visit.render("sign_on/phones.html", people=people, words=words)

    async def show(visit: Visit) -> Response:
        return await _show(visit, NumberForm())

    async def _show(visit: Visit, form: Any, status: int = 200) -> Response:
        account, waiting = await provider.signing_on.on_the_phone(visit.parameter("id"))
        return await visit.render(
            "sign_on/phone.html", status, account=account, waiting=waiting, form=form, problems=form.problems
        )

    async def answer(visit: Visit, sent: FormData) -> Response:
        account, _ = await provider.signing_on.on_the_phone(visit.parameter("id"))
        try:
            id = UUID(str(sent.get("notification")))
        except ValueError:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such notification.") from None
        form = NumberForm.of(sent)
        try:
            if sent.get("geste") == "refuser":
                await provider.signing_on.deny(account, id)
                return visit.go(visit.request.url.path, Toast("approval-refused"))
            if form.validate():
                chosen = str(sent.get("situation", ""))
                situation = int(chosen) if chosen.isdecimal() and len(chosen) < 4 else None
                await provider.signing_on.approve(account, id, str(form.nombre.data), situation)
                return visit.go(visit.request.url.path, Toast("approval-given"))
        except Refusal as refusal:
            form.refuse(refusal)
        return await _show(visit, form, 422)

    return [screen.route("/ecps", choose), screen.route("/ecps/{id}", show, answer)]
