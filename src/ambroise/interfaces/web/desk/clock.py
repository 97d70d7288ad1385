"""Moving the time of a demonstration from the desk."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.sandbox import move_clock
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.clock import ShiftedClock
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.time_shift import catch_up, parse_step, shift_of

_STEPS: Mapping[str, str] = {
    "1d": N_("1 jour"),
    "1w": N_("1 semaine"),
    "31d": N_("1 mois"),
    "42d": N_("6 semaines"),
    "1y": N_("1 an"),
    "10y": N_("10 ans"),
}


def clock_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    async def show(visit: Visit) -> Response:
        async with lives.database.reader() as reader:
            ahead = await shift_of(reader)
        steps = [(step, gettext(words)) for step, words in _STEPS.items()]
        return await visit.render("desk/clock.html", ahead=ahead.days, steps=steps, place="horloge")

    async def move(visit: Visit, sent: FormData) -> Response:
        step = str(sent.get("pas"))
        if step not in _STEPS:
            raise Refusal(Kind.INVALID, "CLOCK_STEP", "Choose how far to go.")
        await move_clock(lives.database, parse_step(step))
        clock = visit.site.identity.clock
        if isinstance(clock, ShiftedClock):
            # This process now, so that the next page shows it; the others within a second.
            await catch_up(lives.database, clock)
        return visit.go("/guichet/horloge", Toast("desk-clock"))

    return [screen.route("/guichet/horloge", show, move)]
