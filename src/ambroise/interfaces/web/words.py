"""The citizen's words: categories, rules and accesses, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from markupsafe import Markup
from msgspec import Struct

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

_SORTS_OF_FILE = {
    "application/pdf": "PDF",
    "image/jpeg": N_("image"),
    "image/png": N_("image"),
    "image/tiff": N_("image"),
    "text/plain": N_("texte"),
    "text/rtf": N_("texte mis en forme"),
    "text/xml": N_("document structuré"),
    "application/xml": N_("document structuré"),
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
    "presence": N_("Règle : vous étiez avec cette personne"),
    "card": N_("Règle : vous avez montré votre e-carte Vitale"),
    "delegate": N_("Règle : personne à qui vous avez confié votre e-carte Vitale"),
    "representative": N_("Règle : représentant légal"),
    "carer": N_("Règle : aidant que vous avez choisi"),
    "mediator": N_("Règle : médiateur à qui vous avez donné un code"),
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
    "restricted": N_("vous lui avez caché ce document"),
    "emergency_refused": N_("vous refusez les accès en urgence"),
    "emergency_role": N_("son métier ou sa structure n’ouvre pas de dossier ainsi"),
    "emergency_not_opened": N_("aucune urgence n’était ouverte"),
    "emergency_reason": N_("il n’a pas écrit de motif"),
    "space_closed": N_("votre dossier est fermé"),
    "withheld_from_patient": N_("ce document attend une annonce par votre médecin"),
    "content_hidden_from_mediator": N_("le contenu n’est pas montré au médiateur"),
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
    "report": N_("%(who)s a traité un signalement sur votre dossier."),
    "account": N_("%(who)s a changé quelque chose à votre compte."),
    "copy": N_("%(who)s a demandé une copie de votre dossier."),
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
    "report": N_("<strong>Vous</strong> avez envoyé un signalement."),
    "account": N_("<strong>Vous</strong> avez changé quelque chose à votre compte."),
    "copy": N_("<strong>Vous</strong> avez demandé une copie de votre dossier."),
    "other": N_("<strong>Vous</strong> êtes intervenu dans votre dossier."),
}
# Acts that deserve more than the sentence of their sort: what you did, then what somebody else did. `about`: whom it
# concerns, when the trace says it.
_YOU_DID_THIS = {
    "purged": N_("<strong>Vous</strong> avez fait détruire les données de votre espace."),
    "explained": N_("<strong>Vous</strong> avez regardé qui peut voir %(what)s."),
    "relation_set": N_("<strong>Vous</strong> avez enregistré qui peut agir pour vous : %(about)s."),
    "relation_ended": N_("<strong>Vous</strong> avez mis fin au droit d’une personne d’agir pour vous."),
    "relation_invited": N_("<strong>Vous</strong> avez demandé de l’aide à %(about)s."),
    "relation_accepted": N_("<strong>Vous</strong> avez accepté une demande d’aide."),
    "relation_refused": N_("<strong>Vous</strong> avez décliné une demande d’aide."),
    "relation_withdrawn": N_("<strong>Vous</strong> avez repris votre demande d’aide à %(about)s."),
    "help_asked": N_("<strong>Vous</strong> avez demandé un code pour qu’un médiateur vous aide."),
    "mediator_enrolled": N_("Vous avez été inscrit comme médiateur."),
    "mediator_ended": N_("Vous n’êtes plus inscrit comme médiateur."),
    "identity_trust": N_("La confiance dans votre identité a changé."),
    "insi_called": N_("<strong>Vous</strong> avez fait chercher ou vérifier votre INS."),
    "account_rescue": N_("Votre demande d’accès au guichet a reçu une réponse."),
    "partner_linked": N_("Votre compte a été lié à votre identité chez un autre service."),
    "partner_unlinked": N_("<strong>Vous</strong> avez retiré le lien entre votre compte et un autre service."),
    "partner_signed_in": N_("<strong>Vous</strong> êtes entré par un autre service d’identité."),
    "partner_signed_out": N_("Un autre service d’identité a mis fin à votre session."),
    "authorised": N_("<strong>Vous</strong> avez autorisé %(about)s."),
    "revoked": N_("<strong>Vous</strong> avez retiré l’accès de %(about)s."),
    "care_team_authorised": N_("<strong>Vous</strong> avez autorisé une équipe de soins : %(about)s."),
    "care_team_ended": N_("<strong>Vous</strong> avez retiré l’accès d’une équipe de soins : %(about)s."),
    "blocked": N_("<strong>Vous</strong> avez bloqué %(about)s."),
    "unblocked": N_("<strong>Vous</strong> avez débloqué %(about)s."),
    "restricted": N_("<strong>Vous</strong> avez caché des documents à %(about)s."),
    "restriction_lifted": N_("<strong>Vous</strong> avez rendu des documents visibles à %(about)s."),
    "consent_refused": N_("<strong>Vous</strong> avez refusé la demande d’accord de %(about)s."),
    "consent_reopened": N_("<strong>Vous</strong> êtes revenu sur votre réponse à %(about)s."),
    "administrator_appointed": N_("<strong>Vous</strong> avez nommé %(about)s médecin administrateur."),
    "archived": N_("<strong>Vous</strong> avez archivé %(what)s."),
    "unarchived": N_("<strong>Vous</strong> avez sorti des archives %(what)s."),
    "emergency_choices": N_("<strong>Vous</strong> avez changé vos choix en cas d’urgence."),
    "default_masking": N_("<strong>Vous</strong> avez changé qui voit vos nouveaux documents."),
    "feed_opposition": N_("<strong>Vous</strong> avez changé votre choix sur le dépôt de documents."),
    "disclosed_to_representatives": N_("<strong>Vous</strong> avez rendu %(what)s visible à vos représentants."),
    "presence_ended": N_("<strong>Vous</strong> avez terminé l’accès que votre présence donnait à %(about)s."),
    "vitale_card": N_("<strong>Vous</strong> avez changé quelque chose à votre e-carte Vitale."),
    "vitale_delegation": N_("<strong>Vous</strong> avez changé qui peut montrer votre e-carte Vitale."),
    "arranged": N_("<strong>Vous</strong> avez rangé vos documents."),
    "copied": N_("La copie que <strong>vous</strong> avez demandée a été préparée."),
    "copy_taken": N_("<strong>Vous</strong> avez téléchargé une copie de votre dossier."),
    "profile_code_made": N_("<strong>Vous</strong> avez fait un code d’urgence."),
    "profile_code_revoked": N_("<strong>Vous</strong> avez annulé votre code d’urgence."),
    "profile_told": N_("<strong>Vous</strong> avez écrit dans votre profil médical."),
    "profile_none": N_("<strong>Vous</strong> avez répondu pour toute une rubrique de votre profil médical."),
    "profile_hidden": N_("<strong>Vous</strong> avez caché une partie de votre profil médical."),
    "profile_shown": N_("<strong>Vous</strong> avez rendu visible une partie de votre profil médical."),
    "report_made:misfiled_document": N_("<strong>Vous</strong> avez signalé que %(what)s n’est pas à vous."),
    "report_made:unrecognised_access": N_("<strong>Vous</strong> avez signalé un accès que vous ne reconnaissez pas."),
}
_DID_THIS = {
    "consent_asked": N_("%(who)s vous a demandé votre accord pour lire votre dossier."),
    "consent_refused": N_("%(who)s a refusé la demande d’accord de %(about)s."),
    "consent_reopened": N_("%(who)s est revenu sur la réponse donnée à %(about)s."),
    "authorised": N_("%(who)s a enregistré votre accord pour %(about)s."),
    "presence_opened": N_("%(who)s a ouvert votre dossier pour un temps : vous étiez ensemble."),
    "presence_ended": N_("%(who)s a terminé l’accès que votre présence avait donné."),
    "vitale_verified": N_("%(who)s a lu votre e-carte Vitale."),
    "vitale_card": N_("%(who)s a changé quelque chose à votre e-carte Vitale."),
    "vitale_delegation": N_("%(who)s a changé qui peut montrer votre e-carte Vitale."),
    "care_team_authorised": N_("%(who)s a enregistré votre accord pour son équipe de soins : %(about)s."),
    "care_team_ended": N_("%(who)s a retiré l’accès d’une équipe de soins : %(about)s."),
    "treating_declared": N_("%(who)s a enregistré %(about)s comme votre médecin traitant."),
    "administrator_appointed": N_("%(who)s a nommé %(about)s médecin administrateur de votre dossier."),
    "revoked": N_("%(who)s a retiré l’accès de %(about)s."),
    "blocked": N_("%(who)s a bloqué %(about)s."),
    "unblocked": N_("%(who)s a débloqué %(about)s."),
    "restricted": N_("%(who)s a caché des documents à %(about)s, pour vous."),
    "restriction_lifted": N_("%(who)s a rendu des documents visibles à %(about)s, pour vous."),
    "purged": N_("%(who)s a détruit les données de votre espace."),
    "extracted": N_("%(who)s a fait entrer dans votre dossier ce que contient un document."),
    "relabelled": N_("%(who)s a changé le classement d’un document de votre dossier."),
    "rights_read": N_("%(who)s a regardé qui peut lire votre dossier et qui est bloqué."),
    "explained": N_("%(who)s a regardé qui peut voir %(what)s."),
    "identity_trust": N_("%(who)s a vérifié ou corrigé votre identité."),
    "insi_called": N_("%(who)s a cherché ou vérifié votre INS. Aucune donnée de santé n’a été montrée."),
    "launch_issued": N_("%(who)s a ouvert votre dossier dans un autre logiciel."),
    "client_entered": N_("%(who)s est entré dans un logiciel pour y ouvrir votre dossier."),
    "treating_told": N_("%(who)s a prévenu votre médecin traitant d’un accès en urgence : %(about)s."),
    "context_shared": N_(
        "%(who)s a passé de votre dossier à un autre de ses logiciels. Aucun document n’a été montré."
    ),
    "context_closed": N_("%(who)s a refermé votre dossier dans tous ses logiciels."),
    "context_read": N_("Un autre logiciel de %(who)s a reçu votre identité pour ouvrir le même dossier."),
    "account_rescue": N_("%(who)s a répondu à votre demande de retrouver l’accès à votre compte."),
    "account_rescue:given": N_("%(who)s a vérifié qui vous êtes et vous a donné un code pour retrouver votre compte."),
    "account_rescue:refused": N_("%(who)s a écarté une demande de retrouver l’accès à votre compte."),
    "partner_linked": N_("%(who)s a lié votre compte à une identité chez un autre service."),
    "partner_unlinked": N_("%(who)s a retiré le lien entre votre compte et un autre service."),
    "partner_signed_in": N_("%(who)s est entré par un autre service d’identité."),
    "partner_signed_out": N_("Un autre service d’identité a mis fin à la session de %(who)s."),
    "mediator_enrolled": N_("%(who)s vous a inscrit comme médiateur."),
    "mediator_ended": N_("%(who)s a mis fin à votre inscription comme médiateur."),
    "help_asked": N_("%(who)s a demandé un code pour qu’un médiateur vous aide."),
    "relation_invited": N_("%(who)s a demandé à %(about)s d’agir pour vous."),
    "relation_accepted": N_("%(who)s a accepté d’agir pour vous."),
    "relation_refused": N_("%(who)s a décliné la demande d’agir pour vous."),
    "relation_withdrawn": N_("%(who)s a repris la demande faite à %(about)s."),
    "relation_set": N_("%(who)s a enregistré une personne qui peut agir pour vous."),
    "relation_ended": N_("%(who)s a mis fin au droit d’une personne d’agir pour vous."),
    "archived": N_("%(who)s a archivé %(what)s."),
    "unarchived": N_("%(who)s a sorti des archives %(what)s."),
    "submitted": N_("%(who)s a transmis un lot de documents."),
    "submission_signed": N_("%(who)s a transmis un lot de documents signé par %(about)s."),
    "superseded": N_("%(who)s a remplacé %(what)s par une nouvelle version."),
    "disclosed_to_patient": N_("%(who)s vous a rendu visible %(what)s."),
    "disclosed_to_representatives": N_("%(who)s a rendu %(what)s visible aux représentants légaux."),
    "emergency_choices": N_("%(who)s a changé vos choix en cas d’urgence."),
    "default_masking": N_("%(who)s a changé qui voit vos nouveaux documents."),
    "feed_opposition": N_("%(who)s a enregistré votre choix sur le dépôt de documents."),
    "space_opened": N_("%(who)s a ouvert votre espace."),
    "copied": N_("La copie de votre dossier demandée par %(who)s a été préparée."),
    "copy_taken": N_("%(who)s a emporté une copie de votre dossier."),
    "profile_code_made": N_("%(who)s a fait un code d’urgence pour vous."),
    "profile_code_revoked": N_("%(who)s a annulé votre code d’urgence."),
    "profile_code_opened": N_("Quelqu’un a ouvert votre code d’urgence."),
    "profile_told": N_("%(who)s a écrit dans votre profil médical."),
    "profile_none": N_("%(who)s a répondu pour toute une rubrique de votre profil médical."),
    "profile_hidden": N_("%(who)s a caché une partie de votre profil médical."),
    "profile_shown": N_("%(who)s a rendu visible une partie de votre profil médical."),
    "arranged": N_("%(who)s a rangé vos documents."),
    "report_made:misfiled_document": N_("%(who)s a signalé que %(what)s n’est pas à vous."),
    "report_made:unrecognised_access": N_("%(who)s a signalé un accès à votre dossier."),
    "report_made:duplicate_identity": N_("%(who)s a signalé que vous avez sans doute deux dossiers."),
    "report_made:changed_ins": N_("%(who)s a signalé que votre matricule INS a changé."),
    "report_made:wrong_traits": N_("%(who)s a demandé de corriger votre identité."),
    "report_closed:misfiled_document:moved_out": N_(
        "%(who)s a retiré un document de votre dossier : il n’était pas à vous."
    ),
    "report_closed:misfiled_document:unfounded": N_("%(who)s a vérifié %(what)s, signalé par erreur : il reste ici."),
    "report_closed:unrecognised_access:access_explained": N_(
        "%(who)s a répondu à votre signalement : cet accès était régulier."
    ),
    "report_closed:unrecognised_access:access_irregular": N_(
        "%(who)s a répondu à votre signalement : cet accès était irrégulier."
    ),
    "report_closed:duplicate_identity:merged": N_("%(who)s a réuni vos deux dossiers en un seul."),
    "report_closed:duplicate_identity:unfounded": N_("%(who)s a vérifié votre identité : vous avez un seul dossier."),
    "report_closed:changed_ins:ins_changed": N_("%(who)s a enregistré votre nouveau matricule INS."),
    "report_closed:wrong_traits:traits_corrected": N_("%(who)s a corrigé votre identité, comme on l’avait demandé."),
    "report_closed:wrong_traits:unfounded": N_("%(who)s a vérifié votre identité : elle est juste."),
    "report_closed:changed_ins:unfounded": N_("%(who)s a vérifié votre matricule INS : il n’a pas changé."),
}
_TRIED = {
    "copy": N_("%(who)s a voulu prendre une copie de votre dossier. <strong>Cela a été refusé</strong>%(because)s."),
    "vitale_verified": N_(
        "%(who)s a voulu lire votre e-carte Vitale. <strong>La lecture a été refusée</strong>%(because)s."
    ),
    "vitale_card": N_("%(who)s a donné un <strong>code secret faux</strong> pour votre e-carte Vitale."),
    "presence_opened": N_(
        "%(who)s a voulu ouvrir votre dossier en votre présence. <strong>L’accès a été refusé</strong>%(because)s."
    ),
    "authorised": N_(
        "%(who)s a voulu enregistrer votre accord pour %(about)s. <strong>Il ne compte pas</strong>%(because)s."
    ),
    "consent_asked": N_(
        "%(who)s a voulu vous demander votre accord. <strong>La demande a été écartée</strong>%(because)s."
    ),
    "create": N_("%(who)s a voulu déposer un document. <strong>Le dépôt a été refusé</strong>%(because)s."),
    "emergency": N_(
        "%(who)s a voulu ouvrir votre dossier en urgence. <strong>L’accès a été refusé</strong>%(because)s."
    ),
}
_TRIED_TO_CHANGE = N_("%(who)s a voulu changer %(what)s. <strong>Cela a été refusé</strong>%(because)s.")
_TRIED |= dict.fromkeys(("update", "delete", "mask", "unmask", "grant", "block", "choices", "space"), _TRIED_TO_CHANGE)
_TRIED_TO_OPEN = N_("%(who)s a voulu ouvrir %(what)s. <strong>L’accès a été refusé</strong>%(because)s.")


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


def category(code: str) -> str:
    """The name of a category."""
    return gettext(CATEGORIES.get(code, CATEGORIES["AUTR_DOC"]))


def short_category(code: str) -> str:
    """The name of a category in one word."""
    return gettext(SHORT[code]) if code in SHORT else category(code)


def sort_of_file(media_type: str) -> str:
    """What a file is, in a word."""
    word = _SORTS_OF_FILE.get(media_type)
    return gettext(word) if word else gettext("fichier")


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
        told = _TRIED.get(event.event) or _TRIED.get(event.action, _TRIED_TO_OPEN)
        return _fill(told, who=who, what=what, about=event.about, because=reason)
    if event.actor_kind == "self":
        return _fill(_precise(_YOU_DID_THIS, event) or _YOU_DID[event.action], what=what, about=event.about)
    if (precise := _precise(_DID_THIS, event)) is not None:
        return _fill(precise, who=who, what=what, about=event.about)
    told = _fill(_DID[event.action], who=who, what=what, how=_how(event))
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
