"""Depositing in two steps: what the documents are, then the files once the identity was read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.files import one_document, sniffed
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.forms import MOST_BYTES, DepositForm, SendForm
from ambroise.interfaces.web.professional.summary import alerts_of
from ambroise.interfaces.web.professional.views import Deposit, Deposited, ProfessionalService
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.errors import explain
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.interfaces.web.views import DocumentRow
from ambroise.kernel.errors import Refusal
from ambroise.modules.profile.api import Profile

_MOST_AT_ONCE = 4 * MOST_BYTES
"""Bytes of all the files of one form."""


class Line(Struct, frozen=True):
    """What the page tells of one file, or of one submission of a zip."""

    name: str
    documents: Sequence[DocumentRow] = ()
    there: bool = False
    problem: str = ""
    """Why it was refused, in words."""
    signed_by: str = ""


def deposit_routes(screen: Screen, service: ProfessionalService, profile: Profile | None) -> list[BaseRoute]:
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
        if not form.validate():
            return await _show(visit, "professional/deposit_check.html", form, 422)
        lines: list[Line] = []
        chosen: list[UploadFile] = form.fichiers.data
        for files in [chosen] if form.reunir.data else [[one] for one in chosen]:
            lines += await _deposit(visit, form, files)
        if len(lines) == 1 and lines[0].problem:
            form.fichiers.errors = [*form.fichiers.errors, lines[0].problem]
            return await _show(visit, "professional/deposit_check.html", form, 422)
        alone = lines[0].documents if len(lines) == 1 else ()
        if len(alone) == 1 and not lines[0].signed_by:
            patient = visit.id("patient")
            return visit.go(f"/pro/patients/{patient}/depose/{alone[0].id}", Toast("deposited"))
        refused = sum(1 for line in lines if line.problem)
        return await _show(
            visit, "professional/deposited_several.html", form, 422 if refused else 200, lines=lines, refused=refused
        )

    async def _deposit(visit: Visit, form: Any, files: Sequence[UploadFile]) -> list[Line]:
        """Deposit one file, or photos as one; its refusal is told beside its name, and the others go on."""
        patient, name = visit.id("patient"), files[0].filename or ""
        try:
            deposited = await service.deposit(visit.context(patient), patient, await _read(form, files))
        except Refusal as refusal:
            return [Line(name, problem=_problem(refusal))]
        return [_line(name, one) for one in deposited]

    async def done(visit: Visit) -> Response:
        return await _show(visit, "professional/deposited.html", DepositForm(), id=visit.parameter("id"))

    async def _show(visit: Visit, template: str, form: Any, status: int = 200, **values: Any) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        _offer_types(form)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        # One may deposit without the right to read: then nothing of the record is on top of the page.
        alerts = await alerts_of(profile, ctx, patient) if standing.allowed else ()
        types = dict(service.document_types())
        return await visit.render(
            template,
            status,
            banner=banner_of(identity, standing, visit, alerts),
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
        screen.route("/pro/patients/{patient}/deposer", first_step, next_step, most=_MOST_AT_ONCE),
        screen.route("/pro/patients/{patient}/depose/{id}", done),
    ]


def _line(name: str, one: Deposited) -> Line:
    problem = _problem(one.refusal) if one.refusal is not None else ""
    return Line(f"{name} ({one.part})" if one.part else name, one.documents, one.there, problem, one.signed_by)


def _problem(refusal: Refusal) -> str:
    if refusal.code == "TYPE_UNKNOWN":
        return gettext("Ce fichier ne dit pas ce qu’il est : choisissez un type, puis déposez-le de nouveau.")
    return explain(refusal).text


async def _read(form: Any, files: Sequence[UploadFile]) -> Deposit:
    content = await one_document([await one.read() for one in files])
    return Deposit(
        content=content,
        media_type=(files[0].content_type or "application/octet-stream") if len(files) == 1 else sniffed(content),
        file_name=files[0].filename or "",
        type_code=form.type.data or "",
        title=(form.titre.data or "").strip(),
        day=form.date.data,
        masked=form.masque.data,
        withheld=form.annonce.data,
        hidden_from_representatives=form.representants.data,
    )
