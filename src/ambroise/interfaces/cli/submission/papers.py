"""Files on their way to a record: which ones, what they are, and the metadata that a PDF cannot say itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from ambroise.interfaces.xdm.archive import is_zip
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Sort, sniff, tables

Json = dict[str, Any]

ZIP = "application/zip"
_SUFFIXES = frozenset({".xml", ".pdf", ".zip"})
_URI = "urn:ietf:rfc:3986"
_PERSON_SYSTEM = "urn:oid:1.2.250.1.71.4.2.1"
_STRUCTURE_SYSTEM = "urn:oid:1.2.250.1.71.4.2.2"
_FORMATS = "https://mos.esante.gouv.fr/NOS/TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode"


class Sender(Struct, frozen=True):
    """Who files: PS_IdNat and Struct_IdNat, with names when they are known, and what kind of place it is."""

    id: str
    name: str | None = None
    organization: str | None = None
    organization_name: str | None = None
    facility: str | None = None
    setting: str | None = None


class Described(Struct, frozen=True):
    """What the options say of the PDFs: type (JDV_J07), title, when the act took place, INS as `OID|matricule`."""

    type: str | None = None
    title: str | None = None
    date: datetime | None = None
    patient: str | None = None


class Paper(Struct, frozen=True):
    """One file as it is sent: its bytes, what they are, and the metadata beside them (None: all is in the document)."""

    content: bytes
    media_type: str
    metadata: Json | None


def find(given: Iterable[Path]) -> Iterator[Path]:
    """The files to send: those named, and every XML, PDF and ZIP file below the folders named, in order of path."""
    for path in given:
        if not path.is_dir():
            yield path
            continue
        for found in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in found.relative_to(path).parts)
            if found.is_file() and found.suffix.lower() in _SUFFIXES and not hidden:
                yield found


def read(path: Path, sender: Sender, described: Described) -> Paper:
    """Read a file and describe it. Refuses what is no CDA, PDF or zip, and a PDF of which too little is said."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refusal(Kind.INVALID, "FILE_UNREADABLE", f"{error.strerror}: check the name and the rights.") from error
    if is_zip(content):
        return Paper(content, ZIP, None)
    sort = sniff(content)
    if sort is Sort.XML:
        return Paper(content, Sort.XML.value, None)
    if sort is Sort.PDF:
        when = described.date or datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Paper(content, Sort.PDF.value, pdf_metadata(content, path.stem, when, sender, described))
    raise Refusal(
        Kind.UNSUPPORTED_MEDIA, "CONTENT_UNSUPPORTED", "Only CDA documents (XML), PDF files and XDM zips are sent."
    )


def unique_id(content: bytes, patient: str) -> str:
    """The same for the same bytes about the same person: sent twice, a document is filed once."""
    digest = hashlib.sha256(patient.encode() + b"\0" + content).hexdigest()
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'urn:sha256:{digest}')}"


def pdf_metadata(content: bytes, name: str, when: datetime, sender: Sender, described: Described) -> Json:
    """The DocumentReference of a PDF, written by `sender`; `name` is its title unless the options give one."""
    if described.type is None or described.patient is None:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "METADATA_MISSING",
            "A PDF does not say what it is: give --type (a code such as 11488-4) and --patient (the INS).",
        )
    kind = tables.type_code(described.type)
    class_ = tables.class_of_type(described.type)
    if kind is None or class_ is None:
        raise Refusal(
            Kind.UNPROCESSABLE, "TYPE_UNKNOWN", f"{described.type} is not a type of document (JDV_J07): change --type."
        )
    system, _, matricule = described.patient.rpartition("|")
    at = when.isoformat(timespec="seconds")
    author = {"reference": "#author"}
    return {
        "resourceType": "DocumentReference",
        "contained": _people(sender),
        "masterIdentifier": {"system": _URI, "value": unique_id(content, described.patient)},
        "status": "current",
        "type": _concept(kind.system, kind.code, kind.label),
        "category": [_concept(tables.CLASS_SYSTEM, class_, tables.class_label(class_))],
        "subject": {"type": "Patient", "identifier": {"system": f"urn:oid:{system}", "value": matricule}},
        "date": at,
        "author": [author],
        "authenticator": author,
        "content": [
            {
                "attachment": {
                    "contentType": Sort.PDF.value,
                    "language": "fr-FR",
                    "title": described.title or name,
                    "creation": at,
                    "size": len(content),
                },
                "format": {"system": _FORMATS, "code": tables.format_of_media(Sort.PDF.value)},
            }
        ],
        "context": {
            "period": {"start": at},
            **_place("facilityType", "facility_type", sender.facility),
            **_place("practiceSetting", "practice_setting", sender.setting),
        },
    }


def day(text: str) -> datetime:
    """A date or an instant from a command line; a date is that day at noon, in Coordinated Universal Time."""
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).replace(hour=12)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(Kind.INVALID, "DATE_INVALID", "--date takes 2026-01-31 or 2026-01-31T10:30:00+01:00.") from None
    return found if found.tzinfo else found.astimezone()


def _people(sender: Sender) -> list[Json]:
    person: Json = {
        "resourceType": "Practitioner",
        "id": "person",
        "identifier": [{"system": _PERSON_SYSTEM, "value": sender.id}],
    }
    role: Json = {"resourceType": "PractitionerRole", "id": "author", "practitioner": {"reference": "#person"}}
    if sender.name:
        person["name"] = [{"text": sender.name}]
    if sender.organization is None:
        return [person, role]
    place: Json = {
        "resourceType": "Organization",
        "id": "place",
        "identifier": [{"system": _STRUCTURE_SYSTEM, "value": sender.organization}],
    }
    if sender.organization_name:
        place["name"] = sender.organization_name
    return [person, place, {**role, "organization": {"reference": "#place"}}]


def _place(element: str, table: str, code: str | None) -> Json:
    """A coded kind of place; left out when nobody said it, so that the refusal names the element."""
    if code is None:
        return {}
    found = tables.entry(table, code)
    return {element: _concept(found.system, code, found.label) if found else {"coding": [{"code": code}]}}


def _concept(system: str, code: str, label: str | None) -> Json:
    coding = {"system": tables.system_url(system), "code": code, "display": label}
    return {"coding": [{name: value for name, value in coding.items() if value}]}
