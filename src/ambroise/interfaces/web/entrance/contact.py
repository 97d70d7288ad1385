"""Changing the address at which one is reached, from the settings."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import PasswordField, RadioField, StringField

from ambroise.interfaces.web.entrance.enrolment import contact_channel
from ambroise.interfaces.web.entrance.protection import layout_of
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import AccountKind, Factors, Reaching

_PAGE = "/reglages/securite/contact"


class ContactForm(Form):
    canal = RadioField(
        lazy(N_("Ce que je change")),
        choices=[("mail", lazy(N_("Mon adresse mail"))), ("sms", lazy(N_("Mon mobile")))],
        default="mail",
    )
    adresse = StringField(
        lazy(N_("Nouvelle adresse ou nouveau numéro")),
        [Required(N_("Écrivez la nouvelle adresse ou le nouveau numéro"))],
        render_kw={"autocomplete": "off", "maxlength": "254"},
    )
    passe = PasswordField(
        lazy(N_("Mot de passe actuel")),
        [Required(N_("Écrivez votre mot de passe actuel"))],
        render_kw={"autocomplete": "current-password"},
    )


class ContactCodeForm(Form):
    code = StringField(
        lazy(N_("Code à 6 chiffres")),
        [Required(N_("Écrivez le code"))],
        description=lazy(N_("Il vient de partir vers la nouvelle adresse.")),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "7"},
    )


def contact_routes(site: Site) -> list[BaseRoute]:
    """The page that changes a proven address, in two steps."""
    reaching = Reaching(Factors(site.identity))

    async def show(visit: Visit) -> Response:
        return await _show(visit, ContactCodeForm() if visit.query.get("etape") == "code" else ContactForm())

    async def change(visit: Visit, form: FormData) -> Response:
        layout_of(visit)
        if "code" in form:
            return await prove(visit, form)
        filled = ContactForm.of(form)
        if filled.validate():
            channel = contact_channel(filled.canal.data)
            try:
                await reaching.send(visit.who, channel, filled.adresse.data, filled.passe.data, visit.origin)
            except Refusal as refusal:
                filled.refuse(refusal)
            else:
                return visit.go(f"{_PAGE}?etape=code", Toast("code-sent"))
        return await _show(visit, filled, 422)

    async def prove(visit: Visit, form: FormData) -> Response:
        filled = ContactCodeForm.of(form)
        if filled.validate():
            try:
                await reaching.prove(visit.who, filled.code.data, visit.origin)
            except Refusal as refusal:
                filled.refuse(refusal)
            else:
                return visit.go("/reglages/securite", Toast("contact-proven"))
        return await _show(visit, filled, 422)

    return [Screen(site, AccountKind.CITIZEN).route(_PAGE, show, change)]


async def _show(visit: Visit, form: Any, status: int = 200) -> Response:
    return await visit.render(
        "entrance/contact.html",
        status,
        layout=layout_of(visit),
        form=form,
        problems=form.problems,
        returned=await Reaching(Factors(visit.site.identity)).gives_back(visit.who),
        place="reglages",
    )
