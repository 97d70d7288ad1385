"""A patient's prevention for a professional: what is due, the questionnaire that the patient shared, the plan to write.

The plan (plan personnalisé de prévention, 83869-8) is handed over by filing it: the patient is told as of any document.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import prevention as said
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.prevention import urgent_first
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.casting import followed_screen
from ambroise.interfaces.web.professional.describing import professional_of
from ambroise.interfaces.web.professional.planning import PlanForm, file_plan
from ambroise.interfaces.web.professional.summary import alerts_of
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Site, Visit
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.api import (
    Calendar,
    Checkups,
    Filled,
    FollowUp,
    FollowUps,
    Item,
    Plan,
    Plans,
    State,
    checkup_of,
    document_of,
)
from ambroise.modules.profile.api import Profile
from ambroise.trust.context import Context

_OTHER_TIME = "Entretien de prévention"
"""What the document says when no key-age check-up is at its time."""


class _Known(Struct, frozen=True):
    """What the page stands on. `former`: the caller's own plan for the check-up of now, which a new one replaces."""

    calendar: Calendar
    checkup: Item | None
    shared: Filled | None
    plan: Plan | None
    former: Plan | None
    told: FollowUp | None


def prevention_plan_routes(
    site: Site, service: ProfessionalService, lives: Lives, profile: Profile | None
) -> list[BaseRoute]:
    screen = followed_screen(site)
    checkups, plans, follow_ups = Checkups(lives.prevention), Plans(lives.prevention), FollowUps(lives.prevention)

    async def show(visit: Visit) -> Response:
        return await _show(visit, PlanForm.drafted(await visit.draft()))

    async def write(visit: Visit, sent: FormData) -> Response:
        form, patient = PlanForm.of(sent), visit.id("patient")
        ctx = visit.context(patient)
        if form.validate() and not form.in_the_past(dates.as_day(visit.now)):
            try:
                async with lives.database.transaction() as tx:
                    known = await _known(tx, ctx, patient)
                    checkup = known.checkup.rule.title.fr if known.checkup else _OTHER_TIME
                    former = known.former.document if known.former else None
                    id = await file_plan(tx, ctx, lives.record, patient, form, checkup, former)
                return visit.go(f"/pro/patients/{patient}/depose/{id}", Toast("deposited"))
            except Refusal as refusal:
                if refusal.kind not in (Kind.UNPROCESSABLE, Kind.CONFLICT, Kind.INVALID):
                    raise
                form.refuse(refusal)
        return await _show(visit, form, 422)

    async def _known(reader: Reader, ctx: Context, patient: UUID) -> _Known:
        calendar = await lives.prevention.calendar(reader, ctx, patient)
        shared = next((one for one in await checkups.filled(reader, ctx, patient) if one.shared), None)
        written = await plans.of(reader, ctx, patient)
        checkup, me = checkup_of(calendar), professional_of(ctx).id
        former = next((one for one in written if one.document == document_of(checkup) and one.author_id == me), None)
        plan = next(iter(written), None)
        told = next(iter(await follow_ups.of(reader, ctx, patient, plan)), None) if plan else None
        return _Known(calendar, checkup, shared, plan, former, told)

    async def _show(visit: Visit, form: Any, status: int = 200) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        form.acte.data = form.acte.data or str(uuid4())
        async with lives.database.reader() as reader:
            known = await _known(reader, ctx, patient)
        shared = known.shared
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        return await visit.render(
            "professional/prevention.html",
            status,
            banner=banner_of(identity, standing, visit, await alerts_of(profile, ctx, patient)),
            emergency=visit.who.emergency_for(patient),
            base=f"/pro/patients/{patient}",
            waiting=urgent_first(known.calendar.items),
            to_discuss=[one for one in known.calendar.items if one.state is State.TO_DISCUSS and not one.alarmed],
            aside=[one for one in known.calendar.items if one.state is State.NOT_CONCERNED],
            shared=shared,
            answers=said.answers_of(shared.band, shared.answers) if shared else [],
            plan=known.plan,
            told=known.told,
            standings=said.standings(),
            checkup=known.checkup,
            former=known.former,
            form=form,
            problems=form.problems,
            place="patients",
            section="prevention",
            **said.vocabulary(),
        )

    return [screen.route("/pro/patients/{patient}/prevention", show, write)]
