"""The access rules as a professional reads them: why a record opens, why it stays closed, what is lawful now."""

from __future__ import annotations

from msgspec import Struct

from ambroise.interfaces.web.ui.i18n import N_, gettext

_READ_AS = {
    "authorised": N_("Vous le lisez avec l’accord du patient."),
    "presence": N_("Vous le lisez parce que le patient est avec vous, pour un temps."),
    "care_team": N_("Vous le lisez comme membre de son équipe de soins."),
    "treating_professional": N_("Vous le lisez comme médecin traitant."),
    "administrator": N_("Vous le lisez comme médecin administrateur du dossier."),
    "emergency": N_("Vous le lisez en accès d’urgence."),
    "centre_15": N_("Vous le lisez pour le centre 15."),
    "author": N_("Vous le lisez comme auteur."),
}

# rule → title, what happened, name of the rule, whether consent, deposit and emergency are lawful ways on.
_REFUSED: dict[str, tuple[str, str, str, bool, bool, bool]] = {
    "not_authorised": (
        N_("Vous ne pouvez pas lire ce dossier"),
        N_("Cette personne n’a pas encore donné son accord. Aucune donnée de santé n’a été affichée."),
        N_("accord du patient"), True, True, True,
    ),
    "care_team_only": (
        N_("Votre métier lit ce dossier au sein de l’équipe de soins"),
        N_("Demandez au professionnel qui coordonne les soins de vous ajouter à l’équipe."),
        N_("équipe de soins"), False, True, False,
    ),
    "space_closed": (
        N_("Ce dossier est fermé"),
        N_("La personne a fermé son espace. Ni lecture ni dépôt ne sont possibles."),
        N_("espace fermé"), False, False, False,
    ),
    "no_space": (
        N_("Cette personne n’a pas de dossier"),
        N_("Elle s’y est opposée, ou n’en a pas encore."),
        N_("aucun espace"), False, False, False,
    ),
    "emergency_refused": (
        N_("Cette personne refuse l’accès en urgence"),
        N_("C’est son choix, écrit dans son espace. Aucune donnée de santé n’a été affichée."),
        N_("refus de l’accès d’urgence"), True, True, False,
    ),
    "emergency_role": (
        N_("Votre métier n’ouvre pas de dossier en urgence"),
        N_("Adressez-vous à un médecin, ou recueillez l’accord de la personne."),
        N_("accès d’urgence réservé"), True, True, False,
    ),
    "emergency_not_opened": (
        N_("L’accès d’urgence est terminé"),
        N_("Il dure une heure. S’il reste nécessaire, ouvrez-le de nouveau en écrivant pourquoi."),
        N_("durée de l’accès d’urgence"), True, True, True,
    ),
    "matrix": (
        N_("Votre métier ne lit pas ce document"),
        N_("La matrice d’habilitation fixe ce que chaque métier peut lire."),
        N_("matrice d’habilitation"), False, True, False,
    ),
}  # fmt: skip


# A block is the patient's secret: a page says of it what it says when there is no consent, or no way in by emergency.
_SAID_AS = {"blocked": "not_authorised"}
_SAID_AS_IN_EMERGENCY = {"blocked": "emergency_refused"}


class RefusedRecord(Struct, frozen=True):
    """Why a record stays closed, and the lawful ways on."""

    title: str
    text: str
    rule: str
    consent: bool
    deposit: bool
    emergency: bool


def read_as(rule: str) -> str:
    """Why this professional reads, as the foot of a preview says it."""
    return gettext(_READ_AS.get(rule, _READ_AS["authorised"]))


def explained(rule: str) -> RefusedRecord:
    """The page of a refusal."""
    title, text, name, consent, deposit, emergency = _REFUSED.get(_SAID_AS.get(rule, rule), _REFUSED["not_authorised"])
    return RefusedRecord(gettext(title), gettext(text), gettext(name), consent, deposit, emergency)


def refused_in_emergency(rule: str) -> str:
    """One sentence for a refused emergency, on top of its form."""
    refusal = explained(_SAID_AS_IN_EMERGENCY.get(rule, rule))
    return f"{refusal.title}. {refusal.text}"
