"""Taking documents of a patient away in an XDM zip."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import categories, exporting
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.summary import alerts_of
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.interfaces.web.views import Content, DocumentFilter
from ambroise.modules.profile.api import Profile


def exporting_routes(screen: Screen, service: ProfessionalService, profile: Profile | None) -> list[BaseRoute]:
    async def choose(visit: Visit) -> Response:
        return await _show(visit, False)

    async def export(visit: Visit, sent: FormData) -> Response:
        return await exporting.answer(visit, sent, _show, _zipped)

    async def _zipped(visit: Visit, ids: list[str]) -> Content:
        patient = visit.id("patient")
        return await service.zipped(visit.context(patient), patient, ids)

    async def _show(visit: Visit, nothing: bool) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        alerts = await alerts_of(profile, ctx, patient) if standing.allowed else ()
        return await visit.render(
            "professional/export.html",
            422 if nothing else 200,
            banner=banner_of(identity, standing, visit, alerts),
            standing=standing,
            emergency=visit.who.emergency_for(patient),
            base=f"/pro/patients/{patient}",
            found=await service.recent(ctx, patient, DocumentFilter()),
            nothing=nothing,
            words=categories,
            place="patients",
            section="documents",
        )

    return [screen.route("/pro/patients/{patient}/exporter", choose, export)]
