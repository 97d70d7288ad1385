"""The desk hands a professional, whose identity it checked, the code of a first passkey."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, StringField
from wtforms.validators import ValidationError

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, Invitations, Passkeys, require_identity_duty


class GiveForm(Form):
    identifiant = StringField(
        lazy(N_("Numéro RPPS du professionnel")),
        [Required(N_("Écrivez le numéro RPPS"))],
        render_kw={"autocomplete": "off", "inputmode": "numeric"},
    )
    vu = BooleanField(lazy(N_("La personne est devant moi, et j’ai vu sa pièce d’identité")))

    def validate_vu(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(gettext("Cochez que vous avez vu la personne"))


def first_passkey_desk_routes(site: Site, passkeys: Passkeys) -> list[BaseRoute]:
    """The page of operators who check identities."""
    screen, invitations = Screen(site, AccountKind.OPERATOR), Invitations(passkeys)

    async def ask(visit: Visit) -> Response:
        require_identity_duty(visit.context())
        return await _page(visit, GiveForm())

    async def _page(visit: Visit, form: Any, status: int = 200, **given: str) -> Response:
        return await visit.render(
            "desk/first_passkey.html", status, form=form, problems=form.problems, given=given, place="acces"
        )

    async def give(visit: Visit, sent: FormData) -> Response:
        require_identity_duty(visit.context())
        form = GiveForm.of(sent)
        if not form.validate():
            return await _page(visit, form, 422)
        try:
            account, code = await invitations.give(visit.context(), str(form.identifiant.data))
        except Refusal as refusal:
            if refusal.kind is not Kind.NOT_FOUND:
                raise
            form.refuse(refusal, "identifiant")
            return await _page(visit, form, 422)
        return await _page(visit, GiveForm(), code=code, name=account.display_name)

    return [screen.route("/guichet/acces/premiere-cle", ask, give, proof=Act.IDENTITIES)]
