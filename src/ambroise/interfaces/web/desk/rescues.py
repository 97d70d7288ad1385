"""The desk's queue of holders who lost every way into their account."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, SelectField
from wtforms.validators import ValidationError

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, Rescues, proofs


class SeenForm(Form):
    piece = SelectField(lazy(N_("Pièce d’identité vue")), [Required(N_("Choisissez la pièce que vous avez vue"))])
    vu = BooleanField(
        lazy(N_("La personne est devant moi, et c’est bien elle")),
        [Required(N_("Cochez que vous avez vu la personne"))],
    )

    def validate_vu(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(gettext("Cochez que vous avez vu la personne"))


def rescue_routes(site: Site) -> list[BaseRoute]:
    """The pages of the queue, for operators who check identities."""
    screen, rescues = Screen(site, AccountKind.OPERATOR), Rescues(site.identity)

    async def queue(visit: Visit) -> Response:
        waiting = await rescues.waiting(visit.context())
        return await visit.render("desk/rescues.html", waiting=waiting, place="acces")

    async def one(visit: Visit) -> Response:
        return await _shown(visit, rescues, _form(SeenForm()))

    async def decide(visit: Visit, form: FormData) -> Response:
        if form.get("geste") == "ecarter":
            await rescues.refuse(visit.context(), visit.id())
            return visit.go("/guichet/acces", Toast("rescue-refused"))
        filled = _form(SeenForm.of(form))
        if filled.validate():
            try:
                code = await rescues.give(visit.context(), visit.id(), filled.piece.data)
            except Refusal as refusal:
                filled.refuse(refusal, "piece")
            else:
                return await visit.render("desk/rescue_code.html", code=code, place="acces")
        return await _shown(visit, rescues, filled, 422)

    return [
        screen.route("/guichet/acces", queue),
        screen.route("/guichet/acces/{id}", one, decide, proof=Act.IDENTITIES),
    ]


async def _shown(visit: Visit, rescues: Rescues, form: SeenForm, status: int = 200) -> Response:
    found = next((one for one in await rescues.waiting(visit.context()) if one.id == visit.id()), None)
    if found is None:
        raise Refusal(Kind.CONFLICT, "RESCUE_OVER", "Answered already.")
    return await visit.render("desk/rescue.html", status, one=found, form=form, problems=form.problems, place="acces")


def _form(form: SeenForm) -> SeenForm:
    form.piece.choices = [("", lazy(N_("Choisissez"))), *((one.code, one.label) for one in proofs().values())]
    return form
