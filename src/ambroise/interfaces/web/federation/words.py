"""What is said to somebody whom a partner did not bring in: what happened, and what to do."""

from __future__ import annotations

from msgspec import Struct

from ambroise.interfaces.web.ui.i18n import N_, gettext


class Words(Struct, frozen=True):
    """`text` may name the partner as %(name)s; `again`: whether trying once more may help."""

    title: str
    text: str
    again: bool = True

    def said(self, name: str) -> str:
        """The text, in the language of the page."""
        return gettext(self.text) % {"name": name}


_WORDS = {
    "PARTNER_UNREACHABLE": Words(
        N_("Ce service ne répond pas"),
        N_("%(name)s ne répond pas, ou pas comme prévu. Réessayez dans quelques minutes, ou entrez autrement."),
    ),
    "FEDERATION_ENDED": Words(
        N_("Cette connexion n’est plus valable"),
        N_("Elle a duré trop longtemps, a déjà servi, ou a commencé dans un autre navigateur. Recommencez."),
    ),
    "FEDERATION_REFUSED": Words(
        N_("Vous n’êtes pas entré"),
        N_("La connexion a été refusée ou abandonnée chez %(name)s. Vous pouvez recommencer, ou entrer autrement."),
    ),
    "FEDERATION_FAILED": Words(
        N_("La connexion a échoué"),
        N_("%(name)s a répondu par une erreur. Recommencez ; si cela continue, donnez le code ci-dessous au guichet."),
    ),
    "FEDERATION_TOKEN_INVALID": Words(
        N_("La réponse reçue n’est pas sûre"),
        N_(
            "Ce que %(name)s a répondu n’a pas pu être vérifié : rien n’a été ouvert. Recommencez ; si cela continue, "
            "donnez le code ci-dessous au guichet."
        ),
    ),
    "FEDERATION_ACR_TOO_LOW": Words(
        N_("Il faut une identification plus sûre"),
        N_(
            "Le moyen que vous avez choisi chez %(name)s ne suffit pas pour des données de santé. Recommencez avec un "
            "moyen plus fort."
        ),
    ),
    "FEDERATION_NO_IDENTIFIER": Words(
        N_("Votre identifiant national manque"),
        N_(
            "%(name)s ne nous a pas donné votre numéro RPPS. Demandez au service informatique de votre établissement "
            "de l’ajouter à votre compte, puis recommencez."
        ),
    ),
    "FEDERATION_PERSON_UNKNOWN": Words(
        N_("L’annuaire ne vous connaît pas"),
        N_(
            "Votre identifiant national n’est pas dans l’annuaire de ce service. Vérifiez votre inscription auprès de "
            "votre ordre ou de votre autorité d’enregistrement, puis demandez au guichet d’actualiser l’annuaire."
        ),
        again=False,
    ),
    "FEDERATION_CITIZEN_UNKNOWN": Words(
        N_("Nous ne vous avons pas retrouvé"),
        N_(
            "L’identité donnée par %(name)s ne correspond exactement à aucun dossier. Ouvrez votre compte avec votre "
            "carte Vitale, ou demandez au guichet de vérifier votre identité."
        ),
        again=False,
    ),
    "FEDERATION_LINK_CONFLICT": Words(
        N_("Ce compte est lié à une autre identité"),
        N_(
            "Le compte trouvé ici et l’identité donnée par %(name)s sont déjà liés à d’autres. Demandez au guichet de "
            "vérifier, en donnant le code ci-dessous."
        ),
        again=False,
    ),
    "ACCOUNT_SUSPENDED": Words(
        N_("Ce compte est suspendu"), N_("Le guichet peut vous dire pourquoi, et ce qu’il faut faire."), again=False
    ),
    "DECEASED_INDIVIDUAL": Words(
        N_("Ce dossier n’a plus de titulaire"),
        N_("La personne est connue comme décédée. S’il s’agit d’une erreur, prévenez le guichet."),
        again=False,
    ),
    "LEGAL_REPRESENTATIVE_REQUIRED": Words(
        N_("Un représentant légal doit ouvrir cet espace"),
        N_("Avant dix-huit ans, un parent ouvre l’espace depuis le sien."),
        again=False,
    ),
    "LETTERS_UNAVAILABLE": Words(
        N_("Les comptes ne peuvent pas encore s’ouvrir"),
        N_("Ce service n’envoie pas encore de messages. Réessayez plus tard."),
        again=False,
    ),
}


def explained(code: str) -> Words | None:
    """The words of a refusal, when it is one of signing in through a partner."""
    return _WORDS.get(code)
