"""Old age: heart failure, frailty."""

from __future__ import annotations

from datetime import date, timedelta

from ambroise.interfaces.demonstration.documents import (
    CARE_PROTOCOL,
    CONSULTATION,
    DIRECTIVES,
    DISCHARGE,
    HOSPITAL_STAY,
    IMAGING,
    NURSING,
    PHARMACY_INTERVIEW,
    SYNTHESIS,
)
from ambroise.interfaces.demonstration.model import Role
from ambroise.interfaces.demonstration.story import WITHHELD, Story

# NT-proBNP by days before or after the stay in hospital.
_PEPTIDE = ((-400, 650), (-200, 980), (-6, 5200), (12, 2100), (90, 1250), (210, 900), (390, 820), (560, 760))


def heart_failure(story: Story) -> None:
    """Heart failure: NT-proBNP that rises before a stay in hospital and falls after, close follow-up since."""
    stay = story.ago(story.random.randrange(250, 700))
    story.letter(
        Role.GP,
        stay + timedelta(days=20),
        CARE_PROTOCOL,
        "Protocole de soins : insuffisance cardiaque",
        "Affection de longue durée reconnue : insuffisance cardiaque à fraction d'éjection diminuée.",
        "Suivi partagé entre le médecin traitant, le cardiologue et l'infirmier ; pesée quotidienne.",
    )
    for days, peptide in _PEPTIDE:
        story.biology(
            stay + timedelta(days=days),
            {
                "ntprobnp": story.around(peptide, 0.15),
                "creatinine": story.around(112, 0.15),
                "egfr": story.around(52, 0.15),
                "potassium": story.around(4.6, 0.1),
                "sodium": story.around(138, 0.02),
                "haemoglobin": story.around(12.4, 0.08),
            },
            prescriber=Role.CARDIOLOGIST,
        )
    _hospital(story, stay)
    treatment = ("bisoprolol", "sacubitril", "spironolactone", "furosemide", "empagliflozin", "apixaban")
    for half in range(8):
        day = stay + timedelta(days=15 + half * 90)
        story.prescribe(day, treatment, 90, long_term=True)
        if half % 2 == 0:
            _cardiologist(story, day + timedelta(days=20), half)
        if half % 3 == 1:
            _nurse(story, day + timedelta(days=35))
    _yearly(story)
    if story.citizen.star:
        story.letter(
            Role.RADIOLOGIST,
            story.ago(2),
            IMAGING,
            "Scanner thoracique",
            "Indication : toux persistante chez un patient insuffisant cardiaque.",
            "Résultats : nodule du lobe supérieur droit de 14 mm, à caractériser.",
            "Conclusion : consultation d'annonce à prévoir avant la remise du résultat.",
            flags=WITHHELD,
        )
        _wishes(story)


def _wishes(story: Story) -> None:
    """The advance directives of somebody who is ill, after the headings of the model of the ministry."""
    story.own(
        story.at_ten(45),
        DIRECTIVES,
        "Mes directives anticipées",
        "Sur ma situation : mon cœur est fatigué. Je veux rester chez moi le plus longtemps possible.",
        "En cas d'arrêt du cœur : je ne souhaite pas de réanimation.",
        "Sur le maintien artificiel de la vie : je refuse d'être maintenu en vie par une machine sans espoir de mieux.",
        "Sur la douleur : je veux être soulagé, même si cela peut abréger ma vie.",
        "Ma personne de confiance est ma fille, Nadia Exemple. Elle connaît mes souhaits.",
    )


def _hospital(story: Story, stay: date) -> None:
    story.letter(
        Role.CARDIOLOGIST,
        stay + timedelta(days=6),
        HOSPITAL_STAY,
        "Compte rendu d'hospitalisation en cardiologie",
        "Décompensation cardiaque globale révélée par une dyspnée de repos et une prise de poids de 5 kg.",
        "Échographie : fraction d'éjection à 34 %. Évolution favorable sous diurétiques par voie veineuse.",
        "Fibrillation atriale découverte pendant le séjour, anticoagulation débutée.",
        encounter="IMP",
        minutes=60 * 24 * 6,
    )
    story.letter(
        Role.CARDIOLOGIST,
        stay + timedelta(days=6),
        DISCHARGE,
        "Lettre de liaison à la sortie d'hospitalisation",
        "Sortie à domicile après six jours en cardiologie. Poids de sortie à surveiller chaque matin.",
        "Biologie de contrôle à une semaine, consultation de cardiologie à un mois, passage infirmier quotidien.",
        encounter="IMP",
        minutes=60 * 24 * 6,
    )


def _cardiologist(story: Story, day: date, step: int) -> None:
    story.letter(
        Role.CARDIOLOGIST,
        day,
        CONSULTATION,
        "Compte rendu de consultation de cardiologie",
        f"Dyspnée de stade NYHA {'III' if step == 0 else 'II'}. Poids stable, pas d'œdème.",
        f"Tension artérielle {story.random.randrange(104, 128)}/{story.random.randrange(56, 76)} mmHg. Fraction "
        f"d'éjection à {34 + step * 2} %.",
        story.some("Titration du traitement poursuivie.", "Traitement inchangé, bonne tolérance."),
    )


def _nurse(story: Story, day: date) -> None:
    story.letter(
        Role.NURSE,
        day,
        NURSING,
        "Fiche de suivi infirmier à domicile",
        f"Passages quotidiens : poids entre {story.random.randrange(68, 72)} et {story.random.randrange(72, 76)} kg.",
        "Préparation du pilulier, éducation aux signes d'alerte. Pas d'essoufflement au repos.",
        encounter="HH",
        minutes=30,
    )


def _yearly(story: Story) -> None:
    story.letter(
        Role.GP,
        story.ago(story.random.randrange(30, 330)),
        SYNTHESIS,
        "Synthèse médicale annuelle",
        "Pathologies en cours : insuffisance cardiaque, fibrillation atriale, hypertension artérielle.",
        "Traitements au long cours : bêtabloquant, sacubitril/valsartan, antialdostérone, diurétique, anticoagulant.",
        "Points de vigilance : fonction rénale, kaliémie, poids, risque de chute.",
    )
    story.letter(
        Role.PHARMACIST,
        story.ago(story.random.randrange(40, 300)),
        PHARMACY_INTERVIEW,
        "Entretien pharmaceutique : anticoagulant oral",
        "Règles de prise et conduite à tenir en cas d'oubli revues. Pas d'interaction relevée avec l'automédication.",
    )


def frailty(story: Story) -> None:
    """Frailty: a geriatric assessment, nutrition, falls, nursing care."""
    start = story.ago(story.random.randrange(200, 900))
    story.letter(
        Role.GERIATRICIAN,
        start,
        CONSULTATION,
        "Évaluation gériatrique",
        f"MMSE à {story.random.randrange(22, 30)} sur 30, vitesse de marche ralentie, deux chutes dans l'année.",
        "Plan proposé : kinésithérapie, apports protéiques, vitamine D, révision des médicaments, aide à domicile.",
        encounter="EXTERNE",
        minutes=60,
    )
    for step in range(4):
        day = start + timedelta(days=40 + step * 120)
        story.biology(
            day,
            {
                "haemoglobin": story.around(12.2, 0.08),
                "creatinine": story.around(92, 0.2),
                "vitamin_d": story.around(18 + step * 6, 0.15),
                "crp": story.around(4, 0.6),
            },
        )
        story.prescribe(day + timedelta(days=3), ("vitamin_d", "paracetamol"), 90)
    story.letter(
        Role.NURSE,
        start + timedelta(days=90),
        NURSING,
        "Fiche de suivi infirmier à domicile",
        "Aide à la toilette trois fois par semaine, surveillance du poids et de l'état cutané.",
        encounter="HH",
        minutes=40,
    )
    story.letter(
        Role.PHYSIOTHERAPIST,
        start + timedelta(days=130),
        NURSING,
        "Bilan de kinésithérapie : équilibre et marche",
        f"Lever de chaise en {story.random.randrange(13, 22)} secondes. Travail de l'équilibre poursuivi.",
    )
