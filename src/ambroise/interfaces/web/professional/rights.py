"""Getting in: consent on the spot or from afar, an emergency with its reason, and the page of a refusal."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.professional import rules
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.forms import AskForm, ConsentForm, EmergencyForm
from ambroise.interfaces.web.professional.views import Asked, PatientIdentity, ProfessionalService, Standing
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Purpose


def rights_routes(screen: Screen, service: ProfessionalService) -> list[BaseRoute]:
    async def ask_consent(visit: Visit) -> Response:
        return await _consent(visit, ConsentForm.drafted(await visit.draft()))

    async def record_consent(visit: Visit, sent: FormData) -> Response:
        form = ConsentForm.of(sent)
        patient = visit.id("patient")
        if form.validate():
            try:
                await service.record_consent(visit.context(), patient, treating=bool(form.traitant.data))
                return visit.go(f"/pro/patients/{patient}", Toast("consent"))
            except Refusal as refusal:
                form.refuse(refusal)
        return await _consent(visit, form, 422)

    async def _consent(visit: Visit, form: Any, status: int = 200) -> Response:
        patient = visit.id("patient")
        ctx = visit.context()
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        return await visit.render(
            "professional/consent.html",
            status,
            banner=banner_of(identity, standing, visit),
            base=f"/pro/patients/{patient}",
            standing=standing,
            form=form,
            problems=form.problems,
            place="patients",
        )

    async def ask_absent(visit: Visit) -> Response:
        return await _absent(visit, AskForm.drafted(await visit.draft()))

    async def send_request(visit: Visit, sent: FormData) -> Response:
        form, patient = AskForm.of(sent), visit.id("patient")
        if form.validate():
            try:
                await service.ask_consent(visit.context(), patient, form.raison.data.strip())
                return visit.go(f"/pro/patients/{patient}/demande", Toast("consent-asked"))
            except Refusal as refusal:
                if refusal.kind not in (Kind.CONFLICT, Kind.THROTTLED, Kind.FORBIDDEN):
                    raise
                form.refuse(refusal)
        return await _absent(visit, form, 422)

    async def _absent(visit: Visit, form: Any, status: int = 200) -> Response:
        patient, ctx = visit.id("patient"), visit.context()
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if standing.allowed:
            return visit.go(f"/pro/patients/{patient}")
        return await visit.render(
            "professional/ask.html",
            status,
            banner=banner_of(identity, standing, visit),
            base=f"/pro/patients/{patient}",
            asked=await service.asked(ctx, patient),
            form=form,
            problems=form.problems,
            place="patients",
        )

    async def ask_emergency(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context()
        standing = await service.standing(ctx, patient)
        if standing.allowed:
            return visit.go(f"/pro/patients/{patient}")
        form, asked = EmergencyForm.drafted(await visit.draft()), await service.asked(ctx, patient)
        identity = await service.identity(ctx, patient)
        return await show_refusal(visit, identity, standing, form, asked, opened=True, status=200)

    async def open_emergency(visit: Visit, sent: FormData) -> Response:
        patient = visit.id("patient")
        form = EmergencyForm.of(sent)
        if form.validate():
            ctx = replace(visit.context(), purpose=Purpose.BREAK_GLASS, reason=_reason(form))
            try:
                await service.open_emergency(ctx, patient)
                identity = visit.site.identity
                async with identity.database.transaction() as tx:
                    await identity.open_emergency(tx, visit.who, patient, ctx.purpose, ctx.reason or "")
                return visit.go(f"/pro/patients/{patient}", Toast("emergency-open"))
            except Refusal as refusal:
                form.general.append(rules.refused_in_emergency(str(refusal.data.get("rule", ""))))
        ctx = visit.context()
        return await show_refusal(
            visit,
            await service.identity(ctx, patient),
            await service.standing(ctx, patient),
            form,
            await service.asked(ctx, patient),
            opened=True,
            status=422,
        )

    async def close_emergency(visit: Visit, form: FormData) -> Response:
        patient = visit.id("patient")
        identity = visit.site.identity
        async with identity.database.transaction() as tx:
            await identity.close_emergency(tx, visit.who, patient)
        return visit.go(f"/pro/patients/{patient}", Toast("emergency-closed"))

    return [
        screen.route("/pro/patients/{patient}/accord", ask_consent, record_consent),
        screen.route("/pro/patients/{patient}/demande", ask_absent, send_request),
        screen.route("/pro/patients/{patient}/urgence", ask_emergency, open_emergency),
        screen.route("/pro/patients/{patient}/urgence/fermer", change=close_emergency),
    ]


async def show_refusal(
    visit: Visit,
    identity: PatientIdentity,
    standing: Standing,
    form: Any,
    asked: Asked | None,
    *,
    opened: bool = False,
    status: int = 403,
) -> Response:
    """Say why a record stays closed, and the lawful ways on."""
    return await visit.render(
        "professional/refused.html",
        status,
        banner=banner_of(identity, standing, visit),
        standing=standing,
        refusal=rules.explained(standing.rule),
        base=f"/pro/patients/{identity.patient}",
        form=form,
        asked=asked,
        problems=form.problems,
        opened=opened,
        place="patients",
    )


def _reason(form: Any) -> str:
    situation = dict(form.situation.choices)[form.situation.data]
    return f"{situation} : {form.motif.data.strip()}"
