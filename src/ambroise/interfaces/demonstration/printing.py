"""Writes documents, ready to be filed."""

from __future__ import annotations

from msgspec import Struct

from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import Document


class Printed(Struct, frozen=True):
    """A document and its bytes: a CDA, or the PDF alone when the citizen wrote it."""

    document: Document
    content: bytes
    media_type: str


def print_document(writer: CdaWriter, document: Document) -> Printed:
    """A document with its bytes."""
    if document.author is None:
        return Printed(document, writer.pdf(document), "application/pdf")
    return Printed(document, writer.write(document), "text/xml")
