"""Imports: a file is understood, compared with whose space it is, shown, then taken document after document.

What comes in is the citizen's own: documents of theirs, and facts that follow these documents under the same label,
with a Provenance that says from where. Nothing that was here changes, and withdrawing the documents undoes it all.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.log import logger
from ambroise.kernel.outbox import Event, emit
from ambroise.modules.identity.api import comparable, identity_of
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.portability.model import Asker
from ambroise.modules.portability.repositories import imports
from ambroise.modules.portability.taking_in.adopting import about
from ambroise.modules.portability.taking_in.model import Brought, Filer, Import, Json, Paper, Person, State
from ambroise.modules.portability.taking_in.reading import understand
from ambroise.modules.record.api import Incoming, Record, Submission, sniff
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway, follow

_log = logger(__name__)

TAKES_ON: Final = "portability.takes_on"
_SHOWN: Final = 10
_UNDECIDED: Final = 3
"""How many files wait for one person's decision; one more takes the place of the oldest."""
_MATCHES: Final = {"female": "F", "male": "M"}


class Imports(Struct, frozen=True):
    """What citizens bring from elsewhere."""

    database: Database
    gateway: Gateway
    record: Record
    clock: Clock
    filer: Filer
    demonstration: bool

    async def propose(self, ctx: Context, patient: UUID, content: bytes, *, language: str = "fr") -> Import:
        """Understand a file and keep it until its bearer decides.

        Raises IMPORT_NOT_UNDERSTOOD, IMPORT_TOO_LARGE, IMPORT_OTHER_PERSON, IMPORT_TAKEN_BEFORE, FORBIDDEN.
        """
        async with self.database.transaction() as tx:
            await self.gateway.copies.may(tx, ctx, patient)
        brought = await asyncio.to_thread(understand, content)
        digest = hashlib.sha256(patient.bytes + content).digest()
        async with self.database.transaction() as tx:
            await self.gateway.copies.may(tx, ctx, patient)
            await self._check_person(tx, patient, brought.person)
            if await imports.taken_before(tx, patient, digest):
                raise Refusal(Kind.CONFLICT, "IMPORT_TAKEN_BEFORE", "This very file was taken before.")
            asker = Asker.of(ctx)
            made = Import(
                id=new_id(shard_of(patient)),
                patient=patient,
                asked_by=asker.id,
                asker=msgspec.to_builtins(asker),
                asked_at=ctx.now(),
                state=State.PROPOSED,
                sort=brought.sort,
                origin=brought.origin,
                source=await self.gateway.copies.keep(tx, patient, content),
                following=0,
                papers=0,
                items=0,
                language=language,
                finished_at=None,
            )
            await imports.insert(tx, made, digest)
            await imports.IMPORTS.alone(tx, patient, asker.id)
            known = await imports.IMPORTS.of_person(tx, patient, asker.id, _SHOWN)
            for one in [one for one in known if one.state is State.PROPOSED][_UNDECIDED:]:
                await self._let_go(tx, replace(one, state=State.DROPPED))
        return made

    async def shown(self, ctx: Context, patient: UUID, id: UUID) -> tuple[Import, Brought | None]:
        """An import of the caller's, with what it offers as long as it is not decided."""
        async with self.database.transaction() as tx:
            one = await self._own(tx, ctx, patient, id)
            return one, await self._brought(tx, one) if one.state is State.PROPOSED else None

    async def mine(self, reader: Reader, ctx: Context, patient: UUID) -> list[Import]:
        """The latest imports of the caller's in this space."""
        return await imports.IMPORTS.of_person(reader, patient, Asker.of(ctx).id, _SHOWN)

    async def take(self, ctx: Context, patient: UUID, id: UUID) -> None:
        """Begin to take what was proposed. Raises IMPORT_TAKEN_BEFORE, IMPORT_DECIDED."""
        async with self.database.transaction() as tx:
            one = await self._own(tx, ctx, patient, id)
            _expect(one, State.PROPOSED)
            if not await imports.write(tx, replace(one, state=State.TAKING)):
                raise Refusal(Kind.CONFLICT, "IMPORT_TAKEN_BEFORE", "This very file was taken before.")
            await emit(tx, TAKES_ON, {"import": str(id)}, patient=patient)

    async def drop(self, ctx: Context, patient: UUID, id: UUID) -> None:
        """Leave it: the file is deleted, nothing was taken."""
        async with self.database.transaction() as tx:
            one = await self._own(tx, ctx, patient, id)
            _expect(one, State.PROPOSED)
            await self._let_go(tx, replace(one, state=State.DROPPED))

    async def undo(self, ctx: Context, patient: UUID, id: UUID) -> int:
        """Withdraw all that an import brought; how many documents. Raises IMPORT_DECIDED."""
        async with self.database.transaction() as tx:
            one = await self._own(tx, ctx, patient, id)
            _expect(one, State.DONE)
            documents = await imports.taken(tx, id)
            for document in documents:
                try:
                    await self.record.withdraw(tx, ctx, str(document))
                except Refusal as refusal:
                    # The citizen deleted this one already.
                    if refusal.kind not in (Kind.GONE, Kind.NOT_FOUND):
                        raise
            await imports.write(tx, replace(one, state=State.UNDONE))
        return len(documents)

    async def go_on(self, tx: Transaction, event: Event) -> None:
        """Take the next document, in the transaction that removes the event, and ask for the one after it."""
        one = await imports.IMPORTS.hold(tx, UUID(event.payload["import"]))
        if one is None or one.state is not State.TAKING:
            return
        brought = await self._brought(tx, one)
        try:
            async with tx.savepoint():
                moved = await self._take_next(tx, one, brought)
        except Refusal as refusal:
            if refusal.kind is Kind.UNAVAILABLE:
                raise
            # A document that the record refuses (a program inside it, say) is left out; the others are taken.
            _log.info("import_paper_refused", id=str(one.id), code=refusal.code)
            moved = replace(one, following=one.following + 1)
        if moved.following < len(brought.papers):
            await imports.write(tx, moved)
            await emit(tx, TAKES_ON, {"import": str(one.id)}, patient=one.patient)
            return
        await self._let_go(tx, replace(moved, state=State.DONE, finished_at=self.clock.now()))
        await notify(tx, UUID(one.asked_by), self.clock.now(), Code.IMPORT_DONE, once=f"import {one.id}")

    async def forget(self, tx: Transaction, event: Event) -> None:
        """Forget the imports of a space that was purged."""
        if event.patient is not None:
            await imports.IMPORTS.erase(tx, event.patient)

    async def _take_next(self, tx: Transaction, one: Import, brought: Brought) -> Import:
        paper = brought.papers[one.following]
        moved = replace(one, following=one.following + 1)
        if paper.problem is not None:
            return moved
        asker = msgspec.convert(one.asker, Asker)
        ctx = asker.context(self.clock, one.patient, demonstration=self.demonstration)
        said = self.filer.origin(one.language, brought)
        content = paper.content or await self.filer.pdf(one.language, paper, said, paper.sections)
        metadata = self.filer.metadata(one.patient, asker.name, paper, sniff(content).value, said)
        submitted = await self.record.submit(tx, ctx, Submission((Incoming(content, None, metadata),)))
        filed = submitted.documents[0]
        if filed.stored is None:
            return moved
        await imports.note_taken(tx, one.id, one.following, filed.document)
        document = f"DocumentReference/{filed.document}"
        facts = [
            (about(item, f"Patient/{one.patient}", document), new_id(shard_of(one.patient)))
            for item in paper.items
            if item.problem is None
        ]
        if facts:
            provenance = _provenance(ctx, paper, said, document, facts)
            everything = [*facts, (provenance, new_id(shard_of(one.patient)))]
            await self.gateway.file_all(tx, ctx, everything, follow(filed.stored.label, filed.document))
        return replace(moved, papers=moved.papers + 1, items=moved.items + len(facts))

    async def _check_person(self, reader: Reader, patient: UUID, person: Person) -> None:
        """Refuse a file about somebody else: birth date, family name and first name must be those of the registry."""
        known = await identity_of(reader, patient)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "SPACE_NOT_FOUND", "This person has no space here.")
        traits = known.traits
        families = {comparable(name) for name in (traits.birth_name, known.used_name) if name}
        givens = {comparable(name) for name in (traits.first_given, known.used_first_name) if name}
        givens |= {comparable(name) for name in (traits.given_names or "").split()}
        wrong: list[str] = []
        if families.isdisjoint(comparable(name) for name in person.families):
            wrong.append("name")
        if givens.isdisjoint(comparable(word) for name in person.givens for word in (name, *name.split())):
            wrong.append("given")
        if traits.birth_date is None or person.birth_date != traits.birth_date.isoformat():
            wrong.append("birth_date")
        sex = _MATCHES.get(person.sex)
        if sex and traits.sex and sex != traits.sex.value:
            wrong.append("sex")
        if wrong:
            raise Refusal(
                Kind.CONFLICT,
                "IMPORT_OTHER_PERSON",
                "This file is about somebody else: its traits are not those of this space.",
                data={"traits": wrong},
            )

    async def _brought(self, reader: Reader, one: Import) -> Brought:
        if one.source is None:
            raise Refusal(Kind.GONE, "IMPORT_DECIDED", "This file was taken or left already.")
        stream = await self.gateway.copies.piece(reader, one.source)
        return await asyncio.to_thread(understand, b"".join([chunk async for chunk in stream.chunks]))

    async def _own(self, tx: Transaction, ctx: Context, patient: UUID, id: UUID) -> Import:
        """An import of the caller's, who still may bring something into this space; any other does not exist."""
        await self.gateway.copies.may(tx, ctx, patient)
        one = await imports.IMPORTS.hold(tx, id)
        if one is None or one.patient != patient or one.asked_by != Asker.of(ctx).id:
            raise Refusal(Kind.NOT_FOUND, "IMPORT_UNKNOWN", "There is no such import.")
        return one

    async def _let_go(self, tx: Transaction, one: Import) -> None:
        """Delete the file that was kept."""
        if one.source is not None:
            await self.gateway.copies.forget(tx, [one.source])
        await imports.write(tx, replace(one, source=None))


def _expect(one: Import, state: State) -> None:
    if one.state is not state:
        raise Refusal(Kind.CONFLICT, "IMPORT_DECIDED", "This was decided already.")


def _provenance(ctx: Context, paper: Paper, said: str, document: str, facts: list[tuple[Json, UUID]]) -> dict[str, Any]:
    """From where these facts came, and who brought them."""
    kind = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    lifecycle = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
    patient = facts[0][0].get("subject") or facts[0][0].get("patient")
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{resource['resourceType']}/{key}"} for resource, key in facts],
        "recorded": ctx.now().isoformat(timespec="milliseconds"),
        "activity": {"coding": [{"system": lifecycle, "code": "receive"}]},
        "agent": [
            {"type": {"coding": [{"system": kind, "code": "author"}]}, "who": {"display": paper.origin or said}},
            {"type": {"coding": [{"system": kind, "code": "enterer"}]}, "who": patient},
        ],
        "entity": [{"role": "source", "what": {"reference": document, "display": said}}],
    }
