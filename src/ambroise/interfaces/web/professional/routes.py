"""The professional's pages: find a patient, the record, deposit, consent, emergency."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import words
from ambroise.interfaces.web.documents import served, shown
from ambroise.interfaces.web.professional import rules
from ambroise.interfaces.web.professional.deposit import deposit_routes
from ambroise.interfaces.web.professional.forms import ConsentForm, EmergencyForm, FindForm
from ambroise.interfaces.web.professional.reporting import reporting_routes
from ambroise.interfaces.web.professional.views import PatientIdentity, PatientQuery, ProfessionalService, Standing
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, with_query
from ambroise.interfaces.web.views import DocumentFilter
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind
from ambroise.trust.context import Purpose

_PERIODS = {"2": 2, "5": 5, "": 0}
_STATUS = {
    "QUAL": ("done", "check", N_("Identité qualifiée")),
    "VALI": ("due", "clock", N_("Identité validée")),
    "RECUP": ("due", "clock", N_("Identité récupérée")),
    "PROV": ("late", "triangle-alert", N_("Identité provisoire")),
}


@dataclass(frozen=True)
class Banner:
    """The identity line, in words."""

    patient: UUID
    birth_name: str
    first_name: str
    about: str
    born_word: str
    birth_date: date | None
    birth_place: str | None
    ins: str | None
    treating: str | None
    alerts: list[tuple[str, str, str]]


def professional_routes(site: Site, service: ProfessionalService) -> list[BaseRoute]:
    """Every page of the professional's portal."""
    screen = Screen(site, AccountKind.PROFESSIONAL)

    async def find(visit: Visit) -> Response:
        form = FindForm(
            ins=visit.query.get("q", "") if _looks_like_ins(visit.query.get("q", "")) else "", nom=_name_of(visit)
        )
        if _looks_like_ins(visit.query.get("q", "")):
            return await _search(visit, form)
        mine = await service.my_patients(visit.context())
        return await visit.render(
            "professional/find.html", form=form, problems=[], found=None, mine=mine, place="patients"
        )

    async def search(visit: Visit, sent: FormData) -> Response:
        return await _search(visit, FindForm.of(sent))

    async def _search(visit: Visit, form: Any) -> Response:
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
        found = None
        if not form.problems:
            try:
                found = await service.find(visit.context(), query)
            except Refusal as refusal:
                if refusal.kind not in (Kind.THROTTLED, Kind.INVALID, Kind.UNPROCESSABLE):
                    raise
                form.refuse(refusal)
        if found is not None and len(found) == 1:
            return visit.go(f"/pro/patients/{found[0].patient}")
        return await visit.render(
            "professional/find.html",
            422 if form.problems else 200,
            form=form,
            problems=form.problems,
            found=found,
            mine=[],
            place="patients",
        )

    async def record(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            await service.attempt(ctx, patient)
            return await _refuse(visit, identity, standing, EmergencyForm.drafted({}))
        wanted = _filter(visit)
        found = await service.documents(ctx, patient, wanted, standing.last_visit)
        chosen = visit.query.get("doc") or (
            found.rows[0].id if found.rows and "doc" in visit.request.query_params else None
        )
        preview = await service.document(ctx, patient, chosen) if chosen else None
        base = f"/pro/patients/{patient}"
        return await visit.render(
            "professional/record.html",
            banner=banner_of(identity, standing, visit),
            standing=standing,
            why=rules.read_as(standing.rule),
            emergency=visit.who.emergency_for(patient),
            base=base,
            found=found,
            wanted=wanted,
            period=visit.query.get("periode", ""),
            chosen=chosen,
            preview=shown(preview) if preview else None,
            categories=[(code, words.category(code)) for code in words.CATEGORIES],
            older=with_query(base, **{**visit.query, "page": found.older, "doc": None}) if found.older else None,
            newest=with_query(base, **{**visit.query, "page": None, "doc": None}) if wanted.cursor else None,
            row_address=lambda id: with_query(base, **{**visit.query, "doc": id}),
            words=words,
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
            banner=banner_of(identity, standing, visit),
            emergency=visit.who.emergency_for(patient),
            why=rules.read_as(standing.rule),
            base=f"/pro/patients/{patient}",
            words=words,
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
            form=form,
            problems=form.problems,
            place="patients",
        )

    async def ask_emergency(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context()
        standing = replace(await service.standing(ctx, patient), allowed=False)
        form = EmergencyForm.drafted(await visit.draft())
        return await _refuse(visit, await service.identity(ctx, patient), standing, form, opened=True, status=200)

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
                form.general.append(rules.refused(str(refusal.data.get("rule", ""))))
        ctx = visit.context()
        return await _refuse(
            visit,
            await service.identity(ctx, patient),
            await service.standing(ctx, patient),
            form,
            opened=True,
            status=422,
        )

    async def close_emergency(visit: Visit, form: FormData) -> Response:
        patient = visit.id("patient")
        identity = visit.site.identity
        async with identity.database.transaction() as tx:
            await identity.close_emergency(tx, visit.who, patient)
        return visit.go(f"/pro/patients/{patient}", Toast("emergency-closed"))

    async def _refuse(
        visit: Visit,
        identity: PatientIdentity,
        standing: Standing,
        form: Any,
        *,
        opened: bool = False,
        status: int = 403,
    ) -> Response:
        return await visit.render(
            "professional/refused.html",
            status,
            banner=banner_of(identity, standing, visit),
            standing=standing,
            refusal=rules.explained(standing.rule),
            base=f"/pro/patients/{identity.patient}",
            form=form,
            problems=form.problems,
            opened=opened,
            place="patients",
        )

    return [
        screen.route("/pro", lambda visit: _to_patients(visit)),
        screen.route("/pro/patients", find, search),
        screen.route("/pro/patients/{patient}", record),
        *deposit_routes(screen, service, banner_of),
        *reporting_routes(screen, service, banner_of),
        screen.route("/pro/patients/{patient}/accord", ask_consent, record_consent),
        screen.route("/pro/patients/{patient}/urgence", ask_emergency, open_emergency),
        screen.route("/pro/patients/{patient}/urgence/fermer", change=close_emergency),
        screen.route("/pro/patients/{patient}/documents/{id}", document),
        screen.route("/pro/patients/{patient}/documents/{id}/fichier", content),
        screen.route("/pro/patients/{patient}/documents/{id}/joint/{name}", joined),
    ]


def banner_of(identity: PatientIdentity, standing: Standing, visit: Visit) -> Banner:
    """The identity line: NAME First, age, birth, INS, status; without access, nothing more."""
    sex = {"female": gettext("femme"), "male": gettext("homme")}.get(identity.sex, "")
    years = dates.age(identity.birth_date, dates.as_day(visit.now)) if identity.birth_date else ""
    state, picture, status = _STATUS[identity.status]
    alerts = [(state, picture, gettext(status))]
    if not standing.allowed:
        alerts.append(("off", "x", gettext("Accès refusé")))
    return Banner(
        patient=identity.patient,
        birth_name=identity.birth_name.upper(),
        first_name=identity.first_name,
        about=", ".join(part for part in (years, sex) if part),
        born_word={"female": gettext("Née le"), "male": gettext("Né le")}.get(identity.sex, gettext("Né(e) le")),
        birth_date=identity.birth_date,
        birth_place=identity.birth_place,
        ins=_spaced(identity.ins),
        treating=(gettext("vous") if standing.treats else standing.treating) if standing.allowed else None,
        alerts=alerts,
    )


async def _to_patients(visit: Visit) -> Response:
    return visit.go("/pro/patients")


def _filter(visit: Visit) -> DocumentFilter:
    years = _PERIODS.get(visit.query.get("periode", ""), 0)
    category = visit.query.get("categorie", "")
    return DocumentFilter(
        words=visit.query.get("filtre", "")[:200],
        category=category if category in words.CATEGORIES else "",
        since=dates.as_day(visit.now) - timedelta(days=366 * years) if years else None,
        cursor=visit.query.get("page", "")[:500],
    )


def _reason(form: Any) -> str:
    situation = dict(form.situation.choices)[form.situation.data]
    return f"{situation} : {form.motif.data.strip()}"


def _looks_like_ins(text: str) -> bool:
    compact = "".join(text.split()).upper()
    return len(compact) in (13, 15) and compact[:5].isdigit()


def _name_of(visit: Visit) -> str:
    typed = visit.query.get("q", "")
    return "" if _looks_like_ins(typed) else typed


def _spaced(ins: str | None) -> str | None:
    """« 2 83 09 37 261 998 21 »: the groups in which people read a matricule."""
    if not ins or len(ins) < 13:
        return ins
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    return "\u00a0".join(part for part in (ins[a:b] for a, b in pairwise(cuts)) if part)
