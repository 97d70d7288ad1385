"""Being together: the person shows a code, the professional types it, the record opens for a while."""

from __future__ import annotations

import io
from typing import Any

import segno
from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import StringField

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Refusal
from ambroise.modules.vitale.api import Vitale


class MeetForm(Form):
    code = StringField(
        lazy(N_("Le code du patient")),
        [Required(N_("Écrivez le code"))],
        description=lazy(N_("Huit lettres et chiffres, que le patient lit ou montre sur son écran.")),
        render_kw={"autocomplete": "off", "maxlength": "12"},
    )


def meeting_routes(citizen: Screen, professional: Screen, vitale: Vitale) -> list[BaseRoute]:
    async def ask(visit: Visit) -> Response:
        return await visit.render("vitale/meeting.html", code=None, picture=None, place="acces")

    async def make(visit: Visit, _: FormData) -> Response:
        made = await vitale.meetings.invite(visit.context())
        return await visit.render("vitale/meeting.html", code=made, picture=_drawn(made.code), place="acces")

    async def ask_code(visit: Visit) -> Response:
        return await page(visit, MeetForm())

    async def page(visit: Visit, form: Any, status: int = 200) -> Response:
        return await visit.render("vitale/meet.html", status, form=form, problems=form.problems, place="patients")

    async def meet(visit: Visit, sent: FormData) -> Response:
        form = MeetForm.of(sent)
        if form.validate():
            try:
                met = await vitale.meetings.meet(visit.context(), form.code.data)
                return visit.go(f"/pro/patients/{met.patient}", Toast("met"))
            except Refusal as refusal:
                form.refuse(refusal, "code")
        return await page(visit, form, 422)

    return [
        citizen.route("/acces/presence", ask, make),
        professional.route("/pro/presence", ask_code, meet),
    ]


def _drawn(code: str) -> Markup:
    out = io.BytesIO()
    made = segno.make("".join(code.split()), error="m", micro=False)
    made.save(out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, lineclass=None, svgclass="qr")
    # The drawing is made by segno from squares: nothing of the code is written in it as text.
    return Markup(out.getvalue().decode())  # noqa: S704
