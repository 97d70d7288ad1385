"""The people and places of the demonstration nation, as plain facts."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct, field

from ambroise.interfaces.demonstration.geography import Commune

INS_TEST_OID = "1.2.250.1.213.1.4.10"


class Course(StrEnum):
    """A course of life that decides which documents a citizen has."""

    HEALTHY = "healthy"
    CHILD = "child"
    DIABETES = "diabetes"
    HYPERTENSION = "hypertension"
    PREGNANCY = "pregnancy"
    HEART_FAILURE = "heart-failure"
    FRAILTY = "frailty"
    ASTHMA = "asthma"
    HYPOTHYROIDISM = "hypothyroidism"
    EMERGENCY = "emergency"
    TEST_IDENTITY = "test-identity"


class Role(StrEnum):
    """What a professional does in a territory."""

    GP = "gp"
    PHARMACIST = "pharmacist"
    BIOLOGIST = "biologist"
    RADIOLOGIST = "radiologist"
    NURSE = "nurse"
    MIDWIFE = "midwife"
    DENTIST = "dentist"
    PHYSIOTHERAPIST = "physiotherapist"
    PSYCHOLOGIST = "psychologist"
    PODIATRIST = "podiatrist"
    CARDIOLOGIST = "cardiologist"
    OPHTHALMOLOGIST = "ophthalmologist"
    DERMATOLOGIST = "dermatologist"
    PAEDIATRICIAN = "paediatrician"
    ENDOCRINOLOGIST = "endocrinologist"
    GYNAECOLOGIST = "gynaecologist"
    GERIATRICIAN = "geriatrician"
    SURGEON = "surgeon"
    EMERGENCY = "emergency"
    HOSPITAL_NURSE = "hospital-nurse"
    REGULATOR = "regulator"


class Address(Struct, frozen=True):
    """A postal address in France."""

    number: str
    street: str
    postal_code: str
    city: str


class Organization(Struct, frozen=True):
    """A structure of care. `facility` is its TRE_R02 sector code, `setting` its JDV_J04 code."""

    finess: str
    name: str
    facility: str
    setting: str
    address: Address
    phone: str
    email: str
    test_identity: bool = False

    @property
    def id_nat(self) -> str:
        """National structure identifier (Struct_IdNat)."""
        return "1" + self.finess


class Professional(Struct, frozen=True):
    """A professional and the one place where he or she practises."""

    rpps: str
    family: str
    given: str
    sex: str
    role: Role
    profession: str
    profession_system: str
    specialty: str | None
    organization: Organization
    phone: str
    title: str | None = None
    star: str | None = None
    test_identity: bool = False

    @property
    def id_nat(self) -> str:
        """National professional identifier (PS_IdNat)."""
        return "8" + self.rpps


class Citizen(Struct, frozen=True):
    """A fictitious citizen: the strict traits, the used names, contacts, family links and the circle of care."""

    matricule: str
    birth_name: str
    birth_given: tuple[str, ...]
    sex: str
    birth_date: date
    birthplace: Commune
    address: Address
    phone: str
    email: str
    treating: Professional
    circle: tuple[Professional, ...]
    territory: int
    courses: tuple[Course, ...]
    used_name: str | None = None
    used_given: str | None = None
    mother: str | None = None
    father: str | None = None
    carers: tuple[str, ...] = ()
    star: str | None = None
    test_identity: bool = False

    @property
    def display(self) -> str:
        """Name shown to people: used first name and used name."""
        return f"{self.used_given or self.birth_given[0]} {self.used_name or self.birth_name}"

    def age_on(self, day: date) -> int:
        """Whole years of age on a day."""
        before = (day.month, day.day) < (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - before


class Territory(Struct, frozen=True):
    """A town with its structures, and its professionals by role."""

    town: Commune
    organizations: tuple[Organization, ...]
    professionals: dict[Role, tuple[Professional, ...]] = field(default_factory=dict[Role, tuple[Professional, ...]])


class Operator(Struct, frozen=True):
    """A person of the citizens' desk."""

    identifier: str
    name: str
    duties: tuple[str, ...]


class Nation(Struct, frozen=True):
    """Everything that the loader puts into an empty instance, documents aside."""

    seed: str
    until: date
    territories: tuple[Territory, ...]
    professionals: tuple[Professional, ...]
    organizations: tuple[Organization, ...]
    citizens: tuple[Citizen, ...]
    operators: tuple[Operator, ...]
