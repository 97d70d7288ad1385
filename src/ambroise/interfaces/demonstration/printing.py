"""Writes documents in batches, in another process when there are many, so that filing them does not wait."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date

from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import Citizen, Nation
from ambroise.interfaces.demonstration.population import build

_BATCH = 50
_AHEAD = 4
# Below this many citizens, starting a process costs more than it saves.
_WORTH_A_PROCESS = 150


@dataclass(frozen=True, slots=True)
class Printed:
    """A document and its bytes: a CDA, or the PDF alone when the citizen wrote it."""

    document: Document
    content: bytes
    media_type: str


def batches(nation: Nation) -> Iterator[tuple[int, int]]:
    """Ranges of citizens whose documents make a batch: all of a citizen's documents are in one."""
    start = count = 0
    for number, citizen in enumerate(nation.citizens):
        count += len(documents_of(nation, citizen))
        if count >= _BATCH:
            yield start, number + 1
            start, count = number + 1, 0
    if start < len(nation.citizens):
        yield start, len(nation.citizens)


def print_documents(nation: Nation, writer: CdaWriter, citizens: Sequence[Citizen]) -> list[Printed]:
    """The documents of some citizens with their bytes, oldest first for each citizen."""
    return [_print(writer, document) for citizen in citizens for document in documents_of(nation, citizen)]


async def printed_batches(nation: Nation) -> AsyncGenerator[list[Printed]]:
    """Every batch of the nation, a few of them ready in advance."""
    ranges = list(batches(nation))
    if len(nation.citizens) < _WORTH_A_PROCESS:
        writer = CdaWriter()
        for start, end in ranges:
            yield print_documents(nation, writer, nation.citizens[start:end])
        return
    loop = asyncio.get_running_loop()
    arguments = (nation.seed, len(nation.citizens), nation.until)
    # Not forked: the parent runs an event loop and holds connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _remember, arguments) as pool:
        waiting = [loop.run_in_executor(pool, _print_range, start, end) for start, end in ranges[:_AHEAD]]
        for number in range(len(ranges)):
            printed = await waiting.pop(0)
            if number + _AHEAD < len(ranges):
                waiting.append(loop.run_in_executor(pool, _print_range, *ranges[number + _AHEAD]))
            yield printed


def _print(writer: CdaWriter, document: Document) -> Printed:
    if document.author is None:
        return Printed(document, writer.pdf(document), "application/pdf")
    return Printed(document, writer.write(document), "text/xml")


# What the printing process keeps between two batches.
_press: list[tuple[Nation, CdaWriter]] = []


def _remember(seed: str, population: int, until: date) -> None:
    _press[:] = [(build(seed, population, until=until), CdaWriter())]


def _print_range(start: int, end: int) -> list[Printed]:
    nation, writer = _press[0]
    return print_documents(nation, writer, nation.citizens[start:end])
