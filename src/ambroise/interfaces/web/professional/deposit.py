"""Depositing in two steps: what the document is, then the file once the identity was read again."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.forms import MOST_BYTES, DepositForm, SendForm
from ambroise.interfaces.web.professional.views import Deposit, ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Refusal


def deposit_routes(screen: Screen, service: ProfessionalService) -> list[BaseRoute]:
    async def first_step(visit: Visit) -> Response:
        draft = await visit.draft()
        form = DepositForm.drafted(draft, date=dates.as_day(visit.now))
        return await _show(visit, "professional/deposit.html", form, drafted=bool(draft))

    async def next_step(visit: Visit, sent: FormData) -> Response:
        if sent.get("etape") == "2":
            return await _send(visit, SendForm.of(sent))
        form = DepositForm.of(sent)
        _offer_types(form)
        if not form.validate() or sent.get("geste") == "corriger":
            return await _show(visit, "professional/deposit.html", form, 422 if form.problems else 200)
        return await _show(visit, "professional/deposit_check.html", SendForm(obj=None, **form.data))

    async def _send(visit: Visit, form: Any) -> Response:
        _offer_types(form)
        patient = visit.id("patient")
        if form.validate():
            try:
                id = await service.deposit(visit.context(patient), patient, await _deposit(form))
                return visit.go(f"/pro/patients/{patient}/depose/{id}", Toast("deposited"))
            except Refusal as refusal:
                form.refuse(refusal, "fichier")
        return await _show(visit, "professional/deposit_check.html", form, 422)

    async def done(visit: Visit) -> Response:
        return await _show(visit, "professional/deposited.html", DepositForm(), id=visit.parameter("id"))

    async def _show(visit: Visit, template: str, form: Any, status: int = 200, **values: Any) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        _offer_types(form)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        types = dict(service.document_types())
        return await visit.render(
            template,
            status,
            banner=banner_of(identity, standing, visit),
            standing=standing,
            base=f"/pro/patients/{patient}",
            form=form,
            type_label=types.get(form.type.data or "", ""),
            problems=form.problems,
            place="patients",
            section="deposer",
            **{"drafted": False, **values},
        )

    def _offer_types(form: Any) -> None:
        form.type.choices = [("", gettext("Choisir…")), *service.document_types()]

    return [
        screen.route("/pro/patients/{patient}/deposer", first_step, next_step, most=MOST_BYTES + 100_000),
        screen.route("/pro/patients/{patient}/depose/{id}", done),
    ]


async def _deposit(form: Any) -> Deposit:
    upload = form.fichier.data
    return Deposit(
        content=await upload.read(),
        media_type=upload.content_type or "application/octet-stream",
        file_name=upload.filename or "",
        type_code=form.type.data,
        title=form.titre.data.strip(),
        day=form.date.data,
        masked=form.masque.data,
        withheld=form.annonce.data,
        hidden_from_representatives=form.representants.data,
    )
