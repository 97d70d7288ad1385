"""Making a medical synthesis (VSM) of a record: choose what goes in, sign, deposit; it replaces one's former one."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, HiddenField, TextAreaField
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
    synthesis_of,
)
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind
from ambroise.modules.profile.api import Profile
from ambroise.modules.record.api import Document, write
from ambroise.trust.context import Context

_TYPE = write.SYNTHESIS_TYPE.code


class SynthesisForm(Form):
    parties = Ticks(
        lazy(N_("Ce qui entre dans la synthèse")),
        [Required(N_("Gardez au moins une partie"))],
        choices=[(key, lazy(title)) for key, title in PARTS.items()],
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
        former = await _former(ctx, patient)
        parts = await _parts(ctx, patient, former)
        if form.lu.data != mark_of(parts):
            form.signe.data = False
            raise Refusal(Kind.CONFLICT, "PROFILE_CHANGED", "What would be signed is no more what was read.")
        async with lives.database.transaction() as tx:
            treating = await signing.treating_of(tx, ctx, patient)
            if treating is None:
                raise Refusal(Kind.UNPROCESSABLE, "TREATING_UNKNOWN", "A synthesis names the treating doctor.")
            said = synthesis_of(parts, form.parties.data, form.vigilance.data or "")
            paper = Paper(write.SYNTHESIS_TYPE, "Synthèse médicale", act_of(form), former.id if former else None)
            return await file_signed(
                tx,
                ctx,
                lives.record,
                patient,
                paper,
                lambda head: write.medical_synthesis(write.Header(), head, treating, said),
            )

    async def _former(ctx: Context, patient: UUID) -> Document | None:
        """The synthesis that the same professional wrote before, still in force."""
        me = professional_of(ctx).id
        async with lives.database.reader() as reader:
            found = await profile.documents(reader, ctx, patient, _TYPE)
        return next((one for one in found if one.authors and one.authors[0].identifier == me), None)

    async def _parts(ctx: Context, patient: UUID, former: Document | None) -> list[Chosen]:
        # The former one is no source of the new one: what it said stands or falls with where it had it from.
        without = (UUID(former.id),) if former else ()
        sheet, results = await profile.shareable(ctx, patient, MOST_RESULTS, without)
        return parts_of(sheet, results)

    async def _show(visit: Visit, form: Any, status: int = 200) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            return visit.go(f"/pro/patients/{patient}")
        former = await _former(ctx, patient)
        parts = await _parts(ctx, patient, former)
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
            former=former,
            day_of=write.shown_day,
            problems=form.problems,
            place="patients",
            section="synthese",
        )

    return [screen.route("/pro/patients/{patient}/synthese/rediger", preview, sign)]
