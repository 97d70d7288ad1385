"""A document of the demonstration before it is written: who, when, what kind, and what it says."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from ambroise.interfaces.demonstration.analyses import Result
from ambroise.interfaces.demonstration.model import Citizen, Professional
from ambroise.interfaces.demonstration.pdf_writer import Table
from ambroise.interfaces.demonstration.products import Medicine, Vaccine
from ambroise.interfaces.demonstration.reports import Report

PARIS = ZoneInfo("Europe/Paris")
_LOINC = "2.16.840.1.113883.6.1"
_TRE_A05 = "1.2.250.1.213.1.1.4.12"


class DocumentType(Struct, frozen=True):
    """A type of document (JDV_J07, version of 27 September 2024)."""

    code: str
    label: str
    system: str = _LOINC


def _national(code: str, label: str) -> DocumentType:
    return DocumentType(code, label, _TRE_A05)


BIOLOGY = DocumentType("11502-2", "CR d'examens biologiques")
VACCINATION = DocumentType("87273-9", "Note de vaccination")
PRESCRIPTION = DocumentType("57833-6", "Prescription de produits de santé")
CONSULTATION = DocumentType("11488-4", "CR ou fiche de consultation ou de visite")
IMAGING = DocumentType("18748-4", "CR d'imagerie médicale")
HOSPITAL_STAY = DocumentType("34112-3", "CR hospitalier (séjour)")
DISCHARGE = DocumentType("11490-0", "Lettre de liaison à la sortie d'un établissement de soins")
OPERATION = DocumentType("34874-8", "CR opératoire")
EMERGENCY_VISIT = DocumentType("15507-7", "CR de passage aux urgences")
DELIVERY = DocumentType("15508-5", "CR d'accouchement")
PREGNANCY = DocumentType("89233-1", "CR de grossesse")
EYE = DocumentType("78513-9", "CR de consultation en ophtalmologie")
DENTAL = DocumentType("28617-9", "Bilan bucco-dentaire")
CHILD_EXAM = DocumentType("59283-2", "CR d'examen de l'enfant")
NURSING = DocumentType("11506-3", "CR ou fiche de suivi de soins par auxiliaire médical")
SYNTHESIS = DocumentType("60591-5", "Synthèse médicale")
REFERRAL = DocumentType("96349-6", "Lettre d'adressage")
PHARMACY_INTERVIEW = DocumentType("78601-2", "CR d'entretien pharmaceutique")
DIAGNOSTIC_ACT = DocumentType("70004-7", "CR d'acte diagnostique (autre)")
DISPENSATION = DocumentType("60593-1", "Dispensation médicamenteuse")
URGENT_LIAISON = DocumentType("74207-2", "Document de liaison d'urgence")
CERTIFICATE = DocumentType("89601-9", "Certificat médical")
PHYSIO_PRESCRIPTION = _national("PRESC-KINE", "Prescription d'actes de kinésithérapie")
CARE_PROTOCOL = _national("PROT_ALD", "Protocole de soins ALD")
PATIENT_REPORT = _national("DOCPAT03", "CR déposé par le patient")
PATIENT_BIOLOGY = _national("DOCPAT05", "CR de biologie déposé par le patient")
PATIENT_CERTIFICATE = _national("DOCPAT07", "Certificat déposé par le patient")
PATIENT_PAPER = _national("DOCPAT09", "Document administratif déposé par le patient")
DIRECTIVES = _national("EXPPAT_3", "Directives anticipées")


class Text(Struct, frozen=True):
    """A report in words; it becomes a PDF inside a level 1 CDA."""

    body: tuple[str | Table, ...]


class Biology(Struct, frozen=True):
    """Results of a laboratory; structured, with a PDF copy."""

    results: tuple[Result, ...]
    prescriber: Professional
    comment: str = ""


class Vaccination(Struct, frozen=True):
    """One injection; structured."""

    vaccine: Vaccine
    rank: int
    booster: bool
    lot: str
    left: bool


class Prescription(Struct, frozen=True):
    """Medicines for a number of days; structured, with a PDF copy."""

    medicines: tuple[Medicine, ...]
    days: int
    long_term: bool


Content = Text | Biology | Vaccination | Prescription | Report


class Document(Struct, frozen=True):
    """One document. `author` is None when the citizen wrote it; `minutes` is how long the act lasted."""

    uid: str
    citizen: Citizen
    author: Professional | None
    moment: datetime
    type: DocumentType
    title: str
    content: Content
    encounter: str = "AMB"
    minutes: int = 20
    replaces: str | None = None
    flags: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def started(self) -> datetime:
        """When the documented act began."""
        return self.moment - timedelta(minutes=self.minutes)


def uid_of(*parts: object) -> str:
    """A unique OID of arc 2.25, from 120 bits of a hash: the same for the same parts."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=15).digest()
    return f"2.25.{int.from_bytes(digest, 'big')}"
