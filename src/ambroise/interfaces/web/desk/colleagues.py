"""Two people of the desk bring back a colleague who lost every means of entering."""

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
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import AccountKind, Invitations, Passkeys, Vouching, require_identity_duty

_REFUSED = {
    "VOUCH_SELF": N_("Personne ne répond de soi-même : demandez à deux collègues."),
    "VOUCH_TWICE": N_("Vous avez déjà répondu de cette personne : un autre collègue doit la voir aussi."),
    "NO_SUCH_ACCOUNT": N_("Aucun opérateur n’a cet identifiant."),
}


class VouchForm(Form):
    identifiant = StringField(
        lazy(N_("Identifiant de votre collègue")),
        [Required(N_("Écrivez l’identifiant de votre collègue"))],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    vu = BooleanField(lazy(N_("La personne est devant moi, et c’est bien elle")))

    def validate_vu(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(gettext("Cochez que vous avez vu la personne"))


def colleague_routes(site: Site, passkeys: Passkeys) -> list[BaseRoute]:
    """The page of operators who check identities."""
    screen, vouching = Screen(site, AccountKind.OPERATOR), Vouching(Invitations(passkeys))

    async def ask(visit: Visit) -> Response:
        require_identity_duty(visit.context())
        return await _page(visit, VouchForm())

    async def _page(visit: Visit, form: Any, status: int = 200, **given: str) -> Response:
        return await visit.render(
            "desk/colleague.html", status, form=form, problems=form.problems, given=given, place="acces"
        )

    async def vouch(visit: Visit, sent: FormData) -> Response:
        require_identity_duty(visit.context())
        form = VouchForm.of(sent)
        if not form.validate():
            return await _page(visit, form, 422)
        try:
            account, code = await vouching.vouch(visit.context(), str(form.identifiant.data))
        except Refusal as refusal:
            if refusal.code not in _REFUSED:
                raise
            form.general.append(gettext(_REFUSED[refusal.code]))
            return await _page(visit, form, 422)
        return await _page(visit, VouchForm(), name=account.display_name, code=code or "")

    return [screen.route("/guichet/acces/collegue", ask, vouch, proof=Act.IDENTITIES)]
