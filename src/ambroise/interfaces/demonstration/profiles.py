"""What the people one can be tell in their medical profile; nobody else tells anything, so that loading stays short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from msgspec.structs import replace

from ambroise.interfaces.demonstration.model import Citizen
from ambroise.kernel.db import Transaction
from ambroise.modules.profile.api import Code, Draft, Profile, Section
from ambroise.trust.context import Context

_CIM10 = "http://hl7.org/fhir/sid/icd-10"
_ATC = "http://www.whocc.no/atc"
_SNOMED = "http://snomed.info/sct"


async def tell(tx: Transaction, profile: Profile, ctx: Context, patient: UUID, citizen: Citizen, until: date) -> None:
    """Tell the profile of one of them; nothing when it was told before."""
    drafts, nothing = told_by(citizen, until)
    if not drafts and not nothing:
        return
    sheet = await profile.sheet_in(tx, ctx, patient)
    if any(item.own for part in sheet.parts.values() for item in part.items):
        return
    told: dict[str, str] = {}
    for draft in drafts:
        goes_with = _LINKS.get(draft.name, "")
        linked = replace(draft, links=(told[goes_with],)) if goes_with in told else draft
        told[draft.name] = await profile.add(tx, ctx, patient, linked)
    for section in nothing:
        if not sheet[section].items:
            await profile.declare_none(tx, ctx, patient, section, none=True)


def told_by(citizen: Citizen, until: date) -> tuple[Sequence[Draft], Sequence[Section]]:
    """What somebody tells, and of what they say that they have none."""
    if citizen.star is None or citizen.star not in _TOLD:
        return (), ()
    drafts, nothing = _TOLD[citizen.star]
    growing = _grown(citizen.birth_date, until) if citizen.star == "child" else ()
    cared = [_known(draft, citizen) if draft.name == _GP.name else draft for draft in drafts]
    return (*cared, *_measured(citizen.star, until), *growing), nothing


def _known(draft: Draft, citizen: Citizen) -> Draft:
    """The treating doctor as the directory names him or her."""
    return replace(draft, details={**draft.details, "id": f"8{citizen.treating.rpps}"})


def _measured(star: str, until: date) -> list[Draft]:
    """A few measures, a month apart, the last one lately."""
    found: list[Draft] = []
    for name, values in _MEASURES.get(star, {}).items():
        for place, value in enumerate(reversed(values)):
            day = (until - timedelta(days=3 + 31 * place)).isoformat()
            systolic, _, diastolic = value.partition("/")
            figures = {"systolic": systolic, "diastolic": diastolic} if diastolic else {"value": value}
            found.append(Draft(Section.MEASURES, name, start=day, details={"measure": name, **figures}))
    return found


def _grown(born: date, until: date) -> list[Draft]:
    """A child measured from birth on, as in the booklet."""
    found: list[Draft] = []
    for months, *figures in _GROWTH:
        day = born + timedelta(days=round(months * 30.4375))
        if day > until:
            break
        for name, value in zip(("WEIGHT", "HEIGHT", "HEAD_CIRCUMFERENCE"), figures, strict=True):
            found.append(
                Draft(Section.MEASURES, name, start=day.isoformat(), details={"measure": name, "value": value})
            )
    return found


def _contact(first: str, last: str, kinds: str, kinship: str, mobile: str) -> Draft:
    details = {
        "first": first, "last": last, "contact": kinds, "kinship": kinship, "mobile": mobile,
        "postal": "35000", "city": "Rennes",
    }  # fmt: skip
    return Draft(Section.CONTACTS, f"{first} {last}", details=details)


_GP = Draft(Section.NETWORK, "Dr Camille Temoin", details={"role": "MEDECIN_TRAITANT", "about": "Médecin généraliste"})

_TOLD: Mapping[str, tuple[Sequence[Draft], Sequence[Section]]] = {
    "test-identity": (
        (
            Draft(Section.ILLNESSES, "Asthme", start="1991", comment="Surtout au printemps."),
            Draft(Section.ALLERGIES, "Pollens de graminées", details={"reaction": "Éternuements, yeux qui piquent"}),
            Draft(Section.HABITS, "Je marche 30 minutes par jour.", details={"habit": "PHYSICAL_ACTIVITY"}),
            _GP,
            _contact("Alix", "Pat-Trois", "EMERGENCY_CONTACT,TRUSTED_CONTACT", "SPOUSE", "0600000001"),
        ),
        (Section.STAYS, Section.DISABILITIES),
    ),
    "diabetic": (
        (
            Draft(Section.ILLNESSES, "Diabète de type 2", Code(_CIM10, "E11", "Diabète sucré de type 2"), start="2014"),
            Draft(
                Section.ILLNESSES,
                "Tension trop haute",
                Code(_CIM10, "I10", "Hypertension essentielle (primitive)"),
                start="2018-05",
            ),
            Draft(
                Section.TREATMENTS,
                "Metformine 1000 mg",
                start="2015",
                details={"dosage": "1 comprimé matin et soir, pendant le repas"},
            ),
            Draft(Section.TREATMENTS, "Ibuprofène", start="2020", end="2020", comment="Arrêté : mal à l’estomac."),
            Draft(Section.ALLERGIES, "Pénicilline", details={"reaction": "Urticaire géante"}, comment="En 1999."),
            Draft(Section.ILLNESSES, "Urticaire géante", start="1999", end="1999"),
            Draft(
                Section.VACCINATIONS,
                "Diphtérie-poliomyélite-tétanos",
                Code(_ATC, "J07CA01", "Diphtérie-poliomyélite-tétanos"),
                start="2020-04-12",
                details={"stage": "BOOSTER", "lot": "EXEMPLE-1", "performer": "Dr Camille Temoin"},
            ),
            Draft(Section.STAYS, "Appendicite", start="1987", details={"duration": "5", "unit": "DAY"}),
            Draft(Section.STAYS, "Accouchement", start="2004-09", details={"duration": "4", "unit": "DAY"}),
            Draft(
                Section.FAMILY,
                "Diabète sucré de type 2",
                Code(_CIM10, "E11", "Diabète sucré de type 2"),
                details={"relation": "MOTHER"},
            ),
            Draft(Section.FAMILY, "Infarctus à 58 ans", details={"relation": "FATHER"}),
            Draft(Section.BLOOD, "Groupe sanguin A positif", Code(_SNOMED, "278149003", "Groupe sanguin A positif")),
            Draft(Section.TARGETS, "GLYCATED_HEMOGLOBIN", details={"measure": "GLYCATED_HEMOGLOBIN", "high": "7"}),
            Draft(Section.TARGETS, "WEIGHT", details={"measure": "WEIGHT", "high": "72"}),
            Draft(Section.HABITS, "J’ai arrêté en 2010.", details={"habit": "TOBACCO"}),
            Draft(Section.HABITS, "Piscine le jeudi.", details={"habit": "PHYSICAL_ACTIVITY"}),
            Draft(Section.HABITS, "Des légumes à chaque repas, peu de sucre.", details={"habit": "FOOD"}),
            Draft(Section.HABITS, "Sept heures par nuit.", details={"habit": "SLEEP"}),
            Draft(Section.HABITS, "Deux heures le soir.", details={"habit": "SCREEN"}),
            Draft(Section.HABITS, "Un verre le dimanche.", details={"habit": "ALCOHOL"}),
            Draft(
                Section.NETWORK,
                "Sofia Maquette",
                details={"role": "PHARMACIEN_CORRESPONDANT", "about": "Pharmacienne"},
            ),
            _GP,
            _contact("Marcel", "Fictif", "HELP_CONTACT", "FATHER", "0600000002"),
            _contact("Samir", "Exemple", "EMERGENCY_CONTACT,TRUSTED_CONTACT", "SPOUSE", "0600000003"),
            Draft(Section.DONATION, "informed", details={"informed": "yes"}),
        ),
        (Section.DISABILITIES,),
    ),
    "sixties": (
        (
            Draft(Section.ILLNESSES, "Hypertension artérielle", start="2018"),
            Draft(Section.HABITS, "Fume depuis trente ans", start="2025-11-01", details={"habit": "TOBACCO"}),
            _GP,
        ),
        (Section.ALLERGIES, Section.DISABILITIES),
    ),
    "elderly": (
        (
            Draft(Section.ILLNESSES, "Insuffisance cardiaque", start="2019"),
            Draft(Section.ALLERGIES, "Produits de contraste iodés", details={"reaction": "Malaise"}),
            Draft(
                Section.DISABILITIES,
                "J’entends mal des deux oreilles",
                details={
                    "disability": "SENSORY",
                    "rate": "LESS_THAN_50",
                    "technical": "Appareils auditifs",
                    "human": "NO",
                },
            ),
            Draft(Section.BLOOD, "Groupe sanguin O négatif", Code(_SNOMED, "278148006", "Groupe sanguin O négatif")),
            _GP,
            _contact("Nadia", "Exemple", "EMERGENCY_CONTACT,CAREGIVER_CONTACT", "CHILD", "0600000004"),
        ),
        (),
    ),
    "pregnant": (
        (
            Draft(Section.VACCINATIONS, "Coqueluche", start="2024-05", details={"stage": "BOOSTER"}),
            Draft(Section.BLOOD, "Groupe sanguin B positif", Code(_SNOMED, "278150003", "Groupe sanguin B positif")),
            Draft(Section.HABITS, "Pas d’alcool.", details={"habit": "ALCOHOL"}),
            _contact("Karim", "Modele", "EMERGENCY_CONTACT", "SPOUSE", "0600000005"),
        ),
        (Section.ALLERGIES, Section.DISABILITIES),
    ),
    "child": ((_GP,), (Section.ALLERGIES, Section.TREATMENTS)),
}

# Line → the line told before it that it goes with.
_LINKS = {
    "Metformine 1000 mg": "Diabète de type 2",
    "BLOOD_PRESSURE": "Tension trop haute",
    "Urticaire géante": "Pénicilline",
}

# Months, kilograms, metres, centimetres around the head.
_GROWTH = (
    (0, "3.4", "0.50", "34.5"),
    (2, "5.4", "0.58", "39"),
    (4, "6.8", "0.635", "41.5"),
    (9, "8.7", "0.715", "44.8"),
    (12, "9.5", "0.755", "46"),
    (24, "12.4", "0.87", "48.2"),
    (36, "14.9", "0.955", "49.5"),
    (45, "16.8", "1.015", "50.2"),
)

_MEASURES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "diabetic": {
        "WEIGHT": ("78.5", "77.2", "76.4", "75.9", "74.8"),
        "HEIGHT": ("1.64",),
        "BLOOD_PRESSURE": ("146/88", "141/86", "138/84", "135/82"),
        "WAIST_CIRCUMFERENCE": ("97", "95.5", "94"),
        "HEART_RATE": ("78", "74", "72"),
        "GLUCOSE": ("142", "131", "126"),
        "STEPS_BY_DAY": ("4200", "5600", "6100"),
    },
    "sixties": {"WEIGHT": ("86", "87.5", "87")},
    "elderly": {
        "WEIGHT": ("69", "70.5", "69.4"),
        "PAIN_SEVERITY": ("5", "3", "2"),
        "BODY_TEMPERATURE": ("36.8",),
    },
    "pregnant": {"WEIGHT": ("63", "64.5", "66"), "HEIGHT": ("1.70",)},
}
