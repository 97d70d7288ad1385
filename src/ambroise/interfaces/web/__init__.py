"""The portals: citizen, professional, desk, and the way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from ambroise.interfaces.web.citizen.home import shell_of
from ambroise.interfaces.web.citizen.routes import citizen_routes
from ambroise.interfaces.web.citizen.views import CitizenService
from ambroise.interfaces.web.desk.routes import desk_routes
from ambroise.interfaces.web.desk.views import DeskService
from ambroise.interfaces.web.entrance.routes import entrance_routes
from ambroise.interfaces.web.professional.routes import professional_routes
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui.assets import Assets
from ambroise.interfaces.web.ui.pages import environment
from ambroise.interfaces.web.ui.visit import Site, Visit, refused
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, Identity

__all__ = ["Services", "routes"]


@dataclass(frozen=True)
class Services:
    """What the portals need. `tokens`: a country's own table of colours, type and space, in place of ours."""

    identity: Identity
    citizen: CitizenService
    professional: ProfessionalService
    desk: DeskService
    tokens: Path | None = None


def routes(services: Services) -> Sequence[BaseRoute]:
    """The portals as one application under `/`: mount it last, after the machine interfaces."""
    assets = Assets(tokens=services.tokens)
    site = Site(
        identity=services.identity,
        environment=environment(assets),
        demonstration=services.identity.demonstration,
        shells={AccountKind.CITIZEN: shell_of(services.citizen)},
    )

    async def static(request: Request) -> Response:
        return assets.serve(request)

    async def unknown(request: Request, error: Exception) -> Response:
        kind = Kind.NOT_FOUND if isinstance(error, HTTPException) and error.status_code == 404 else Kind.UNSUPPORTED
        visit = Visit(site, request)
        visit.session = await site.identity.session(visit.token) if visit.token else None
        return await refused(visit, Refusal(kind, "PAGE_NOT_FOUND", "No such page."))

    application = Starlette(
        routes=[
            Route("/static/{name}", static),
            *entrance_routes(site),
            *citizen_routes(site, services.citizen),
            *professional_routes(site, services.professional),
            *desk_routes(site, services.desk),
        ],
        exception_handlers={404: unknown, 405: unknown},
    )
    return [Mount("/", app=application)]
