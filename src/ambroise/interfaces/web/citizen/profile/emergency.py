"""The emergency code: its page for the person, and what it opens for whoever holds it."""

from __future__ import annotations

import io
from typing import Any

import segno
from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.citizen.profile.spaces import space_of
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.modules.identity.api import identity_of
from ambroise.modules.profile.api import OFFERED, EmergencyCodes, Profile, Section


class CodeForm(Form):
    rubriques = Ticks(
        lazy(N_("Ce qu’il ouvre")),
        [Required(N_("Choisissez au moins une rubrique"))],
        choices=[(one.value, lazy(profiles.FACES[one].title)) for one in OFFERED],
    )


def emergency_routes(screen: Screen, profile: Profile, codes: EmergencyCodes) -> list[BaseRoute]:
    """The page on which a person makes the code."""

    async def show(visit: Visit) -> Response:
        chosen = [Section.BLOOD.value, Section.ALLERGIES.value, Section.TREATMENTS.value, Section.CONTACTS.value]
        return await _page(visit, CodeForm(rubriques=chosen))

    async def change(visit: Visit, sent: FormData) -> Response:
        ctx = visit.context()
        if sent.get("geste") == "annuler":
            async with profile.database.transaction() as tx:
                await codes.revoke(tx, ctx, space_of(ctx))
            return visit.go("/profil/urgence", Toast("emergency-code-revoked"))
        form = CodeForm.of(sent)
        if not form.validate():
            return await _page(visit, form, status=422)
        async with profile.database.transaction() as tx:
            chosen = [one for one in OFFERED if one.value in form.rubriques.data]
            token = await codes.make(tx, ctx, space_of(ctx), chosen)
        url = visit.request.url
        return await _page(visit, form, address=f"{url.scheme}://{url.netloc}/urgence/{token}")

    async def _page(visit: Visit, form: Any, address: str = "", status: int = 200) -> Response:
        ctx = visit.context()
        async with profile.database.reader() as reader:
            code = await codes.present(reader, ctx, space_of(ctx))
        return await visit.render(
            "citizen/profile_emergency.html",
            status,
            form=form,
            problems=form.problems,
            code=code,
            drawing=_drawn(address) if address else None,
            address=address,
            profiles=profiles,
            place="profil",
        )

    return [screen.route("/profil/urgence", show, change)]


def opening_routes(screen: Screen, profile: Profile, codes: EmergencyCodes) -> list[BaseRoute]:
    """What a code opens. Nothing opens before somebody asks for it: a preview of the link shows nothing."""

    async def ask(visit: Visit) -> Response:
        return _kept_apart(await visit.render("citizen/emergency_ask.html"))

    async def opened(visit: Visit, sent: FormData) -> Response:
        found = await codes.open(visit.parameter("token")[:200])
        async with profile.database.reader() as reader:
            known = await identity_of(reader, found.patient)
        birth = known.traits.birth_date if known else None
        return _kept_apart(
            await visit.render(
                "citizen/emergency_opened.html",
                name=proper(known.display_name) if known else "",
                years=dates.age(birth, dates.as_day(visit.now)) if birth else "",
                parts=[found.sheet[one] for one in found.sections],
                profiles=profiles,
            )
        )

    return [screen.route("/urgence/{token}", ask, opened)]


def _kept_apart(response: Response) -> Response:
    """No search engine keeps the address, no other site learns it."""
    response.headers["x-robots-tag"] = "noindex, nofollow, noarchive"
    response.headers["referrer-policy"] = "no-referrer"
    return response


def _drawn(address: str) -> Markup:
    out = io.BytesIO()
    made = segno.make(address, error="m", micro=False)
    made.save(out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, lineclass=None, svgclass="qr")
    # The drawing is made by segno from squares: nothing of the address is written in it as text.
    return Markup(out.getvalue().decode())  # noqa: S704
