"""An access as a sentence: who, what, how, and under which rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from markupsafe import Markup
from msgspec import Struct

from ambroise.interfaces.web.acts import (
    DID,
    DID_THIS,
    TRIED,
    TRIED_TO_OPEN,
    YOU_DID,
    YOU_DID_THIS,
)
from ambroise.interfaces.web.reasons import because, refused_because
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import N_, gettext, ngettext
from ambroise.interfaces.web.views import AccessEvent
from ambroise.trust.context import Purpose


class AccessLine(Struct, frozen=True):
    """One line of the history, ready to be shown."""

    id: str
    at: datetime
    sentence: Markup
    rule_words: str
    picture: str
    tone: str
    reportable: bool
    reported: bool


def line(event: AccessEvent) -> AccessLine:
    """One access in a sentence: who, what, how, and under which rule."""
    stranger = event.actor_kind in ("professional", "organization", "operator", "service", "relative")
    return AccessLine(
        id=event.id,
        at=event.at,
        sentence=sentence(event),
        rule_words=_after(event),
        picture=_picture(event),
        tone="danger" if event.outcome == "refused" or event.purpose is not Purpose.NORMAL else "plain",
        reportable=stranger,
        reported=event.reported,
    )


def sentence(event: AccessEvent) -> Markup:
    """« La pharmacie des Halles, à Tours, a lu votre ordonnance du 4 mars, avec votre accord. »"""
    who, what = _who(event), _what(event)
    if event.outcome == "refused":
        why = refused_because(event.rule)
        reason = gettext(" : %(why)s", why=why) if why else ""
        told = TRIED.get(event.event) or TRIED.get(event.action, TRIED_TO_OPEN)
        return _fill(told, who=who, what=what, about=event.about, because=reason)
    if event.actor_kind == "self":
        return _fill(_precise(YOU_DID_THIS, event) or YOU_DID[event.action], what=what, about=event.about)
    if (precise := _precise(DID_THIS, event)) is not None:
        return _fill(precise, who=who, what=what, about=event.about)
    told = _fill(DID[event.action], who=who, what=what, how=_how(event))
    if event.reason:
        told += Markup(" {} «\u00a0{}\u00a0»").format(gettext("Motif écrit :"), event.reason)
    return told


def _precise(sentences: Mapping[str, str], event: AccessEvent) -> str | None:
    """The sentence of this very act; none when it tells of somebody whom the trace does not name."""
    found = sentences.get(f"{event.event}:{event.detail}") or sentences.get(event.event)
    return None if found and "%(about)s" in found and not event.about else found


def plain(event: AccessEvent) -> str:
    """The same sentence without markup, for the export."""
    return sentence(event).striptags()


def _who(event: AccessEvent) -> Markup:
    name = Markup("<strong>{}</strong>").format(event.actor)
    role = event.role or (gettext("au guichet") if event.actor_kind == "operator" else "")
    about = ", ".join(part for part in (role, event.place) if part)
    return name + Markup(", {},").format(about) if about else name


def _what(event: AccessEvent) -> Markup:
    if event.count > 1:
        return Markup(ngettext("%(count)s document", "%(count)s documents", event.count))  # noqa: S704 - a number only.
    if not event.title and event.action in ("report", "delete", "mask", "unmask", "update", "create"):
        return Markup(gettext("un document"))  # noqa: S704 - our own words.
    if not event.title:
        return Markup(gettext("votre dossier"))  # noqa: S704 - our own words.
    title = Markup("«\u00a0{}\u00a0»").format(event.title)
    if event.document:
        title = Markup('<a href="/documents/{}">{}</a>').format(event.document, title)
    if event.document_date is None:
        return title
    return _fill(N_("%(title)s du %(day)s"), title=title, day=dates.day(event.document_date))


def _how(event: AccessEvent) -> str:
    if event.purpose is Purpose.BREAK_GLASS:
        return gettext(", en accès d’urgence")
    if event.purpose is Purpose.CENTRE_15:
        return gettext(", pendant votre appel au 15")
    if event.actor_kind in ("professional", "organization") and event.rule not in ("author", "author_structure"):
        return gettext(", avec votre accord")
    return ""


def _after(event: AccessEvent) -> str:
    if event.outcome == "refused":
        return gettext("Rien n’a été montré") if event.action != "create" else ""
    return because(event.rule) if event.actor_kind != "self" else ""


def _picture(event: AccessEvent) -> str:
    if event.outcome == "refused":
        return "ban"
    if event.purpose is not Purpose.NORMAL:
        return "siren"
    if event.actor_kind in ("self", "relative"):
        return "user"
    return {"create": "upload", "delete": "trash-2", "grant": "key-round", "report": "flag"}.get(event.action, "eye")


def _fill(message: str, **values: Markup | str) -> Markup:
    """A sentence of ours, whose markup is ours, filled with escaped values."""
    return Markup(gettext(message)) % {name: Markup.escape(value) for name, value in values.items()}  # noqa: S704
