"""What a notice says: in the portal by code, with what one does about it; outside it by kind alone.

A mail or a message on a screen may be read by others: it says neither what is in a record, nor who reads it, nor whose
it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from ambroise.interfaces.web.ui.i18n import N_, Language, language
from ambroise.modules.letters.api import Letter
from ambroise.modules.notification.api import Code, Kind, kind_of


class Said(Struct, frozen=True):
    """The words of a code, French sources. `{subject}` in the address is the id of what the notice is about."""

    picture: str
    tone: str
    sentence: str
    action: str
    address: str


# What one does about a notice, and where: the same few acts serve many.
_HISTORY: Final = (N_("Voir l’historique"), "/historique")
_DOCUMENTS: Final = (N_("Voir mes documents"), "/documents")
_MEASURES: Final = (N_("Voir mes mesures"), "/profil/mesures")
_HOME: Final = (N_("Voir mon accueil"), "/accueil")
_RELATIVES: Final = (N_("Voir mes proches"), "/proches")
_READ: Final = (N_("Lire"), "/documents/{subject}")

SAID: Final[Mapping[str, Said]] = {
    Code.DOCUMENT_ADDED: Said("file-text", "", N_("Un nouveau document est arrivé"), *_READ),
    Code.DOCUMENT_CHANGED: Said("file-text", "", N_("Un document a changé"), *_READ),
    Code.DOCUMENT_DELETED: Said("trash-2", "plain", N_("Un document a été supprimé par son auteur"), *_HISTORY),
    Code.DOCUMENT_READ: Said("eye", "plain", N_("Un soignant a lu des documents de votre dossier"), *_HISTORY),
    Code.PROFESSIONAL_ACCESS: Said("eye", "plain", N_("Un soignant a lu votre dossier"), *_HISTORY),
    Code.EMERGENCY_ACCESS: Said(
        "siren",
        "danger",
        N_("Votre dossier a été ouvert en urgence"),
        N_("Voir qui et pourquoi"),
        "/historique?quoi=urgence",
    ),
    Code.EMERGENCY_CODE: Said(
        "siren", "danger", N_("Votre code d’urgence a été ouvert"), N_("Voir mon code"), "/profil/urgence"
    ),
    Code.WITHHELD_DOCUMENT: Said(
        "clock", "due", N_("Une information vous attend chez votre médecin"), N_("Voir mes soignants"), "/acces"
    ),
    Code.VISIBLE_AGAIN: Said("file-text", "", N_("Un document vous est maintenant visible"), *_READ),
    Code.VACCINATION_ADDED: Said(
        "syringe", "", N_("Une vaccination a été ajoutée à votre dossier"), N_("Lire"), "/documents"
    ),
    Code.VACCINATION_READ: Said("eye", "plain", N_("Un soignant a lu vos vaccinations"), *_HISTORY),
    Code.RELATIVE_ADDED: Said("users", "", N_("Un contact a été ajouté à votre entourage"), *_RELATIVES),
    Code.GLUCOSE_COPIED: Said("scan-line", "", N_("Une glycémie d’un document est dans vos mesures"), *_MEASURES),
    Code.HBA1C_COPIED: Said(
        "scan-line", "", N_("Une hémoglobine glyquée d’un document est dans vos mesures"), *_MEASURES
    ),
    Code.HEIGHT_COPIED: Said("scan-line", "", N_("Une taille d’un document est dans vos mesures"), *_MEASURES),
    Code.WEIGHT_COPIED: Said("scan-line", "", N_("Un poids d’un document est dans vos mesures"), *_MEASURES),
    Code.HEAD_COPIED: Said("scan-line", "", N_("Un périmètre crânien d’un document est dans vos mesures"), *_MEASURES),
    Code.HISTORY_FED: Said(
        "file-text",
        "",
        N_("Votre historique de soins remboursés commence à arriver"),
        N_("Le voir"),
        "/documents?categorie=REMB",
    ),
    Code.PREVENTION_REMINDER: Said("calendar-days", "due", N_("Un examen de prévention est à prévoir"), *_HOME),
    Code.VACCINE_REMINDER: Said("calendar-days", "due", N_("Un vaccin est à prévoir"), *_HOME),
    Code.SCREENING_REMINDER: Said("calendar-days", "due", N_("Un dépistage vous est proposé"), *_HOME),
    Code.PLAN_FOLLOW_UP: Said(
        "clipboard-check",
        "due",
        N_("Votre plan de prévention : où en êtes-vous ?"),
        N_("Faire le point"),
        "/agenda/plan",
    ),
    Code.DIRECTIVES_REMINDER: Said(
        "file-text", "due", N_("Vos directives anticipées ont un an : sont-elles à jour ?"), *_DOCUMENTS
    ),
    Code.REPORT_CLOSED: Said("flag", "", N_("Votre signalement a reçu une réponse"), *_HISTORY),
    Code.INVITED: Said("users", "due", N_("On vous demande de l’aide"), N_("Répondre"), "/proches"),
    Code.INVITATION_ACCEPTED: Said("users", "", N_("Un proche accepte de vous aider"), *_RELATIVES),
    Code.INVITATION_REFUSED: Said("users", "plain", N_("Un proche a décliné votre demande"), *_RELATIVES),
    Code.ENDED_BY_CARER: Said("users", "plain", N_("Un proche ne vous aide plus"), *_RELATIVES),
    Code.ENDED_BY_HOLDER: Said("users", "plain", N_("Vous n’aidez plus une personne"), *_RELATIVES),
    Code.OF_AGE: Said(
        "key-round",
        "due",
        N_("Vous êtes majeur : vérifiez les accords donnés pour vous"),
        N_("Voir qui peut lire"),
        "/acces",
    ),
    Code.CHILD_OF_AGE: Said("users", "plain", N_("Votre enfant est majeur : vous ne le représentez plus"), *_RELATIVES),
    Code.CONSENT_RECORDED: Said(
        "key-round", "", N_("Un soignant a enregistré votre accord"), N_("Voir qui peut lire"), "/acces"
    ),
    Code.HELP_BEGAN: Said("users", "due", N_("Un médiateur vous aide en ce moment"), N_("Voir ou arrêter"), "/proches"),
    Code.SPACE_OPENED: Said("house", "due", N_("Votre espace est ouvert"), N_("L’activer"), "/espace"),
    Code.SPACE_CLOSED: Said("lock", "plain", N_("Votre espace est fermé"), N_("Voir mon espace"), "/espace"),
    Code.SPACE_SUSPENDED: Said(
        "triangle-alert", "danger", N_("Votre espace est suspendu"), N_("Voir et contester"), "/espace"
    ),
    Code.SPACE_BACK: Said("house", "", N_("Votre espace est de nouveau ouvert"), N_("Voir mon espace"), "/espace"),
    Code.SPACE_DELETION: Said(
        "trash-2", "danger", N_("La suppression de vos données est prévue"), N_("Voir ou annuler"), "/espace"
    ),
    Code.EXPORT_READY: Said(
        "download", "", N_("La copie de vos données est prête"), N_("La télécharger"), "/mes-donnees"
    ),
    Code.EXPORT_FAILED: Said(
        "triangle-alert",
        "due",
        N_("La copie de vos données n’a pas pu être faite"),
        N_("Voir mes copies"),
        "/mes-donnees",
    ),
    Code.MAIL_RETURNED: Said(
        "mail",
        "danger",
        N_("Nos mails à votre adresse nous sont revenus"),
        N_("Vérifier mon adresse"),
        "/reglages/securite/contact",
    ),
    Code.IMPORT_DONE: Said("download", "", N_("Les données reçues sont rangées dans votre dossier"), *_DOCUMENTS),
}
_OTHER: Final = Said("info", "plain", N_("Quelque chose a changé dans votre dossier"), *_HISTORY)


def said(code: str) -> Said:
    """The words of a code; general ones for a code that an older version wrote."""
    return SAID.get(code, _OTHER)


OUTSIDE: Final[Mapping[Kind, str]] = {
    Kind.DOCUMENTS: N_("Il y a du nouveau dans vos documents."),
    Kind.ACCESSES: N_("Un accès à votre dossier vous est signalé."),
    Kind.EMERGENCIES: N_("Votre dossier a été ouvert en urgence."),
    Kind.REMINDERS: N_("Un rappel vous attend."),
    Kind.SERVICES: N_("Il y a du nouveau pour vos services connectés."),
    Kind.SCREENING: N_("Un rappel vous attend."),
    Kind.RELATIVES: N_("Il y a du nouveau pour vos proches."),
    Kind.SECURITY: N_("Une information importante vous attend dans votre espace."),
}
_OTHERS: Final = N_("Il s’agit du dossier d’une personne que vous représentez ou que vous aidez.")
_SIGN_IN: Final = N_("Connectez-vous pour lire : %(address)s")
_REFUSE: Final = N_("Ne plus recevoir de tels mails : %(address)s")
_CHOOSE: Final = N_("Choisir ce que vous recevez : %(address)s")


class MailWords(Struct, frozen=True):
    """A mail about notices. `refuse`: the address that refuses such mails in one click, when they may be."""

    subject: str
    text: str
    html: str
    refuse: str | None


def push_words(code: str, kind: Kind, other: bool) -> tuple[str, str]:
    """Title and sentence of a message to a browser; `other`: about somebody else's space."""
    spoken = language(code)
    return "Ambroise", spoken.gettext(_OTHERS if other else OUTSIDE[kind])


def mail_words(letter: Letter, address: str) -> MailWords:
    """What a mail says of the notices that it tells, in its reader's language. `address`: where people come in."""
    spoken, details = language(letter.language), letter.details
    counts = Counter(OUTSIDE[kind_of(code)] for code in details["codes"].split(","))
    said = [_counted(spoken, sentence, count) for sentence, count in counts.items()]
    if details.get("other"):
        said.insert(0, spoken.gettext(_OTHERS))
    links = {_SIGN_IN: f"{address}/notifications"}
    refuse = f"{address}/notifications/refuser?cle={details['refuse']}" if details.get("refuse") else None
    if refuse is not None:
        links[_REFUSE] = refuse
    links[_CHOOSE] = f"{address}/reglages/notifications"
    subject = next(iter(counts)) if len(counts) == 1 else N_("Il y a du nouveau dans votre espace de santé.")
    footer = [spoken.gettext(words) % {"address": link} for words, link in links.items()]
    return MailWords(
        f"Ambroise. {spoken.gettext(subject).rstrip('.')}",
        "\n\n".join([*said, *footer, "Ambroise"]) + "\n",
        _html(spoken, said, links),
        refuse,
    )


def _counted(spoken: Language, sentence: str, count: int) -> str:
    return spoken.gettext(sentence) + (f" ({count})" if count > 1 else "")


def _html(spoken: Language, said: list[str], links: Mapping[str, str]) -> str:
    """The same in HTML: no picture and nothing to load, so that opening a mail tells nobody."""
    paragraphs = [Markup("<p>{}</p>").format(one) for one in said]
    for words, link in links.items():
        before, _, after = spoken.gettext(words).partition("%(address)s")
        anchor = Markup('<a href="{}">{}</a>').format(link, before.rstrip(" :\u00a0"))
        paragraphs.append(Markup("<p>{}{}</p>").format(anchor, after))
    return Markup(
        '<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>Ambroise</title></head>'
        '<body style="font-family: sans-serif; font-size: 18px; line-height: 1.5; color: #14213d">{}<p>Ambroise</p>'
        "</body></html>"
    ).format(spoken.code, Markup("").join(paragraphs))
