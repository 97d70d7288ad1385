"""Opening another software on the patient of the page (SMART App Launch): the record follows the professional there."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.casting import followed_screen
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.sign_on.answers import address_of, origin_of
from ambroise.interfaces.web.ui.visit import Site, Visit
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import Opened


def launching_routes(site: Site, service: ProfessionalService, provider: Provider) -> list[BaseRoute]:
    """The choice of a software, and the way to it."""
    launching, database = provider.launching, provider.ground.database

    async def choose(visit: Visit) -> Response:
        return await _show(visit)

    async def launch(visit: Visit, sent: FormData) -> Response:
        named, issuer = str(sent.get("logiciel", "")), provider.ground.issuer_at(address_of(visit.request))
        try:
            async with database.transaction() as tx:
                made = await launching.issue(
                    tx, visit.who.account, visit.who.situation, named, Opened(visit.id("patient")),
                    issuer=issuer, channel="web", by="portal",
                )  # fmt: skip
        except Refusal as refusal:
            if refusal.code not in ("LAUNCH_FORBIDDEN", "CLIENT_UNKNOWN"):
                raise
            return await _show(visit, 403)
        return visit.go(made.address)

    async def _show(visit: Visit, status: int = 200) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        async with database.reader() as reader:
            software = await launching.offered(reader)
            allowed = await launching.may_open(reader, visit.who.account, visit.who.situation, patient)
        visit.forms_to = tuple(dict.fromkeys(origin_of(one.launch_uri) for one in software if one.launch_uri))
        return await visit.render(
            "professional/launch.html",
            status,
            banner=banner_of(identity, standing, visit),
            emergency=visit.who.emergency_for(patient),
            base=f"/pro/patients/{patient}",
            software=software,
            allowed=allowed,
            site_of=lambda one: origin_of(one.launch_uri).rpartition("/")[2],
            place="patients",
        )

    return [followed_screen(site).route("/pro/patients/{patient}/ouvrir", choose, launch)]
