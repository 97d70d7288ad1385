"""The closed choices and the measures of the medical profile, in words."""

from __future__ import annotations

from collections.abc import Mapping

from ambroise.interfaces.web.ui.i18n import N_, gettext

CHOICES: Mapping[str, Mapping[str, str]] = {
    "relation": {
        "MOTHER": N_("Mère"),
        "FATHER": N_("Père"),
        "GRANDMOTHER": N_("Grand-mère"),
        "GRANDFATHER": N_("Grand-père"),
        "SISTER": N_("Sœur"),
        "BROTHER": N_("Frère"),
        "GREAT_GRANDMOTHER": N_("Arrière-grand-mère"),
        "GREAT_GRANDFATHER": N_("Arrière-grand-père"),
        "AUNT": N_("Tante"),
        "UNCLE": N_("Oncle"),
        "OTHER": N_("Autre"),
    },
    "disability": {
        "SENSORY": N_("Sensoriel"),
        "NEURO_DEVELOPMENTAL_DISORDER": N_("Trouble du neurodéveloppement"),
        "PSYCHIC": N_("Psychique"),
        "ENGINE": N_("Moteur"),
        "POLY_DISABILITY": N_("Polyhandicap"),
        "DISABLING_DISEASES": N_("Maladie invalidante"),
        "OTHERS": N_("Autre"),
    },
    "rate": {
        "LESS_THAN_50": N_("Moins de 50 %"),
        "BETWEEN_50_AND_79": N_("De 50 à 79 %"),
        "BIGGER_THAN_80_OR_EQUAL": N_("80 % ou plus"),
        "UNKNOWN": N_("Je ne sais pas"),
    },
    "help": {"YES": N_("Oui"), "NO": N_("Non"), "NONE": N_("Sans objet")},
    "stage": {
        "INITIMMUNIZ": N_("Première vaccination"),
        "BOOSTER": N_("Rappel"),
        "IMMUNIZ": N_("Vaccination"),
    },
    "unit": {"DAY": N_("jours"), "WEEK": N_("semaines"), "MONTH": N_("mois"), "YEAR": N_("ans")},
    "contact": {
        "EMERGENCY_CONTACT": N_("À prévenir en urgence"),
        "TRUSTED_CONTACT": N_("Personne de confiance"),
        "CAREGIVER_CONTACT": N_("Mon aidant"),
        "HELP_CONTACT": N_("Une personne que j’aide"),
    },
    "kinship": {
        "MOTHER": N_("Mère"),
        "FATHER": N_("Père"),
        "CHILD": N_("Enfant"),
        "SPOUSE": N_("Conjoint"),
        "TUTEUR": N_("Tuteur"),
        "OTHER": N_("Autre"),
    },
    "habit": {
        "FOOD": N_("Alimentation"),
        "PHYSICAL_ACTIVITY": N_("Activité physique"),
        "SLEEP": N_("Sommeil"),
        "SCREEN": N_("Écrans"),
        "ALCOHOL": N_("Alcool"),
        "TOBACCO": N_("Tabac"),
    },
    "moment": {
        "53049-3": N_("à jeun"),
        "88365-2": N_("avant un repas"),
        "16915-1": N_("après un repas"),
        "LA11865-5": N_("après un exercice"),
        "MED-1278": N_("lors d’un malaise"),
        "LA46-8": N_("à un autre moment"),
    },
    "role": {
        "MEDECIN_TRAITANT": N_("Médecin traitant"),
        "SAGE_FEMME_REFERENTE": N_("Sage-femme référente"),
        "PHARMACIEN_CORRESPONDANT": N_("Pharmacien correspondant"),
        "OTHER": N_("Autre soignant"),
    },
}
"""The words of the closed choices."""

MEASURES: Mapping[str, str] = {
    "WEIGHT": N_("Poids"),
    "HEIGHT": N_("Taille"),
    "BODY_MASS_INDEX": N_("Indice de masse corporelle"),
    "WAIST_CIRCUMFERENCE": N_("Tour de taille"),
    "BLOOD_PRESSURE": N_("Tension artérielle"),
    "HEART_RATE": N_("Fréquence cardiaque"),
    "RESPIRATORY_RATE": N_("Fréquence respiratoire"),
    "OXYGEN_SATURATION": N_("Saturation en oxygène"),
    "BODY_TEMPERATURE": N_("Température"),
    "GLUCOSE": N_("Glycémie"),
    "INTERSTITIAL_GLUCOSE": N_("Glucose interstitiel"),
    "GLYCATED_HEMOGLOBIN": N_("Hémoglobine glyquée (HbA1c)"),
    "HEMOGLOBIN_GLYCATION_INDEX": N_("Indicateur de gestion du glucose"),
    "PAIN_SEVERITY": N_("Douleur, de 0 à 10"),
    "HEAD_CIRCUMFERENCE": N_("Périmètre crânien"),
    "STEPS_BY_DAY": N_("Pas par jour"),
}


def choice(kind: str, code: str) -> str:
    """The words of one choice."""
    words = CHOICES.get(kind, {}).get(code, "")
    return gettext(words) if words else code
