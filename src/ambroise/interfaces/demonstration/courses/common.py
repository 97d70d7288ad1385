"""Ordinary life: check-ups, teeth, skin, vaccines, a visit to the emergency department, papers of one's own."""

from __future__ import annotations

from datetime import date, timedelta

from ambroise.interfaces.demonstration.analyses import french
from ambroise.interfaces.demonstration.documents import (
    CERTIFICATE,
    CONSULTATION,
    DENTAL,
    DISCHARGE,
    EMERGENCY_VISIT,
    EYE,
    IMAGING,
    OPERATION,
    PATIENT_BIOLOGY,
    PATIENT_CERTIFICATE,
    PATIENT_REPORT,
    PHYSIO_PRESCRIPTION,
    REFERRAL,
)
from ambroise.interfaces.demonstration.model import Role
from ambroise.interfaces.demonstration.pdf_writer import Table
from ambroise.interfaces.demonstration.story import Story

_ADULT, _SENIOR = 18, 65


def healthy(story: Story) -> None:
    """Somebody in good health: a check-up now and then, small troubles, a certificate."""
    for days in range(story.random.randrange(60, 700), 2400, 1050):
        day = story.ago(days + story.random.randrange(200))
        draw = story.random.random()
        if draw < 0.45:
            check_up(story, day)
        elif draw < 0.8:
            minor_illness(story, day)
        else:
            back_pain(story, day)
        if story.chance(0.12):
            _certificate(story, day)


def background(story: Story) -> None:
    """What most people have beside their course of life: teeth, eyes, skin, boosters, scanned papers."""
    if story.age < _ADULT:
        return
    if story.chance(0.4):
        _teeth(story)
    if story.chance(0.2):
        _skin(story)
    if story.age >= 50 and story.chance(0.25):
        _screening(story)
    _adult_vaccines(story)
    if story.chance(0.15):
        _own_papers(story)


def check_up(story: Story, day: date) -> None:
    """A visit and the usual blood tests."""
    weight = story.around(72, 0.25)
    story.letter(
        Role.GP,
        day,
        CONSULTATION,
        "Compte rendu de consultation de médecine générale",
        story.some(
            "Consultation pour un bilan de santé, sans plainte particulière.",
            "Visite de suivi annuelle ; l'état général est conservé.",
            "Consultation de prévention : habitudes de vie, sommeil, activité physique.",
        ),
        f"Poids {weight:.0f} kg. "
        f"Tension artérielle {story.random.randrange(108, 136)}/{story.random.randrange(62, 84)} mmHg. "
        f"Fréquence cardiaque {story.random.randrange(58, 84)} par minute. Examen clinique normal.",
        "Un bilan biologique est prescrit. Conseils donnés sur l'alimentation et l'activité physique ; "
        "nouvelle visite dans un an, ou avant en cas de besoin.",
    )
    story.biology(
        day + timedelta(days=5),
        {
            "glucose": story.around(5.1, 0.12),
            "cholesterol": story.around(5.0, 0.18),
            "hdl": story.around(1.4, 0.2),
            "ldl": story.around(3.1, 0.25),
            "triglycerides": story.around(1.2, 0.4),
            "creatinine": story.around(74, 0.2),
            "alt": story.around(24, 0.5),
            "haemoglobin": story.around(14.0, 0.08),
            "leucocytes": story.around(6.6, 0.3),
            "platelets": story.around(245, 0.25),
        },
    )


def minor_illness(story: Story, day: date) -> None:
    """A common infection or pain, with a prescription."""
    if story.chance(0.5):
        story.prescribe(day, ("paracetamol", "amoxicillin"), 6)
        return
    story.prescribe(day, story.random.choice((("paracetamol",), ("desloratadine",), ("omeprazole",))), 10)


def back_pain(story: Story, day: date) -> None:
    """Low back pain: letter, X-ray, physiotherapy."""
    story.letter(
        Role.GP,
        day,
        PHYSIO_PRESCRIPTION,
        "Prescription de kinésithérapie",
        "Rééducation du rachis lombaire, douze séances, au cabinet.",
        "Massages, renforcement musculaire et apprentissage des gestes de la vie quotidienne.",
    )
    story.prescribe(day, ("paracetamol", "ibuprofen"), 5)
    if story.chance(0.5):
        imaging(
            story,
            day + timedelta(days=9),
            "Radiographie du rachis lombaire",
            "Lombalgie d'allure commune.",
            "Alignement conservé. Discrets pincements discaux étagés. Pas de lésion osseuse suspecte.",
            "Discopathie dégénérative débutante, sans signe de gravité.",
        )


def imaging(story: Story, day: date, title: str, indication: str, findings: str, conclusion: str) -> None:
    """An imaging report."""
    story.letter(
        Role.RADIOLOGIST,
        day,
        IMAGING,
        title,
        f"Indication : {indication}",
        f"Résultats : {findings}",
        f"Conclusion : {conclusion}",
    )


def emergency(story: Story) -> None:
    """A visit to the emergency department in recent years, sometimes with an operation."""
    day = story.ago(story.random.randrange(30, 1400))
    if story.age >= _SENIOR and story.chance(0.5):
        _hip_fracture(story, day)
    else:
        _sprain(story, day)


def _sprain(story: Story, day: date) -> None:
    side = story.some("droite", "gauche")
    story.letter(
        Role.EMERGENCY,
        day,
        EMERGENCY_VISIT,
        "Compte rendu de passage aux urgences",
        f"Motif : traumatisme de la cheville {side} après une chute.",
        f"Constantes : tension artérielle {story.random.randrange(112, 148)}/{story.random.randrange(64, 88)} mmHg, "
        f"température {french(story.random.uniform(36.4, 37.3))} °C. "
        f"Douleur cotée à {story.random.randrange(4, 8)} sur 10.",
        "Œdème du versant externe, appui possible mais douloureux. Radiographie sans fracture visible.",
        "Entorse bénigne. Attelle, repos, glaçage, antalgiques. Retour à domicile, courrier au médecin traitant.",
        encounter="EMER",
        minutes=180,
    )
    imaging(
        story,
        day,
        f"Radiographie de la cheville {side}",
        "Traumatisme récent, recherche de fracture.",
        "Pas de trait de fracture. Interligne articulaire respecté. Tuméfaction des parties molles.",
        "Absence de lésion osseuse récente.",
    )
    story.prescribe(day, ("paracetamol", "ibuprofen"), 5, role=Role.EMERGENCY)


def _hip_fracture(story: Story, day: date) -> None:
    story.letter(
        Role.EMERGENCY,
        day,
        EMERGENCY_VISIT,
        "Compte rendu de passage aux urgences",
        "Motif : chute au domicile, impotence du membre inférieur gauche.",
        "Radiographie : fracture du col du fémur. Avis chirurgical demandé, hospitalisation en chirurgie orthopédique.",
        encounter="EMER",
        minutes=240,
    )
    story.letter(
        Role.SURGEON,
        day + timedelta(days=1),
        OPERATION,
        "Compte rendu opératoire : prothèse de hanche",
        "Intervention : mise en place d'une prothèse intermédiaire de hanche gauche, sous anesthésie générale.",
        "Suites immédiates simples. Appui autorisé dès le lendemain avec une aide technique.",
        encounter="IMP",
        minutes=95,
    )
    story.letter(
        Role.SURGEON,
        day + timedelta(days=9),
        DISCHARGE,
        "Lettre de liaison à la sortie d'hospitalisation",
        "Hospitalisation de neuf jours pour une fracture du col du fémur traitée par prothèse.",
        "Traitement de sortie : antalgiques, anticoagulation préventive pendant un mois, kinésithérapie quotidienne.",
        "Ablation des fils au quinzième jour par l'infirmier. Consultation de contrôle à six semaines.",
        encounter="IMP",
        minutes=60 * 24 * 9,
    )
    story.biology(day + timedelta(days=12), {"haemoglobin": story.around(10.6, 0.08), "crp": story.around(28, 0.4)})


def _certificate(story: Story, day: date) -> None:
    story.letter(
        Role.GP,
        day,
        CERTIFICATE,
        "Certificat médical",
        story.some(
            "L'examen de ce jour ne révèle pas de contre-indication à la pratique du sport en compétition.",
            "L'état de santé de cette personne justifie un repos de trois jours.",
        ),
        "Certificat remis en main propre, à la demande de l'intéressé.",
    )


def _teeth(story: Story) -> None:
    story.letter(
        Role.DENTIST,
        story.ago(story.random.randrange(40, 1500)),
        DENTAL,
        "Bilan bucco-dentaire",
        story.some(
            "Examen de contrôle : détartrage, pas de carie active.",
            "Une carie soignée sur une première molaire ; détartrage réalisé.",
            "Gencives légèrement inflammatoires ; conseils de brossage, contrôle dans six mois.",
        ),
    )


def _skin(story: Story) -> None:
    day = story.ago(story.random.randrange(40, 1500))
    story.letter(
        Role.GP,
        day - timedelta(days=30),
        REFERRAL,
        "Lettre d'adressage en dermatologie",
        "Merci de recevoir cette personne pour l'examen de nævus du dos et un avis de surveillance.",
    )
    story.letter(
        Role.DERMATOLOGIST,
        day,
        CONSULTATION,
        "Compte rendu de consultation de dermatologie",
        "Examen de l'ensemble du tégument au dermatoscope. Nævus bénins, pas de lésion suspecte.",
        "Protection solaire conseillée, surveillance annuelle.",
    )


def _screening(story: Story) -> None:
    day = story.ago(story.random.randrange(60, 900))
    if story.citizen.sex == "F":
        imaging(
            story,
            day,
            "Mammographie de dépistage",
            "Dépistage organisé du cancer du sein.",
            "Seins de densité intermédiaire. Pas d'opacité ni de foyer de microcalcifications suspect.",
            "Mammographie normale, ACR 1 des deux côtés. Prochain dépistage dans deux ans.",
        )
        return
    story.biology(day, {"psa": story.around(1.6, 0.6), "creatinine": story.around(86, 0.15)})


def _adult_vaccines(story: Story) -> None:
    born = story.citizen.birth_date
    for age in (25, 45, 65, 75, 85):
        due = born.replace(year=born.year + age, day=min(born.day, 28)) + timedelta(days=story.random.randrange(200))
        if story.ago(8 * 365) < due < story.until and story.chance(0.6):
            story.vaccine(due, "dtcap" if age == 25 else "dtp", age // 10, booster=True)
    if story.age >= _SENIOR and story.chance(0.4):
        story.vaccine(story.ago(story.random.randrange(20, 900)), "pneumo_adult", 1, role=Role.PHARMACIST)
    if story.age >= 66 and story.chance(0.2):
        first = story.ago(story.random.randrange(100, 700))
        story.vaccine(first, "zoster", 1, role=Role.NURSE)
        story.vaccine(first + timedelta(days=62), "zoster", 2, role=Role.NURSE)


def _own_papers(story: Story) -> None:
    day = story.ago(story.random.randrange(5, 700))
    kind, title, text = story.random.choice(
        (
            (PATIENT_REPORT, "Ancien compte rendu d'opération", "Appendicectomie il y a plusieurs années."),
            (PATIENT_BIOLOGY, "Analyses faites à l'étranger", "Bilan sanguin réalisé pendant un séjour à l'étranger."),
            (PATIENT_CERTIFICATE, "Carnet de santé numérisé", "Pages de vaccination de l'ancien carnet de santé."),
        )
    )
    story.own(day, kind, title, text, "Copie ajoutée par le titulaire de l'espace.")


def test_identity(story: Story) -> None:
    """The public test identity: a few recent documents, so that its space is not empty."""
    check_up(story, story.ago(400))
    check_up(story, story.ago(35))
    story.prescribe(story.ago(30), ("vitamin_d", "omeprazole"), 90)
    story.letter(
        Role.OPHTHALMOLOGIST,
        story.ago(120),
        EYE,
        "Compte rendu de consultation d'ophtalmologie",
        "Acuité visuelle de 10/10 des deux côtés avec correction. Tension oculaire normale.",
        Table(("Œil", "Sphère", "Cylindre"), (("Droit", "-1,25", "-0,50"), ("Gauche", "-1,00", "-0,25")), (2, 1, 1)),
    )
    story.vaccine(story.ago(600), "dtp", 4, booster=True)
