"""The desk hands a professional, whose identity it checked, the code of a first passkey."""

from __future__ import annotations

from starlette.routing import BaseRoute
from wtforms import BooleanField, StringField

from ambroise.interfaces.web.desk.face_to_face import FaceToFace, SeenForm
from ambroise.interfaces.web.ui.forms import Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.visit import Screen, Site
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, Invitations, Passkeys


class GiveForm(SeenForm):
    identifiant = StringField(
        lazy(N_("Numéro RPPS du professionnel")),
        [Required(N_("Écrivez le numéro RPPS"))],
        render_kw={"autocomplete": "off", "inputmode": "numeric"},
    )
    vu = BooleanField(lazy(N_("La personne est devant moi, et j’ai vu sa pièce d’identité")))


def first_passkey_desk_routes(site: Site, passkeys: Passkeys) -> list[BaseRoute]:
    """The page of operators who check identities."""
    give = Invitations(passkeys).give
    page = FaceToFace("/guichet/acces/premiere-cle", "desk/first_passkey.html", GiveForm, give, _tell)
    return [page.route(Screen(site, AccountKind.OPERATOR))]


def _tell(form: SeenForm, refusal: Refusal) -> bool:
    if refusal.kind is not Kind.NOT_FOUND:
        return False
    form.refuse(refusal, "identifiant")
    return True
