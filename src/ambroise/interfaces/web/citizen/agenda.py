"""The agenda: the path of prevention as a line of life, what one says of it, a pregnancy, advice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField

from ambroise.interfaces.web import prevention as said
from ambroise.interfaces.web.citizen.planning import plan_routes, progress_of
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.calendars import all_day
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.security import page_headers
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.api import (
    Calendar,
    Item,
    Span,
    State,
    advice_library,
    chosen_advice,
)
from ambroise.modules.prevention.api import Kind as Sort
from ambroise.modules.relations.api import is_minor
from ambroise.trust.context import Context

_MOST_TO_COME = 8
_AHEAD = timedelta(days=20 * 365)
_ADVICE = 3
_MAY_EXPECT = (Span.of("12y"), Span.of("60y"))
"""The ages of those who are offered to follow a pregnancy; nobody is asked anything."""
_OF_A_DAY = re.compile(r":\d{8}$")
_FIXED = (State.DONE, State.NOT_DONE)


class DoneForm(Form):
    date = DateField(lazy(N_("Quel jour ?")), [Required(N_("Donnez le jour"))])


class ExpectingForm(Form):
    terme = DateField(
        lazy(N_("Date prévue de la naissance")),
        [Required(N_("Donnez la date prévue"))],
        description=lazy(N_("La date que votre médecin ou votre sage-femme vous a donnée.")),
    )


class BirthForm(Form):
    naissance = DateField(lazy(N_("Jour de la naissance")), [Required(N_("Donnez le jour"))])


def agenda_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    prevention = lives.prevention

    async def agenda(visit: Visit) -> Response:
        ctx = visit.context()
        found = await _calendar(lives, ctx)
        plan = None
        if any(one.rule.kind is Sort.CHECKUP and one.done for one in found.items):
            async with lives.database.reader() as reader:
                plan = await progress_of(reader, ctx, lives)
        return await visit.render(
            "citizen/agenda.html",
            waiting=said.urgent_first(found.items),
            plan=plan,
            line_items=_line(found.items),
            to_come=_to_come(found),
            unknown=[one for one in found.items if one.state is State.UNKNOWN],
            to_discuss=[one for one in found.items if one.state is State.TO_DISCUSS and not one.alarmed],
            aside=[one for one in found.items if one.state is State.NOT_CONCERNED],
            expected=found.person.expected,
            today=found.today,
            may_expect=_may_expect(found),
            advice=chosen_advice(found.person, found.today)[:_ADVICE],
            **_place(),
        )

    async def one(visit: Visit) -> Response:
        return await _one(visit, DoneForm(date=dates.as_day(visit.now)))

    async def say(visit: Visit, sent: FormData) -> Response:
        ctx, key, gesture = visit.context(), _key(visit), sent.get("geste")
        patient = _space(ctx)
        if gesture == "pas-fait":
            async with lives.database.transaction() as tx:
                await prevention.not_done(tx, ctx, patient, key)
            return visit.go(_address(key), Toast("prevention-not-done"))
        if gesture == "non-concerne":
            async with lives.database.transaction() as tx:
                rule = (await prevention.calendar(tx, ctx, patient)).item(key).rule.id
                await prevention.not_concerned(tx, ctx, patient, key)
            return visit.go(_address(rule), Toast("prevention-not-concerned"))
        if gesture == "reprendre":
            async with lives.database.transaction() as tx:
                await prevention.take_back(tx, ctx, patient, key)
            return visit.go(_address(key) if _stays(key) else "/agenda", Toast("prevention-taken-back"))
        form = DoneForm.of(sent)
        if not form.validate():
            return await _one(visit, form, 422)
        try:
            async with lives.database.transaction() as tx:
                await prevention.done(tx, ctx, patient, key, form.date.data)
        except Refusal as refusal:
            if refusal.kind is not Kind.UNPROCESSABLE:
                raise
            form.refuse(refusal)
            return await _one(visit, form, 422)
        return visit.go("/agenda", Toast("prevention-done"))

    async def _one(visit: Visit, form: Any, status: int = 200) -> Response:
        item = (await _calendar(lives, visit.context())).item(_key(visit))
        return await visit.render(
            "citizen/agenda_item.html",
            status,
            item=item,
            form=form,
            problems=form.problems,
            calendar=with_query("/agenda/acte.ics", quoi=item.key),
            **_place(),
        )

    async def ics(visit: Visit) -> Response:
        found = await _calendar(lives, visit.context())
        item = found.item(_key(visit))
        content = all_day(
            uid=f"{item.key}@ambroise",
            day=max(item.due, found.today),
            title=said.title_of(item),
            text=said.words_of(item.rule.why),
            stamp=visit.now,
        )
        headers = {
            **page_headers(secure=visit.request.url.scheme == "https"),
            "content-disposition": 'attachment; filename="prevention.ics"',
        }
        return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)

    async def pregnancy(visit: Visit) -> Response:
        found = await _calendar(lives, visit.context())
        return await _pregnancy(visit, found, ExpectingForm(terme=found.person.expected), BirthForm())

    async def expecting(visit: Visit, sent: FormData) -> Response:
        ctx, gesture = visit.context(), sent.get("geste")
        if gesture == "finir":
            async with lives.database.transaction() as tx:
                await prevention.expect_no_more(tx, ctx, _space(ctx))
            return visit.go("/agenda", Toast("pregnancy-ended"))
        born = gesture == "naissance"
        form = BirthForm.of(sent) if born else ExpectingForm.of(sent)
        if form.validate():
            try:
                async with lives.database.transaction() as tx:
                    if born:
                        await prevention.born(tx, ctx, _space(ctx), form["naissance"].data)
                    else:
                        await prevention.expect(tx, ctx, _space(ctx), form["terme"].data)
                return visit.go("/agenda", Toast("birth-told" if born else "pregnancy-told"))
            except Refusal as refusal:
                if refusal.kind is not Kind.UNPROCESSABLE:
                    raise
                form.refuse(refusal)
        found = await _calendar(lives, ctx)
        forms = (ExpectingForm(terme=found.person.expected), form) if born else (form, BirthForm())
        return await _pregnancy(visit, found, *forms, 422)

    async def _pregnancy(visit: Visit, found: Calendar, form: Any, birth: Any, status: int = 200) -> Response:
        return await visit.render(
            "citizen/agenda_pregnancy.html",
            status,
            form=form,
            birth=birth,
            problems=[*form.problems, *birth.problems],
            expected=found.person.expected,
            minor=is_minor(found.person.birth, visit.now),
            read=found.told is not None and not found.told.own,
            today=found.today,
            **_place(),
        )

    async def advice(visit: Visit) -> Response:
        known = {one.id: one for one in advice_library()}
        chosen = known.get(visit.query.get("lequel", ""))
        if chosen is None:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "There is no such article.")
        return await visit.render("citizen/agenda_advice.html", one=chosen, **_place())

    return [
        screen.route("/agenda", agenda),
        screen.route("/agenda/grossesse", pregnancy, expecting),
        screen.route("/agenda/conseil", advice),
        screen.route("/agenda/acte", one, say),
        screen.route("/agenda/acte.ics", ics),
        *plan_routes(screen, lives),
    ]


async def _calendar(lives: Lives, ctx: Context) -> Calendar:
    async with lives.database.reader() as reader:
        return await lives.prevention.calendar(reader, ctx, _space(ctx))


def _space(ctx: Context) -> Any:
    return ctx.space


def _line(items: Sequence[Item]) -> list[Item]:
    """What was done, or said not to be, the latest first."""
    return sorted((one for one in items if one.state in _FIXED), key=lambda one: one.done or one.due, reverse=True)


def _to_come(found: Calendar) -> list[Item]:
    coming = [one for one in found.items if one.state is State.TO_COME and one.due <= found.today + _AHEAD]
    return sorted(coming, key=lambda one: (one.due, one.key))[:_MOST_TO_COME]


def _may_expect(found: Calendar) -> bool:
    """Whether following a pregnancy is offered: to women, and to whoever's identity says neither sex."""
    youngest, oldest = (one.after(found.person.birth) for one in _MAY_EXPECT)
    return found.person.sex != "M" and youngest <= found.today < oldest


def _stays(key: str) -> bool:
    """Whether an item keeps its key once it is done no more: those of repeated acts bear the day of the act."""
    return not _OF_A_DAY.search(key)


def _address(key: str) -> str:
    return with_query("/agenda/acte", quoi=key)


def _key(visit: Visit) -> str:
    return visit.query.get("quoi", "")


def _place() -> dict[str, Any]:
    return {"place": "agenda", "address_of": _address, **said.vocabulary()}
