"""The professional's pages: find a patient, the record, deposit, consent, emergency."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import categories
from ambroise.interfaces.web.documents import served, shown
from ambroise.interfaces.web.professional import rules
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.casting import followed_screen
from ambroise.interfaces.web.professional.consents import consent_routes
from ambroise.interfaces.web.professional.deposit import deposit_routes
from ambroise.interfaces.web.professional.examining import examining_routes
from ambroise.interfaces.web.professional.exporting import exporting_routes
from ambroise.interfaces.web.professional.finding import finding_routes
from ambroise.interfaces.web.professional.forms import EmergencyForm
from ambroise.interfaces.web.professional.measuring import measuring_routes
from ambroise.interfaces.web.professional.reporting import reporting_routes
from ambroise.interfaces.web.professional.rights import rights_routes, show_refusal
from ambroise.interfaces.web.professional.summary import alerts_of, summary_routes
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.visit import Site, Visit, with_query
from ambroise.interfaces.web.views import DocumentFilter
from ambroise.modules.prevention.api import Prevention
from ambroise.modules.profile.api import Profile

_PERIODS = {"2": 2, "5": 5, "": 0}


def professional_routes(
    site: Site, service: ProfessionalService, profile: Profile | None = None, prevention: Prevention | None = None
) -> list[BaseRoute]:
    """Every page of the professional's portal."""
    screen = followed_screen(site)

    async def record(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            await service.attempt(ctx, patient)
            asked = await service.asked(ctx, patient)
            return await show_refusal(visit, identity, standing, EmergencyForm.drafted({}), asked)
        wanted = _filter(visit, standing.last_visit)
        found = await service.documents(ctx, patient, wanted, standing.last_visit)
        chosen = visit.query.get("doc") or (
            found.rows[0].id if found.rows and "doc" in visit.request.query_params else None
        )
        preview = await service.document(ctx, patient, chosen) if chosen else None
        base = f"/pro/patients/{patient}"
        return await visit.render(
            "professional/record.html",
            banner=banner_of(identity, standing, visit, await alerts_of(profile, ctx, patient)),
            standing=standing,
            why=rules.read_as(standing.rule),
            emergency=visit.who.emergency_for(patient),
            base=base,
            found=found,
            wanted=wanted,
            period=visit.query.get("periode", ""),
            chosen=chosen,
            preview=shown(preview) if preview else None,
            categories=[(code, categories.category(code)) for code in categories.CATEGORIES],
            older=with_query(base, **{**visit.query, "page": found.older, "doc": None}) if found.older else None,
            newest=with_query(base, **{**visit.query, "page": None, "doc": None}) if wanted.cursor else None,
            only_news=with_query(base, nouveau="1"),
            news_in=lambda code: with_query(base, nouveau="1", categorie=code),
            row_address=lambda id: with_query(base, **{**visit.query, "doc": id}),
            words=categories,
            launches=site.portal is not None,
            place="patients",
            section="documents",
        )

    async def document(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        page = await service.document(ctx, patient, visit.parameter("id"))
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        return await visit.render(
            "professional/document.html",
            banner=banner_of(identity, standing, visit, await alerts_of(profile, ctx, patient)),
            emergency=visit.who.emergency_for(patient),
            why=rules.read_as(standing.rule),
            base=f"/pro/patients/{patient}",
            words=categories,
            place="patients",
            section="documents",
            **shown(page),
        )

    async def content(visit: Visit) -> Response:
        patient = visit.id("patient")
        return served(visit, await service.content(visit.context(patient), patient, visit.parameter("id")))

    async def joined(visit: Visit) -> Response:
        patient, id, name = visit.id("patient"), visit.parameter("id"), visit.parameter("name")
        return served(visit, await service.joined(visit.context(patient), patient, id, name))

    return [
        screen.route("/pro", lambda visit: _to_patients(visit)),
        *finding_routes(screen, service),
        screen.route("/pro/patients/{patient}", record),
        *(
            (*summary_routes(screen, service, profile, prevention), *measuring_routes(screen, service, profile))
            if profile
            else ()
        ),
        *examining_routes(screen, service, profile),
        *deposit_routes(screen, service, profile),
        *exporting_routes(screen, service, profile),
        *reporting_routes(screen, service),
        *rights_routes(screen, service),
        *consent_routes(screen, service),
        screen.route("/pro/patients/{patient}/documents/{id}", document),
        screen.route("/pro/patients/{patient}/documents/{id}/fichier", content),
        screen.route("/pro/patients/{patient}/documents/{id}/joint/{name}", joined),
    ]


async def _to_patients(visit: Visit) -> Response:
    return visit.go("/pro/patients")


def _filter(visit: Visit, last_visit: datetime | None) -> DocumentFilter:
    years = _PERIODS.get(visit.query.get("periode", ""), 0)
    category = visit.query.get("categorie", "")
    return DocumentFilter(
        words=visit.query.get("filtre", "")[:200],
        category=category if category in categories.CATEGORIES else "",
        since=dates.as_day(visit.now) - timedelta(days=366 * years) if years else None,
        after=last_visit if visit.query.get("nouveau") else None,
        cursor=visit.query.get("page", "")[:4000],
    )
