"""The centre of notices, what was sent, how one is told, and refusing mails by their link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.web.agents import device_name
from ambroise.interfaces.web.citizen.record.notices import Notices, Place, Shown
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.notices import said
from ambroise.interfaces.web.ui.assets import HERE
from ambroise.interfaces.web.ui.i18n import LANGUAGES, N_, gettext
from ambroise.interfaces.web.ui.security import page_headers
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, refused, with_query
from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import AccountKind, Factors, Reaching
from ambroise.modules.notification.api import (
    ZONES,
    Browser,
    Cadence,
    Channel,
    Delivery,
    Kind,
    Rhythm,
    codes_of,
    kind_of,
    may_refuse,
)

_PAGE, _SENT_PAGE = 30, 50
_CENTRE, _SETTINGS = "/notifications", "/reglages/notifications"
KINDS: Final[Mapping[Kind, str]] = {
    Kind.DOCUMENTS: N_("Documents"),
    Kind.ACCESSES: N_("Accès à mon dossier"),
    Kind.EMERGENCIES: N_("Accès en urgence"),
    Kind.REMINDERS: N_("Rendez-vous et rappels"),
    Kind.SERVICES: N_("Services connectés"),
    Kind.SCREENING: N_("Dépistages"),
    Kind.RELATIVES: N_("Proches"),
    Kind.SECURITY: N_("Sécurité et vie de l’espace"),
}
_HELPS: Final[Mapping[Kind, str]] = {
    Kind.DOCUMENTS: N_("Un document arrive, change ou s’en va."),
    Kind.ACCESSES: N_("Un soignant lit votre dossier, ou un accord est enregistré. Une visite est signalée une fois."),
    Kind.EMERGENCIES: N_("Quelqu’un ouvre votre dossier en urgence."),
    Kind.REMINDERS: N_("Un examen ou un vaccin à prévoir, un rappel."),
    Kind.SERVICES: N_("Ce que font les services que vous avez connectés."),
    Kind.SCREENING: N_("Un dépistage organisé vous est proposé."),
    Kind.RELATIVES: N_("On vous demande de l’aide, un proche accepte ou arrête."),
    Kind.SECURITY: N_("Votre espace s’ouvre, se ferme, ou une copie de vos données est prête."),
}
_OFFERED: Final = tuple(kind for kind in Kind if codes_of(kind))
"""What one chooses about and filters by: the kinds under which something is told."""
CHANNELS: Final[Mapping[Channel, str]] = {Channel.MAIL: N_("Par mail"), Channel.PUSH: N_("Sur mes appareils")}
_CADENCES: Final[Mapping[Cadence, str]] = {
    Cadence.AT_ONCE: N_("Tout de suite"),
    Cadence.DAILY: N_("Une fois par jour, à 8 heures"),
    Cadence.WEEKLY: N_("Une fois par semaine, le lundi à 8 heures"),
}
_ZONE_NAMES: Final[Mapping[str, str]] = {
    "Europe/Paris": N_("France hexagonale"),
    "America/Guadeloupe": N_("Guadeloupe"),
    "America/Martinique": N_("Martinique"),
    "America/Cayenne": N_("Guyane"),
    "America/Miquelon": N_("Saint-Pierre-et-Miquelon"),
    "Indian/Reunion": N_("La Réunion"),
    "Indian/Mayotte": N_("Mayotte"),
    "Pacific/Noumea": N_("Nouvelle-Calédonie"),
    "Pacific/Tahiti": N_("Polynésie française"),
    "Pacific/Wallis": N_("Wallis-et-Futuna"),
}
STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "waiting": ("due", "clock", N_("Partira plus tard")),
    "handed": ("due", "clock", N_("En cours d’envoi")),
    "sent": ("done", "check", N_("Envoyé")),
    "failed": ("late", "triangle-alert", N_("Pas reçu")),
    "cancelled": ("", "x", N_("Pas envoyé")),
}
REASONS: Final[Mapping[str, str]] = {
    "no_address": N_("Aucune adresse mail n’est connue."),
    "refused": N_("L’adresse ou l’appareil a refusé le message."),
    "returned": N_("Le mail nous est revenu."),
    "held": N_("Des mails à cette adresse nous sont revenus : elle est en pause."),
    "no_browser": N_("Aucun appareil n’écoute plus."),
    "deleted": N_("La notification a été supprimée avant."),
    "not_wanted": N_("Vous aviez choisi de ne plus le recevoir."),
    "not_theirs": N_("Ce dossier n’était plus ouvert à cette personne."),
}


class Line(Struct, frozen=True):
    """A notice in words."""

    id: UUID
    at: datetime
    read: bool
    picture: str
    tone: str
    title: str
    text: str
    address: str | None
    action: str


class SentLine(Struct, frozen=True):
    """A delivery in words."""

    at: datetime
    channel: str
    kind: str
    other: bool
    chip: tuple[str, str, str]
    reason: str


def notice_routes(site: Site, service: Notices) -> list[BaseRoute]:
    """The pages of notices."""
    screen = Screen(site, AccountKind.CITIZEN)

    async def centre(visit: Visit) -> Response:
        kind, unread_only = _kind(visit.query.get("sorte")), visit.query.get("lues") == "non"
        after = _place(visit.query.get("apres"))
        ctx = visit.context()
        found = await service.page(ctx, kind=kind, unread_only=unread_only, after=after, count=_PAGE + 1)
        shown, chosen = found[:_PAGE], {"sorte": kind.value if kind else None, "lues": "non" if unread_only else None}
        older = _cursor(shown[-1].notice.at, shown[-1].notice.id) if len(found) > _PAGE else None
        return await visit.render(
            "citizen/notices.html",
            lines=[_line(one) for one in shown],
            picks=_picks(kind, unread_only),
            here_chosen=with_query(_CENTRE, **chosen),
            older=with_query(_CENTRE, **chosen, apres=older) if older else None,
            newest=with_query(_CENTRE, **chosen) if after else None,
            filtered=kind is not None or unread_only,
            place="notifications",
        )

    async def change(visit: Visit, form: FormData) -> Response:
        ctx, gesture = visit.context(), str(form.get("geste") or "")
        notice = visit.id_of(str(form.get("notification"))) if form.get("notification") else None
        back = with_query(
            _CENTRE, **{name: str(form.get(name)) for name in ("sorte", "lues", "apres") if form.get(name)}
        )
        match gesture:
            case "lue" | "toutes":
                await service.mark(ctx, notice, read=True)
                return visit.go(back, Toast("all-read") if notice is None else None)
            case "non-lue" if notice is not None:
                await service.mark(ctx, notice, read=False)
                return visit.go(back)
            case "supprimer" if notice is not None:
                await service.delete(ctx, notice)
                return visit.go(back, Toast("notice-deleted"))
            case "vider":
                await service.delete(ctx, None)
                return visit.go(_CENTRE, Toast("notices-deleted"))
            case _:
                raise Refusal(Refused.INVALID, "GESTURE_UNKNOWN", "This page knows no such act.")

    async def sent(visit: Visit) -> Response:
        found = await service.sent(visit.context(), _place(visit.query.get("apres")), _SENT_PAGE + 1)
        older = _cursor(found[_SENT_PAGE - 1].made_at, found[_SENT_PAGE - 1].id) if len(found) > _SENT_PAGE else None
        return await visit.render(
            "citizen/sent.html",
            lines=[_sent(one) for one in found[:_SENT_PAGE]],
            older=with_query(f"{_CENTRE}/envois", apres=older) if older else None,
            newest=f"{_CENTRE}/envois" if visit.query.get("apres") else None,
            place="notifications",
        )

    async def settings(visit: Visit) -> Response:
        found = await service.settings(visit.context())
        ctx, rhythm = visit.context(), found.wishes.rhythm
        rows = [
            (
                kind,
                gettext(KINDS[kind]),
                gettext(_HELPS[kind]),
                [
                    (
                        channel,
                        gettext(words),
                        found.wishes.wants(_space(visit), kind, channel),
                        may_refuse(kind, channel),
                    )
                    for channel, words in CHANNELS.items()
                    if channel in found.channels
                ],
            )
            for kind in _OFFERED
        ]
        return await visit.render(
            "citizen/notice_settings.html",
            rows=rows,
            found=found,
            rhythm=rhythm,
            quiet=rhythm.quiet_from != rhythm.quiet_until,
            cadences=[(one, gettext(words)) for one, words in _CADENCES.items()],
            zones=[(zone, gettext(_ZONE_NAMES[zone])) for zone in ZONES],
            fixed=ctx.relation == "mediator",
            returned=await Reaching(Factors(site.identity)).gives_back(visit.who),
            place="reglages",
        )

    async def choose(visit: Visit, form: FormData) -> Response:
        ctx = visit.context()
        before = await service.settings(ctx)
        undo = _written(before.wishes.rhythm, [before.wishes.wants(_space(visit), *one) for one in _ALL])
        choices = {
            (kind, channel): bool(form.get(f"{channel.value}-{kind.value}"))
            for kind, channel in _ALL
            if kind in _OFFERED and channel in before.channels
        }
        await service.choose(ctx, choices, _rhythm(form, before.wishes.rhythm))
        return visit.go(_SETTINGS, Toast("notice-settings", undo))

    async def undo(visit: Visit, form: FormData) -> Response:
        rhythm, wanted = _read(visit.parameter("avant"))
        await service.choose(visit.context(), dict(zip(_ALL, wanted, strict=True)), rhythm)
        return visit.go(_SETTINGS, Toast("notice-settings-undone"))

    async def devices(visit: Visit, form: FormData) -> Response:
        ctx = visit.context()
        if form.get("oublier"):
            await service.forget_browser(ctx, visit.id_of(str(form.get("oublier"))))
            return visit.go(_SETTINGS, Toast("notice-device-forgotten"))
        browser = Browser(*(str(form.get(name) or "") for name in ("adresse", "cle", "secret")))
        await service.tell_browser(ctx, browser, device_name(visit.origin.agent, gettext))
        return visit.go(_SETTINGS, Toast("notice-device"))

    async def refuse(request: Request) -> Response:
        visit = Visit(site, request)
        token, again = visit.query.get("cle", ""), visit.query.get("geste") == "reprendre"
        try:
            # The link is the authority, and a mail program that follows it has neither cookie nor form of ours: the
            # body is not even read (RFC 8058, 3.2).
            done = request.method == "POST"
            said_by = await service.refuse(token, again=again) if done else service.refused_by(token)
            return await visit.render(
                "citizen/refuse.html",
                kinds=[gettext(KINDS[kind]) for kind in Kind if kind in said_by.kinds],
                token=token,
                done=done,
                again=again,
            )
        except Refusal as refusal:
            return await refused(visit, refusal)

    async def worker(request: Request) -> Response:
        headers = {**page_headers(secure=request.url.scheme == "https"), "cache-control": "no-store"}
        return Response((HERE / "workers" / "notices.js").read_text("utf-8"), 200, headers, "text/javascript")

    return [
        screen.route(_CENTRE, centre, change),
        screen.route(f"{_CENTRE}/envois", sent),
        Route(f"{_CENTRE}/refuser", refuse, methods=["GET", "POST"]),
        Route(f"{_CENTRE}/sw.js", worker),
        screen.route(_SETTINGS, settings, choose),
        screen.route(f"{_SETTINGS}/appareils", change=devices),
        screen.route(f"{_SETTINGS}/{{avant}}", change=undo),
    ]


def _space(visit: Visit) -> UUID:
    ctx = visit.context()
    if ctx.space is None:
        raise Refusal(Refused.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return ctx.space


def _line(shown: Shown) -> Line:
    notice, document = shown.notice, shown.document
    words = said(notice.code)
    subject = (notice.subject or "").rpartition("/")[2]
    address: str | None = words.address.format(subject=subject)
    # A notice that leads elsewhere than to its document, such as to the measures that it brought, says so first.
    leads_to_it = "{subject}" in words.address
    if leads_to_it and document is None:
        address = None
    sentence = gettext(words.sentence)
    by = proper(str(notice.details.get("by") or ""))
    if document is not None:
        title, text = (document.title, sentence) if leads_to_it else (sentence, document.title)
    else:
        title, text = sentence, by
    if address is None:
        text = gettext("Ce document n’est plus consultable.")
    return Line(
        id=notice.id,
        at=notice.at,
        read=notice.read_at is not None,
        picture=words.picture,
        tone=words.tone,
        title=title,
        text=text,
        address=address,
        action=gettext(words.action),
    )


def _sent(one: Delivery) -> SentLine:
    tone, picture, words = STATES[one.state]
    return SentLine(
        at=one.done_at or one.made_at,
        channel=gettext(CHANNELS[one.channel]),
        kind=gettext(KINDS[kind_of(one.code)]),
        other=one.patient != one.person,
        chip=(tone, picture, gettext(words)),
        reason=gettext(REASONS[one.reason]) if one.reason in REASONS else "",
    )


def _picks(kind: Kind | None, unread_only: bool) -> list[tuple[str, str, bool]]:
    first = [
        (_CENTRE, gettext("Toutes"), kind is None and not unread_only),
        (with_query(_CENTRE, lues="non"), gettext("Non lues"), unread_only),
    ]
    return first + [
        (with_query(_CENTRE, sorte=one.value), gettext(words), one is kind)
        for one, words in KINDS.items()
        if one in _OFFERED
    ]


def _kind(text: str | None) -> Kind | None:
    return next((one for one in Kind if one.value == text), None)


def _cursor(at: datetime, id: UUID) -> str:
    return f"{at.isoformat()}~{id}"


def _place(text: str | None) -> Place | None:
    at, _, id = (text or "").partition("~")
    with suppress(ValueError):
        moment = datetime.fromisoformat(at)
        return (moment, UUID(id)) if moment.tzinfo is not None else None
    return None


# What was chosen before, written in a few digits: the toast that offers to undo carries it, and nothing is kept of it.

_ALL: Final = tuple((kind, channel) for kind in Kind for channel in Channel)
_DIGITS: Final = 12


def _written(rhythm: Rhythm, wanted: Sequence[bool]) -> str:
    number = 0
    for value, most in (
        (LANGUAGES.index(rhythm.language), len(LANGUAGES)),
        (ZONES.index(rhythm.zone), len(ZONES)),
        (rhythm.quiet_from.hour, 24),
        (rhythm.quiet_until.hour, 24),
        (list(Cadence).index(rhythm.cadence), len(Cadence)),
        *((int(one), 2) for one in wanted),
    ):
        number = number * most + value
    return f"{number:0{_DIGITS}x}"


def _read(text: str) -> tuple[Rhythm, list[bool]]:
    try:
        number = int(text, 16)
    except ValueError:
        raise Refusal(Refused.NOT_FOUND, "PAGE_NOT_FOUND", "No such page.") from None
    wanted: list[bool] = []
    for _ in _ALL:
        number, one = divmod(number, 2)
        wanted.append(bool(one))
    number, cadence = divmod(number, len(Cadence))
    number, until = divmod(number, 24)
    number, start = divmod(number, 24)
    number, zone = divmod(number, len(ZONES))
    if number >= len(LANGUAGES) or number < 0:
        raise Refusal(Refused.NOT_FOUND, "PAGE_NOT_FOUND", "No such page.")
    return Rhythm(LANGUAGES[number], ZONES[zone], time(start), time(until), list(Cadence)[cadence]), wanted[::-1]


def _rhythm(form: FormData, before: Rhythm) -> Rhythm:
    """The rhythm of a form; what it does not say, or says wrongly, stays."""
    quiet = bool(form.get("calme"))
    start, until = (
        _hour(form.get(name), known) for name, known in (("de", before.quiet_from), ("a", before.quiet_until))
    )
    zone, language, cadence = (str(form.get(name) or "") for name in ("zone", "langue", "rythme"))
    return Rhythm(
        language if language in LANGUAGES else before.language,
        zone if zone in ZONES else before.zone,
        start if quiet else time(0),
        until if quiet else time(0),
        Cadence(cadence) if cadence in list(Cadence) else before.cadence,
    )


def _hour(value: Any, known: time) -> time:
    text = str(value or "")
    return time(int(text)) if text.isascii() and text.isdigit() and int(text) < 24 else known
