"""Finding a patient: by INS, or by full traits; nothing else finds anybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.professional.forms import FindForm
from ambroise.interfaces.web.professional.views import PatientIdentity, PatientQuery, ProfessionalService
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context


def finding_routes(screen: Screen, service: ProfessionalService) -> list[BaseRoute]:
    async def find(visit: Visit) -> Response:
        form = FindForm(
            ins=visit.query.get("q", "") if _looks_like_ins(visit.query.get("q", "")) else "", nom=_name_of(visit)
        )
        if _looks_like_ins(visit.query.get("q", "")):
            return await _search(visit, form)
        ctx = visit.context()
        return await visit.render(
            "professional/find.html",
            form=form,
            problems=[],
            found=None,
            mine=await service.my_patients(ctx),
            alarms=await service.alarms(ctx),
            asked=await service.all_asked(ctx),
            place="patients",
        )

    async def search(visit: Visit, sent: FormData) -> Response:
        return await _search(visit, FindForm.of(sent))

    async def _search(visit: Visit, form: Any) -> Response:
        found = await found_by(service, visit.context(), form)
        if found is not None and len(found) == 1:
            return visit.go(f"/pro/patients/{found[0].patient}")
        return await visit.render(
            "professional/find.html",
            422 if form.problems else 200,
            form=form,
            problems=form.problems,
            found=found,
            mine=[],
            alarms=[],
            asked=[],
            place="patients",
        )

    return [screen.route("/pro/patients", find, search)]


async def found_by(service: ProfessionalService, ctx: Context, form: Any) -> Sequence[PatientIdentity] | None:
    """Whom a form finds; None when it finds nobody to look for, and says why."""
    query = PatientQuery(
        ins="".join((form.ins.data or "").split()).upper(),
        birth_name=(form.nom.data or "").strip(),
        first_name=(form.prenom.data or "").strip(),
        birth_date=form.naissance.data,
        sex=form.sexe.data or "",
    )
    traits = (query.birth_name, query.first_name, query.birth_date, query.sex)
    form.validate()
    if not query.ins and not all(traits):
        form.general.append(gettext("Donnez l’INS, ou bien le nom, le prénom, la date de naissance et le sexe"))
    if form.problems:
        return None
    try:
        return await service.find(ctx, query)
    except Refusal as refusal:
        if refusal.kind not in (Kind.THROTTLED, Kind.INVALID, Kind.UNPROCESSABLE):
            raise
        form.refuse(refusal)
        return None


def _looks_like_ins(text: str) -> bool:
    compact = "".join(text.split()).upper()
    return len(compact) in (13, 15) and compact[:5].isdigit()


def _name_of(visit: Visit) -> str:
    typed = visit.query.get("q", "")
    return "" if _looks_like_ins(typed) else typed
