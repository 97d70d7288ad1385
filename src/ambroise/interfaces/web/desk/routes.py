"""The desk's pages: queues of reports, and how each one ends."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import RadioField, StringField, TextAreaField

from ambroise.interfaces.web.desk.views import DeskService, Queue, QueueFilter, ReportPage
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind

KINDS = {
    "misfiled_document": N_("Documents mal classés"),
    "unrecognised_access": N_("Accès non reconnus"),
    "duplicate_identity": N_("Identités en double"),
    "changed_ins": N_("INS changés"),
    "wrong_traits": N_("Traits à corriger"),
}
ONE = {
    "misfiled_document": N_("Document mal classé"),
    "unrecognised_access": N_("Accès non reconnu"),
    "duplicate_identity": N_("Identité en double"),
    "changed_ins": N_("INS changé"),
    "wrong_traits": N_("Traits à corriger"),
}
OUTCOMES = {
    "unfounded": N_("Sans suite : rien d’anormal"),
    "moved_out": N_("Document retiré de ce dossier, l’auteur doit le redéposer"),
    "access_explained": N_("Accès expliqué à la personne"),
    "access_irregular": N_("Accès reconnu irrégulier"),
    "merged": N_("Identités réunies"),
    "ins_changed": N_("Nouvel INS enregistré"),
    "traits_corrected": N_("Traits corrigés dans l’identité"),
}
_ENDS = {
    "misfiled_document": ("moved_out", "unfounded"),
    "unrecognised_access": ("access_explained", "access_irregular"),
    "duplicate_identity": ("merged", "unfounded"),
    "changed_ins": ("ins_changed", "unfounded"),
    "wrong_traits": ("traits_corrected", "unfounded"),
}
_NEEDS = {
    "merged": N_("Dossier à garder (identifiant)"),
    "ins_changed": N_("Nouveau matricule INS"),
}


class CloseForm(Form):
    issue = RadioField(lazy(N_("Fin du signalement")), [Required(N_("Choisissez comment se termine ce signalement"))])
    autre = StringField(lazy(N_("Précision")), render_kw={"autocomplete": "off"})
    note = TextAreaField(
        lazy(N_("Réponse à la personne")),
        [Required(N_("Écrivez ce que vous répondez à la personne"))],
        description=lazy(N_("Elle la lira dans son espace. N’écrivez aucune donnée de santé.")),
        render_kw={"rows": "3", "maxlength": "1000"},
    )


class Bar(Struct, frozen=True):
    """One bar of the chart of a desk: position and height, drawn by the template."""

    x: str
    middle: str
    y: int
    height: int
    count: int
    week: str


def desk_routes(site: Site, service: DeskService) -> list[BaseRoute]:
    """Every page of the desk."""
    screen = Screen(site, AccountKind.OPERATOR)

    async def queue(visit: Visit) -> Response:
        wanted = _filter(visit)
        found = await service.queue(visit.context(), wanted)
        open_id = visit.query.get("dossier", "")
        opened = next((row for row in found.rows if str(row.id) == open_id), None)
        page = await service.report(visit.context(), opened.patient, opened.id) if opened else None
        return await _show(visit, wanted, found, page, _closing(page) if page else None)

    async def act(visit: Visit, sent: FormData) -> Response:
        ctx = visit.context()
        patient, id = _ids(str(sent.get("dossier", "")))
        if sent.get("geste") == "prendre":
            await service.take(ctx, patient, id)
            # It left the queue of those that wait: show it where it is now.
            taken = {**visit.query, "etat": "taken", "dossier": str(id), "page": None}
            return visit.go(with_query("/guichet", **taken), Toast("taken"))
        page = await service.report(ctx, patient, id)
        form = _closing(page, sent)
        if form.validate():
            try:
                await service.close(
                    ctx, patient, id, form.issue.data, form.note.data.strip(), (form.autre.data or "").strip()
                )
                return visit.go(with_query("/guichet", **{**visit.query, "dossier": None}), Toast("closed"))
            except Refusal as refusal:
                form.refuse(refusal)
        wanted = _filter(visit)
        return await _show(visit, wanted, await service.queue(ctx, wanted), page, form, 422)

    async def _show(
        visit: Visit, wanted: QueueFilter, found: Queue, page: ReportPage | None, form: Any, status: int = 200
    ) -> Response:
        return await visit.render(
            "desk/queue.html",
            status,
            wanted=wanted,
            found=found,
            page=page,
            form=form,
            problems=form.problems if form else [],
            needs=[(code, gettext(words)) for code, words in _NEEDS.items() if page and code in _ENDS[page.row.kind]],
            kinds={code: gettext(name) for code, name in KINDS.items()},
            one={code: gettext(name) for code, name in ONE.items()},
            outcomes={code: gettext(name) for code, name in OUTCOMES.items()},
            title=gettext(KINDS[wanted.kind]) if wanted.kind in KINDS else gettext("Tous les signalements"),
            bars=_bars(found),
            view=lambda **parameters: with_query("/guichet", **parameters),
            row_address=lambda id: with_query("/guichet", **{**visit.query, "dossier": str(id)}),
            older=with_query("/guichet", **{**visit.query, "page": found.older, "dossier": None})
            if found.older
            else None,
            place="support",
        )

    return [screen.route("/guichet", queue, act)]


def _filter(visit: Visit) -> QueueFilter:
    kind, state = visit.query.get("file", ""), visit.query.get("etat", "open")
    return QueueFilter(
        kind=kind if kind in KINDS else "",
        state=state if state in ("open", "taken", "closed", "all") else "open",
        mine=visit.query.get("miens") == "1",
        cursor=visit.query.get("page", "")[:500],
    )


def _closing(page: ReportPage, sent: FormData | None = None) -> Any:
    form = CloseForm.of(sent) if sent is not None else CloseForm(autre=page.proposed)
    form.issue.choices = [(code, gettext(OUTCOMES[code])) for code in _ENDS[page.row.kind]]
    return form


def _ids(text: str) -> tuple[UUID, UUID]:
    patient, _, id = text.partition("/")
    try:
        return UUID(patient), UUID(id)
    except ValueError:
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_REPORT", "No report has this id.") from None


def _bars(found: Queue) -> list[Bar]:
    most = max((count for _, count in found.closed_by_week), default=0) or 1
    width = 100 / max(len(found.closed_by_week), 1)
    return [
        Bar(
            x=f"{width * index + width / 4:.2f}%",
            middle=f"{width * index + width / 2:.2f}%",
            y=72 - round(56 * count / most),
            height=max(round(56 * count / most), 1),
            count=count,
            week=dates.words(week, "d MMM"),
        )
        for index, (week, count) in enumerate(found.closed_by_week)
    ]
