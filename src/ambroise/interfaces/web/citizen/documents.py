"""Documents: the timeline, one document open, masking, adding, deleting, telling that one is somebody else's."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import categories, exporting, reasons
from ambroise.interfaces.web.citizen.forms import MOST_BYTES, AddForm, MisfiledForm
from ambroise.interfaces.web.citizen.views import (
    CitizenService,
    DocumentFilter,
    DocumentList,
    DocumentPage,
    NewDocument,
)
from ambroise.interfaces.web.documents import by_month, served, shown
from ambroise.interfaces.web.files import one_document, sniffed
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, with_query
from ambroise.interfaces.web.views import Content
from ambroise.kernel.errors import Refusal

PER_PAGE = 20
_MOST_AT_ONCE = 10 * MOST_BYTES
"""Bytes of all the photos of one document, which are made smaller."""


def document_routes(screen: Screen, service: CitizenService) -> list[BaseRoute]:
    async def timeline(visit: Visit) -> Response:
        wanted = filter_of(visit.query)
        found = await service.documents(visit.context(), wanted)
        older = with_query("/documents", **{**visit.query, "page": found.older}) if found.older else None
        return await visit.render(
            "citizen/documents.html",
            months=by_month(found.rows),
            found=found,
            wanted=wanted,
            filtered=bool(
                wanted.words or wanted.category or wanted.author or wanted.since or wanted.until or wanted.folder
            ),
            shelves=_shelves(found, wanted),
            categories=[(code, categories.category(code)) for code in categories.CATEGORIES],
            older=older,
            newest=with_query("/documents", **{**visit.query, "page": None}) if wanted.cursor else None,
            words=categories,
            place="documents",
        )

    async def show(visit: Visit) -> Response:
        page = await service.document(visit.context(), visit.parameter("id"))
        return await visit.render(
            "citizen/document.html", place="documents", words=categories, reasons=reasons, **shown(page)
        )

    async def audience(visit: Visit) -> Response:
        found = await service.audience(visit.context(), visit.parameter("id"))
        return await visit.render("citizen/audience.html", place="documents", reasons=reasons, found=found)

    async def content(visit: Visit) -> Response:
        found = await service.content(visit.context(), visit.parameter("id"))
        return served(visit, found)

    async def joined(visit: Visit) -> Response:
        return served(visit, await service.joined(visit.context(), visit.parameter("id"), visit.parameter("name")))

    async def confirm(visit: Visit) -> Response:
        page = await service.about(visit.context(), visit.parameter("id"))
        return await visit.render("citizen/mask.html", page=page, place="documents")

    async def change_visibility(visit: Visit, form: FormData) -> Response:
        masked = form.get("geste") == "masquer"
        id = visit.parameter("id")
        await service.set_masked(visit.context(), id, masked)
        return visit.go(f"/documents/{id}", Toast("masked" if masked else "unmasked", id))

    async def confirm_deletion(visit: Visit) -> Response:
        page = await service.about(visit.context(), visit.parameter("id"))
        return await visit.render("citizen/delete.html", page=page, place="documents")

    async def delete(visit: Visit, form: FormData) -> Response:
        await service.delete(visit.context(), visit.parameter("id"))
        return visit.go("/documents", Toast("deleted"))

    async def ask_report(visit: Visit) -> Response:
        page = await service.about(visit.context(), visit.parameter("id"))
        if page.reported is not None and page.reported.waits:
            return visit.go(f"/documents/{page.row.id}#signalement")
        return await _report(visit, page, MisfiledForm.drafted(await visit.draft()))

    async def report(visit: Visit, sent: FormData) -> Response:
        form, id = MisfiledForm.of(sent), visit.parameter("id")
        if not form.validate():
            return await _report(visit, await service.about(visit.context(), id), form, 422)
        try:
            await service.report_document(visit.context(), id, form.pourquoi.data.strip())
        except Refusal as refusal:
            if refusal.code != "REPORT_OPEN":
                raise
            return visit.go(f"/documents/{id}#signalement", Toast("reported-before"))
        return visit.go(f"/documents/{id}#signalement", Toast("reported"))

    async def _report(visit: Visit, page: DocumentPage, form: Any, status: int = 200) -> Response:
        return await visit.render(
            "citizen/misfiled.html",
            status,
            row=page.row,
            form=form,
            problems=form.problems,
            words=categories,
            place="documents",
        )

    async def ask_new(visit: Visit) -> Response:
        draft = await visit.draft()
        form = AddForm.drafted(draft, date=dates.as_day(visit.now))
        return await visit.render("citizen/add.html", form=form, problems=[], drafted=bool(draft), place="documents")

    async def add(visit: Visit, sent: FormData) -> Response:
        form = AddForm.of(sent)
        if form.validate():
            try:
                id = await service.add(visit.context(), await _new(form))
                return visit.go(f"/documents/{id}", Toast("added", id))
            except Refusal as refusal:
                form.refuse(refusal, "fichier")
        return await visit.render(
            "citizen/add.html", 422, form=form, problems=form.problems, drafted=False, place="documents"
        )

    async def ask_export(visit: Visit) -> Response:
        return await _export(visit, False)

    async def export(visit: Visit, sent: FormData) -> Response:
        return await exporting.answer(visit, sent, _export, _zipped)

    async def _zipped(visit: Visit, ids: list[str]) -> Content:
        return await service.zipped(visit.context(), ids)

    async def _export(visit: Visit, nothing: bool) -> Response:
        found = await service.recent(visit.context(), DocumentFilter())
        status = 422 if nothing else 200
        return await visit.render(
            "citizen/export.html", status, found=found, nothing=nothing, words=categories, place="documents"
        )

    return [
        screen.route("/documents", timeline),
        screen.route("/documents/emporter", ask_export, export),
        screen.route("/documents/ajouter", ask_new, add, most=_MOST_AT_ONCE),
        screen.route("/documents/{id}", show),
        screen.route("/documents/{id}/qui", audience),
        screen.route("/documents/{id}/fichier", content),
        screen.route("/documents/{id}/joint/{name}", joined),
        screen.route("/documents/{id}/visibilite", confirm, change_visibility),
        screen.route("/documents/{id}/supprimer", confirm_deletion, delete),
        screen.route("/documents/{id}/signaler", ask_report, report),
    ]


def _shelves(found: DocumentList, wanted: DocumentFilter) -> list[tuple[str, str, bool]]:
    """The folders to choose from, as addresses, words, and whether it is the present one."""
    if not found.folders:
        return []
    some = [
        (
            f"/documents?dossier={one.id}",
            one.name if one.count is None else f"{one.name} ({one.count})",
            one.id == wanted.folder,
        )
        for one in found.folders
    ]
    return [("/documents", gettext("Tous"), not wanted.folder), *some]


def filter_of(query: dict[str, str]) -> DocumentFilter:
    """The filter that an address asks for; a value that makes no sense is left out."""
    return DocumentFilter(
        words=query.get("mots", "")[:200],
        category=query.get("categorie", "") if query.get("categorie") in categories.CATEGORIES else "",
        author=query.get("auteur", "")[:200],
        since=_date(query.get("depuis")),
        until=_date(query.get("jusqua")),
        folder=query.get("dossier", "")[:36],
        cursor=query.get("page", "")[:4000],
    )


async def _new(form: Any) -> NewDocument:
    chosen = [*form.fichier.data, *(one for one in form.pages.data if isinstance(one, UploadFile) and one.filename)]
    content = await one_document([await upload.read() for upload in chosen])
    return NewDocument(
        content=content,
        media_type=sniffed(content),
        title=form.titre.data.strip(),
        category=form.categorie.data,
        day=form.date.data,
        masked=form.visible.data == "moi",
    )


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
