"""The portals: citizen, professional, desk, and the way in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from ambroise.interfaces.services import Services
from ambroise.interfaces.web.citizen.copies import copy_routes
from ambroise.interfaces.web.citizen.home import shell_of
from ambroise.interfaces.web.citizen.imports import import_routes
from ambroise.interfaces.web.citizen.notices import notice_routes
from ambroise.interfaces.web.citizen.record import CitizenRecord
from ambroise.interfaces.web.citizen.record.notices import Notices
from ambroise.interfaces.web.citizen.routes import citizen_routes
from ambroise.interfaces.web.citizen.views import CitizenService
from ambroise.interfaces.web.desk.clients import client_routes
from ambroise.interfaces.web.desk.colleagues import colleague_routes
from ambroise.interfaces.web.desk.first_passkeys import first_passkey_desk_routes
from ambroise.interfaces.web.desk.lives import desk_life_routes
from ambroise.interfaces.web.desk.notices import notice_desk_routes
from ambroise.interfaces.web.desk.record import DeskRecord
from ambroise.interfaces.web.desk.rescues import rescue_routes
from ambroise.interfaces.web.desk.routes import desk_routes
from ambroise.interfaces.web.desk.views import DeskService
from ambroise.interfaces.web.entrance.contact import contact_routes
from ambroise.interfaces.web.entrance.enrolment import enrolment_routes
from ambroise.interfaces.web.entrance.first_passkey import first_passkey_routes
from ambroise.interfaces.web.entrance.objection import objection_routes
from ambroise.interfaces.web.entrance.passkeys import passkey_routes
from ambroise.interfaces.web.entrance.proof import proof_routes
from ambroise.interfaces.web.entrance.protection import protection_routes
from ambroise.interfaces.web.entrance.recovery import recovery_routes
from ambroise.interfaces.web.entrance.routes import entrance_routes
from ambroise.interfaces.web.federation.routes import federation_routes
from ambroise.interfaces.web.identities.routes import Identities, identity_routes
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.professional.launching import launching_routes
from ambroise.interfaces.web.professional.prevention import prevention_plan_routes
from ambroise.interfaces.web.professional.record import ProfessionalRecord
from ambroise.interfaces.web.professional.routes import professional_routes
from ambroise.interfaces.web.professional.synthesising import synthesis_routes
from ambroise.interfaces.web.professional.vaccinating import vaccination_routes
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.records import Records
from ambroise.interfaces.web.sign_on.portal import portal_routes
from ambroise.interfaces.web.sign_on.routes import sign_on_routes
from ambroise.interfaces.web.ui.assets import Assets
from ambroise.interfaces.web.ui.pages import environment
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, refused
from ambroise.interfaces.web.vitale.routes import vitale_routes
from ambroise.interfaces.xdm.filing import Zips
from ambroise.interfaces.xdm.writing import Exports as ZipExports
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, Enrolments, Federation, Identity, Passkeys, Proofs, Provider
from ambroise.modules.identity.provider.portal import Portal
from ambroise.modules.letters.api import Channel as LetterChannel
from ambroise.modules.notification.api import Channel
from ambroise.modules.portability.api import Exports, Imports
from ambroise.modules.profile.api import Profile
from ambroise.modules.record.api import Desk
from ambroise.modules.vitale.api import Vitale

__all__ = ["portals", "routes"]


def routes(services: Services) -> Sequence[BaseRoute]:
    """The portals of an instance, as one application under `/`: mounted last, after the machine interfaces."""
    records = Records(services.database, services.gateway, ZipExports.on(services))
    return portals(
        services.identity,
        CitizenRecord(records, services.record),
        ProfessionalRecord(records, services.record, Zips.of(services)),
        DeskRecord(services.database, Desk(services.record, services.gateway)),
        Lives.on(services.database, services.gateway, services.record),
        passkeys=services.passkeys,
        provider=services.provider,
        identities=Identities(services.database, services.gateway),
        enrolments=services.enrolments,
        federation=services.federation,
        vitale=services.vitale,
        exports=services.exports,
        imports=services.imports,
        profile=Profile(services.database, services.gateway),
        notices=Notices(records, services.record, services.wishing, _channels(services)),
    )


def _channels(services: Services) -> list[Channel]:
    """By which ways this instance tells people outside the portal."""
    mailed = LetterChannel.MAIL in services.letters.channels
    return [Channel.MAIL] * mailed + [Channel.PUSH] * (services.wishing.pusher is not None)


@cache
def _dress(tokens: Path | None) -> tuple[Assets, Environment]:
    """What pages are dressed with, of files only: read and compiled once a process, however many portals it serves."""
    assets = Assets(tokens=tokens)
    return assets, environment(assets)


def templates() -> Environment:
    """The templates of this country's pages, for papers that no visit asked for."""
    return _dress(None)[1]


def portals(
    identity: Identity,
    citizen: CitizenService,
    professional: ProfessionalService,
    desk: DeskService,
    lives: Lives,
    *,
    passkeys: Passkeys | None = None,
    provider: Provider | None = None,
    identities: Identities | None = None,
    enrolments: Enrolments | None = None,
    federation: Federation | None = None,
    vitale: Vitale | None = None,
    exports: Exports | None = None,
    imports: Imports | None = None,
    profile: Profile | None = None,
    notices: Notices | None = None,
    tokens: Path | None = None,
) -> Sequence[BaseRoute]:
    """The portals over any services. `tokens`: a country's own table of colours, type and space, in place of ours.

    With a `provider`, professionals also sign on to other software here; with `enrolments`, citizens open accounts;
    with `passkeys`, everybody may sign in by one.
    """
    assets, templates = _dress(tokens)
    site = Site(
        identity=identity,
        environment=templates,
        demonstration=identity.demonstration,
        proofs=passkeys.proofs if passkeys is not None else Proofs(identity),
        passkeys=passkeys,
        shells={AccountKind.CITIZEN: shell_of(citizen, notices.unread if notices is not None else None)},
        federation=federation,
        tells=notices is not None,
        portal=Portal(provider, identity) if provider is not None else None,
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
            *protection_routes(site),
            *contact_routes(site),
            *recovery_routes(site),
            *objection_routes(site, lives),
            *(first_passkey_desk_routes(site, passkeys) if passkeys is not None else ()),
            *(colleague_routes(site, passkeys) if passkeys is not None else ()),
            *rescue_routes(site),
            *(passkey_routes(site, passkeys) if passkeys is not None else ()),
            *(first_passkey_routes(site, passkeys) if passkeys is not None else ()),
            *proof_routes(site),
            *(enrolment_routes(site, enrolments) if enrolments is not None else ()),
            *(federation_routes(site, federation) if federation is not None else ()),
            *(sign_on_routes(site, provider, professional) if provider is not None else ()),
            *(portal_routes(site, site.portal) if site.portal is not None else ()),
            *citizen_routes(site, citizen, lives, profile),
            *(import_routes(Screen(site, AccountKind.CITIZEN), imports) if imports is not None else ()),
            *(copy_routes(Screen(site, AccountKind.CITIZEN), exports) if exports is not None else ()),
            *professional_routes(site, professional, profile, lives.prevention),
            *prevention_plan_routes(site, professional, lives, profile),
            *(synthesis_routes(site, professional, profile, lives) if profile is not None else ()),
            *(vaccination_routes(site, professional, profile, lives) if profile is not None else ()),
            *(notice_routes(site, notices) if notices is not None else ()),
            *(notice_desk_routes(site, lives.gateway) if notices is not None else ()),
            *(launching_routes(site, professional, provider) if provider is not None else ()),
            *desk_routes(site, desk),
            *desk_life_routes(site, lives),
            *(client_routes(site, provider) if provider is not None else ()),
            *(identity_routes(site, identities) if identities is not None else ()),
            *(vitale_routes(site, assets, vitale, lives) if vitale is not None else ()),
        ],
        exception_handlers={404: unknown, 405: unknown},
    )
    return [Mount("/", app=application)]
