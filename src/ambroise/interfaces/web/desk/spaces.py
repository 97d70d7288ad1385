"""The desk's queue of spaces, by state: counts, what comes next, and what an operator may do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, RadioField

from ambroise.interfaces.web.citizen.space import STATES
from ambroise.interfaces.web.desk.people import find
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, whole, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import identity_of
from ambroise.modules.space.api import Life, Step, Suspicion
from ambroise.trust.access.facts import SpaceState

_PER_PAGE = 50
_WEEKS = 8
_SHOWN = tuple(state for state in SpaceState if state is not SpaceState.ELIGIBLE)
_PLOT = 72


class SuspendForm(Form):
    motif = RadioField(
        lazy(N_("Pourquoi suspendre cet espace ?")),
        choices=[
            (Suspicion.MALFUNCTION.value, lazy(N_("Anomalie de fonctionnement"))),
            (Suspicion.FRAUD.value, lazy(N_("Soupçon de fraude"))),
        ],
        default=Suspicion.MALFUNCTION.value,
    )


class DeathForm(Form):
    jour = DateField(lazy(N_("Date du décès")))


class Row(Struct, frozen=True):
    """One space of the queue."""

    patient: UUID
    name: str
    life: Life
    what: tuple[str, str, str]


class Bar(Struct, frozen=True):
    """One week of the plot."""

    x: str
    middle: str
    y: int
    height: int
    count: int
    week: str


def space_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    spaces = lives.spaces

    async def show(visit: Visit) -> Response:
        problems: list[tuple[str | None, str]] = []
        opened: UUID | None = None
        try:
            if matricule := visit.query.get("ins"):
                opened = await find(lives, visit, matricule)
            elif chosen := visit.query.get("dossier"):
                opened = UUID(chosen)
        except Refusal as refusal:
            form = SuspendForm()
            form.refuse(refusal)
            problems = [("ins", words) for _, words in form.problems]
        except ValueError:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such space.") from None
        return await page(visit, opened, SuspendForm(), DeathForm(), problems)

    async def page(
        visit: Visit, opened: UUID | None, suspend: Any, death: Any, problems: Any, status: int = 200
    ) -> Response:
        ctx = visit.context()
        state = _state(visit.query.get("etat"))
        offset = whole(visit.query.get("page")) or 0
        async with lives.database.reader() as reader:
            counts = await spaces.counts(reader, ctx)
            found = await spaces.queue(reader, ctx, state, count=_PER_PAGE + 1, offset=offset)
            rows = [await _row(reader, one) for one in found[:_PER_PAGE]]
            one = await _row(reader, await spaces.life(reader, ctx, opened)) if opened else None
            days = await spaces.openings(reader, ctx, ctx.now() - timedelta(weeks=_WEEKS))
        return await visit.render(
            "desk/spaces.html",
            status,
            states=[(item, _words(item), counts.get(item, 0)) for item in _SHOWN],
            state=state,
            rows=rows,
            one=one,
            may={step.value for step in Step if one.life.may(step)} if one else set[str](),
            suspend=suspend,
            death=death,
            problems=problems,
            bars=_bars(days, dates.as_day(ctx.now())),
            total=sum(counts.values()),
            view=lambda **parameters: with_query("/guichet/espaces", **parameters),
            older=with_query("/guichet/espaces", etat=state.value, page=str(offset + _PER_PAGE))
            if len(found) > _PER_PAGE
            else None,
            place="espaces",
        )

    async def act(visit: Visit, sent: FormData) -> Response:
        ctx, gesture = visit.context(), str(sent.get("geste"))
        try:
            patient = UUID(str(sent.get("dossier")))
        except ValueError:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such space.") from None
        suspend, death = SuspendForm.of(sent), DeathForm.of(sent)
        try:
            async with lives.database.transaction() as tx:
                if gesture == "suspendre":
                    await spaces.suspend(tx, ctx, patient, Suspicion(suspend.motif.data or "malfunction"))
                elif gesture == "lever":
                    await spaces.lift(tx, ctx, patient)
                elif gesture == "opposer":
                    await spaces.object(tx, ctx, patient)
                elif gesture == "deces":
                    day: date | None = death.jour.data
                    if day is None:
                        raise Refusal(Kind.UNPROCESSABLE, "DEATH_DATE", "Give the day.", element="died_on")
                    await spaces.declare_death(tx, ctx, patient, day)
                elif gesture == "corriger":
                    await spaces.correct_death(tx, ctx, patient)
                else:
                    raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do with this space.")
        except Refusal as refusal:
            if refusal.kind not in (Kind.UNPROCESSABLE, Kind.CONFLICT):
                raise
            death.refuse(refusal, "jour" if gesture == "deces" else None)
            return await page(visit, patient, suspend, death, death.problems, 422)
        async with lives.database.reader() as reader:
            moved = await spaces.life(reader, ctx, patient)
        return visit.go(
            with_query("/guichet/espaces", etat=moved.state.value, dossier=str(patient)), Toast("desk-space")
        )

    return [screen.route("/guichet/espaces", show, act)]


async def _row(reader: Any, life: Life) -> Row:
    known = await identity_of(reader, life.patient)
    return Row(life.patient, proper(known.display_name) if known else str(life.patient)[-8:], life, _look(life.state))


def _look(state: SpaceState) -> tuple[str, str, str]:
    look, picture, words = STATES[state]
    return look, picture, gettext(words)


def _words(state: SpaceState) -> str:
    return gettext(STATES[state][2])


def _state(text: str | None) -> SpaceState:
    return SpaceState(text) if text in {one.value for one in _SHOWN} else SpaceState.NOTIFIED


def _bars(days: Mapping[date, int], today: date) -> list[Bar]:
    """Openings by week; nothing to draw when there were none."""
    if not days:
        return []
    monday = today - timedelta(days=today.weekday())
    weeks = [monday - timedelta(weeks=back) for back in reversed(range(_WEEKS))]
    counts = [sum(count for day, count in days.items() if week <= day < week + timedelta(weeks=1)) for week in weeks]
    most = max(*counts, 1)
    width = 100 / _WEEKS
    return [
        Bar(
            x=f"{width * index + width / 4:.2f}%",
            middle=f"{width * index + width / 2:.2f}%",
            y=_PLOT - round(56 * count / most),
            height=max(round(56 * count / most), 1),
            count=count,
            week=dates.words(week, "d MMM"),
        )
        for index, (week, count) in enumerate(zip(weeks, counts, strict=True))
    ]
