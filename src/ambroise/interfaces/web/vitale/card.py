"""The card of a person: asked for, its secret code, put aside, taken back, ended."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, PasswordField, SelectField, StringField
from wtforms.validators import Optional

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.interfaces.web.vitale.delegations import last_day
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.vitale.api import CardState, Document, Vitale

SECRET = {"inputmode": "numeric", "autocomplete": "off", "maxlength": "8", "pattern": "[0-9]*"}
DOCUMENTS = {
    "CN": N_("Carte nationale d’identité"),
    "PA": N_("Passeport"),
    "CE": N_("Carte d’identité européenne"),
    "CS": N_("Titre de séjour"),
}
REASONS = {
    "document_unreadable": N_("Le document ne se lit pas."),
    "document_expired": N_("Le document n’est plus valable."),
    "document_differs": N_("Le document n’est pas celui de cette identité."),
    "person_differs": N_("La personne vue n’est pas celle du document."),
    "person_absent": N_("La personne n’a pas été vue."),
}


class DocumentForm(Form):
    kind = SelectField(
        lazy(N_("Votre document d’identité")),
        choices=[(code, lazy(words)) for code, words in DOCUMENTS.items()],
        description=lazy(N_("Celui que vous montrerez au guichet.")),
    )
    number = StringField(
        lazy(N_("Son numéro")),
        [Required(N_("Donnez le numéro du document"))],
        description=lazy(N_("Il est effacé dès que le guichet a répondu.")),
        render_kw={"autocomplete": "off", "maxlength": "30"},
    )
    until = DateField(lazy(N_("Valable jusqu’au (s’il porte une date)")), [Optional()])


class CodeForm(Form):
    present = PasswordField(lazy(N_("Votre code secret actuel")), render_kw=SECRET)
    code = PasswordField(
        lazy(N_("Votre nouveau code secret")),
        [Required(N_("Choisissez un code"))],
        description=lazy(N_("De 4 à 8 chiffres. Ni une suite, ni votre date de naissance.")),
        render_kw=SECRET,
    )
    again = PasswordField(
        lazy(N_("Le même code, encore une fois")), [Required(N_("Redonnez le code"))], render_kw=SECRET
    )

    def same(self) -> bool:
        """Whether the two new codes are one."""
        if self.code.data == self.again.data:
            return True
        self.again.errors = [lazy(N_("Les deux codes sont différents."))]
        return False


class UnlockForm(Form):
    code = PasswordField(lazy(N_("Votre code secret")), [Required(N_("Donnez votre code secret"))], render_kw=SECRET)


def card_routes(screen: Screen, vitale: Vitale) -> list[BaseRoute]:
    cards = vitale.cards

    async def show(visit: Visit) -> Response:
        return await page(visit, UnlockForm())

    async def page(visit: Visit, form: Any, status: int = 200) -> Response:
        ctx = visit.context()
        present = await cards.present(ctx)
        uses = (await vitale.showings.receipts(ctx))[:3] if present.card else []
        offers = await vitale.delegations.received(ctx) if ctx.acting_for is None else []
        return await visit.render(
            "vitale/card.html",
            status,
            present=present,
            state=present.card.state.value if present.card else "none",
            reasons=REASONS,
            uses=uses,
            offers=[(one, whose, last_day(one)) for one, whose in offers if one.state_at(visit.now) in _HOLDS],
            form=form,
            problems=form.problems,
            place="vitale",
        )

    async def change(visit: Visit, sent: FormData) -> Response:
        ctx, gesture = visit.context(), str(sent.get("geste"))
        if gesture == "reprendre":
            form = UnlockForm.of(sent)
            if form.validate():
                try:
                    await cards.resume(ctx, form.code.data)
                    return visit.go("/vitale", Toast("card-resumed"))
                except Refusal as refusal:
                    form.refuse(refusal, "code")
            return await page(visit, form, 422)
        acts = {"suspendre": cards.suspend, "resilier": cards.revoke, "oublier": cards.forget_device}
        if gesture not in acts:
            raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do with the card.")
        await acts[gesture](ctx)
        return visit.go("/vitale", Toast(_TOLD[gesture]))

    async def ask(visit: Visit) -> Response:
        form = DocumentForm()
        return await visit.render("vitale/request.html", form=form, problems=[], place="vitale")

    async def request(visit: Visit, sent: FormData) -> Response:
        form = DocumentForm.of(sent)
        if form.validate():
            try:
                document = Document(form.kind.data, form.number.data, form.until.data)
                await cards.request(visit.context(), document)
                return visit.go("/vitale", Toast("card-asked"))
            except Refusal as refusal:
                form.refuse(refusal)
        return await visit.render("vitale/request.html", 422, form=form, problems=form.problems, place="vitale")

    async def ask_code(visit: Visit) -> Response:
        return await code_page(visit, CodeForm())

    async def code_page(visit: Visit, form: Any, status: int = 200) -> Response:
        present = await cards.present(visit.context())
        first = present.card is None or present.card.state is not CardState.ACTIVE
        return await visit.render(
            "vitale/code.html", status, form=form, problems=form.problems, first=first, place="vitale"
        )

    async def choose(visit: Visit, sent: FormData) -> Response:
        form, ctx = CodeForm.of(sent), visit.context()
        if form.validate() and form.same():
            try:
                if sent.get("present") is None:
                    await cards.choose_code(ctx, form.code.data)
                else:
                    await cards.change_code(ctx, form.present.data, form.code.data)
                return visit.go("/vitale", Toast("card-coded"))
            except Refusal as refusal:
                wrong = refusal.code in ("VITALE_CODE_WRONG", "VITALE_BLOCKED")
                form.refuse(refusal, "present" if wrong else "code")
        return await code_page(visit, form, 422)

    return [
        screen.route("/vitale", show, change),
        screen.route("/vitale/demande", ask, request),
        screen.route("/vitale/code", ask_code, choose),
    ]


_HOLDS = ("pending", "accepted")
_TOLD = {"suspendre": "card-suspended", "resilier": "card-ended", "oublier": "card-phone-forgotten"}
