"""Laboratory analyses of the demonstration: LOINC codes as used in French reports, UCUM units, usual adult ranges."""

from __future__ import annotations

from msgspec import Struct

LOINC = "2.16.840.1.113883.6.1"


class Chapter(Struct, frozen=True):
    """A chapter of a biology report."""

    code: str
    label: str


CHEMISTRY = Chapter("18719-5", "Biochimie")
HAEMATOLOGY = Chapter("18723-7", "Hématologie")
HAEMOSTASIS = Chapter("18720-3", "Hémostase")
SEROLOGY = Chapter("18727-8", "Sérologie")


class Analysis(Struct, frozen=True):
    """One analysis: `unit` is UCUM, `shown` the unit as printed; `low` and `high` bound usual values."""

    loinc: str
    label: str
    chapter: Chapter
    unit: str
    shown: str
    decimals: int
    low: float | None
    high: float | None


_TABLE = {
    "hba1c": Analysis("4548-4", "Hémoglobine A1c (HbA1c)", CHEMISTRY, "%", "%", 1, 4.0, 6.0),
    "glucose": Analysis("40193-5", "Glucose à jeun", CHEMISTRY, "mmol/L", "mmol/L", 1, 3.9, 6.1),
    "creatinine": Analysis("14682-9", "Créatinine", CHEMISTRY, "umol/L", "µmol/L", 0, 45, 104),
    "egfr": Analysis(
        "62238-1", "Débit de filtration glomérulaire estimé (CKD-EPI)", CHEMISTRY, "mL/min/{1.73_m2}",
        "mL/min/1,73 m²", 0, 60, None,
    ),
    "albuminuria": Analysis("14959-1", "Albumine urinaire / créatinine", CHEMISTRY, "mg/g", "mg/g", 0, None, 30),
    "cholesterol": Analysis("14647-2", "Cholestérol total", CHEMISTRY, "mmol/L", "mmol/L", 2, 3.4, 5.2),
    "hdl": Analysis("14646-4", "Cholestérol HDL", CHEMISTRY, "mmol/L", "mmol/L", 2, 1.0, None),
    "ldl": Analysis("39469-2", "Cholestérol LDL calculé", CHEMISTRY, "mmol/L", "mmol/L", 2, None, 4.1),
    "triglycerides": Analysis("14927-8", "Triglycérides", CHEMISTRY, "mmol/L", "mmol/L", 2, 0.4, 1.7),
    "sodium": Analysis("2951-2", "Sodium", CHEMISTRY, "mmol/L", "mmol/L", 0, 136, 145),
    "potassium": Analysis("2823-3", "Potassium", CHEMISTRY, "mmol/L", "mmol/L", 1, 3.5, 5.1),
    "alt": Analysis("1742-6", "Alanine aminotransférase (ALAT)", CHEMISTRY, "U/L", "UI/L", 0, None, 45),
    "ggt": Analysis("2324-2", "Gamma glutamyltransférase (GGT)", CHEMISTRY, "U/L", "UI/L", 0, None, 55),
    "crp": Analysis("1988-5", "Protéine C réactive (CRP)", CHEMISTRY, "mg/L", "mg/L", 1, None, 5.0),
    "ferritin": Analysis("2276-4", "Ferritine", CHEMISTRY, "ug/L", "µg/L", 0, 20, 250),
    "vitamin_d": Analysis("62292-8", "25-hydroxyvitamine D", CHEMISTRY, "ng/mL", "ng/mL", 0, 30, 60),
    "tsh": Analysis("3016-3", "Thyréostimuline (TSH)", CHEMISTRY, "m[IU]/L", "mUI/L", 2, 0.27, 4.2),
    "ft4": Analysis("14920-3", "Thyroxine libre (T4L)", CHEMISTRY, "pmol/L", "pmol/L", 1, 12.0, 22.0),
    "ntprobnp": Analysis("33762-6", "NT-proBNP", CHEMISTRY, "pg/mL", "pg/mL", 0, None, 450),
    "psa": Analysis("2857-1", "Antigène prostatique spécifique (PSA)", CHEMISTRY, "ng/mL", "ng/mL", 2, None, 4.0),
    "hcg": Analysis("21198-7", "Bêta-hCG", CHEMISTRY, "m[IU]/mL", "mUI/mL", 0, None, 5),
    "proteinuria": Analysis("2888-6", "Protéines urinaires", CHEMISTRY, "g/L", "g/L", 2, None, 0.14),
    "haemoglobin": Analysis("718-7", "Hémoglobine", HAEMATOLOGY, "g/dL", "g/dL", 1, 12.0, 17.0),
    "leucocytes": Analysis("6690-2", "Leucocytes", HAEMATOLOGY, "10*9/L", "G/L", 1, 4.0, 10.0),
    "platelets": Analysis("777-3", "Plaquettes", HAEMATOLOGY, "10*9/L", "G/L", 0, 150, 400),
    "mcv": Analysis("30428-7", "Volume globulaire moyen", HAEMATOLOGY, "fL", "fL", 0, 80, 100),
    "inr": Analysis("6301-6", "INR", HAEMOSTASIS, "{INR}", "", 1, None, 1.2),
    "toxoplasma": Analysis("5388-4", "Toxoplasmose IgG", SEROLOGY, "[IU]/mL", "UI/mL", 1, None, 6.0),
    "rubella": Analysis("5334-8", "Rubéole IgG", SEROLOGY, "[IU]/mL", "UI/mL", 1, 10.0, None),
}  # fmt: skip

ANALYSES = _TABLE


def french(value: float, decimals: int = 1) -> str:
    """A number with a decimal comma."""
    return f"{value:.{decimals}f}".replace(".", ",")


class Result(Struct, frozen=True):
    """A measured value of an analysis."""

    analysis: Analysis
    value: float

    @property
    def text(self) -> str:
        """The value with the decimals that the analysis has, as XML and UCUM write it."""
        return f"{self.value:.{self.analysis.decimals}f}"

    @property
    def shown(self) -> str:
        """The value as it is printed in French."""
        return french(self.value, self.analysis.decimals)

    @property
    def interpretation(self) -> tuple[str, str]:
        """Code and label of ObservationInterpretation against the usual range."""
        low, high, value = self.analysis.low, self.analysis.high, float(self.text)
        if high is not None and value > high:
            return ("HH", "Très anormalement haut, alerte") if value > high * 3 else ("H", "Anormalement haut")
        if low is not None and value < low:
            return ("LL", "Très anormalement bas, alerte") if value < low * 0.6 else ("L", "Anormalement bas")
        return ("N", "Normal")

    @property
    def range(self) -> str:
        """The usual range in words."""
        low, high, decimals = self.analysis.low, self.analysis.high, self.analysis.decimals
        if low is not None and high is not None:
            return f"{french(low, decimals)} - {french(high, decimals)}"
        if high is not None:
            return f"inf. à {french(high, decimals)}"
        return f"sup. à {french(low, decimals)}" if low is not None else ""
