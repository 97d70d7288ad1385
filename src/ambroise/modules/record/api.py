"""The face of the record: file documents, show and hide them, withdraw them, report what is wrong."""

from __future__ import annotations

from ambroise.modules.record import entry, reports, tables
from ambroise.modules.record.categories import CITIZEN_TYPES, Category, category_of, types_of
from ambroise.modules.record.cda import write
from ambroise.modules.record.cda.extract import extract
from ambroise.modules.record.cda.model import ClinicalDocument, Identifier
from ambroise.modules.record.cda.parse import attachment
from ambroise.modules.record.cda.parse import read as read_cda
from ambroise.modules.record.cda.render import Fact, FactKey, Rendered, Words, header_facts, render
from ambroise.modules.record.content.malware import ClamAv, NoScanner, Scanner
from ambroise.modules.record.content.markup import may_act
from ambroise.modules.record.content.photo import bound_photos, clean_photo
from ambroise.modules.record.content.sniff import Sort, sniff
from ambroise.modules.record.desk import Desk
from ambroise.modules.record.duplicates import (
    done_already,
    imaging_keys,
    imaging_window,
    is_imaging,
    same_files,
    window,
)
from ambroise.modules.record.entry import read as read_document
from ambroise.modules.record.events import DOCUMENT_FILED, DOCUMENT_WITHDRAWN
from ambroise.modules.record.folders import Folders
from ambroise.modules.record.handlers import Handlers
from ambroise.modules.record.indexing import Indexer
from ambroise.modules.record.model import (
    ARCHIVED_EXTENSION,
    INVISIBLE_PATIENT,
    INVISIBLE_REPRESENTATIVES,
    MASKED,
    Author,
    Document,
    Filed,
    Incoming,
    LotSignature,
    Outcome,
    Report,
    ReportKind,
    ReportState,
    Submission,
    Submitted,
)
from ambroise.modules.record.owner import BinaryOwner, DocumentOwner, ListOwner
from ambroise.modules.record.repositories.shelves import Folder, Place
from ambroise.modules.record.service import Limits, Record
from ambroise.modules.record.texts import Hit, Piece, Texts, index_again
from ambroise.trust.gateway import Gateway

__all__ = [
    "ARCHIVED_EXTENSION",
    "CITIZEN_TYPES",
    "DOCUMENT_FILED",
    "DOCUMENT_WITHDRAWN",
    "INVISIBLE_PATIENT",
    "INVISIBLE_REPRESENTATIVES",
    "MASKED",
    "Author",
    "Category",
    "ClamAv",
    "ClinicalDocument",
    "Desk",
    "Document",
    "Fact",
    "FactKey",
    "Filed",
    "Folder",
    "Folders",
    "Handlers",
    "Hit",
    "Identifier",
    "Incoming",
    "Indexer",
    "Limits",
    "LotSignature",
    "NoScanner",
    "Outcome",
    "Piece",
    "Place",
    "Record",
    "Rendered",
    "Report",
    "ReportKind",
    "ReportState",
    "Scanner",
    "Sort",
    "Submission",
    "Submitted",
    "Texts",
    "Words",
    "attachment",
    "bound_photos",
    "category_of",
    "clean_photo",
    "done_already",
    "entry",
    "extract",
    "header_facts",
    "imaging_keys",
    "imaging_window",
    "index_again",
    "is_imaging",
    "may_act",
    "own_types",
    "read_cda",
    "read_document",
    "render",
    "reports",
    "same_files",
    "sniff",
    "tables",
    "types_of",
    "window",
    "write",
]


def own_types(record: Record, gateway: Gateway) -> None:
    """Make every client's write of a document or of a submission, by any way in, a use case of the record."""
    gateway.register_owner("DocumentReference", DocumentOwner(record, gateway))
    gateway.register_owner("Binary", BinaryOwner(gateway))
    gateway.register_owner("List", ListOwner(gateway))
