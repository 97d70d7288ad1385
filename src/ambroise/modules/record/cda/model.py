"""What the record uses of the header of a CDA document, as frozen values."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

import msgspec

from ambroise.modules.record.cda.source import Source

_OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d*))+")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """An HL7 instance identifier (II); a root that is a UUID is kept in capitals, so that equal ones compare equal."""

    root: str
    extension: str | None = None

    def __post_init__(self) -> None:
        if _UUID.fullmatch(self.root):
            object.__setattr__(self, "root", self.root.upper())

    @property
    def xds(self) -> str:
        """The form of XDS metadata: `root` or `root^extension`."""
        return f"{self.root}^{self.extension}" if self.extension else self.root

    @property
    def urn(self) -> str:
        """The form of FHIR (system urn:ietf:rfc:3986): `urn:oid:…` or `urn:uuid:…`, with `^extension` if any."""
        scheme, root = ("urn:uuid:", self.root.lower()) if _UUID.fullmatch(self.root) else ("urn:oid:", self.root)
        return scheme + (f"{root}^{self.extension}" if self.extension else root)

    @property
    def well_formed(self) -> bool:
        """Whether the root is an OID or a UUID."""
        return bool(_OID.fullmatch(self.root) or _UUID.fullmatch(self.root))

    @classmethod
    def parse(cls, written: str) -> "Identifier":
        """Read any of the forms above; two identifiers of one document compare equal once parsed."""
        bare = written.strip().removeprefix("urn:oid:")
        if bare.startswith("urn:uuid:"):
            bare = bare.removeprefix("urn:uuid:")
        root, _, extension = bare.partition("^")
        return cls(root, extension or None)


class Code(msgspec.Struct, frozen=True):
    """A coded value (CD, CE): `code` is empty when only a null flavour or a text is given."""

    code: str
    system: str
    display: str | None = None
    original_text: str | None = None
    null_flavor: str | None = None
    translations: "tuple[Code, ...]" = ()

    @property
    def label(self) -> str:
        """The best words for a reader."""
        return self.display or self.original_text or self.code


class Precision(Enum):
    """How much of a point in time is written."""

    YEAR = 4
    MONTH = 6
    DAY = 8
    HOUR = 10
    MINUTE = 12
    SECOND = 14


class Moment(msgspec.Struct, frozen=True):
    """A point in time (TS): where it begins (aware), and how precisely it is written."""

    start: datetime
    precision: Precision
    written: str

    @property
    def fhir(self) -> str:
        """The FHIR dateTime of the same precision; hours alone become a whole minute, as FHIR asks."""
        match self.precision:
            case Precision.YEAR:
                return self.start.strftime("%Y").zfill(4)
            case Precision.MONTH:
                return self.start.strftime("%Y-%m").zfill(7)
            case Precision.DAY:
                return self.start.date().isoformat()
            case _:
                return self.start.isoformat(timespec="milliseconds" if self.start.microsecond else "seconds")


class Period(msgspec.Struct, frozen=True):
    """A stretch of time (IVL_TS); either end may be unknown."""

    low: Moment | None = None
    high: Moment | None = None


class Name(msgspec.Struct, frozen=True):
    """The name of a person who is not the patient."""

    family: str | None
    given: tuple[str, ...] = ()
    prefix: str | None = None
    suffix: str | None = None

    @property
    def display(self) -> str:
        """Title, first names and family name as people read them."""
        parts = (self.suffix or self.prefix, *self.given, self.family)
        return " ".join(part for part in parts if part)


class Organization(msgspec.Struct, frozen=True):
    """A structure: identifiers (Struct_IdNat under 1.2.250.1.71.4.2.2), name, practice setting."""

    identifiers: tuple[Identifier, ...] = ()
    name: str | None = None
    setting: Code | None = None


class Device(msgspec.Struct, frozen=True):
    """A software or machine that authored."""

    model: str | None
    software: str | None


class Actor(msgspec.Struct, frozen=True):
    """Somebody who takes part: a person or a device, for a structure."""

    identifiers: tuple[Identifier, ...] = ()
    code: Code | None = None
    person: Name | None = None
    device: Device | None = None
    organization: Organization | None = None


class Patient(msgspec.Struct, frozen=True):
    """The patient of the document, traits as written (nothing normalised, nothing checked)."""

    identifiers: tuple[Identifier, ...]
    birth_name: str
    first_given: str | None
    given_names: str | None
    used_name: str | None
    used_given: str | None
    birth_date: str
    sex: str
    birth_place: str | None

    @property
    def ins(self) -> Identifier | None:
        """The identifier under an OID of the INS, real or test."""
        return next((item for item in self.identifiers if item.root in _INS_ROOTS and item.extension), None)

    @property
    def local_identifier(self) -> Identifier | None:
        """The identifier given by the structure (IPP)."""
        return next((item for item in self.identifiers if item.root not in _INS_ROOTS and item.extension), None)


_INS_ROOTS = frozenset(f"1.2.250.1.213.1.4.{number}" for number in (8, 9, 10, 11))


class Author(msgspec.Struct, frozen=True):
    """One author: when, in which role, who."""

    time: Moment | None
    function: Code | None
    actor: Actor


class LegalAuthenticator(msgspec.Struct, frozen=True):
    """The person who answers for the content."""

    time: Moment | None
    actor: Actor


class ServiceEvent(msgspec.Struct, frozen=True):
    """An act that the document reports."""

    code: Code | None
    period: Period
    performer: Actor | None


class Encounter(msgspec.Struct, frozen=True):
    """The encounter during which it was written: its kind, and the kind of place."""

    code: Code | None
    facility: Code | None
    facility_name: str | None


class RelatedDocument(msgspec.Struct, frozen=True):
    """A link to another document: RPLC replaces it, APND adds to it, XFRM transforms it."""

    relation: str
    identifiers: tuple[Identifier, ...]
    set_id: Identifier | None


class Order(msgspec.Struct, frozen=True):
    """A request that this document answers; `accession_numbers` come from the imaging profile."""

    identifiers: tuple[Identifier, ...]
    accession_numbers: tuple[Identifier, ...]


class Level(Enum):
    """How structured the body is: a file inside (N1), or sections and entries (N3)."""

    UNSTRUCTURED = "N1"
    STRUCTURED = "N3"


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file inside a document: an unstructured body, or a copy joined to a structured one."""

    media_type: str
    content: bytes = field(repr=False)
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class ClinicalDocument:
    """A CDA document: its header as values, its body as a tree read on demand."""

    identifier: Identifier
    set_id: Identifier | None
    version: int | None
    templates: tuple[Identifier, ...]
    code: Code
    title: str
    effective_time: Moment
    confidentiality: tuple[Code, ...]
    language: str
    patient: Patient
    authors: tuple[Author, ...]
    custodian: Organization | None
    legal_authenticator: LegalAuthenticator
    service_events: tuple[ServiceEvent, ...]
    encounter: Encounter
    related: tuple[RelatedDocument, ...]
    orders: tuple[Order, ...]
    studies: tuple[Identifier, ...]
    recipients: tuple[Actor, ...]
    level: Level
    media_type: str | None
    format: str | None
    source: Source = field(repr=False, compare=False)

    @property
    def replaces(self) -> tuple[Identifier, ...]:
        """The documents that this one replaces."""
        return tuple(item for link in self.related if link.relation == "RPLC" for item in link.identifiers)
