"""The documents of the example clients of Ségur: one for each corridor, about the public test identity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
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
    Text,
    uid_of,
)
from ambroise.interfaces.demonstration.model import Nation, Role
from ambroise.interfaces.demonstration.products import MEDICINES
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
            "Radiographie du thorax de face",
            Text(("Indication : toux persistante.", "Résultats : pas de foyer, silhouette cardiaque normale.",
                  "Conclusion : radiographie normale.")),
            "AMB",
        ),
        (
            "discharge",
            Role.SURGEON,
            DISCHARGE,
            "Lettre de liaison à la sortie",
            Text(("Motif du séjour : cholécystectomie programmée.", "Suites simples, pas d'événement indésirable.",
                  "À la sortie : paracétamol si douleur ; ablation des fils au dixième jour.")),
            "IMP",
        ),
        (
            "dispensation",
            Role.PHARMACIST,
            DISPENSATION,
            "Dispensation du traitement",
            Text(tuple(f"Délivré : {one.name}. {one.posology.capitalize()}, 30 jours." for one in medicines)),
            "AMB",
        ),
        (
            "liaison",
            Role.GERIATRICIAN,
            URGENT_LIAISON,
            "Document de liaison d'urgence",
            Text(("Résidente autonome pour la marche avec une canne.", "Pas d'allergie connue.",
                  "Traitement : amlodipine 5 mg le matin.", "Personne à prévenir : sa fille.")),
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
