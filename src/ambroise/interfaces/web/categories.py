"""The categories of documents and the sorts of files, in words and pictures."""

from __future__ import annotations

from ambroise.interfaces.web.ui.i18n import N_, gettext

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
