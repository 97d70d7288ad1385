"""The desk records who represents whom, on a proof, and enrols digital mediators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, StringField
from wtforms.validators import Optional

from ambroise.interfaces.web.desk.people import find
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal

_INS = {"inputmode": "numeric", "autocomplete": "off", "maxlength": "22"}


class ChildForm(Form):
    enfant = StringField(lazy(N_("INS de l’enfant")), [Required(N_("Donnez l’INS de l’enfant"))], render_kw=_INS)
    parent = StringField(lazy(N_("INS du parent")), [Required(N_("Donnez l’INS du parent"))], render_kw=_INS)


class GuardianForm(Form):
    majeur = StringField(
        lazy(N_("INS de la personne protégée")), [Required(N_("Donnez l’INS de la personne protégée"))], render_kw=_INS
    )
    tuteur = StringField(
        lazy(N_("INS de qui la représente")), [Required(N_("Donnez l’INS de qui la représente"))], render_kw=_INS
    )
    terme = DateField(lazy(N_("Fin de la mesure (facultatif)")), [Optional()])


class MediatorForm(Form):
    mediateur = StringField(lazy(N_("INS du médiateur")), [Required(N_("Donnez l’INS du médiateur"))], render_kw=_INS)
    lieu = StringField(
        lazy(N_("Lieu où il aide")),
        [Required(N_("Dites où cette personne aide"))],
        render_kw={"autocomplete": "off", "maxlength": "120"},
    )


def helper_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    relations, mediation = lives.relations, lives.mediation

    async def show(visit: Visit) -> Response:
        return await page(visit, ChildForm(), GuardianForm(), MediatorForm())

    async def page(visit: Visit, child: Any, guardian: Any, mediator: Any, status: int = 200) -> Response:
        async with lives.database.reader() as reader:
            enrolled = await mediation.mediators(reader, visit.context())
        return await visit.render(
            "desk/helpers.html",
            status,
            child=child,
            guardian=guardian,
            mediator=mediator,
            mediators=enrolled,
            problems=[*child.problems, *guardian.problems, *mediator.problems],
            place="proches",
        )

    async def act(visit: Visit, sent: FormData) -> Response:
        ctx, gesture = visit.context(), str(sent.get("geste"))
        forms = ChildForm(), GuardianForm(), MediatorForm()
        if gesture == "desinscrire":
            async with lives.database.transaction() as tx:
                await mediation.end_enrolment(tx, ctx, _id(str(sent.get("qui"))))
            return visit.go("/guichet/proches", Toast("desk-relation"))
        places = {"enfant": 0, "tutelle": 1, "mediateur": 2}
        if gesture not in places:
            raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to record.")
        form = (ChildForm, GuardianForm, MediatorForm)[places[gesture]].of(sent)
        shown = [form if place == places[gesture] else one for place, one in enumerate(forms)]
        if not form.validate():
            return await page(visit, *shown, status=422)
        try:
            await record(visit, gesture, form)
        except Refusal as refusal:
            form.refuse(refusal)
            return await page(visit, *shown, status=422)
        return visit.go("/guichet/proches", Toast("desk-relation"))

    async def record(visit: Visit, gesture: str, form: Any) -> None:
        ctx = visit.context()
        if gesture == "mediateur":
            person = await find(lives, visit, form.mediateur.data)
            async with lives.database.transaction() as tx:
                await mediation.enrol(tx, ctx, person, form.lieu.data)
            return
        first, second = (form.enfant, form.parent) if gesture == "enfant" else (form.majeur, form.tuteur)
        patient, person = await find(lives, visit, first.data), await find(lives, visit, second.data)
        async with lives.database.transaction() as tx:
            if gesture == "enfant":
                await relations.attach_child(tx, ctx, patient, person)
            else:
                await relations.set_guardian(tx, ctx, patient, person, ends_on=form.terme.data)

    return [screen.route("/guichet/proches", show, act)]


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such person.") from None
