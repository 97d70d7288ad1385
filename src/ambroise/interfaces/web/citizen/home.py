"""Home, the spaces one may open, and the people one acts for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import categories, sentences
from ambroise.interfaces.web.citizen.views import CitizenService, Notice, Space
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.notices import said
from ambroise.interfaces.web.prevention import vocabulary, words_of
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Devices, Factors, Reaching
from ambroise.modules.notification.api import Code
from ambroise.modules.prevention.api import Waiting
from ambroise.modules.relations.api import is_minor
from ambroise.trust.context import Context

_PREVENTION = 3


class SpaceChoice(Struct, frozen=True):
    """One line of the switcher."""

    patient: UUID
    name: str
    says: str
    acting: bool
    open: bool


class Task(Struct, frozen=True):
    """Something that waits for the person."""

    notice: UUID
    picture: str
    tone: str
    title: str
    text: str
    address: str
    action: str


def home_routes(screen: Screen, service: CitizenService) -> list[BaseRoute]:
    async def home(visit: Visit) -> Response:
        try:
            found = await service.home(visit.context())
        except Refusal as refusal:
            if refusal.kind not in (Kind.FORBIDDEN, Kind.NOT_FOUND):
                raise
            # Not open to this person now: not yet, no more, or for a mediator who is shown the screens only.
            return visit.go("/espace")
        returned = await Reaching(Factors(visit.site.identity)).gives_back(visit.who)
        # Said on top of the page until it is mended: not a second time among what waits.
        once = frozenset({Code.MAIL_RETURNED.value} if returned else ())
        tasks = [_task(notice) for notice in found.notices if notice.code not in once]
        return await visit.render(
            "citizen/home.html",
            tasks=tasks,
            requests=found.requests,
            others=found.others,
            waiting=len(tasks) + len(found.requests) + found.others,
            latest=found.latest,
            prevention=_most_urgent(found.prevention),
            prevention_count=len(found.prevention),
            sorts=vocabulary()["sorts"],
            words_of=words_of,
            alerts=[] if visit.who.acting_for else await Devices(visit.site.identity).alerts(visit.who),
            returned=returned,
            last_access=sentences.line(found.last_access) if found.last_access else None,
            words=categories,
            place="accueil",
        )

    async def read_notice(visit: Visit, form: FormData) -> Response:
        await service.mark_read(visit.context(), visit.id())
        return visit.go("/accueil")

    async def read_all(visit: Visit, form: FormData) -> Response:
        await service.mark_read(visit.context(), None)
        return visit.go("/accueil", Toast("all-read"))

    async def switch(visit: Visit, form: FormData) -> Response:
        chosen = str(form.get("dossier") or "")
        space = _among(await service.spaces(visit.context()), chosen)
        identity = visit.site.identity
        async with identity.database.transaction() as tx:
            await identity.choose_space(
                tx, visit.who, space.patient if space else None, space.relation if space else None
            )
        return visit.go("/accueil", Toast("space"))

    return [
        screen.route("/accueil", home),
        screen.route("/accueil/lu", change=read_all),
        screen.route("/accueil/lu/{id}", change=read_notice),
        screen.route("/dossier", change=switch),
    ]


def shell_of(
    service: CitizenService, unread: Callable[[Context], Awaitable[int]] | None = None
) -> Callable[[Visit], Any]:
    """What every page of a citizen shows: whose space is open, which others may be, how many notices are unread."""

    async def shell(visit: Visit) -> dict[str, Any]:
        ctx = visit.context()
        own = visit.who.account.patient
        choices = [
            SpaceChoice(
                patient=space.patient,
                name=space.name,
                says=_says(space, visit),
                acting=space.patient != own,
                open=space.patient == ctx.space,
            )
            for space in await service.spaces(ctx)
        ]
        present = next((choice for choice in choices if choice.open), choices[0])
        return {"spaces": choices, "space": present, "unread": await unread(ctx) if unread is not None else None}

    return shell


def _says(space: Space, visit: Visit) -> str:
    if space.relation is None:
        return gettext("Mon dossier")
    if space.relation == "carer":
        return gettext("Vous l’aidez")
    if space.relation == "mediator":
        return gettext("Vous l’aidez sur place")
    if space.birth_date is None or not is_minor(space.birth_date, visit.now):
        return gettext("Vous la représentez")
    return gettext("Votre enfant, %(age)s", age=dates.age(space.birth_date, dates.as_day(visit.now)))


def _among(spaces: Sequence[Space], chosen: str) -> Space | None:
    """The space chosen in the switcher, None for one's own; anything else is refused."""
    if not chosen:
        return None
    for space in spaces:
        if str(space.patient) == chosen:
            return space if space.relation else None
    raise Refusal(Kind.FORBIDDEN, "NO_RELATION", "This citizen does not act for that person.")


def _most_urgent(waiting: Sequence[Waiting]) -> Sequence[Waiting]:
    return sorted(waiting, key=lambda one: (not one.overdue, one.since))[:_PREVENTION]


def _task(notice: Notice) -> Task:
    words = said(notice.code)
    subject = (notice.subject or "").rpartition("/")[2]
    sentence, document = gettext(words.sentence), notice.details.get("title")
    if document:
        title, text = (document, sentence) if "{subject}" in words.address else (sentence, document)
    else:
        title, text = sentence, _said(notice)
    return Task(
        notice=notice.id,
        picture=words.picture,
        tone=words.tone,
        title=title,
        text=text,
        address=words.address.format(subject=subject),
        action=gettext(words.action),
    )


def _said(notice: Notice) -> str:
    """Who recorded a consent, and for whom."""
    if notice.code != "ACCORD_ENREGISTRE":
        return ""
    by, whom = proper(notice.details.get("by", "")), proper(notice.details.get("for", ""))
    return gettext("%(by)s, pour %(whom)s", by=by, whom=whom) if whom else by
