"""What the structured reports of the corridors say, before they are written."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from ambroise.interfaces.demonstration.model import Professional
from ambroise.interfaces.demonstration.products import Medicine


class Coded(Struct, frozen=True):
    """A code with its label; the system is said by where it stands."""

    code: str
    label: str


class Image(Struct, frozen=True):
    """A kind of image: LOINC and CCAM of the act, modality and class of objects (DICOM), region and site (SNOMED)."""

    act: Coded
    ccam: Coded
    modality: Coded
    region: Coded
    site: Coded
    objects: Coded


CHEST = Image(
    Coded("36643-5", "Radiographie du thorax, 2 incidences"),
    Coded("ZBQK002", "Radiographie du thorax"),
    Coded("DX", "Radiographie numérique"),
    Coded("67734004", "segment thoracique du tronc"),
    Coded("302551006", "thorax entier"),
    Coded("1.2.840.10008.5.1.4.1.1.1.1", "Digital X-Ray Image Storage - For Presentation"),
)


class Imaging(Struct, frozen=True):
    """A report of imaging, with the study that a viewer opens by its unique id."""

    image: Image
    asked: str
    past: str
    operated: str
    findings: tuple[str, ...]
    conclusion: str
    study: str

    @property
    def words(self) -> tuple[str, ...]:
        """What its page says."""
        return (
            f"Indication : {self.asked}",
            "Résultats : " + " ".join(self.findings),
            f"Conclusion : {self.conclusion}",
        )


class Discharge(Struct, frozen=True):
    """The letter of a patient who leaves a hospital: the stay, the treatment at discharge, what follows."""

    reason: str
    course: str
    entered: Coded
    left: Coded
    medicines: tuple[Medicine, ...]
    days: int
    awaited: str
    follow_ups: tuple[tuple[str, date], ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What its page says."""
        return (
            f"Motif du séjour : {self.reason}",
            self.course,
            *(f"À la sortie : {one.name}, {one.posology}." for one in self.medicines),
            *(f"{what} : le {day:%d/%m/%Y}." for what, day in self.follow_ups),
            self.awaited,
        )


class Dispensed(Struct, frozen=True):
    """One medicine handed over, in boxes; the line of the prescription that it fulfils is that of the same rank."""

    medicine: Medicine
    boxes: int
    days: int
    note: str

    @property
    def shown(self) -> str:
        """How many, as people write it."""
        return f"{self.boxes} boîte" if self.boxes == 1 else f"{self.boxes} boîtes"


class Dispensation(Struct, frozen=True):
    """What a pharmacy handed over for a prescription, which is named by its unique id."""

    lines: tuple[Dispensed, ...]
    prescription: str
    prescriber: Professional
    prescribed_at: datetime

    @property
    def words(self) -> tuple[str, ...]:
        """What its page says."""
        return tuple(
            f"Délivré : {one.medicine.name}, {one.shown}. {one.medicine.posology}, {one.days} jours."
            for one in self.lines
        )


class Vital(Struct, frozen=True):
    """A vital sign: LOINC, UCUM unit, and the unit as people write it."""

    loinc: str
    label: str
    value: str
    unit: str
    shown: str


class Transfer(Struct, frozen=True):
    """The sheet that goes with a resident whom a home sends to the emergency department."""

    reason: str
    to: str
    arrived: datetime
    vitals: tuple[Vital, ...]
    medicines: tuple[Medicine, ...]
    meal: datetime
    comment: str

    @property
    def words(self) -> tuple[str, ...]:
        """What its page says."""
        measured = ", ".join(f"{one.label.lower()} {one.value} {one.shown}" for one in self.vitals)
        return (
            f"Motif du transfert : {self.reason}",
            f"Constantes : {measured}. Conscient et éveillé.",
            *(f"Traitement : {one.name}, {one.posology}." for one in self.medicines),
            f"Dernier repas : le {self.meal:%d/%m/%Y à %H h %M}.",
            self.comment,
        )


Report = Imaging | Discharge | Dispensation | Transfer
