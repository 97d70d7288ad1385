"""On whom software that starts by itself opens: the professional names the patient (SMART App Launch, standalone)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response

from ambroise.interfaces.web.professional import rules
from ambroise.interfaces.web.professional.finding import found_by
from ambroise.interfaces.web.professional.forms import FindForm
from ambroise.interfaces.web.professional.views import PatientIdentity, ProfessionalService
from ambroise.interfaces.web.sign_on.answers import origin_of
from ambroise.interfaces.web.ui.visit import Visit
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import Request, SignOn
from ambroise.trust.context import Context

PICK: Final = "/connexion/pro/patient"


class Picking:
    """The page where a patient is chosen: those who gave their consent, or whoever an exact search finds."""

    def __init__(self, provider: Provider, service: ProfessionalService) -> None:
        self._provider = provider
        self._service = service

    async def is_needed(self, request: Request, session: SignOn) -> bool:
        """Whether the software asks for a patient, and none is carried from another tool."""
        async with self._provider.ground.database.reader() as reader:
            return await self._provider.launching.must_choose(reader, request.asked, session)

    async def show(self, visit: Visit, request: Request, session: SignOn) -> Response:
        return await self._page(visit, request, FindForm(), mine=await self._mine(request, session))

    async def pick(self, visit: Visit, request: Request, session: SignOn, sent: FormData) -> UUID | Response:
        """The patient, when this professional may open that record; otherwise the page of what was found."""
        ctx, named = self._context(request, session), sent.get("patient")
        if isinstance(named, str):
            return await self._allowed(visit, request, session, visit.id_of(named))
        form = FindForm.of(sent)
        found = await found_by(self._service, ctx, form)
        return await self._page(visit, request, form, 422 if form.problems else 200, found=found)

    async def _allowed(self, visit: Visit, request: Request, session: SignOn, patient: UUID) -> UUID | Response:
        ctx = self._context(request, session)
        identity, standing = await self._service.identity(ctx, patient), await self._service.standing(ctx, patient)
        if standing.allowed:
            return patient
        await self._service.attempt(ctx, patient)
        refusal = rules.explained(standing.rule)
        mine = await self._mine(request, session)
        return await self._page(visit, request, FindForm(), 403, mine=mine, refused=identity, refusal=refusal)

    async def _mine(self, request: Request, session: SignOn) -> Sequence[PatientIdentity]:
        return await self._service.my_patients(self._context(request, session))

    def _context(self, request: Request, session: SignOn) -> Context:
        ground = self._provider.ground
        return ground.context(session.account, session.situation or 0, channel="web", client=request.client.id)

    async def _page(self, visit: Visit, request: Request, form: Any, status: int = 200, **shown: Any) -> Response:
        visit.forms_to = (origin_of(request.asked.redirect_uri),)
        values = {"found": None, "mine": (), "refused": None, "refusal": None, **shown}
        return await visit.render(
            "sign_on/patient.html", status, client=request.client, form=form, problems=form.problems, **values
        )
