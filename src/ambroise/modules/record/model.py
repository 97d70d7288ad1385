"""What the record handles: documents on their way in, documents as they stand, and reports about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from ambroise.trust.audit.entry import PatientEvent
from ambroise.trust.gateway import Stored

MASKED = "MASQUE_PS"
INVISIBLE_PATIENT = "INVISIBLE_PATIENT"
INVISIBLE_REPRESENTATIVES = "INVISIBLE_REPRESENTANTS_LEGAUX"
VISIBILITY_CODES = frozenset({MASKED, INVISIBLE_PATIENT, INVISIBLE_REPRESENTATIVES})
"""The three flags of TRE_A07 that stand beside the confidentiality code N."""

VISIBILITY_SYSTEM = (
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
)
VISIBILITY_OID = "urn:oid:1.2.250.1.213.1.1.4.13"
CONFIDENTIALITY_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ARCHIVED_EXTENSION = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"


class Incoming(Struct, frozen=True):
    """One document to file: its bytes, the media type its sender named, and the metadata that came with it, if any.

    `metadata` is a DocumentReference as the sender wrote it; None means that everything is read from the document.
    """

    content: bytes
    media_type: str | None = None
    metadata: Mapping[str, Any] | None = None
    full_url: str | None = None
    """What the other parts of the submission call this document before it has an id."""


class LotSignature(Struct, frozen=True):
    """A signature of a whole submission that was found right: who signed (`system` is that of the id), when, and it."""

    signer: str
    system: str
    name: str
    at: datetime
    data: str


class Submission(Struct, frozen=True):
    """Documents filed together (lot de soumission), with the List that describes them when the sender wrote one."""

    documents: tuple[Incoming, ...]
    submission_set: Mapping[str, Any] | None = None
    signature: LotSignature | None = None


class Filed(Struct, frozen=True):
    """What became of one document: its stable id, its unique id, and whether it was already there."""

    document: UUID
    unique_id: str
    patient: UUID
    binary: UUID
    replayed: bool = False
    extracted: int = 0
    stored: Stored | None = None
    """The DocumentReference as stored; None when it was already there."""
    stored_binary: Stored | None = None
    """The Binary that gives its bytes, likewise."""


class Submitted(Struct, frozen=True):
    """What became of a submission."""

    documents: tuple[Filed, ...]
    submission_set: Stored | None = None
    """The List; None when something was already there."""


class Author(Struct, frozen=True):
    """Who wrote a document, as pages and lists show it."""

    name: str
    organization: str | None = None
    specialty: str | None = None
    identifier: str | None = None


class Document(Struct, frozen=True):
    """A document as it stands, read from its DocumentReference."""

    id: str
    version: int
    unique_id: str
    patient: UUID
    type_code: str
    type_label: str
    class_code: str
    title: str
    status: str
    date: datetime | None
    """When the document was made (creationTime)."""
    act_start: datetime | None
    act_end: datetime | None
    filed: datetime
    authors: tuple[Author, ...]
    place: str | None
    media_type: str
    format_code: str | None
    size: int
    binary: UUID | None
    visibility: frozenset[str] = frozenset()
    archived: bool = False
    comment: str | None = None
    replaces: tuple[str, ...] = ()
    by_patient: bool = False
    acts: tuple[tuple[str, str], ...] = ()
    """The acts that it documents: their code and its words."""

    @property
    def masked(self) -> bool:
        """Whether the patient hid it from professionals."""
        return MASKED in self.visibility

    @property
    def withheld(self) -> bool:
        """Whether it waits for a disclosure visit before the patient sees it."""
        return INVISIBLE_PATIENT in self.visibility


class Traced(PatientEvent):
    """The acts of reports, and of folders."""

    REPORT_MADE = "report_made"
    REPORT_CLOSED = "report_closed"
    ARRANGED = "arranged"


class ReportKind(StrEnum):
    """What somebody says is wrong."""

    MISFILED_DOCUMENT = "misfiled_document"
    UNRECOGNISED_ACCESS = "unrecognised_access"
    DUPLICATE_IDENTITY = "duplicate_identity"
    CHANGED_INS = "changed_ins"
    WRONG_TRAITS = "wrong_traits"


class ReportState(StrEnum):
    """Where a report stands at the desk."""

    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How the desk ended a report."""

    UNFOUNDED = "unfounded"
    MOVED_OUT = "moved_out"
    """A misfiled document was taken out of the space; its author is asked to file it again where it belongs."""
    ACCESS_IRREGULAR = "access_irregular"
    """The access had no lawful reason. Whether that person is blocked stays the patient's own choice."""
    ACCESS_EXPLAINED = "access_explained"
    MERGED = "merged"
    INS_CHANGED = "ins_changed"
    TRAITS_CORRECTED = "traits_corrected"


class Report(Struct, frozen=True):
    """One report and its end. `subject` is the logical id of a document, of a trace, or of the other space."""

    id: UUID
    patient: UUID
    kind: ReportKind
    state: ReportState
    subject: str
    reported_by: str
    reported_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    taken_by: str | None = None
    outcome: Outcome | None = None
    outcome_note: str | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
