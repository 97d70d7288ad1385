"""Telling the desk what is wrong: a document of somebody else, a second record, a changed INS."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import categories
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.forms import IdentityForm, MisfiledForm
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Refusal
from ambroise.trust.context import Context

# Refusals that another matricule may mend; any other is a page of its own.
_ABOUT_MATRICULE = frozenset({"INS_INVALID", "INS_UNKNOWN", "INS_UNCHANGED", "SAME_SPACE", "ACCESS_TOO_MANY_LOOKUPS"})


def reporting_routes(screen: Screen, service: ProfessionalService) -> list[BaseRoute]:
    async def ask_document(visit: Visit) -> Response:
        return await _document(visit, MisfiledForm.drafted(await visit.draft()))

    async def report_document(visit: Visit, sent: FormData) -> Response:
        form, patient, id = MisfiledForm.of(sent), visit.id("patient"), visit.parameter("id")
        if not form.validate():
            return await _document(visit, form, 422)
        try:
            await service.report_document(visit.context(patient), patient, id, form.pourquoi.data.strip())
        except Refusal as refusal:
            if refusal.code != "REPORT_OPEN":
                raise
            return visit.go(f"/pro/patients/{patient}/documents/{id}#signalement", Toast("reported-before"))
        return visit.go(f"/pro/patients/{patient}/documents/{id}", Toast("reported-desk"))

    async def ask_identity(visit: Visit) -> Response:
        return await _show(visit, "professional/wrong_identity.html", IdentityForm.drafted(await visit.draft()))

    async def report_identity(visit: Visit, sent: FormData) -> Response:
        form, patient = IdentityForm.of(sent), visit.id("patient")
        if form.validate():
            try:
                await _tell(visit.context(patient), patient, form)
                return visit.go(f"/pro/patients/{patient}", Toast("reported-desk"))
            except Refusal as refusal:
                if refusal.code == "REPORT_OPEN":
                    return visit.go(f"/pro/patients/{patient}", Toast("reported-before"))
                if refusal.code not in _ABOUT_MATRICULE:
                    raise
                form.refuse(refusal, "matricule")
        return await _show(visit, "professional/wrong_identity.html", form, 422)

    async def _tell(ctx: Context, patient: UUID, form: Any) -> None:
        said, matricule = (form.precisions.data or "").strip(), "".join((form.matricule.data or "").split()).upper()
        match form.probleme.data:
            case "doublon":
                await service.report_duplicate(ctx, patient, matricule, said)
            case "ins":
                await service.report_changed_ins(ctx, patient, matricule, said)
            case _:
                await service.report_wrong_traits(ctx, patient, form.traits.data, form.piece.data, said)

    async def _document(visit: Visit, form: Any, status: int = 200) -> Response:
        patient = visit.id("patient")
        page = await service.about(visit.context(patient), patient, visit.parameter("id"))
        return await _show(
            visit, "professional/misfiled.html", form, status, row=page.row, words=categories, section="documents"
        )

    async def _show(visit: Visit, template: str, form: Any, status: int = 200, **values: Any) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        return await visit.render(
            template,
            status,
            banner=banner_of(identity, standing, visit),
            emergency=visit.who.emergency_for(patient),
            base=f"/pro/patients/{patient}",
            form=form,
            problems=form.problems,
            place="patients",
            **{"section": "signaler", **values},
        )

    return [
        screen.route("/pro/patients/{patient}/signaler", ask_identity, report_identity),
        screen.route("/pro/patients/{patient}/documents/{id}/signaler", ask_document, report_document),
    ]
