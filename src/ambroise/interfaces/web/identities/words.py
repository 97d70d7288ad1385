"""The words of identities: what a status means, what happened, why a datamatrix is not read."""

from __future__ import annotations

from collections.abc import Mapping

from ambroise.interfaces.web.ui.i18n import N_, gettext

STATUSES: Mapping[str, tuple[str, str, str, str]] = {
    "QUAL": (
        "done", "check", N_("Identité qualifiée"),
        N_("L’INS vient du service national, une pièce d’identité a été vue : les données circulent avec l’INS."),
    ),
    "VALI": (
        "due", "clock", N_("Identité validée"),
        N_("Une pièce d’identité a été vue, l’INS n’est pas connu. Rien ne circule sous un matricule."),
    ),
    "RECUP": (
        "due", "clock", N_("Identité récupérée"),
        N_("L’INS vient du service national, aucune pièce d’identité n’a été vue. Demandez-en une pour qualifier."),
    ),
    "PROV": (
        "late", "triangle-alert", N_("Identité provisoire"),
        N_("Ni INS ni pièce d’identité : vérifiez qui est la personne avant de vous servir de ce dossier."),
    ),
}  # fmt: skip
ATTRIBUTES: Mapping[str, tuple[str, str, str]] = {
    "homonyme": (
        "due", N_("Homonyme"), N_("Une autre personne a presque les mêmes traits : vérifiez la date et le lieu."),
    ),
    "douteuse": (
        "late", N_("Identité douteuse"), N_("Quelqu’un en doute : l’INS est retiré jusqu’à vérification."),
    ),
    "fictive": ("off", N_("Identité fictive"), N_("Cette personne n’existe pas : aucun soin réel ici.")),
}  # fmt: skip
CHANGES: Mapping[str, str] = {
    "opened": N_("Dossier ouvert"),
    "ins_recovered": N_("INS confirmé par le service national"),
    "ins_replaced": N_("INS remplacé par un autre"),
    "document_checked": N_("Pièce d’identité vue"),
    "verification_failed": N_("INS retiré : le service national ne le confirme pas"),
    "trait_corrected": N_("Trait d’identité corrigé"),
    "doubted": N_("Mise en doute"),
    "doubt_lifted": N_("Doute levé"),
    "declared_fictitious": N_("Déclarée fictive"),
    "homonym_marked": N_("Homonyme signalé"),
    "homonym_unmarked": N_("Homonyme retiré"),
}
_PROBLEMS: Mapping[str, str] = {
    "other_symbol": N_("Ce symbole n’est pas un datamatrix INS."),
    "version": N_("Cette version du datamatrix INS n’est pas connue."),
    "header": N_("L’en-tête du datamatrix est abîmé."),
    "too_long": N_("Ce contenu est trop long pour un datamatrix INS."),
    "block_unknown": N_("Une partie du datamatrix n’est pas connue, ou un séparateur manque."),
    "block_twice": N_("Une information figure deux fois."),
    "block_missing": N_("Une information obligatoire manque."),
    "length": N_("Une information est trop courte ou trop longue."),
    "matricule": N_("Le matricule est faux : sa clé ne correspond pas."),
    "oid": N_("L’OID n’est pas celui d’un INS."),
    "name": N_("Un nom contient autre chose que des majuscules sans accent."),
    "sex": N_("Le sexe n’est ni M ni F."),
    "birth_date": N_("La date de naissance est mal écrite."),
    "birth_place": N_("Le lieu de naissance n’est pas un code de commune."),
}
TRAITS: Mapping[str, str] = {
    "birth_name": N_("nom de naissance"),
    "first_given": N_("premier prénom"),
    "given_names": N_("prénoms"),
    "birth_date": N_("date de naissance"),
    "sex": N_("sexe"),
    "birth_place": N_("lieu de naissance"),
}


def status(code: str) -> tuple[str, str, str, str]:
    """State, picture, name and meaning of a status."""
    state, picture, name, meaning = STATUSES[code]
    return state, picture, gettext(name), gettext(meaning)


def attribute(code: str) -> tuple[str, str, str]:
    """State, name and meaning of an attribute."""
    state, name, meaning = ATTRIBUTES[code]
    return state, gettext(name), gettext(meaning)


def change(code: str) -> str:
    """What happened to an identity."""
    return gettext(CHANGES[code])


def problem(code: str) -> str:
    """Why a datamatrix is not read."""
    return gettext(_PROBLEMS.get(code, "")) or gettext("Ce datamatrix ne se lit pas.")


def trait(code: str) -> str:
    """The name of a trait."""
    return gettext(TRAITS[code])
