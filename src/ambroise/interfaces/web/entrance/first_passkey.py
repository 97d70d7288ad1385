"""A first passkey by a code that the desk, or the operator of the instance, handed over."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import StringField

from ambroise.interfaces.web.entrance.passkeys import NameForm, browser_of, reply_of
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Invitations, Passkeys

_PAGE = "/cle/premiere"


class InvitationForm(Form):
    identifiant = StringField(
        lazy(N_("Numéro RPPS ou identifiant")),
        [Required(N_("Écrivez votre numéro RPPS ou votre identifiant"))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    code = StringField(
        lazy(N_("Code remis par le guichet")),
        [Required(N_("Écrivez le code que l’on vous a remis"))],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "maxlength": "20", "spellcheck": "false"},
    )


def first_passkey_routes(site: Site, passkeys: Passkeys) -> list[BaseRoute]:
    """The page that takes the code, and the one that makes the passkey."""
    screen, invitations = Screen(site), Invitations(passkeys)

    async def ask(visit: Visit) -> Response:
        return await _ask(visit, InvitationForm())

    async def _ask(visit: Visit, form: Any, status: int = 200) -> Response:
        return await visit.render("entrance/first_passkey.html", status, form=form, problems=form.problems)

    async def redeem(visit: Visit, sent: FormData) -> Response:
        form = InvitationForm.of(sent)
        if not form.validate():
            return await _ask(visit, form, 422)
        try:
            ticket = await invitations.redeem(
                str(form.identifiant.data), str(form.code.data), browser_of(visit), visit.origin
            )
        except Refusal as refusal:
            form.refuse(refusal)
            return await _ask(visit, form, 422)
        return await _name(visit, NameForm(), ticket)

    async def _name(visit: Visit, form: Any, ticket: str, status: int = 200) -> Response:
        return await visit.render(
            "entrance/first_passkey_add.html", status, form=form, problems=form.problems, ticket=ticket
        )

    async def add(visit: Visit, sent: FormData) -> Response:
        form, ticket = NameForm.of(sent), str(sent.get("billet", ""))
        if form.validate():
            try:
                name = str(form.nom.data)
                await invitations.register(ticket, reply_of(visit, sent), name, visit.origin)
                return visit.go("/connexion", Toast("passkey-first"))
            except Refusal as refusal:
                if refusal.kind is Kind.GONE:
                    raise
                form.refuse(refusal)
        return await _name(visit, form, ticket, 422)

    return [screen.route(_PAGE, ask, redeem), screen.route(f"{_PAGE}/ajouter", change=add)]
