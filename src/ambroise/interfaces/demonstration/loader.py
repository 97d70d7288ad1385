"""Loads a demonstration nation through the same use cases as anything else: directory, identities, rights, documents.

It can be interrupted at any moment: started again, it goes on with the same nation, and what is there already is left
as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.model import Citizen, Nation, Professional
from ambroise.interfaces.demonstration.newcomers import Newcomers, actor_of
from ambroise.interfaces.demonstration.patients import own_document_metadata, visibility_metadata
from ambroise.interfaces.demonstration.population import DEFAULT_POPULATION, DEFAULT_SEED, build
from ambroise.interfaces.demonstration.printing import Printed, printed_batches
from ambroise.interfaces.demonstration.story import MASKED
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.modules.identity.api import Identity
from ambroise.modules.record.api import Incoming, Record, Submission
from ambroise.trust.context import Citizen as CitizenActor
from ambroise.trust.context import Context, System

if TYPE_CHECKING:
    from ambroise.trust.gateway import Gateway

_CONCURRENT_BATCHES = 3


@dataclass(frozen=True)
class Doors:
    """What the loader goes through."""

    database: Database
    gateway: Gateway
    record: Record
    identity: Identity
    clock: Clock


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the load is: stage is "directory", "citizens" or "documents"."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The nation that an instance holds."""

    seed: str
    population: int
    until: date
    finished: bool


Report = Callable[[Progress], None]


async def loaded(reader: Reader) -> Loaded | None:
    """Which nation this instance holds, or began to load; None before the first load."""
    row = await reader.fetch_one("select seed, population, until, finished is not null from demonstration_nation")
    return Loaded(*row) if row else None


async def load(
    doors: Doors,
    population: int = DEFAULT_POPULATION,
    *,
    seed: str = DEFAULT_SEED,
    report: Report = lambda progress: None,
) -> Loaded:
    """Load a nation, or finish the one that an earlier call began; at once when it is all there already."""
    async with doors.database.transaction() as tx:
        wanted = await _remember(tx, doors.clock, seed, population)
    if wanted.finished:
        return wanted
    nation = build(wanted.seed, wanted.population, until=wanted.until)
    newcomers = Newcomers(doors.gateway, doors.identity, system(doors.clock))
    await _directory(doors, nation, newcomers, report)
    patients = await _citizens(doors, nation, newcomers, report)
    await _documents(doors, nation, patients, report)
    async with doors.database.transaction() as tx:
        await tx.execute("update demonstration_nation set finished = %s", (doors.clock.now(),))
    return Loaded(wanted.seed, wanted.population, wanted.until, finished=True)


def system(clock: Clock) -> Context:
    """The instance acting as its own loader."""
    return Context(System("demonstration"), clock, channel="load", demonstration=True)


async def _remember(tx: Transaction, clock: Clock, seed: str, population: int) -> Loaded:
    known = await loaded(tx)
    if known:
        return known
    now = clock.now()
    until = now.date()
    await tx.execute(
        "insert into demonstration_nation (seed, population, until, started) values (%s, %s, %s, %s)",
        (seed, population, until, now),
    )
    return Loaded(seed, population, until, finished=False)


async def _directory(doors: Doors, nation: Nation, newcomers: Newcomers, report: Report) -> None:
    total = len(nation.organizations) + len(nation.professionals)
    async with doors.database.transaction() as tx:
        for number, organization in enumerate(nation.organizations, 1):
            await newcomers.structure(tx, organization)
            report(Progress("directory", number, total))
    done = len(nation.organizations)
    for start in range(0, len(nation.professionals), 100):
        async with doors.database.transaction() as tx:
            for professional in nation.professionals[start : start + 100]:
                await newcomers.professional(tx, professional)
                done += 1
                report(Progress("directory", done, total))
            if start == 0:
                for operator in nation.operators:
                    await newcomers.operator(tx, operator)


async def _citizens(doors: Doors, nation: Nation, newcomers: Newcomers, report: Report) -> dict[str, UUID]:
    """Open every space; a second pass links families, once everybody has a space. The spaces, by matricule."""
    patients: dict[str, UUID] = {}
    total = len(nation.citizens)
    for start in range(0, total, 50):
        async with doors.database.transaction() as tx:
            for citizen in nation.citizens[start : start + 50]:
                patients[citizen.matricule] = await newcomers.citizen(tx, nation, citizen)
                report(Progress("citizens", len(patients), total))
    async with doors.database.transaction() as tx:
        people = {citizen.matricule: citizen for citizen in nation.citizens}
        for citizen in nation.citizens:
            await newcomers.family(tx, nation.until, citizen, people, patients)
    return patients


async def _documents(doors: Doors, nation: Nation, patients: dict[str, UUID], report: Report) -> None:
    """File every document, several batches at a time: one transaction each, all of a citizen's documents in one."""
    filing = _Filing(doors, nation, patients, report)
    async with aclosing(printed_batches(nation)) as source:
        turns = asyncio.Lock()
        async with asyncio.TaskGroup() as group:
            for _ in range(_CONCURRENT_BATCHES):
                group.create_task(filing.drain(source, turns))


class _Filing:
    """Files batches of printed documents, each as its own author."""

    def __init__(self, doors: Doors, nation: Nation, patients: dict[str, UUID], report: Report) -> None:
        self._doors = doors
        self._patients = patients
        self._report = report
        self._total = nation_size(nation)
        self._done = 0
        self._contexts: dict[str, Context] = {}

    async def drain(self, source: AsyncIterator[list[Printed]], turns: asyncio.Lock) -> None:
        """Take batches until there are no more."""
        while True:
            async with turns:
                batch = await anext(source, None)
            if batch is None:
                return
            await self._file(batch)

    async def _file(self, batch: list[Printed]) -> None:
        doors = self._doors
        async with doors.database.transaction() as tx:
            for printed in batch:
                await self._submit(tx, printed)
        self._done += len(batch)
        self._report(Progress("documents", self._done, self._total))

    async def _submit(self, tx: Transaction, printed: Printed) -> None:
        document = printed.document
        patient = self._patients[document.citizen.matricule]
        own = self._as_citizen(document.citizen, patient)
        if document.author is None:
            ctx, metadata = own, own_document_metadata(document, patient)
        else:
            at_filing = document.flags - MASKED
            ctx = self._as_professional(document.author)
            metadata = visibility_metadata(at_filing) if at_filing else None
        incoming = Incoming(printed.content, printed.media_type, metadata)
        filed = (await self._doors.record.submit(tx, ctx, Submission((incoming,)))).documents[0]
        if document.flags >= MASKED and not filed.replayed:
            # The citizen hides it afterwards, as anybody would.
            await self._doors.record.mask(tx, own, str(filed.document))

    def _as_professional(self, professional: Professional) -> Context:
        known = self._contexts.get(professional.rpps)
        if known is None:
            known = self._contexts[professional.rpps] = Context(
                actor_of(professional), self._doors.clock, channel="load", demonstration=True
            )
        return known

    def _as_citizen(self, citizen: Citizen, patient: UUID) -> Context:
        actor = CitizenActor(patient, citizen.display)
        return Context(actor, self._doors.clock, channel="load", demonstration=True)


def nation_size(nation: Nation) -> int:
    """How many documents a nation has."""
    return sum(len(documents_of(nation, citizen)) for citizen in nation.citizens)
