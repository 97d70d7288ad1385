"""Documents to file while the instance is killed: every way of sending them, small and large."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace

from ambroise.interfaces.demonstration import examples
from ambroise.interfaces.demonstration.analyses import ANALYSES, Result
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import BIOLOGY, CONSULTATION, Biology, Document, Text, uid_of
from ambroise.interfaces.demonstration.model import Citizen, Professional

_JSON = "application/fhir+json"
_SMALL, _LARGE = 60_000, 1_500_000
_EVERY_LARGE, _KINDS = 10, 3


@dataclass(frozen=True)
class Sending:
    """One submission as it goes over the wire, and what must be found of it."""

    unique_id: str
    content: bytes
    path: str
    media_type: str
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def sendings(author: Professional, citizens: tuple[Citizen, ...], seed: str) -> Iterator[Sending]:
    """Submissions without end: ITI-65 with a scanned letter, ITI-105 with a PDF, ITI-106 with structured results.

    Every tenth is larger than what the database keeps, so that it goes to the object store.
    """
    small, large = CdaWriter(pad_pdf_to=_SMALL), CdaWriter(pad_pdf_to=_LARGE)
    number = 0
    while True:
        citizen = citizens[number % len(citizens)]
        document = Document(
            uid_of("crash", seed, number),
            citizen,
            author,
            datetime(2026, 1, 1 + number % 28, 10, tzinfo=UTC),
            CONSULTATION,
            f"Consultation {number}",
            Text((f"Document {number} d'un essai d'arrêt brutal.",)),
        )
        writer = large if number % _EVERY_LARGE == _EVERY_LARGE - 1 else small
        yield (_bundle, _inline, _structured)[number % _KINDS](document, writer)
        number += 1


def _bundle(document: Document, writer: CdaWriter) -> Sending:
    content = writer.write(document)
    body = json.dumps(examples.provide_bundle(document, content)).encode()
    return Sending(f"urn:oid:{document.uid}", content, "", _JSON, body)


def _inline(document: Document, writer: CdaWriter) -> Sending:
    content = writer.pdf(document)
    resource = examples.simplified(document, content)
    unique_id = f"urn:oid:{uid_of(document.uid, 'pdf')}"
    resource["masterIdentifier"]["value"] = unique_id
    return Sending(unique_id, content, "DocumentReference", _JSON, json.dumps(resource).encode())


def _structured(document: Document, writer: CdaWriter) -> Sending:
    assert document.author is not None
    results = tuple(Result(ANALYSES[name], value) for name, value in (("glucose", 5.2), ("hba1c", 5.4)))
    report = replace(document, type=BIOLOGY, content=Biology(results, document.author))
    content = writer.write(report)
    path = "DocumentReference/$generate-metadata"
    return Sending(f"urn:oid:{document.uid}", content, path, "application/xml", content)
