"""Files the documents of a nation, each as its own author, in one process or in several."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING
from uuid import UUID

from ambroise.interfaces.demonstration.model import Citizen, Nation, Professional
from ambroise.interfaces.demonstration.newcomers import actor_of
from ambroise.interfaces.demonstration.patients import own_document_metadata, visibility_metadata
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.demonstration.printing import Printed, batches
from ambroise.interfaces.demonstration.story import MASKED
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.modules.identity.api import Identity
from ambroise.modules.record.api import Incoming, Record, Submission
from ambroise.trust.context import Citizen as CitizenActor
from ambroise.trust.context import Context

if TYPE_CHECKING:
    from ambroise.trust.gateway import Gateway

# Batches under way at once in a process: while one waits for the database, another is written.
_CONCURRENT = 2


@dataclass(frozen=True)
class Doors:
    """What the loader goes through."""

    database: Database
    gateway: Gateway
    record: Record
    identity: Identity
    clock: Clock


OpenDoors = Callable[[], AbstractAsyncContextManager[Doors]]
Count = Callable[[int], None]


@dataclass(frozen=True)
class Share:
    """One process's part of the work; small enough to be sent to it."""

    seed: str
    population: int
    until: date
    patients: dict[str, UUID]
    part: int
    of: int

    def nation(self) -> Nation:
        """The nation, built again."""
        return build(self.seed, self.population, until=self.until)


async def file_share(doors: Doors, nation: Nation, share: Share, filed: Count) -> None:
    """File one share of the documents; `filed` is told how many after each transaction."""
    source = batches(nation, share.part, share.of)
    filing = _Filing(doors, share.patients, filed)
    tasks = [asyncio.ensure_future(filing.drain(source)) for _ in range(_CONCURRENT)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def helper(open_doors: OpenDoors, share: Share, filed: Count) -> AsyncGenerator[asyncio.Future[None]]:
    """Another process that files its share meanwhile; await what this gives to know that it is done."""
    # Not forked: the parent runs an event loop and holds connections.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_help, args=(open_doors, share, theirs), daemon=True)
    process.start()
    theirs.close()
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def hear() -> None:
        try:
            filed(ours.recv())
        except EOFError:
            loop.remove_reader(ours.fileno())
            process.join()
            if not done.done():
                if process.exitcode:
                    done.set_exception(RuntimeError(f"a loading process ended with code {process.exitcode}"))
                else:
                    done.set_result(None)

    loop.add_reader(ours.fileno(), hear)
    try:
        yield done
    finally:
        loop.remove_reader(ours.fileno())
        ours.close()
        if process.is_alive():
            process.terminate()
        done.cancel()


def _help(open_doors: OpenDoors, share: Share, pipe: Connection) -> None:
    async def work() -> None:
        async with open_doors() as doors:
            await file_share(doors, share.nation(), share, pipe.send)

    asyncio.run(work())
    pipe.close()


class _Filing:
    """Files batches of printed documents."""

    def __init__(self, doors: Doors, patients: dict[str, UUID], filed: Count) -> None:
        self._doors = doors
        self._patients = patients
        self._filed = filed
        self._contexts: dict[str, Context] = {}

    async def drain(self, source: Iterator[list[Printed]]) -> None:
        """Take batches until there are no more: one transaction each."""
        for batch in source:
            async with self._doors.database.transaction() as tx:
                for printed in batch:
                    await self._submit(tx, printed)
            self._filed(len(batch))

    async def _submit(self, tx: Transaction, printed: Printed) -> None:
        document = printed.document
        patient = self._patients[document.citizen.matricule]
        if document.author is None:
            ctx, metadata = self._as_citizen(document.citizen, patient), own_document_metadata(document, patient)
        else:
            at_filing = document.flags - MASKED
            ctx = self._as_professional(document.author)
            metadata = visibility_metadata(at_filing) if at_filing else None
        incoming = Incoming(printed.content, printed.media_type, metadata)
        filed = (await self._doors.record.submit(tx, ctx, Submission((incoming,)))).documents[0]
        if document.flags >= MASKED and not filed.replayed:
            # The citizen hides it afterwards, as anybody would.
            await self._doors.record.mask(tx, self._as_citizen(document.citizen, patient), str(filed.document))

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
