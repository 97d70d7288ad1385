"""The citizen's words: categories, rules and accesses, as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from ambroise.interfaces.web.citizen.views import AccessEvent
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import N_, gettext, ngettext
from ambroise.trust.context import Purpose

CATEGORIES = {
    "BIOLOGIE": N_("Résultats de biologie"),
    "ORD_SOIN": N_("Ordonnances et soins"),
    "CPT_REND": N_("Comptes rendus"),
    "RADIO_SC": N_("Radio, écho, scanner, IRM"),
    "DEPISTAG": N_("Prévention et dépistages"),
    "CAR_VAC": N_("Vaccinations"),
    "SYNTHESE": N_("Ma santé en résumé"),
    "CERT_MED": N_("Certificats médicaux"),
    "DIR_ANT": N_("Directives anticipées"),
    "DOC_ADM": N_("Pièces administratives"),
    "QUEST_SANTE": N_("Questionnaires de santé"),
    "REMB": N_("Remboursements"),
    "SYNTH_PML": N_("Profil médical"),
    "AUTR_DOC": N_("Autres"),
}

# Where room is scarce.
SHORT = {
    "BIOLOGIE": N_("Biologie"),
    "ORD_SOIN": N_("Ordonnance"),
    "CPT_REND": N_("Compte rendu"),
    "RADIO_SC": N_("Imagerie"),
    "DEPISTAG": N_("Prévention"),
    "SYNTHESE": N_("Synthèse"),
    "CERT_MED": N_("Certificat"),
    "DIR_ANT": N_("Directives"),
    "DOC_ADM": N_("Administratif"),
    "QUEST_SANTE": N_("Questionnaire"),
    "SYNTH_PML": N_("Profil"),
    "AUTR_DOC": N_("Autre"),
}

PICTURES = {
    "BIOLOGIE": "flask-conical",
    "ORD_SOIN": "pill",
    "CPT_REND": "stethoscope",
    "RADIO_SC": "scan-line",
    "DEPISTAG": "shield-check",
    "CAR_VAC": "syringe",
}

# Why an access was possible, after the sentence that tells it.
_BECAUSE = {
    "author": N_("Règle : il a écrit ce document"),
    "author_structure": N_("Règle : son établissement a écrit ce document"),
    "authorised": N_("Règle : vous l’avez autorisé"),
    "care_team": N_("Règle : votre équipe de soins"),
    "treating_professional": N_("Règle : votre médecin traitant"),
    "administrator": N_("Règle : médecin administrateur de votre dossier"),
    "emergency": N_("Règle : urgence, avec un motif écrit"),
    "centre_15": N_("Règle : appel au 15"),
    "feeding": N_("Règle : un soignant peut toujours déposer un document pour vous"),
    "identity_only": N_("Règle : identité seule, aucune donnée de santé"),
    "representative": N_("Règle : représentant légal"),
    "carer": N_("Règle : aidant que vous avez choisi"),
    "operator": N_("Règle : gestion du service, sans donnée de santé"),
    "system": N_("Règle : fonctionnement du service"),
}

# Why an access was refused, at the end of the sentence.
_REFUSED = {
    "not_authorised": N_("vous ne l’avez pas autorisé"),
    "blocked": N_("vous l’avez bloqué"),
    "care_team_only": N_("son métier ne lit qu’au sein de votre équipe de soins"),
    "matrix": N_("son métier ne lit pas ce type de document"),
    "masked": N_("vous avez masqué ce document"),
    "emergency_refused": N_("vous refusez les accès en urgence"),
    "emergency_role": N_("son métier n’ouvre pas de dossier en urgence"),
    "emergency_not_opened": N_("aucune urgence n’était ouverte"),
    "emergency_reason": N_("il n’a pas écrit de motif"),
    "space_closed": N_("votre dossier est fermé"),
    "withheld_from_patient": N_("ce document attend une annonce par votre médecin"),
    "withheld_from_representatives": N_("ce document n’est pas montré aux représentants"),
    "no_relation": N_("il ne vous représente pas"),
    "not_author": N_("il n’est pas l’auteur du document"),
    "feed_opposed": N_("vous vous opposez à ce dépôt"),
}

# What somebody else did. One full sentence for each case, so that each language builds its own.
_DID = {
    "read": N_("%(who)s a lu %(what)s%(how)s."),
    "search": N_("%(who)s a consulté la liste de vos documents%(how)s."),
    "create": N_("%(who)s a déposé %(what)s."),
    "update": N_("%(who)s a modifié %(what)s."),
    "delete": N_("%(who)s a supprimé %(what)s."),
    "mask": N_("%(who)s a masqué %(what)s, à votre demande."),
    "unmask": N_("%(who)s a rendu visible %(what)s, à votre demande."),
    "grant": N_("%(who)s a enregistré un accord ou un choix sur votre dossier."),
    "block": N_("%(who)s a changé un blocage sur votre dossier."),
    "emergency": N_("%(who)s a ouvert votre dossier <strong>en accès d’urgence</strong>."),
    "choices": N_("%(who)s a changé un choix général de votre dossier."),
    "space": N_("%(who)s a changé l’état de votre espace."),
    "identify": N_("%(who)s a cherché votre identité. Aucune donnée de santé n’a été montrée."),
    "simulate": N_("%(who)s a regardé votre dossier comme le verrait quelqu’un d’autre."),
    "history": N_("%(who)s a lu l’historique des accès."),
    "other": N_("%(who)s est intervenu dans votre dossier."),
}
_YOU_DID = {
    "read": N_("<strong>Vous</strong> avez lu %(what)s."),
    "search": N_("<strong>Vous</strong> avez consulté la liste de vos documents."),
    "create": N_("<strong>Vous</strong> avez ajouté %(what)s."),
    "update": N_("<strong>Vous</strong> avez modifié %(what)s."),
    "delete": N_("<strong>Vous</strong> avez supprimé %(what)s."),
    "mask": N_("<strong>Vous</strong> avez masqué %(what)s."),
    "unmask": N_("<strong>Vous</strong> avez rendu visible %(what)s."),
    "grant": N_("<strong>Vous</strong> avez changé qui peut voir vos données."),
    "block": N_("<strong>Vous</strong> avez changé la liste des personnes bloquées."),
    "emergency": N_("<strong>Vous</strong> avez ouvert votre dossier en urgence."),
    "choices": N_("<strong>Vous</strong> avez changé vos choix généraux."),
    "space": N_("<strong>Vous</strong> avez changé l’état de votre espace."),
    "identify": N_("<strong>Vous</strong> avez cherché une identité."),
    "simulate": N_("<strong>Vous</strong> avez regardé votre dossier comme le verrait quelqu’un d’autre."),
    "history": N_("<strong>Vous</strong> avez lu l’historique des accès."),
    "other": N_("<strong>Vous</strong> êtes intervenu dans votre dossier."),
}
# Acts on somebody's rights, when the trace says whose.
_ABOUT = {
    "authorised": N_("<strong>Vous</strong> avez autorisé %(about)s."),
    "revoked": N_("<strong>Vous</strong> avez retiré l’accès de %(about)s."),
    "blocked": N_("<strong>Vous</strong> avez bloqué %(about)s."),
    "unblocked": N_("<strong>Vous</strong> avez débloqué %(about)s."),
}
_CONSENTS = {
    "authorised": N_("%(who)s a enregistré votre accord pour %(about)s."),
    "treating_declared": N_("%(who)s a enregistré %(about)s comme votre médecin traitant."),
}
_TRIED = {
    "create": N_("%(who)s a voulu déposer un document. <strong>Le dépôt a été refusé</strong>%(because)s."),
    "emergency": N_(
        "%(who)s a voulu ouvrir votre dossier en urgence. <strong>L’accès a été refusé</strong>%(because)s."
    ),
}
_TRIED_TO_OPEN = N_("%(who)s a voulu ouvrir %(what)s. <strong>L’accès a été refusé</strong>%(because)s.")


@dataclass(frozen=True)
class AccessLine:
    """One line of the history, ready to be shown."""

    id: str
    at: datetime
    sentence: Markup
    rule_words: str
    picture: str
    tone: str
    reportable: bool
    reported: bool


def category(code: str) -> str:
    """The name of a category."""
    return gettext(CATEGORIES.get(code, CATEGORIES["AUTR_DOC"]))


def short_category(code: str) -> str:
    """The name of a category in one word."""
    return gettext(SHORT[code]) if code in SHORT else category(code)


def picture(code: str) -> str:
    """The icon of a category."""
    return PICTURES.get(code, "file-text")


def because(rule: str) -> str:
    """Why something was possible."""
    return gettext(_BECAUSE[rule]) if rule in _BECAUSE else ""


def refused_because(rule: str) -> str:
    """Why something was refused, as the end of a sentence."""
    return gettext(_REFUSED[rule]) if rule in _REFUSED else ""


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
        return _fill(_TRIED.get(event.action, _TRIED_TO_OPEN), who=who, what=what, because=reason)
    if event.actor_kind == "self":
        told = _ABOUT.get(event.event) if event.about else None
        return _fill(told or _YOU_DID[event.action], what=what, about=event.about)
    if event.about and event.event in _CONSENTS:
        return _fill(_CONSENTS[event.event], who=who, about=event.about)
    told = _fill(_DID[event.action], who=who, what=what, how=_how(event))
    if event.reason:
        told += Markup(" {} «\u00a0{}\u00a0»").format(gettext("Motif écrit :"), event.reason)
    return told


def plain(event: AccessEvent) -> str:
    """The same sentence without markup, for the export."""
    return sentence(event).striptags()


def _who(event: AccessEvent) -> Markup:
    name = Markup("<strong>{}</strong>").format(event.actor)
    about = ", ".join(part for part in (event.role, event.place) if part)
    return name + Markup(", {},").format(about) if about else name


def _what(event: AccessEvent) -> Markup:
    if event.count > 1:
        return Markup(ngettext("%(count)s document", "%(count)s documents", event.count))  # noqa: S704 - a number only.
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
    return {"create": "upload", "delete": "trash-2", "grant": "key-round"}.get(event.action, "eye")


def _fill(message: str, **values: Markup | str) -> Markup:
    """A sentence of ours, whose markup is ours, filled with escaped values."""
    return Markup(gettext(message)) % {name: Markup.escape(value) for name, value in values.items()}  # noqa: S704
