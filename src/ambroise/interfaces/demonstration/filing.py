"""Lets the citizens of a nation in and files their documents, each as its own author, in one process or in two."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import Citizen, Nation, Professional
from ambroise.interfaces.demonstration.newcomers import Newcomers, actor_of, care_team
from ambroise.interfaces.demonstration.patients import own_document_metadata, visibility_metadata
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.demonstration.printing import Printed, print_document
from ambroise.interfaces.demonstration.profiles import tell
from ambroise.interfaces.demonstration.story import MASKED
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.garbage import collect_rarely
from ambroise.modules.identity.api import Identity
from ambroise.modules.notification.api import mark_read
from ambroise.modules.profile.api import Profile
from ambroise.modules.record.api import Incoming, Record, Submission
from ambroise.modules.space.api import TERMS, Spaces
from ambroise.trust.context import Citizen as CitizenActor
from ambroise.trust.context import Context, System

if TYPE_CHECKING:
    from ambroise.trust.gateway import Gateway

# Groups under way at once in a process: while one waits for the database, another is written.
_CONCURRENT = 2
GROUP = 6
"""How many citizens are let in together."""
# How long ago a document came for its notice to have been read.
_READ_AFTER = timedelta(days=45)
# How many citizens one can be on the sign-in list; a token can be made for any of them.
_WITH_ACCOUNT = 300


class Doors(Struct, frozen=True):
    """What the loader goes through."""

    database: Database
    gateway: Gateway
    record: Record
    identity: Identity
    clock: Clock


OpenDoors = Callable[[], AbstractAsyncContextManager[Doors]]
Tell = Callable[[str, int], None]
"""Told how many more citizens, or documents, are in."""
Next = Callable[[], int]
"""Gives the number of the next group of citizens, to whoever asks first."""
Patients = dict[str, UUID]
"""The spaces, by matricule."""


class Recipe(Struct, frozen=True):
    """What a nation is built from; small enough to be sent to another process."""

    seed: str
    population: int
    until: date

    def nation(self) -> Nation:
        """The nation, built again."""
        return build(self.seed, self.population, until=self.until)


async def fill(doors: Doors, nation: Nation, following: Next, tell: Tell) -> Patients:
    """Let citizens in with their documents, group after group until none is left; the spaces that this opened."""
    filling = _Filling(doors, nation, following, tell)
    tasks = [asyncio.ensure_future(filling.drain()) for _ in range(_CONCURRENT)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return filling.patients


@asynccontextmanager
async def helper(
    open_doors: OpenDoors, recipe: Recipe, tell: Tell
) -> AsyncGenerator[tuple[Next, asyncio.Future[Patients]]]:
    """Another process that fills meanwhile: where both take groups from, and what it opened once it is done."""
    # Not forked: the parent runs an event loop and holds connections.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    counter = context.Value("i", 0)
    process = context.Process(target=_help, args=(open_doors, recipe, counter, theirs), daemon=True)
    process.start()
    theirs.close()
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Patients] = loop.create_future()

    def hear() -> None:
        try:
            heard = ours.recv()
        except EOFError:
            loop.remove_reader(ours.fileno())
            process.join()
            if not done.done():
                done.set_exception(RuntimeError(f"a loading process ended with code {process.exitcode}"))
            return
        if isinstance(heard, dict):
            done.set_result(heard)
        else:
            tell(*heard)

    watch(ours, hear)
    try:
        yield partial(_count, counter), done
    finally:
        loop.remove_reader(ours.fileno())
        ours.close()
        if done.done() and not done.cancelled() and done.exception() is None:
            await asyncio.to_thread(process.join)
        else:
            process.terminate()
        done.cancel()


def watch(pipe: Connection, hear: Callable[[], None]) -> None:
    """Have the running loop call `hear` when a message comes; it may read the whole of one, however long."""
    asyncio.get_running_loop().add_reader(pipe.fileno(), hear)
    # Watching makes a pipe non-blocking, and what is longer than it holds comes in pieces: wait for all of them.
    os.set_blocking(pipe.fileno(), True)


def _help(open_doors: OpenDoors, recipe: Recipe, counter: Synchronized[int], pipe: Connection) -> None:
    async def work() -> None:
        collect_rarely()
        async with open_doors() as doors:

            def tell(stage: str, count: int) -> None:
                pipe.send((stage, count))

            pipe.send(await fill(doors, recipe.nation(), partial(_count, counter), tell))

    asyncio.run(work())
    pipe.close()


def _count(counter: Synchronized[int]) -> int:
    with counter.get_lock():
        number = counter.value
        counter.value = number + 1
    return number


class _Filling:
    """Lets groups of citizens in, and files their documents."""

    def __init__(self, doors: Doors, nation: Nation, following: Next, tell: Tell) -> None:
        self.patients: Patients = {}
        self._doors = doors
        self._nation = nation
        self._next = following
        self._tell = tell
        self._newcomers = Newcomers(doors.gateway, doors.identity, system(doors.clock))
        self._spaces = Spaces(doors.gateway, doors.record)
        self._profile = Profile(doors.database, doors.gateway)
        self._writer = CdaWriter()
        self._contexts: dict[str, Context] = {}

    async def drain(self) -> None:
        """Take groups until there are no more: a transaction for their spaces, and one for their documents."""
        citizens = self._nation.citizens
        while (first := self._next() * GROUP) < len(citizens):
            group = [(citizen, documents_of(self._nation, citizen)) for citizen in citizens[first : first + GROUP]]
            async with self._doors.database.transaction() as tx:
                for number, (citizen, documents) in enumerate(group, first):
                    team = care_team(self._nation, citizen, documents)
                    uses = number < _WITH_ACCOUNT or citizen.star is not None
                    patient = await self._newcomers.citizen(tx, citizen, team, with_account=uses)
                    self.patients[citizen.matricule] = patient
                    if uses:
                        await self._spaces.begin(tx, self._as_citizen(citizen, patient), patient, TERMS)
            self._tell("citizens", len(group))
            async with self._doors.database.transaction() as tx:
                for citizen, documents in group:
                    await self._file(tx, citizen, documents)
                    if citizen.star is not None:
                        patient = self.patients[citizen.matricule]
                        ctx, until = self._as_citizen(citizen, patient), self._nation.until
                        await tell(tx, self._profile, ctx, patient, citizen, until)
            self._tell("documents", sum(len(documents) for _, documents in group))

    async def _file(self, tx: Transaction, citizen: Citizen, documents: Sequence[Document]) -> None:
        """File what a citizen has, oldest first; they have read the notices of all but the latest."""
        limit = self._nation.until - _READ_AFTER
        for recent, some in groupby(documents, lambda one: one.moment.date() > limit):
            for document in some:
                await self._submit(tx, print_document(self._writer, document))
            if not recent:
                await mark_read(tx, self._as_citizen(citizen, self.patients[citizen.matricule]))

    async def _submit(self, tx: Transaction, printed: Printed) -> None:
        document = printed.document
        patient = self.patients[document.citizen.matricule]
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


def system(clock: Clock) -> Context:
    """The instance acting as its own loader."""
    return Context(System("demonstration"), clock, channel="load", demonstration=True)
