"""Why the rules of access allowed something, or refused it, in the citizen's words."""

from __future__ import annotations

from ambroise.interfaces.web.ui.i18n import N_, gettext

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


def because(rule: str) -> str:
    """Why something was possible."""
    return gettext(_BECAUSE[rule]) if rule in _BECAUSE else ""


def refused_because(rule: str) -> str:
    """Why something was refused, as the end of a sentence."""
    return gettext(_REFUSED[rule]) if rule in _REFUSED else ""
