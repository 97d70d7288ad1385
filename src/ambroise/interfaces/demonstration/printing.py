"""Writes documents, ready to be filed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import Citizen, Nation


@dataclass(frozen=True, slots=True)
class Printed:
    """A document and its bytes: a CDA, or the PDF alone when the citizen wrote it."""

    document: Document
    content: bytes
    media_type: str


def print_documents(nation: Nation, writer: CdaWriter, citizen: Citizen) -> Iterator[Printed]:
    """The documents of a citizen with their bytes, oldest first, so that a correction follows what it corrects."""
    return (_print(writer, document) for document in documents_of(nation, citizen))


def _print(writer: CdaWriter, document: Document) -> Printed:
    if document.author is None:
        return Printed(document, writer.pdf(document), "application/pdf")
    return Printed(document, writer.write(document), "text/xml")
