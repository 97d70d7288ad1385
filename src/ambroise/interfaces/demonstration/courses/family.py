"""Children and pregnancies."""

from __future__ import annotations

from datetime import date, timedelta

from ambroise.interfaces.demonstration.analyses import french
from ambroise.interfaces.demonstration.documents import (
    CHILD_EXAM,
    CONSULTATION,
    DELIVERY,
    DENTAL,
    EMERGENCY_VISIT,
    IMAGING,
    PREGNANCY,
)
from ambroise.interfaces.demonstration.model import Role
from ambroise.interfaces.demonstration.story import Story

# Vaccination calendar of children born since 2018: age in months, vaccine, dose, booster.
_CALENDAR: tuple[tuple[float, str, int, bool], ...] = (
    (2, "hexavalent", 1, False), (2, "pneumo", 1, False), (2, "rotavirus", 1, False),
    (3, "men_b", 1, False), (3, "rotavirus", 2, False),
    (4, "hexavalent", 2, False), (4, "pneumo", 2, False),
    (5, "men_b", 2, False),
    (6, "men_acwy", 1, False),
    (11, "hexavalent", 3, True), (11, "pneumo", 3, True),
    (12, "men_b", 3, True), (12, "men_acwy", 2, True), (12, "ror", 1, False),
    (17, "ror", 2, False),
    (72, "dtcap_child", 4, True),
    (138, "dtcap", 5, True),
    (140, "hpv", 1, False), (146, "hpv", 2, False),
)  # fmt: skip
# Ages in months of the examinations that leave a report here, with usual weight (kg) and height (cm).
_EXAMS: tuple[tuple[float, str, float, float], ...] = (
    (0.3, "des 8 premiers jours", 3.4, 50),
    (4, "du 4e mois", 6.6, 63),
    (9, "du 9e mois", 8.9, 71),
    (16, "du 16e mois", 10.6, 79),
    (24, "du 24e mois", 12.2, 87),
    (42, "de 3 ans", 15.2, 98),
    (66, "de 5 ans", 19.0, 111),
    (78, "de 6 ans", 21.5, 117),
    (102, "de 8 ans", 27.0, 130),
    (144, "de 12 ans", 41.0, 152),
    (186, "de 15 ans", 55.0, 166),
)  # fmt: skip
_MONTH = 30.44
STAR_WEEKS = 25
"""How far the pregnancy of the known citizen is."""
# Documents older than this are not in the shared record.
_OLDEST = 4 * 365


def child(story: Story) -> None:
    """Vaccines and examinations of the calendar, and the small illnesses of childhood."""
    oldest = story.ago(_OLDEST)
    born = story.citizen.birth_date
    follower = Role.PAEDIATRICIAN if story.chance(0.35) else Role.GP
    for months, vaccine, rank, booster in _CALENDAR:
        day = _at(story, born, months)
        if day > oldest and story.chance(0.5 if vaccine in ("rotavirus", "hpv") else 0.95):
            story.vaccine(day, vaccine, rank, booster=booster, role=follower)
    for months, name, weight, height in _EXAMS:
        day = _at(story, born, months)
        if day > oldest and story.chance(0.85):
            _exam(story, day, name, weight, height, follower)
    for days in range(story.random.randrange(50, 500), min(_OLDEST, (story.until - born).days), 700):
        _illness(story, story.ago(days), follower)
    if story.age >= 6 and story.chance(0.4):
        story.letter(
            Role.DENTIST,
            story.ago(story.random.randrange(30, 700)),
            DENTAL,
            "Examen bucco-dentaire de prévention",
            "Dentition mixte en bon état, pas de carie. Sillons scellés sur les premières molaires.",
        )


def _at(story: Story, born: date, months: float) -> date:
    return born + timedelta(days=int(months * _MONTH) + story.random.randrange(9))


def _exam(story: Story, day: date, name: str, weight: float, height: float, role: Role) -> None:
    story.letter(
        role,
        day,
        CHILD_EXAM,
        f"Examen obligatoire {name}",
        f"Poids {french(story.around(weight))} kg, taille {story.around(height, 0.04):.0f} cm.",
        story.some(
            "Développement psychomoteur conforme à l'âge. Examen clinique normal.",
            "Bon éveil, croissance régulière sur son couloir. Audition et vision sans particularité.",
        ),
        "Conseils donnés aux parents : sommeil, alimentation, écrans, prévention des accidents domestiques.",
    )


def _illness(story: Story, day: date, role: Role) -> None:
    draw = story.random.random()
    if draw < 0.6:
        story.prescribe(day, ("paracetamol",) if draw < 0.35 else ("paracetamol", "amoxicillin"), 6, role=role)
    elif draw < 0.75:
        story.letter(
            Role.EMERGENCY,
            day,
            EMERGENCY_VISIT,
            "Compte rendu de passage aux urgences pédiatriques",
            story.some("Motif : fièvre élevée depuis deux jours.", "Motif : chute de vélo avec plaie du genou."),
            "Examen rassurant après surveillance. Retour à domicile avec consignes écrites aux parents.",
            encounter="EMER",
            minutes=150,
        )
    elif draw < 0.85:
        story.biology(
            day, {"haemoglobin": story.around(12.6, 0.06), "ferritin": story.around(35, 0.5)}, prescriber=role
        )


def pregnancy(story: Story) -> None:
    """A pregnancy: monthly tests, three ultrasound scans, midwife visits, and the birth when it has come."""
    # The known pregnant citizen is in her sixth month; others are anywhere from early pregnancy to two years after it.
    weeks_now = STAR_WEEKS if story.citizen.star else story.random.randrange(9, 140)
    start = story.until - timedelta(weeks=weeks_now)
    first = start + timedelta(weeks=7)
    story.biology(
        first,
        {
            "hcg": story.around(62000, 0.3),
            "haemoglobin": story.around(12.8, 0.06),
            "platelets": story.around(230, 0.2),
            "toxoplasma": story.random.choice((0.5, 85.0)),
            "rubella": story.around(60, 0.5),
            "glucose": story.around(4.6, 0.08),
            "tsh": story.around(1.8, 0.4),
        },
        prescriber=Role.MIDWIFE,
    )
    story.prescribe(first + timedelta(days=4), ("folic_acid",), 60, role=Role.MIDWIFE)
    for weeks in (11, 19, 24, 28, 32, 36):
        _visit(story, start + timedelta(weeks=weeks), weeks)
    for weeks, name in ((12, "du premier trimestre"), (22, "du deuxième trimestre"), (32, "du troisième trimestre")):
        _scan(story, start + timedelta(weeks=weeks), weeks, name)
    for weeks in (16, 21, 27, 33):
        story.biology(
            start + timedelta(weeks=weeks),
            {
                "haemoglobin": story.around(11.6, 0.06),
                "ferritin": story.around(18, 0.6),
                "proteinuria": story.around(0.07, 0.5),
                "toxoplasma": story.around(0.6, 0.5),
            },
            prescriber=Role.MIDWIFE,
        )
    story.prescribe(start + timedelta(weeks=28), ("iron",), 90, role=Role.MIDWIFE)
    story.vaccine(start + timedelta(weeks=27), "dtcap", 6, booster=True, role=Role.MIDWIFE)
    if weeks_now >= 34:
        story.vaccine(start + timedelta(weeks=33), "rsv", 1, role=Role.MIDWIFE)
    if weeks_now >= 41:
        _birth(story, start + timedelta(weeks=40, days=-story.random.randrange(10)))


def _visit(story: Story, day: date, weeks: int) -> None:
    story.letter(
        Role.MIDWIFE,
        day,
        PREGNANCY if weeks == 11 else CONSULTATION,
        f"Suivi de grossesse à {weeks} semaines d'aménorrhée",
        f"Tension artérielle {story.random.randrange(102, 128)}/{story.random.randrange(58, 80)} mmHg. "
        f"Hauteur utérine {max(weeks - 4, 10)} cm. Mouvements et bruits du cœur fœtal bien perçus.",
        story.some("Grossesse d'évolution normale.", "Quelques lombalgies, repos conseillé. Évolution normale."),
    )


def _scan(story: Story, day: date, weeks: int, name: str) -> None:
    story.letter(
        Role.GYNAECOLOGIST,
        day,
        IMAGING,
        f"Échographie obstétricale {name}",
        f"Grossesse unique évolutive de {weeks} semaines d'aménorrhée. Biométrie au {story.random.randrange(30, 71)}e "
        "percentile. Morphologie sans anomalie visible, liquide amniotique en quantité normale.",
        "Conclusion : examen normal pour le terme.",
        encounter="EXTERNE",
    )


def _birth(story: Story, day: date) -> None:
    story.letter(
        Role.MIDWIFE,
        day,
        DELIVERY,
        "Compte rendu d'accouchement",
        "Accouchement par voie basse à terme, sous analgésie péridurale. Délivrance complète.",
        f"Enfant de {story.random.randrange(2850, 3950)} g, Apgar 10 à cinq minutes. Suites simples.",
        minutes=420,
    )
