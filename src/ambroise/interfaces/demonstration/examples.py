"""Writes the example documents of the repository: CDA files about the public test identity, and FHIR deposits.

    python -m ambroise.interfaces.demonstration.examples examples

The files are committed; a test writes them again and compares.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from ambroise.interfaces.demonstration.analyses import ANALYSES, Result
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.corridors import corridor_documents
from ambroise.interfaces.demonstration.documents import (
    BIOLOGY,
    CONSULTATION,
    PARIS,
    Biology,
    Document,
    Text,
    uid_of,
)
from ambroise.interfaces.demonstration.model import Citizen, Nation, Professional
from ambroise.interfaces.demonstration.patients import INS_SYSTEM
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.demonstration.stars import SAMPLE_AUTHOR_RPPS
from ambroise.modules.record.api import write

_MOMENT = datetime(2026, 1, 15, 10, 30, tzinfo=PARIS)
_PDSM = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition"
_NOS = "https://mos.esante.gouv.fr/NOS"
_MHD = "https://profiles.ihe.net/ITI/MHD"
_URI = "urn:ietf:rfc:3986"
_PS_SYSTEM = "urn:oid:1.2.250.1.71.4.2.1"


def letter() -> Document:
    """A consultation letter: level 1 CDA with a PDF inside."""
    citizen, author = _people()
    return Document(
        uid_of("example", "letter"),
        citizen,
        author,
        _MOMENT,
        CONSULTATION,
        "Compte rendu de consultation",
        Text(
            (
                "Première consultation. Pas d'antécédent notable, pas de traitement en cours.",
                "Tension artérielle 122/76 mmHg, pouls régulier à 68 par minute. Examen clinique normal.",
                "Un bilan biologique est prescrit ; nouvelle consultation avec les résultats.",
            )
        ),
    )


def biology() -> Document:
    """A laboratory report: level 3 CDA with structured results."""
    citizen, author = _people()
    values = {"glucose": 5.2, "hba1c": 5.4, "cholesterol": 5.61, "hdl": 1.52, "ldl": 3.48, "haemoglobin": 11.4}
    results = tuple(Result(ANALYSES[name], value) for name, value in values.items())
    return Document(
        uid_of("example", "biology"), citizen, author, _MOMENT, BIOLOGY, "Compte rendu d'examens biologiques",
        Biology(results, author, "Anémie modérée à contrôler."), minutes=240,
    )  # fmt: skip


def files() -> dict[str, bytes]:
    """Every example file, by its path."""
    writer = CdaWriter()
    documents = {"letter": letter(), "biology": biology()}
    written = {f"documents/{name}.xml": writer.write(document) for name, document in documents.items()}
    written |= {
        f"corridors/documents/{name}.xml": writer.write(document)
        for name, document in corridor_documents(_nation()).items()
    }
    cda = written["documents/letter.xml"]
    return written | {
        "fhir/iti-105-document-reference.json": _json(simplified(letter(), writer.pdf(letter()))),
        "fhir/iti-65-bundle.json": _json(provide_bundle(letter(), cda)),
    }


def simplified(document: Document, pdf: bytes) -> dict[str, Any]:
    """A DocumentReference that carries its PDF (ITI-105, simplified publish)."""
    resource = _reference(document, "pdsm-simplified-publish")
    # The same letter sent as a PDF is another document than the CDA: it has an identifier of its own.
    resource["masterIdentifier"]["value"] = f"urn:oid:{uid_of('example', 'letter', 'pdf')}"
    resource["content"][0]["attachment"] |= {
        "contentType": "application/pdf",
        "data": write.base64(pdf),
        "size": len(pdf),
        "hash": _sha1(pdf),
    }
    return resource


def provide_bundle(document: Document, cda: bytes) -> dict[str, Any]:
    """A transaction that files a CDA (ITI-65): the submission set, the metadata, the bytes."""
    urls = [f"urn:uuid:{UUID(bytes=hashlib.md5(n, usedforsecurity=False).digest(), version=4)}" for n in _PARTS]
    reference = _reference(document, "pdsm-comprehensive-document-reference")
    reference["content"][0]["attachment"] |= {
        "contentType": "application/xml",
        "url": urls[2],
        "size": len(cda),
        "hash": _sha1(cda),
    }
    binary = {"resourceType": "Binary", "contentType": "application/xml", "data": write.base64(cda)}
    resources = (_submission_set(document, urls[1]), reference, binary)
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [f"{_PDSM}/pdsm-comprehensive-provide-document-bundle"]},
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
            for url, resource in zip(urls, resources, strict=True)
        ],
    }


_PARTS = (b"example submission set", b"example document reference", b"example binary")


@cache
def _nation() -> Nation:
    return build("example", 1, until=date(2026, 1, 31))


def _people() -> tuple[Citizen, Professional]:
    nation = _nation()
    author = next(p for p in nation.professionals if p.rpps == SAMPLE_AUTHOR_RPPS)
    return nation.citizens[0], author


def _submission_set(document: Document, reference: str) -> dict[str, Any]:
    author = _author(document)
    return {
        "resourceType": "List",
        "meta": {"profile": [f"{_PDSM}/pdsm-submissionset-comprehensive"]},
        "contained": [author, _source_patient(document)],
        "extension": [
            {
                "url": f"{_MHD}/StructureDefinition/ihe-designationType",
                "valueCodeableConcept": _concept(f"{_NOS}/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument", "10"),
            },
            {
                "url": f"{_MHD}/StructureDefinition/ihe-sourceId",
                "valueIdentifier": {"system": _URI, "value": f"urn:oid:{uid_of('example', 'software')}"},
            },
            {"url": f"{_MHD}/StructureDefinition/ihe-sourcePatientId", "valueReference": {"reference": "#patient"}},
        ],
        "status": "current",
        "mode": "working",
        "code": _concept(f"{_MHD}/CodeSystem/MHDlistTypes", "submissionset"),
        "subject": _subject(document),
        "date": document.moment.astimezone(UTC).isoformat(),
        "source": {"reference": f"#{author['id']}"},
        "entry": [{"item": {"reference": reference}}],
    }


def _reference(document: Document, profile: str) -> dict[str, Any]:
    author = _author(document)
    organization = _author_of(document).organization
    pdf = "urn:ihe:iti:xds-sd:pdf:2008"
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [f"{_PDSM}/{profile}"]},
        "contained": [author, _source_patient(document)],
        "masterIdentifier": {"system": _URI, "value": f"urn:oid:{document.uid}"},
        "status": "current",
        "type": _concept("http://loinc.org", document.type.code, document.type.label),
        "category": [_concept(f"{_NOS}/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument", "10", "Compte rendu")],
        "subject": _subject(document),
        "date": document.moment.isoformat(),
        "author": [{"reference": f"#{author['id']}"}],
        "authenticator": {"reference": f"#{author['id']}"},
        "custodian": {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.2", "value": organization.id_nat}},
        "securityLabel": [_concept("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N", "normal")],
        "content": [
            {
                "attachment": {
                    "language": "fr-FR",
                    "title": document.title,
                    "creation": document.moment.isoformat(),
                },
                "format": {"system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode", "code": pdf},
            }
        ],
        "context": {
            "period": {"start": document.started.isoformat(), "end": document.moment.isoformat()},
            "sourcePatientInfo": {"reference": "#patient"},
            "facilityType": _concept(
                f"{_NOS}/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite", organization.facility
            ),
            "practiceSetting": _concept(
                f"{_NOS}/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice", organization.setting
            ),
        },
    }


def _author_of(document: Document) -> Professional:
    if document.author is None:
        raise ValueError("these examples are written by a professional")
    return document.author


def _author(document: Document) -> dict[str, Any]:
    author = _author_of(document)
    return {
        "resourceType": "Practitioner",
        "id": "author",
        "identifier": [{"system": _PS_SYSTEM, "value": author.id_nat}],
        "name": [{"family": author.family, "given": [author.given], "prefix": ["DR"]}],
    }


def _source_patient(document: Document) -> dict[str, Any]:
    citizen = document.citizen
    return {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": [{"system": INS_SYSTEM, "value": citizen.matricule}],
        "name": [{"use": "official", "family": citizen.birth_name, "given": [citizen.birth_given[0]]}],
        "gender": "female" if citizen.sex == "F" else "male",
        "birthDate": citizen.birth_date.isoformat(),
    }


def _subject(document: Document) -> dict[str, Any]:
    return {"type": "Patient", "identifier": {"system": INS_SYSTEM, "value": document.citizen.matricule}}


def _concept(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    coding = {"system": system, "code": code}
    if display:
        coding["display"] = display
    return {"coding": [coding]}


def _sha1(content: bytes) -> str:
    return write.base64(hashlib.sha1(content, usedforsecurity=False).digest())


def _json(resource: dict[str, Any]) -> bytes:
    return (json.dumps(resource, ensure_ascii=False, indent=2) + "\n").encode()


def main(folder: Path) -> None:
    """Write every example below a folder."""
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
