"""Consents that a professional records for others: another professional, a care team (CSP R. 1111-46)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.colleagues import Named
from ambroise.interfaces.web.professional.forms import OtherForm, TeamForm
from ambroise.interfaces.web.professional.views import Colleague, ProfessionalService
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Refusal

_MOST_NAMED = 40
_NOBODY = N_("Cherchez et choisissez au moins une personne")


def consent_routes(screen: Screen, service: ProfessionalService) -> list[BaseRoute]:
    async def ask_other(visit: Visit) -> Response:
        draft = await visit.draft()
        return await _other(visit, OtherForm.drafted(draft), await _named(visit, draft.get("membre", ())))

    async def record_other(visit: Visit, sent: FormData) -> Response:
        form, named = OtherForm.of(sent), await _named(visit, sent.getlist("membre"), _looked_for(sent))
        if sent.get("geste") == "chercher":
            return await _other(visit, OtherForm(), named)
        if _complete(form, named):
            try:
                await service.record_consent_for(visit.context(), visit.id("patient"), named.ticked[0].id)
                return visit.go(f"/pro/patients/{visit.id('patient')}", Toast("consent-for"))
            except Refusal as refusal:
                form.refuse(refusal)
        return await _other(visit, form, named, 422)

    async def _other(visit: Visit, form: Any, named: Named, status: int = 200) -> Response:
        return await _page(visit, "professional/consent_other.html", form, named, status)

    async def ask_team(visit: Visit) -> Response:
        draft = await visit.draft()
        return await _team(visit, TeamForm.drafted(draft), await _named(visit, draft.get("membre", ())))

    async def record_team(visit: Visit, sent: FormData) -> Response:
        form, named = TeamForm.of(sent), await _named(visit, sent.getlist("membre"), _looked_for(sent))
        if sent.get("geste") == "chercher":
            # Who is in the team may change now: the person is told of all of them before the box is ticked.
            return await _team(visit, TeamForm(), named)
        if _complete(form, named):
            try:
                ids = [one.id for one in named.ticked]
                await service.record_team(visit.context(), visit.id("patient"), ids)
                return visit.go(f"/pro/patients/{visit.id('patient')}/accord/equipe", Toast("consent-team"))
            except Refusal as refusal:
                form.refuse(refusal)
        return await _team(visit, form, named, 422)

    async def _team(visit: Visit, form: Any, named: Named, status: int = 200) -> Response:
        team = await service.team(visit.context(), visit.id("patient"))
        return await _page(visit, "professional/consent_team.html", form, named, status, team)

    async def _page(
        visit: Visit, template: str, form: Any, named: Named, status: int, team: Sequence[Colleague] = ()
    ) -> Response:
        patient, ctx = visit.id("patient"), visit.context()
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        return await visit.render(
            template,
            status,
            banner=banner_of(identity, standing, visit),
            base=f"/pro/patients/{patient}",
            standing=standing,
            form=form,
            named=named,
            team=team,
            problems=form.problems,
            place="patients",
        )

    async def _named(visit: Visit, ticked: Sequence[object], words: str = "") -> Named:
        ctx = visit.context()
        found = await service.find_colleagues(ctx, words) if len(words) > 1 else ()
        ids = list(dict.fromkeys(str(one) for one in ticked))[:_MOST_NAMED]
        return Named(words, found, await service.colleagues(ctx, ids))

    return [
        screen.route("/pro/patients/{patient}/accord/autre", ask_other, record_other),
        screen.route("/pro/patients/{patient}/accord/equipe", ask_team, record_team),
    ]


def _looked_for(sent: FormData) -> str:
    return str(sent.get("nom", "")).strip()[:100] if sent.get("geste") == "chercher" else ""


def _complete(form: Any, named: Named) -> bool:
    """Whether somebody is named and the patient was informed; what misses is said on the form."""
    whole = form.validate()
    if not named.ticked:
        form.general.append(gettext(_NOBODY))
    return whole and bool(named.ticked)
