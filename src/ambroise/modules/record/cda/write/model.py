"""What a document says of itself before it is written: who, for whom, when, of which type."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from ambroise.modules.record.cda.model import ClinicalDocument, Identifier


class Coded(Struct, frozen=True):
    """A code with its label, in a system given by its OID."""

    code: str
    label: str
    system: str


class Address(Struct, frozen=True):
    """A postal address in France."""

    number: str
    street: str
    postal_code: str
    city: str


class Structure(Struct, frozen=True):
    """A structure by its national identifier (Struct_IdNat).

    `facility` is its kind of place (JDV_J02), `setting` the setting of its care (JDV_J04): both are needed of the
    structure of an author.
    """

    id_nat: str
    name: str
    facility: Coded | None = None
    setting: Coded | None = None
    address: Address | None = None
    phone: str | None = None


class Professional(Struct, frozen=True):
    """A professional by the national identifier (PS_IdNat); `specialty` is of JDV_J01, `civility` of JDV_J78."""

    id_nat: str
    family: str
    given: str
    specialty: Coded
    structure: Structure
    civility: str | None = None
    title: str | None = None
    phone: str | None = None


class Patient(Struct, frozen=True):
    """A patient: the INS with its OID, the strict traits, the used names, contacts, the number of a structure."""

    ins: str
    ins_root: str
    birth_name: str
    birth_given: tuple[str, ...]
    sex: str
    birth_date: date
    birth_place: str
    birth_place_name: str | None = None
    used_name: str | None = None
    used_given: str | None = None
    address: Address | None = None
    phone: str | None = None
    email: str | None = None
    local: tuple[str, str] | None = None


class Former(Struct, frozen=True):
    """The version that a document replaces: its unique id, the set that every version belongs to, its number in it."""

    id: Identifier
    set_id: Identifier
    version: int

    @classmethod
    def first(cls, id: Identifier) -> Former:
        """The first version of a set, which bears its name."""
        return cls(id, id, 1)

    @classmethod
    def of(cls, document: ClinicalDocument) -> Former:
        """A document by its header; one that says nothing of its set is the first of its own."""
        known = document.set_id if document.set_id and document.set_id.well_formed else document.identifier
        return cls(document.identifier, known, document.version or 1)


class Head(Struct, frozen=True):
    """The header of one document.

    `author` is None when the patient wrote it: `custodian` then says who keeps it. `started` is when the act that the
    document reports began, `encounter` a code of `header.ENCOUNTERS`. `replaces` is the former version: the document
    is the next one of the same set (CDA R2 4.2.3.1, setId and versionNumber); without it, the first of its own.
    """

    uid: str
    type: Coded
    title: str
    moment: datetime
    started: datetime
    patient: Patient
    author: Professional | None = None
    custodian: Structure | None = None
    encounter: str = "AMB"
    replaces: Former | None = None
