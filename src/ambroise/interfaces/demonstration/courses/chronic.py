"""Long-term conditions of adults: diabetes, high blood pressure, asthma, hypothyroidism."""

from __future__ import annotations

from datetime import date, timedelta

from ambroise.interfaces.demonstration.analyses import french
from ambroise.interfaces.demonstration.documents import (
    CARE_PROTOCOL,
    CONSULTATION,
    DIAGNOSTIC_ACT,
    EYE,
    NURSING,
    PATIENT_PAPER,
)
from ambroise.interfaces.demonstration.model import Role
from ambroise.interfaces.demonstration.pdf_writer import Table
from ambroise.interfaces.demonstration.story import MASKED, Story

_QUARTER = 91


def diabetes(story: Story) -> None:
    """Type 2 diabetes: glycated haemoglobin that answers to treatment, yearly eyes, feet, heart and kidneys."""
    quarters = story.random.randrange(10, 18)
    start = story.ago(quarters * _QUARTER)
    level = story.random.uniform(8.2, 10.4)
    goal = story.random.uniform(6.4, 7.4)
    creatinine = story.random.uniform(62, 98)
    treatment = ["metformin"]
    story.letter(
        Role.GP,
        start,
        CARE_PROTOCOL,
        "Protocole de soins : diabète de type 2",
        "Affection de longue durée reconnue : diabète de type 2.",
        "Suivi : HbA1c tous les trois à six mois, bilan lipidique, fonction rénale et albuminurie une fois par an, "
        "examen des yeux, des pieds et du cœur une fois par an.",
    )
    for quarter in range(quarters):
        day = start + timedelta(days=quarter * _QUARTER + story.random.randrange(20))
        if quarter and quarter % 4 and story.chance(0.3):
            continue
        level += (goal - level) * 0.3 + story.random.uniform(-0.25, 0.3)
        values = {"hba1c": level, "glucose": level * 1.35 - 2.4 + story.random.uniform(-0.8, 0.8)}
        if quarter % 4 == 0:
            creatinine += story.random.uniform(-2, 4)
            values |= _yearly(story, creatinine)
        story.biology(day, values, comment=_comment(level))
        if quarter % 2 == 0:
            treatment = _adapt(treatment, level, quarter)
            story.prescribe(day + timedelta(days=6), (*treatment, "atorvastatin"), 180, long_term=True)
        if quarter % 4 == 1:
            _specialist(story, day + timedelta(days=15), level, treatment)
        if quarter % 4 == 2:
            _eyes(story, day + timedelta(days=20))
        if quarter % 8 == 3:
            _feet(story, day + timedelta(days=25))
    if story.citizen.star:
        _sensitive(story)
        story.own(
            story.at_ten(120),
            PATIENT_PAPER,
            "Carte de mutuelle",
            "Carte de tiers payant de l'année, recto et verso.",
            "Mutuelle inventée, contrat numéro 000 EXEMPLE.",
        )


def _yearly(story: Story, creatinine: float) -> dict[str, float]:
    return {
        "cholesterol": story.around(4.6, 0.15),
        "hdl": story.around(1.15, 0.15),
        "ldl": story.around(2.5, 0.25),
        "triglycerides": story.around(1.8, 0.3),
        "creatinine": creatinine,
        "egfr": max(30.0, 150 - creatinine * 0.8 - story.age * 0.3),
        "albuminuria": story.around(18, 0.8),
        "potassium": story.around(4.3, 0.08),
    }


def _comment(level: float) -> str:
    if level >= 8:
        return "HbA1c au-dessus de l'objectif habituel : contrôle à trois mois."
    return ""


def _adapt(treatment: list[str], level: float, quarter: int) -> list[str]:
    """Add a medicine when the level stays high: a second one after six months, insulin at last."""
    if level > 8.6 and quarter >= 6 and "glargine" not in treatment:
        return [*treatment, "glargine"]
    if level > 7.5 and quarter >= 2 and len(treatment) < 3:
        return [*treatment, "gliclazide" if "empagliflozin" in treatment else "empagliflozin"]
    return treatment


def _specialist(story: Story, day: date, level: float, treatment: list[str]) -> None:
    trend = "dans l'objectif" if level < 7.2 else "au-dessus de l'objectif de 7 %"
    story.letter(
        Role.ENDOCRINOLOGIST,
        day,
        CONSULTATION,
        "Compte rendu de consultation d'endocrinologie",
        f"Suivi d'un diabète de type 2. La dernière HbA1c est à {french(level)} %, {trend}.",
        "Pas d'hypoglycémie sévère. Alimentation et activité physique revues ensemble.",
        f"Traitement comportant {len(treatment)} antidiabétique{'s' if len(treatment) > 1 else ''}, bien toléré. "
        f"{'Le traitement est poursuivi.' if level < 7.2 else 'Une intensification est proposée.'}",
    )


def _eyes(story: Story, day: date) -> None:
    story.letter(
        Role.OPHTHALMOLOGIST,
        day,
        EYE,
        "Compte rendu de consultation d'ophtalmologie",
        "Surveillance du diabète : fond d'œil et rétinographies.",
        story.some(
            "Absence de rétinopathie diabétique. Contrôle dans un an.",
            "Rétinopathie non proliférante minime, sans œdème maculaire. Contrôle dans un an.",
        ),
        Table(
            ("Œil", "Acuité", "Tension oculaire"),
            (
                ("Droit", "10/10", f"{story.random.randrange(12, 19)} mmHg"),
                ("Gauche", story.some("10/10", "9/10", "8/10"), f"{story.random.randrange(12, 19)} mmHg"),
            ),
            (2, 1, 2),
        ),
    )


def _feet(story: Story, day: date) -> None:
    story.letter(
        Role.PODIATRIST,
        day,
        NURSING,
        "Bilan podologique du patient diabétique",
        "Test au monofilament normal, pouls perçus aux deux pieds.",
        "Risque podologique de grade 0 : examen annuel, soins d'hygiène et chaussage adapté.",
    )


def _sensitive(story: Story) -> None:
    """Something that the known diabetic citizen chose to hide from professionals."""
    story.letter(
        Role.PSYCHOLOGIST,
        story.ago(210),
        CONSULTATION,
        "Compte rendu d'entretien psychologique",
        "Entretien de soutien à la demande de la personne, dans une période de fatigue.",
        "Trois séances proposées ; pas d'élément inquiétant ce jour.",
        flags=MASKED,
    )


def hypertension(story: Story) -> None:
    """High blood pressure: yearly tests, half-yearly renewals, a cardiologist now and then."""
    halves = story.random.randrange(4, 8)
    treatment = (story.some("perindopril", "amlodipine"),)
    for half in range(halves):
        day = story.ago((halves - half) * 182 - story.random.randrange(30))
        if half == 3 and story.chance(0.4):
            treatment = ("perindopril", "amlodipine")
        story.prescribe(day, treatment, 180)
        if half % 2 == 0:
            story.biology(
                day - timedelta(days=5),
                {
                    "sodium": story.around(140, 0.015),
                    "potassium": story.around(4.2, 0.1),
                    "creatinine": story.around(82, 0.2),
                    "egfr": story.around(84, 0.15),
                    "glucose": story.around(5.5, 0.1),
                },
            )
        if half % 5 == 1:
            _heart_check(story, day + timedelta(days=40))


def _heart_check(story: Story, day: date) -> None:
    story.letter(
        Role.CARDIOLOGIST,
        day,
        CONSULTATION,
        "Compte rendu de consultation de cardiologie",
        "Bilan d'une hypertension artérielle traitée.",
        f"Tension artérielle {story.random.randrange(124, 152)}/{story.random.randrange(70, 92)} mmHg. "
        "Électrocardiogramme : rythme sinusal, pas de trouble de conduction. Échographie cardiaque normale.",
        "Traitement inchangé, automesure tensionnelle conseillée avant la prochaine consultation.",
    )


def asthma(story: Story) -> None:
    """Asthma: an inhaler, a preventive treatment, a breathing test."""
    for days in range(story.random.randrange(60, 300), 1500, 600):
        day = story.ago(days)
        story.prescribe(day, ("salbutamol", "budesonide"), 180, long_term=False)
    story.letter(
        Role.GP,
        story.ago(story.random.randrange(100, 900)),
        DIAGNOSTIC_ACT,
        "Compte rendu de spirométrie",
        f"VEMS à {story.random.randrange(78, 99)} % de la valeur attendue, réversible après bronchodilatateur.",
        "Asthme contrôlé sous traitement de fond. Technique d'inhalation revue.",
    )


def hypothyroidism(story: Story) -> None:
    """Hypothyroidism: TSH that returns to its range under treatment."""
    level = story.random.uniform(6.5, 14.0)
    for step in range(5):
        day = story.ago(1500 - step * 290 + story.random.randrange(30))
        story.biology(day, {"tsh": level, "ft4": max(9.0, 17.5 - level * 0.5)}, comment=_thyroid_comment(level))
        story.prescribe(day + timedelta(days=7), ("levothyroxine",), 180, long_term=False)
        level = 2.2 + (level - 2.2) * 0.45 + story.random.uniform(-0.3, 0.5)


def _thyroid_comment(level: float) -> str:
    return "TSH élevée : à rapprocher de la clinique." if level > 4.2 else ""
