"""The documents of the example clients of Ségur: one for each corridor, about the public test identity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from ambroise.interfaces.demonstration.analyses import ANALYSES, Result
from ambroise.interfaces.demonstration.documents import (
    BIOLOGY,
    DISCHARGE,
    DISPENSATION,
    IMAGING,
    PARIS,
    PRESCRIPTION,
    URGENT_LIAISON,
    Biology,
    Content,
    Document,
    DocumentType,
    Prescription,
    uid_of,
)
from ambroise.interfaces.demonstration.model import Nation, Role
from ambroise.interfaces.demonstration.products import MEDICINES
from ambroise.interfaces.demonstration.reports import (
    CHEST,
    Coded,
    Discharge,
    Dispensation,
    Dispensed,
    Imaging,
    Transfer,
    Vital,
)
from ambroise.interfaces.demonstration.stars import SAMPLE_AUTHOR_RPPS

MOMENT: Final = datetime(2026, 1, 20, 9, 0, tzinfo=PARIS)


def corridor_documents(nation: Nation) -> Mapping[str, Document]:
    """One document for each corridor, by the name of its file."""
    citizen = nation.citizens[0]
    doctor = next(one for one in nation.professionals if one.rpps == SAMPLE_AUTHOR_RPPS)
    authors = {role: next(one for one in nation.professionals if one.role is role) for role in Role}
    medicines = (MEDICINES["amlodipine"], MEDICINES["paracetamol"])
    values = {"glucose": 5.6, "hba1c": 5.9, "cholesterol": 5.2, "hdl": 1.4, "ldl": 3.2, "haemoglobin": 13.1}
    results = tuple(Result(ANALYSES[name], value) for name, value in values.items())
    written: tuple[tuple[str, Role | None, DocumentType, str, Content, str], ...] = (
        (
            "prescription",
            None,
            PRESCRIPTION,
            "Prescription de produits de santé",
            Prescription(medicines, 30, long_term=False),
            "AMB",
        ),
        (
            "laboratory",
            Role.BIOLOGIST,
            BIOLOGY,
            "Compte rendu d'examens biologiques",
            Biology(results, doctor, "Bilan de surveillance."),
            "AMB",
        ),
        (
            "imaging",
            Role.RADIOLOGIST,
            IMAGING,
            "Radiographie du thorax de face et de profil",
            Imaging(
                CHEST,
                "Toux persistante depuis trois semaines.",
                "Hypertension artérielle traitée.",
                "Appendicectomie en 1991.",
                ("Pas de foyer parenchymateux.", "Silhouette cardiaque normale.", "Culs-de-sac pleuraux libres."),
                "Radiographie normale.",
                uid_of("study", "corridor"),
            ),
            "AMB",
        ),
        (
            "discharge",
            Role.SURGEON,
            DISCHARGE,
            "Lettre de liaison à la sortie",
            Discharge(
                "Fracture du poignet gauche après une chute.",
                "Ostéosynthèse par plaque ; suites simples, pas d'événement indésirable.",
                Coded("183452005", "hospitalisation en urgence"),
                Coded("160849004", "retour au domicile"),
                (MEDICINES["paracetamol"],),
                10,
                "Aucun résultat attendu.",
                (("Ablation des fils par l'infirmier", date(2026, 1, 30)),
                 ("Radiographie de contrôle et consultation du chirurgien", date(2026, 3, 3))),
            ),
            "IMP",
        ),
        (
            "dispensation",
            Role.PHARMACIST,
            DISPENSATION,
            "Dispensation du traitement",
            Dispensation(
                (Dispensed(medicines[0], 1, 30, "Prise le matin, rappelée au patient."),
                 Dispensed(medicines[1], 2, 10, "Pas d'autre médicament qui contient du paracétamol.")),
                uid_of("corridor", "prescription"),
                doctor,
                MOMENT,
            ),
            "AMB",
        ),
        (
            "liaison",
            Role.GERIATRICIAN,
            URGENT_LIAISON,
            "Fiche de liaison d'urgence : transfert",
            Transfer(
                "Gêne respiratoire depuis ce matin.",
                "Service des urgences du centre hospitalier",
                MOMENT.replace(hour=11),
                (
                    Vital("8867-4", "Fréquence cardiaque", "92", "/min", "/min"),
                    Vital("8310-5", "Température corporelle", "37.8", "Cel", "°C"),
                    Vital("29463-7", "Poids", "64", "kg", "kg"),
                    Vital("8480-6", "Pression artérielle systolique", "142", "mm[Hg]", "mm[Hg]"),
                    Vital("8462-4", "Pression artérielle diastolique", "78", "mm[Hg]", "mm[Hg]"),
                ),
                (MEDICINES["amlodipine"],),
                MOMENT.replace(hour=8),
                "Marche avec une canne. Pas d'allergie connue. Personne à prévenir : sa fille.",
            ),
            "AMB",
        ),
    )  # fmt: skip
    return {
        name: Document(
            uid_of("corridor", name),
            citizen,
            doctor if role is None else authors[role],
            MOMENT + timedelta(minutes=20 * number),
            type_,
            title,
            content,
            encounter,
        )
        for number, (name, role, type_, title, content, encounter) in enumerate(written)
    }
