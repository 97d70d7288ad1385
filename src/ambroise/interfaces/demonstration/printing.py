"""Writes documents in batches, ready to be filed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import Citizen, Nation

_BATCH = 50


@dataclass(frozen=True, slots=True)
class Printed:
    """A document and its bytes: a CDA, or the PDF alone when the citizen wrote it."""

    document: Document
    content: bytes
    media_type: str


def batches(nation: Nation, part: int = 0, of: int = 1) -> Iterator[list[Printed]]:
    """The documents of a nation in batches of about fifty; of every `of` batches, only one is printed.

    All the documents of a citizen are in one batch, oldest first, so that a correction follows what it corrects.
    """
    writer = CdaWriter()
    waiting: list[Citizen] = []
    count = number = 0
    for citizen in nation.citizens:
        waiting.append(citizen)
        count += len(documents_of(nation, citizen))
        if count >= _BATCH or citizen is nation.citizens[-1]:
            if number % of == part:
                yield print_documents(nation, writer, waiting)
            waiting, count, number = [], 0, number + 1


def print_documents(nation: Nation, writer: CdaWriter, citizens: Sequence[Citizen]) -> list[Printed]:
    """The documents of some citizens with their bytes, oldest first for each citizen."""
    return [_print(writer, document) for citizen in citizens for document in documents_of(nation, citizen)]


def _print(writer: CdaWriter, document: Document) -> Printed:
    if document.author is None:
        return Printed(document, writer.pdf(document), "application/pdf")
    return Printed(document, writer.write(document), "text/xml")
