"""Adding a vaccination from the code on its box: a photo, or what is printed beside the code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import FileField, StringField

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.citizen.profile.forms import VaccinationForm
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.profile.api import Profile, boxes, codes

ADDRESS = "/profil/vaccinations/scanner"
# A picture of 8 MB, and the rest of the form.
_MOST = 8 * 1024 * 1024 + 64 * 1024
_READ = N_("Lu sur la boîte. Vérifiez le nom et la date du vaccin, puis enregistrez.")
_UNKNOWN = N_(
    "Le code est lu, mais ce produit n’est pas connu ici. Recopiez le nom écrit sur la boîte, puis enregistrez."
)


class BoxForm(Form):
    image = FileField(
        lazy(N_("Photo du code carré de la boîte")),
        description=lazy(N_("PNG ou JPEG, de près et bien à plat. La photo n’est pas gardée.")),
        render_kw={"accept": "image/png,image/jpeg", "capture": "environment"},
    )
    code = StringField(
        lazy(N_("Ou le code écrit à côté")),
        description=lazy(N_("Les 13 chiffres qui commencent par 3400, ou tout le code.")),
        render_kw={"autocomplete": "off", "maxlength": "200"},
    )


def box_routes(
    screen: Screen, profile: Profile, ask: Callable[[Visit, Any, str, str], Awaitable[Response]]
) -> list[BaseRoute]:
    """The page that reads a box. `ask` shows the form of a vaccination: its fields, a note of a kind, and its words."""

    async def show(visit: Visit) -> Response:
        return await _page(visit, BoxForm())

    async def read(visit: Visit, sent: FormData) -> Response:
        form = BoxForm.of(sent)
        try:
            box = boxes.read(await _content(sent))
        except Refusal as refusal:
            if refusal.kind not in (Kind.UNPROCESSABLE, Kind.TOO_LARGE):
                raise
            form.refuse(refusal)
            return await _page(visit, form, 422)
        async with profile.database.reader() as reader:
            known = await codes.named_by(reader, "presentation", box.cip) if box.cip else None
        today = dates.as_day(visit.now)
        filled = VaccinationForm(
            name=known.label if known else "",
            start=today.isoformat(),
            lot=box.lot,
            cip=box.cip,
            expires=box.expires.isoformat() if box.expires else "",
        )
        kind, said = ("done", _READ) if known else ("due", _UNKNOWN)
        words = gettext(said)
        if box.expires is not None and box.expires < today:
            day = profiles.when(box.expires.isoformat())
            kind, words = "due", f"{words} {gettext('Cette boîte est périmée depuis le %(day)s.', day=day)}"
        return await ask(visit, filled, kind, words)

    async def _page(visit: Visit, form: BoxForm, status: int = 200) -> Response:
        return await visit.render("citizen/profile_box.html", status, form=form, problems=form.problems, place="profil")

    return [screen.route(ADDRESS, show, read, most=_MOST)]


async def _content(sent: FormData) -> str:
    picture = sent.get("image")
    if not isinstance(picture, UploadFile) or not picture.filename:
        return str(sent.get("code", ""))
    # The picture libraries are opened at the first photo that needs them.
    from ambroise.modules.identity.datamatrix.symbol import contents

    found = await asyncio.to_thread(contents, await picture.read())
    return found[0] if found else ""
