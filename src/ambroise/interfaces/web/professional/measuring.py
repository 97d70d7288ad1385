"""The measures of a patient over time: growth among the centiles, curves, and every figure with who took it."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.growing import drawings
from ambroise.interfaces.web.professional import rules
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.summary import alerts_of
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.modules.profile.api import Profile, Section

_SEX = {"female": "F", "male": "M"}


def measuring_routes(screen: Screen, service: ProfessionalService, profile: Profile) -> list[BaseRoute]:
    """The page of the measures of a patient."""

    async def measures(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            return visit.go(f"/pro/patients/{patient}")
        sheet = await profile.sheet(ctx, patient, (Section.MEASURES, Section.TARGETS))
        return await visit.render(
            "professional/measures.html",
            banner=banner_of(identity, standing, visit, await alerts_of(profile, ctx, patient)),
            emergency=visit.who.emergency_for(patient),
            why=rules.read_as(standing.rule),
            base=f"/pro/patients/{patient}",
            part=sheet[Section.MEASURES],
            targets=sheet[Section.TARGETS].items,
            profiles=profiles,
            place="patients",
            section="mesures",
            **drawings(sheet, identity.birth_date, _SEX.get(identity.sex, ""), dates.as_day(visit.now)),
        )

    return [screen.route("/pro/patients/{patient}/mesures", measures)]
