"""Professions of the demonstration: how each role is coded in the national tables.

Profession: TRE_G15 (1.2.250.1.71.1.2.7) or TRE_R95 (1.2.250.1.213.1.6.1.109); specialty: TRE_R38 savoir-faire or the
pharmacists' section; the author's specialty in a document: JDV_J01, version of 27 September 2024.
"""

from __future__ import annotations

from msgspec import Struct

from ambroise.interfaces.demonstration.model import Role

G15 = "1.2.250.1.71.1.2.7"
R95 = "1.2.250.1.213.1.6.1.109"
AUTHOR_SPECIALTY = "1.2.250.1.213.1.1.4.5"


class Profession(Struct, frozen=True):
    """One role in the national tables, with the JDV_J01 code and label of the documents it writes."""

    code: str
    system: str
    specialty: str | None
    author_code: str
    author_system: str
    label: str
    title: str | None = None


def _doctor(specialty: str, label: str) -> Profession:
    return Profession("10", G15, specialty, f"G15_10/{specialty}", AUTHOR_SPECIALTY, f"Médecin - {label} (SM)", "DR")


def _other(code: str, label: str, specialty: str | None = None) -> Profession:
    author = f"G15_{code}/{specialty}" if specialty else f"G15_{code}"
    title = "DR" if code in ("21", "40") else None
    return Profession(code, G15, specialty, author, AUTHOR_SPECIALTY, label, title)


PROFESSIONS: dict[Role, Profession] = {
    Role.GP: _doctor("SM54", "Médecine Générale"),
    Role.BIOLOGIST: _doctor("SM03", "Biologie médicale"),
    Role.RADIOLOGIST: _doctor("SM74", "Radiologie et imagerie médicale"),
    Role.CARDIOLOGIST: _doctor("SM04", "Cardiologie et maladies vasculaires"),
    Role.OPHTHALMOLOGIST: _doctor("SM38", "Ophtalmologie"),
    Role.DERMATOLOGIST: _doctor("SM15", "Dermatologie et Vénéréologie"),
    Role.PAEDIATRICIAN: _doctor("SM40", "Pédiatrie"),
    Role.ENDOCRINOLOGIST: _doctor("SM62", "Endocrinologie, diabétologie, nutrition"),
    Role.GYNAECOLOGIST: _doctor("SM20", "Gynécologie-obstétrique"),
    Role.GERIATRICIAN: _doctor("SM18", "Gériatrie"),
    Role.SURGEON: _doctor("SM08", "Chirurgie orthopédique et Traumatologie"),
    Role.EMERGENCY: _doctor("SM59", "Médecine d'urgence"),
    Role.REGULATOR: _doctor("SM59", "Médecine d'urgence"),
    Role.PHARMACIST: _other("21", "Pharmacien titulaire d'officine", "A"),
    Role.NURSE: _other("60", "Infirmier"),
    Role.HOSPITAL_NURSE: _other("60", "Infirmier"),
    Role.MIDWIFE: _other("50", "Sage-Femme"),
    Role.DENTIST: _other("40", "Chirurgien-Dentiste"),
    Role.PHYSIOTHERAPIST: _other("70", "Masseur-Kinésithérapeute"),
    Role.PODIATRIST: _other("80", "Pédicure-Podologue"),
    Role.PSYCHOLOGIST: Profession("93", R95, None, "93", R95, "Psychologue"),
}

FACILITIES = {
    "SA01": "Etablissement public de santé",
    "SA07": "Cabinet individuel",
    "SA08": "Cabinet de groupe",
    "SA09": "Exercice en société",
    "SA25": "Laboratoire de biologie médicale",
    "SA33": "Pharmacie d'officine",
    "SA52": "Maison de santé ou Pôle de santé",
}

SETTINGS = {
    "AMBULATOIRE": "Ambulatoire",
    "ETABLISSEMENT": "Etablissement de santé",
    "SAMU_SMUR": "SAMU/SMUR",
}
