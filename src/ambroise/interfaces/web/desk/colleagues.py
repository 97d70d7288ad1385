"""Two people of the desk bring back a colleague who lost every means of entering."""

from __future__ import annotations

from starlette.routing import BaseRoute
from wtforms import BooleanField, StringField

from ambroise.interfaces.web.desk.face_to_face import FaceToFace, SeenForm
from ambroise.interfaces.web.ui.forms import Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.visit import Screen, Site
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import AccountKind, Invitations, Passkeys, Vouching

_REFUSED = {
    "VOUCH_SELF": N_("Personne ne répond de soi-même : demandez à deux collègues."),
    "VOUCH_TWICE": N_("Vous avez déjà répondu de cette personne : un autre collègue doit la voir aussi."),
    "NO_SUCH_ACCOUNT": N_("Aucun opérateur n’a cet identifiant."),
}


class VouchForm(SeenForm):
    identifiant = StringField(
        lazy(N_("Identifiant de votre collègue")),
        [Required(N_("Écrivez l’identifiant de votre collègue"))],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    vu = BooleanField(lazy(N_("La personne est devant moi, et c’est bien elle")))


def colleague_routes(site: Site, passkeys: Passkeys) -> list[BaseRoute]:
    """The page of operators who check identities."""
    vouching = Vouching(Invitations(passkeys))
    page = FaceToFace("/guichet/acces/collegue", "desk/colleague.html", VouchForm, vouching.vouch, _tell)
    return [page.route(Screen(site, AccountKind.OPERATOR))]


def _tell(form: SeenForm, refusal: Refusal) -> bool:
    said = _REFUSED.get(refusal.code)
    if said is not None:
        form.general.append(gettext(said))
    return said is not None
