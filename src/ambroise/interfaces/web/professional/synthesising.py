"""Making a medical synthesis of a record (VSM or IPS-FR): what goes in is chosen and signed; it replaces the former."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, HiddenField, RadioField, TextAreaField
from wtforms.validators import ValidationError

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.professional import rules, signing
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.describing import professional_of
from ambroise.interfaces.web.professional.signed import Paper, act_of, file_signed
from ambroise.interfaces.web.professional.summary import alerts_of
from ambroise.interfaces.web.professional.synthesis import (
    MOST_RESULTS,
    PARTS,
    Chosen,
    mark_of,
    parts_of,
    summary_of,
    synthesis_of,
)
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind
from ambroise.modules.profile.api import Profile
from ambroise.modules.record.api import Document, write
from ambroise.trust.context import Context

_VSM, _IPS = "vsm", "ips"
_TYPES = {_VSM: write.SYNTHESIS_TYPE, _IPS: write.PATIENT_SUMMARY_TYPE}
_FORMATS = {_VSM: "urn:asip:ci-sis:vsm:2012", _IPS: "urn:ihe:pcc:ips:2020"}
"""A letter may have the type of a synthesis too: the format tells them apart (JDV_J60)."""
_HELPS = {
    _VSM: N_("Il nomme le médecin traitant : le patient doit en avoir un."),
    _IPS: N_("Le résumé international, avec les mêmes rubriques que dans les autres pays d’Europe."),
}


def _help(model: str, former: Document | None) -> Markup:
    """What a model is for, and which document a new one replaces."""
    replaced = gettext("Elle remplacera la vôtre du %(day)s.", day=dates.day(former.filed)) if former else ""
    return Markup(" ").join(filter(None, (gettext(_HELPS[model]), Markup(replaced))))  # noqa: S704 - day() escapes.


class SynthesisForm(Form):
    parties = Ticks(
        lazy(N_("Ce qui entre dans la synthèse")),
        [Required(N_("Gardez au moins une partie"))],
        choices=[(key, lazy(title)) for key, title in PARTS.items()],
    )
    modele = RadioField(
        lazy(N_("Modèle du document")),
        choices=[
            (_VSM, lazy(N_("Volet de synthèse médicale (VSM)"))),
            (_IPS, lazy(N_("Synthèse médicale internationale (IPS-FR)"))),
        ],
        default=_VSM,
    )
    vigilance = TextAreaField(
        lazy(N_("Points de vigilance (facultatif)")),
        description=lazy(N_("Une ligne par point. Ils viennent avant les résultats.")),
        render_kw={"rows": "3", "maxlength": "4000"},
    )
    signe = BooleanField(
        lazy(N_("J’ai relu cette synthèse et je la signe comme auteur")),
        [Required(N_("Cochez pour signer"))],
    )
    lu = HiddenField()
    acte = HiddenField()

    def validate_signe(self, field: BooleanField) -> None:
        if not field.data:
            raise ValidationError(str(lazy(N_("Cochez pour signer"))))


def synthesis_routes(site: Site, service: ProfessionalService, profile: Profile, lives: Lives) -> list[BaseRoute]:
    screen = Screen(site, AccountKind.PROFESSIONAL)

    async def preview(visit: Visit) -> Response:
        draft = await visit.draft()
        form = SynthesisForm.drafted(draft, parties=list(PARTS))
        form.acte.data = form.acte.data or str(uuid4())
        return await _show(visit, form)

    async def sign(visit: Visit, sent: FormData) -> Response:
        form, patient = SynthesisForm.of(sent), visit.id("patient")
        if form.validate():
            try:
                id = await _deposit(visit.context(patient), patient, form)
                return visit.go(f"/pro/patients/{patient}/depose/{id}", Toast("deposited"))
            except Refusal as refusal:
                form.refuse(refusal)
        return await _show(visit, form, 422)

    async def _deposit(ctx: Context, patient: UUID, form: Any) -> UUID:
        formers = await _formers(ctx, patient)
        parts = await _parts(ctx, patient, formers)
        if form.lu.data != mark_of(parts):
            form.signe.data = False
            raise Refusal(Kind.CONFLICT, "PROFILE_CHANGED", "What would be signed is no more what was read.")
        model, alerts = form.modele.data, form.vigilance.data or ""
        former = formers.get(model)
        async with lives.database.transaction() as tx:
            treating = await signing.treating_of(tx, ctx, patient)

            def written(head: write.Head) -> bytes:
                if model == _IPS:
                    return write.patient_summary(
                        write.Header(), head, treating, summary_of(parts, form.parties.data, alerts)
                    )
                if treating is None:
                    raise Refusal(Kind.UNPROCESSABLE, "TREATING_UNKNOWN", "A synthesis names the treating doctor.")
                return write.medical_synthesis(
                    write.Header(), head, treating, synthesis_of(parts, form.parties.data, alerts)
                )

            paper = Paper(_TYPES[model], "Synthèse médicale", act_of(form), former.id if former else None)
            return await file_signed(tx, ctx, lives.record, patient, paper, written)

    async def _formers(ctx: Context, patient: UUID) -> dict[str, Document]:
        """The syntheses that the same professional wrote before, still in force, by model."""
        me = professional_of(ctx).id
        found: dict[str, Document] = {}
        async with lives.database.reader() as reader:
            for model, type in _TYPES.items():
                for one in await profile.documents(reader, ctx, patient, type.code):
                    mine = bool(one.authors) and one.authors[0].identifier == me
                    if mine and model not in found and one.format_code == _FORMATS[model]:
                        found[model] = one
        return found

    async def _parts(ctx: Context, patient: UUID, formers: Mapping[str, Document]) -> list[Chosen]:
        # A former one is no source of the new one: what it said stands or falls with where it had it from.
        without = tuple(UUID(one.id) for one in formers.values())
        sheet, results = await profile.shareable(ctx, patient, MOST_RESULTS, without)
        return parts_of(sheet, results)

    async def _show(visit: Visit, form: Any, status: int = 200) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            return visit.go(f"/pro/patients/{patient}")
        formers = await _formers(ctx, patient)
        parts = await _parts(ctx, patient, formers)
        form.lu.data = mark_of(parts)
        return await visit.render(
            "professional/synthesis.html",
            status,
            banner=banner_of(identity, standing, visit, await alerts_of(profile, ctx, patient)),
            emergency=visit.who.emergency_for(patient),
            why=rules.read_as(standing.rule),
            base=f"/pro/patients/{patient}",
            form=form,
            parts=parts,
            helps={model: _help(model, formers.get(model)) for model in _TYPES},
            day_of=write.shown_day,
            problems=form.problems,
            place="patients",
            section="synthese",
        )

    return [screen.route("/pro/patients/{patient}/synthese/rediger", preview, sign)]
