"""Keeping one's documents in order: folders, what is pinned, acts on several documents at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import categories
from ambroise.interfaces.web.citizen.views import DocumentFilter, DocumentList, DocumentRow
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Refusal
from ambroise.trust.context import Context

MOST_DELETED = 10
PAGE = "/documents/ranger"


class FolderService(Protocol):
    """What these pages ask for."""

    async def documents(self, ctx: Context, wanted: DocumentFilter) -> DocumentList: ...

    async def chosen(self, ctx: Context, ids: Sequence[str]) -> Sequence[DocumentRow]:
        """Those of these documents that the citizen sees."""
        ...

    async def create_folder(self, ctx: Context, name: str) -> None: ...

    async def remove_folder(self, ctx: Context, folder: str) -> None: ...

    async def put(self, ctx: Context, ids: Sequence[str], folder: str | None) -> None: ...

    async def pin(self, ctx: Context, id: str, pinned: bool) -> None: ...

    async def delete_all(self, ctx: Context, ids: Sequence[str]) -> None:
        """Delete documents of one's own, all or none."""
        ...


def folder_routes(screen: Screen, service: FolderService) -> list[BaseRoute]:
    async def order(visit: Visit) -> Response:
        return await _order(visit)

    async def act(visit: Visit, sent: FormData) -> Response:
        ids = [str(one) for one in sent.getlist("doc")][:100]
        try:
            match sent.get("geste"):
                case "creer":
                    await service.create_folder(visit.context(), str(sent.get("nom", "")))
                    return visit.go(PAGE, Toast("folder-made"))
                case "retirer":
                    await service.remove_folder(visit.context(), str(sent.get("dossier", "")))
                    return visit.go(PAGE, Toast("folder-removed"))
                case "ranger" if ids:
                    await service.put(visit.context(), ids, str(sent.get("dossier", "")) or None)
                    return visit.go(PAGE, Toast("put-away"))
                case "supprimer" if ids:
                    return await _confirm(visit, ids)
                case "confirmer" if ids and len(ids) <= MOST_DELETED:
                    await service.delete_all(visit.context(), ids)
                    return visit.go("/documents", Toast("deleted-all"))
                case _:
                    return await _order(visit, gettext("Choisissez d’abord un ou plusieurs documents"), 422)
        except Refusal as refusal:
            said = _SAID.get(refusal.code)
            if said is None:
                raise
            return await _order(visit, gettext(said), 422)

    async def _confirm(visit: Visit, ids: Sequence[str]) -> Response:
        rows = await service.chosen(visit.context(), ids)
        own = [row for row in rows if row.mine]
        if not own:
            return await _order(visit, gettext("Vous ne pouvez supprimer que ce que vous avez ajouté"), 422)
        if len(own) > MOST_DELETED:
            return await _order(visit, gettext("Supprimez dix documents au plus à la fois"), 422)
        return await visit.render(
            "citizen/delete_all.html", rows=own, others=len(rows) - len(own), words=categories, place="documents"
        )

    async def _order(visit: Visit, problem: str = "", status: int = 200) -> Response:
        wanted = DocumentFilter(folder=visit.query.get("dossier", "")[:36], cursor=visit.query.get("page", "")[:4000])
        found = await service.documents(visit.context(), wanted)
        return await visit.render(
            "citizen/order.html",
            status,
            found=found,
            problems=[("", problem)] if problem else [],
            words=categories,
            place="documents",
        )

    async def pin(visit: Visit, sent: FormData) -> Response:
        id, pinned = visit.parameter("id"), sent.get("geste") == "epingler"
        await service.pin(visit.context(), id, pinned)
        return visit.go(f"/documents/{id}", Toast("pinned" if pinned else "unpinned"))

    async def see(visit: Visit) -> Response:
        return visit.go(f"/documents/{visit.parameter('id')}")

    return [
        screen.route(PAGE, order, act),
        screen.route("/documents/{id}/epingle", see, pin),
    ]


_SAID = {
    "FOLDER_NAME_INVALID": N_("Donnez au dossier un nom de 50 caractères au plus"),
    "FOLDER_EXISTS": N_("Un dossier porte déjà ce nom"),
    "TOO_MANY_FOLDERS": N_("Vous avez déjà 50 dossiers : supprimez-en un d’abord"),
    "FOLDER_FULL": N_("Un dossier contient 500 documents au plus"),
}
