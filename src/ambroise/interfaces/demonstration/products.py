"""Medicines and vaccines of the demonstration.

Vaccines: CIS and ATC codes of the public medicines database. Medicines are prescribed by their international name, as
the law asks, with their ATC code; the CIS code is given for those few that a public source confirms.
"""

from __future__ import annotations

from msgspec import Struct

ORAL, SUBCUTANEOUS, INHALED, INTRAMUSCULAR = "20053000", "20066000", "20020000", "20035000"
ROUTES = {
    ORAL: "Voie orale",
    SUBCUTANEOUS: "Voie sous-cutanée",
    INHALED: "Voie inhalée",
    INTRAMUSCULAR: "Voie intramusculaire",
}


class Medicine(Struct, frozen=True):
    """A medicine and its usual dose: `hours` between two doses, `unit` a UCUM annotation such as {tablet}."""

    name: str
    atc: str
    atc_label: str
    dose: str
    unit: str
    posology: str
    hours: int
    route: str = ORAL
    cis: str | None = None


def _tablet(
    name: str, atc: str, atc_label: str, posology: str, hours: int, dose: str = "1", cis: str | None = None
) -> Medicine:
    return Medicine(name, atc, atc_label, dose, "{tablet}", posology, hours, ORAL, cis)


_MORNING = "1 comprimé le matin"
_EVENING = "1 comprimé le soir"

MEDICINES: dict[str, Medicine] = {
    "paracetamol": _tablet(
        "PARACETAMOL MYLAN 500 mg, comprimé", "N02BE01", "paracétamol", "2 comprimés toutes les 8 heures si douleur", 8,
        "2", "63107752",
    ),
    "ibuprofen": _tablet("Ibuprofène 400 mg, comprimé", "M01AE01", "ibuprofène", "1 comprimé 3 fois par jour", 8),
    "amoxicillin": _tablet(
        "Amoxicilline 1 g, comprimé dispersible", "J01CA04", "amoxicilline", "1 comprimé matin et soir", 12
    ),
    "omeprazole": _tablet("Oméprazole 20 mg, gélule", "A02BC01", "oméprazole", "1 gélule le matin", 24),
    "metformin": _tablet("Metformine 1000 mg, comprimé", "A10BA02", "metformine", "1 comprimé matin et soir", 12),
    "gliclazide": _tablet("Gliclazide 60 mg, comprimé LM", "A10BB09", "gliclazide", _MORNING, 24),
    "empagliflozin": _tablet("Empagliflozine 10 mg, comprimé", "A10BK03", "empagliflozine", _MORNING, 24),
    "glargine": Medicine(
        "Insuline glargine 100 U/mL, stylo", "A10AE04", "insuline glargine", "18", "U", "18 unités le soir", 24,
        SUBCUTANEOUS,
    ),
    "atorvastatin": _tablet("Atorvastatine 20 mg, comprimé", "C10AA05", "atorvastatine", _EVENING, 24),
    "rosuvastatin": _tablet(
        "ROSUVASTATINE EG 5 mg, comprimé pelliculé", "C10AA07", "rosuvastatine", _EVENING, 24, "1", "69473265"
    ),
    "perindopril": _tablet("Périndopril 5 mg, comprimé", "C09AA04", "périndopril", _MORNING, 24),
    "amlodipine": _tablet("Amlodipine 5 mg, comprimé", "C08CA01", "amlodipine", _MORNING, 24),
    "bisoprolol": _tablet("Bisoprolol 2,5 mg, comprimé", "C07AB07", "bisoprolol", _MORNING, 24),
    "furosemide": _tablet("Furosémide 40 mg, comprimé", "C03CA01", "furosémide", _MORNING, 24),
    "spironolactone": _tablet("Spironolactone 25 mg, comprimé", "C03DA01", "spironolactone", _MORNING, 24),
    "sacubitril": _tablet(
        "Sacubitril/valsartan 49 mg/51 mg, comprimé", "C09DX04", "valsartan et sacubitril",
        "1 comprimé matin et soir", 12,
    ),
    "apixaban": _tablet("Apixaban 5 mg, comprimé", "B01AF02", "apixaban", "1 comprimé matin et soir", 12),
    "clopidogrel": _tablet(
        "PLAVIX 75 mg, comprimé pelliculé", "B01AC04", "clopidogrel", "1 comprimé à midi", 24, "1", "63564053"
    ),
    "levothyroxine": _tablet(
        "LEVOTHYROX 75 microgrammes, comprimé sécable", "H03AA01", "lévothyroxine sodique", "1 comprimé à jeun", 24,
        "1", "62080626",
    ),
    "salbutamol": Medicine(
        "Salbutamol 100 microgrammes/dose, aérosol", "R03AC02", "salbutamol", "2", "{puff}",
        "2 bouffées en cas de gêne", 8, INHALED,
    ),
    "budesonide": Medicine(
        "Budésonide/formotérol 200/6 microgrammes, poudre", "R03AK07", "formotérol et budésonide", "1", "{puff}",
        "1 inhalation matin et soir", 12, INHALED,
    ),
    "folic_acid": _tablet("Acide folique 0,4 mg, comprimé", "B03BB01", "acide folique", "1 comprimé par jour", 24),
    "iron": _tablet("Fer 80 mg, comprimé", "B03AA07", "sulfate ferreux", "1 comprimé par jour", 24),
    "vitamin_d": Medicine(
        "Cholécalciférol 100 000 UI, ampoule", "A11CC05", "colécalciférol", "1", "{ampule}",
        "1 ampoule tous les 3 mois", 2184,
    ),
    "desloratadine": _tablet("Desloratadine 5 mg, comprimé", "R06AX27", "desloratadine", _MORNING, 24),
    "sertraline": _tablet("Sertraline 50 mg, gélule", "N06AB06", "sertraline", "1 gélule le matin", 24),
}  # fmt: skip


class Vaccine(Struct, frozen=True):
    """A vaccine: brand, CIS and ATC codes, and what it protects from in words."""

    name: str
    cis: str
    atc: str
    protects: str
    route: str = INTRAMUSCULAR


VACCINES: dict[str, Vaccine] = {
    "hexavalent": Vaccine(
        "HEXYON", "60645557", "J07CA09", "Diphtérie, tétanos, poliomyélite, coqueluche, Hib, hépatite B"
    ),
    "pneumo": Vaccine("PREVENAR 13", "67786749", "J07AL02", "Infections à pneumocoque"),
    "men_b": Vaccine("BEXSERO", "64493883", "J07AH09", "Méningocoque B"),
    "men_acwy": Vaccine("NIMENRIX", "69241562", "J07AH08", "Méningocoques A, C, W, Y"),
    "ror": Vaccine("PRIORIX", "61896473", "J07BD52", "Rougeole, oreillons, rubéole"),
    "rotavirus": Vaccine("ROTARIX", "60886387", "J07BH01", "Gastro-entérites à rotavirus", ORAL),
    "dtcap_child": Vaccine(
        "TETRAVAC-ACELLULAIRE", "66543281", "J07CA02", "Diphtérie, tétanos, poliomyélite, coqueluche"
    ),
    "dtcap": Vaccine("REPEVAX", "67619892", "J07CA02", "Diphtérie, tétanos, poliomyélite, coqueluche"),
    "dtp": Vaccine("REVAXIS", "60917345", "J07CA01", "Diphtérie, tétanos, poliomyélite"),
    "hpv": Vaccine("GARDASIL 9", "65017887", "J07BM03", "Papillomavirus humains"),
    "zoster": Vaccine("SHINGRIX", "62887096", "J07BK03", "Zona"),
    "pneumo_adult": Vaccine("PREVENAR 20", "62189757", "J07AL02", "Infections à pneumocoque"),
    "rsv": Vaccine("ABRYSVO", "60990140", "J07BX05", "Virus respiratoire syncytial"),
}
