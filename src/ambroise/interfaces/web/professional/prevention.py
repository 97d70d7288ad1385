"""A patient's prevention for a professional: what is due, the questionnaire that the patient shared, the plan to write.

The plan (plan personnalisé de prévention, 83869-8) is handed over by filing it: the patient is told as of any document.
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import StringField, TextAreaField

from ambroise.interfaces.web import prevention as said
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.casting import followed_screen
from ambroise.interfaces.web.professional.views import Deposit, ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.paper import paper
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Site, Visit
from ambroise.kernel.errors import Refusal
from ambroise.modules.prevention.api import Checkups

_PLAN = "83869-8"
_SHORT = {"maxlength": "200", "autocomplete": "off"}
_LONG = {"rows": "3", "maxlength": "2000"}


class PlanForm(Form):
    priorite = StringField(lazy(N_("Première priorité")), [Required(N_("Donnez une priorité"))], render_kw=_SHORT)
    seconde = StringField(lazy(N_("Deuxième priorité (facultatif)")), render_kw=_SHORT)
    objectifs = TextAreaField(
        lazy(N_("Objectifs convenus ensemble")), [Required(N_("Écrivez les objectifs"))], render_kw=_LONG
    )
    actions = TextAreaField(lazy(N_("Actions : rendez-vous, vaccins, dépistages, conseils")), render_kw=_LONG)
    suivi = StringField(lazy(N_("Suivi prévu (facultatif)")), render_kw=_SHORT)


def prevention_plan_routes(site: Site, service: ProfessionalService, lives: Lives) -> list[BaseRoute]:
    screen = followed_screen(site)
    checkups = Checkups(lives.prevention)

    async def show(visit: Visit) -> Response:
        return await _show(visit, PlanForm.drafted(await visit.draft()))

    async def write(visit: Visit, sent: FormData) -> Response:
        form, patient = PlanForm.of(sent), visit.id("patient")
        if form.validate():
            try:
                done = await service.deposit(visit.context(patient), patient, await _plan(visit, form))
                return visit.go(f"/pro/patients/{patient}/depose/{done[0].documents[0].id}", Toast("deposited"))
            except Refusal as refusal:
                form.refuse(refusal)
        return await _show(visit, form, 422)

    async def _plan(visit: Visit, form: PlanForm) -> Deposit:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity = await service.identity(ctx, patient)
        title = gettext("Plan personnalisé de prévention")
        content = await paper(
            visit,
            "professional/prevention_paper.html",
            title=title,
            holder=f"{identity.first_name} {identity.birth_name}",
            author=ctx.actor.name,
            form=form,
            now=visit.now,
        )
        return Deposit(content, "application/pdf", "plan.pdf", _PLAN, title, dates.as_day(visit.now))

    async def _show(visit: Visit, form: Any, status: int = 200) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        async with lives.database.reader() as reader:
            calendar = await lives.prevention.calendar(reader, ctx, patient)
            shared = next((one for one in await checkups.filled(reader, ctx, patient) if one.shared), None)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        return await visit.render(
            "professional/prevention.html",
            status,
            banner=banner_of(identity, standing, visit),
            emergency=visit.who.emergency_for(patient),
            base=f"/pro/patients/{patient}",
            waiting=[one for one in calendar.items if one.waits],
            shared=shared,
            answers=said.answers_of(shared.band, shared.answers) if shared else [],
            form=form,
            problems=form.problems,
            place="patients",
            section="prevention",
            **said.vocabulary(),
        )

    return [screen.route("/pro/patients/{patient}/prevention", show, write)]
