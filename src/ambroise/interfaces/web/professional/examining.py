"""What was examined already, searched before the same is ordered again."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import documents
from ambroise.interfaces.web.professional import rules
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.summary import alerts_of
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.modules.profile.api import Profile


def examining_routes(screen: Screen, service: ProfessionalService, profile: Profile | None) -> list[BaseRoute]:
    async def examinations(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            # The page of the record says why, and what one can lawfully do.
            return visit.go(f"/pro/patients/{patient}")
        sought = visit.query.get("mots", "")[:200].strip()
        found = await service.examinations(ctx, patient, sought)
        return await visit.render(
            "professional/examinations.html",
            banner=banner_of(identity, standing, visit, await alerts_of(profile, ctx, patient)),
            emergency=visit.who.emergency_for(patient),
            why=rules.read_as(standing.rule),
            base=f"/pro/patients/{patient}",
            found=found,
            sought=sought,
            flag_words=documents.flag_words,
            place="patients",
            section="examens",
        )

    return [screen.route("/pro/patients/{patient}/examens", examinations)]
