"""A patient's vaccinations for a professional: the booklet, noting an injection, confirming what the person told."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, DateField, HiddenField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import Optional, ValidationError

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.signed import Paper, act_of, file_signed
from ambroise.interfaces.web.professional.summary import alerts_of
from ambroise.interfaces.web.professional.synthesis import oid_of
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind
from ambroise.modules.profile.api import Code, Item, Profile, Section, codes
from ambroise.modules.record.api import tables, write
from ambroise.trust.context import Context

_NOTE, _HISTORY = "87273-9", "11369-6"
_KINDS = {
    "INITIMMUNIZ": (write.PRIMARY, N_("Première vaccination")),
    "BOOSTER": (write.BOOSTER, N_("Rappel")),
}
_ROUTES = {
    "20035000": ("Voie intramusculaire", N_("Intramusculaire")),
    "20066000": ("Voie sous-cutanée", N_("Sous-cutanée")),
    "20053000": ("Voie orale", N_("Orale")),
}
_SEEN = "Au vu d'une preuve"
_SHORT = {"autocomplete": "off", "maxlength": "60"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Told(Struct, frozen=True):
    """A vaccination that is about to be signed: what was injected, and when."""

    name: str
    code: Code | None
    day: str


class _Signed(Form):
    lot = StringField(lazy(N_("Numéro de lot (facultatif)")), render_kw=_SHORT)
    genre = SelectField(
        lazy(N_("Genre (facultatif)")),
        choices=[("", "—"), *((key, lazy(words)) for key, (_, words) in _KINDS.items())],
    )
    rang = IntegerField(lazy(N_("Rang de la dose (facultatif)")), [Optional()])
    signe = BooleanField(
        lazy(N_("J’ai relu cette vaccination et je la signe comme auteur")), [Required(N_("Cochez pour signer"))]
    )
    acte = HiddenField()

    def validate_rang(self, field: IntegerField) -> None:
        if field.data is not None and not 0 < field.data < 20:
            raise ValidationError(str(lazy(N_("Donnez un rang de 1 à 19"))))

    def validate_signe(self, field: BooleanField) -> None:
        if not field.data:
            raise ValidationError(str(lazy(N_("Cochez pour signer"))))


class InjectionForm(_Signed):
    """An injection that the professional gave."""

    vaccin = StringField(
        lazy(N_("Vaccin")),
        [Required(N_("Dites quel vaccin"))],
        render_kw={"autocomplete": "off", "maxlength": "200", "list": "vaccins"},
    )
    protege = SelectField(
        lazy(N_("Ce dont il protège (facultatif)")),
        choices=[("", "—"), *((one.code, one.label) for one in codes.published("vaccine"))],
    )
    jour = DateField(lazy(N_("Date de l’injection")), [Required(N_("Donnez la date de l’injection"))])
    voie = SelectField(
        lazy(N_("Voie (facultatif)")),
        choices=[("", "—"), *((key, lazy(words)) for key, (_, words) in _ROUTES.items())],
    )


class ConfirmForm(_Signed):
    """A line of the booklet that the professional gave, or has seen the proof of."""

    qui = RadioField(
        lazy(N_("Comment le savez-vous ?")),
        [Required(N_("Choisissez"))],
        choices=[
            ("preuve", lazy(N_("J’en ai vu la preuve : carnet, ordonnance, certificat"))),
            ("moi", lazy(N_("J’ai fait cette injection"))),
        ],
        default="preuve",
    )


def vaccination_routes(site: Site, service: ProfessionalService, profile: Profile, lives: Lives) -> list[BaseRoute]:
    screen = Screen(site, AccountKind.PROFESSIONAL)

    async def booklet(visit: Visit) -> Response:
        ctx, patient = visit.context(visit.id("patient")), visit.id("patient")
        part = (await profile.sheet(ctx, patient, (Section.VACCINATIONS,)))[Section.VACCINATIONS]
        return await _page(visit, "professional/vaccinations.html", part=part, can_confirm=_can_confirm)

    async def noting(visit: Visit) -> Response:
        return await _form(visit, InjectionForm.drafted(await visit.draft()))

    async def note(visit: Visit, sent: FormData) -> Response:
        form = InjectionForm.of(sent)
        if not form.validate():
            return await _form(visit, form, 422)
        typed = form.vaccin.data.strip()
        async with profile.database.reader() as reader:
            # By its name when the instance has the base of medicines; by what it protects from otherwise.
            code = await codes.exactly(reader, "medicine", typed) or await codes.exactly(reader, "vaccine", typed)
        return await _sign(visit, form, Told(typed, code, form.jour.data.isoformat()), None, by_me=True)

    async def confirming(visit: Visit) -> Response:
        return await _form(visit, ConfirmForm.drafted(await visit.draft()), item=await _item(visit))

    async def confirm(visit: Visit, sent: FormData) -> Response:
        form, item = ConfirmForm.of(sent), await _item(visit)
        if not form.validate():
            return await _form(visit, form, 422, item=item)
        return await _sign(visit, form, Told(item.name, item.code, item.start), item, by_me=form.qui.data == "moi")

    async def _sign(visit: Visit, form: Any, told: Told, item: Item | None, *, by_me: bool) -> Response:
        patient = visit.id("patient")
        try:
            id = await _deposit(visit.context(patient), patient, form, told, by_me=by_me)
        except Refusal as refusal:
            if refusal.kind not in (Kind.UNPROCESSABLE, Kind.CONFLICT, Kind.INVALID):
                raise
            form.refuse(refusal)
            return await _form(visit, form, 422, item=item)
        return visit.go(f"/pro/patients/{patient}/depose/{id}", Toast("deposited"))

    async def _deposit(ctx: Context, patient: UUID, form: Any, told: Told, *, by_me: bool) -> UUID:
        """A note (VAC-NOTE) where all that it asks for is known (day, product, class, lot); else a history."""
        injection = _injection(form, told, by_me=by_me)
        vaccine = injection.vaccine
        noted = isinstance(injection.day, date) and bool(vaccine.cis and vaccine.atc and injection.lot)
        today = dates.local(ctx.now()).date()
        type = tables.type_code(_NOTE if noted else _HISTORY)
        if type is None or told.day > today.isoformat():
            raise Refusal(Kind.UNPROCESSABLE, "DATE_OUTSIDE_LIFE", "An injection is in the past.", element="jour")
        coded = write.Coded(type.code, type.label, type.system)
        paper = Paper(coded, "Note de vaccination" if noted else "Historique de vaccination", act_of(form))

        def written(head: write.Head) -> bytes:
            if noted:
                return write.vaccination_note(write.Header(), head, injection)
            return write.vaccination_history(write.Header(), head, (injection,))

        async with lives.database.transaction() as tx:
            return await file_signed(tx, ctx, lives.record, patient, paper, written)

    async def _item(visit: Visit) -> Item:
        """The line to confirm: one that the holder's side told, shows to all, and nobody confirmed."""
        patient = visit.id("patient")
        part = (await profile.sheet(visit.context(patient), patient, (Section.VACCINATIONS,)))[Section.VACCINATIONS]
        found = next((one for one in part.items if one.id == visit.parameter("id") and _can_confirm(one)), None)
        if found is None:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such line to confirm.")
        return found

    async def _form(visit: Visit, form: Any, status: int = 200, *, item: Item | None = None) -> Response:
        form.acte.data = form.acte.data or str(uuid4())
        return await _page(
            visit,
            "professional/vaccination.html",
            status,
            form=form,
            problems=form.problems,
            item=item,
            vaccines=[one.label for one in codes.published("vaccine")],
        )

    async def _page(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            return visit.go(f"/pro/patients/{patient}")
        return await visit.render(
            template,
            status,
            banner=banner_of(identity, standing, visit, await alerts_of(profile, ctx, patient)),
            emergency=visit.who.emergency_for(patient),
            base=f"/pro/patients/{patient}",
            profiles=profiles,
            place="patients",
            section="vaccinations",
            **values,
        )

    return [
        screen.route("/pro/patients/{patient}/vaccinations", booklet),
        screen.route("/pro/patients/{patient}/vaccinations/noter", noting, note),
        screen.route("/pro/patients/{patient}/vaccinations/{id}", confirming, confirm),
    ]


def _can_confirm(item: Item) -> bool:
    return item.own and not (item.denied or item.hidden or item.withheld or profiles.confirmed(item))


def _injection(form: Any, told: Told, *, by_me: bool) -> write.Injection:
    route = form.voie.data if "voie" in form else ""
    return write.Injection(
        _vaccine(told, form.protege.data if "protege" in form else ""),
        date.fromisoformat(told.day) if _DAY.fullmatch(told.day) else told.day,
        _KINDS[form.genre.data][0] if form.genre.data else None,
        form.rang.data,
        (form.lot.data or "").strip() or None,
        write.Coded(route, _ROUTES[route][0], write.EDQM) if route else None,
        seen=None if by_me else _SEEN,
    )


def _vaccine(told: Told, chosen: str) -> write.Vaccine:
    """The vaccine with its product, and its class: the one chosen, or the one that the line has."""
    system = oid_of(told.code.system) if told.code else None
    known = told.code.code if told.code else None
    atc = chosen or (known if system == write.ATC else None)
    return write.Vaccine(
        told.name,
        cis=known if system == write.CIS else None,
        cip=known if system == write.CIP else None,
        atc=atc,
        protects=next((one.label for one in codes.published("vaccine") if one.code == atc), None),
    )
