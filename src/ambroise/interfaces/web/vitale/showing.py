"""Showing the card on a page of the portal, and the receipts of its uses."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import segno
from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import Optional

from ambroise.interfaces.web.professions import name_of
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.interfaces.web.vitale.card import SECRET
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.vitale.api import Receipt, Shown, Vitale


class ShowForm(Form):
    code = PasswordField(lazy(N_("Votre code secret")), [Required(N_("Donnez votre code secret"))], render_kw=SECRET)
    ouvrir = BooleanField(
        lazy(N_("Ouvrir aussi mon dossier à ce professionnel")),
        description=lazy(N_("Pendant deux heures, puis l’accès s’arrête tout seul. Vous pouvez l’arrêter avant.")),
    )
    lecteur = StringField(
        lazy(N_("Code du lecteur sans contact (facultatif)")),
        [Optional()],
        description=lazy(N_("Seulement si le professionnel vous en donne un : votre carte ne parlera qu’à lui.")),
        render_kw={"autocomplete": "off", "maxlength": "36"},
    )


def showing_routes(screen: Screen, vitale: Vitale) -> list[BaseRoute]:
    showings = vitale.showings

    async def ask(visit: Visit) -> Response:
        return await asked(visit, ShowForm())

    async def asked(visit: Visit, form: Any, status: int = 200) -> Response:
        return await visit.render(
            "vitale/show.html",
            status,
            form=form,
            problems=form.problems,
            delegated=_delegation(visit) is not None,
            place="vitale",
        )

    async def show(visit: Visit, sent: FormData) -> Response:
        form, ctx = ShowForm.of(sent), visit.context()
        delegation = _delegation(visit)
        key = str(sent.get("cle") or "")
        try:
            if not key:
                if not form.validate():
                    return await asked(visit, form, 422)
                key = (await showings.unlock(ctx, form.code.data, delegation=delegation)).secret
            reader = _reader(form.lecteur.data)
            shown = await showings.show(ctx, key, opens=bool(form.ouvrir.data), reader=reader)
        except Refusal as refusal:
            form.refuse(refusal, "lecteur" if refusal.code == "VITALE_CHALLENGE" else "code")
            return await asked(visit, form, 422)
        return await visit.render(
            "vitale/shown.html",
            shown=shown,
            picture=drawn(shown) if reader is None else None,
            key=key,
            opens=bool(form.ouvrir.data),
            reader=form.lecteur.data or "",
            place="vitale",
        )

    async def receipts(visit: Visit) -> Response:
        ctx = visit.context()
        mine = [(one, job_of(one)) for one in await showings.receipts(ctx)]
        others = await showings.receipts_for_others(ctx) if ctx.acting_for is None else []
        return await visit.render(
            "vitale/receipts.html", mine=mine, others=[(one, job_of(one)) for one in others], place="vitale"
        )

    return [screen.route("/vitale/montrer", ask, show), screen.route("/vitale/recus", receipts)]


def drawn(shown: Shown) -> Markup:
    """The QR code as a drawing without styles of its own."""
    out = io.BytesIO()
    code = segno.make(shown.token, error="l", micro=False)
    code.save(out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, lineclass=None, svgclass="qr")
    # The drawing is made by segno from squares: nothing of the token is written in it as text.
    return Markup(out.getvalue().decode())  # noqa: S704


def job_of(one: Receipt) -> str:
    """The profession of who read the card."""
    system, _, code = one.profession.partition("|")
    return name_of(system, code, None)


def _reader(text: str | None) -> UUID | None:
    if not (text or "").strip():
        return None
    try:
        return UUID(hex=str(text).strip())
    except ValueError:
        raise Refusal(Kind.UNPROCESSABLE, "VITALE_CHALLENGE", "This is not the code of a reader.") from None


def _delegation(visit: Visit) -> UUID | None:
    text = visit.query.get("pour")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such delegation.") from None
