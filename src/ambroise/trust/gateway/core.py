"""What every part of the gateway shares: databases, the witness, the facts of the present transaction."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Protocol, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from ambroise.fhir.search import SearchResult
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.types import Flags, Label, Permit, Stored
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.objects import Blobs
from ambroise.trust.access.decide import Action, Target, facts_about, judge, permit
from ambroise.trust.access.facts import Eyes, Facts
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.audit.entry import REFUSED, Entry, Event, Line, record, record_lines
from ambroise.trust.audit.entry import Action as Code
from ambroise.trust.audit.group_commit import LANES, GroupCommit
from ambroise.trust.context import Context
from ambroise.trust.gateway.testimony import Answer, Find, Look, Note, Reading, Testimony
from ambroise.trust.gateway.witness import hear, settle

CODES: Mapping[Action, tuple[Code, Event]] = {
    Action.READ: ("R", Event.READ),
    Action.CREATE: ("C", Event.CREATE),
    Action.UPDATE: ("U", Event.UPDATE),
    Action.DELETE: ("D", Event.DELETE),
    Action.MASK: ("U", Event.MASKED),
    Action.DISCLOSE: ("U", Event.DISCLOSED_TO_PATIENT),
    Action.DISCLOSE_TO_REPRESENTATIVES: ("U", Event.DISCLOSED_TO_REPRESENTATIVES),
    Action.ARCHIVE: ("U", Event.ARCHIVED),
    Action.REPLACE: ("U", Event.SUPERSEDED),
    Action.WITHDRAW: ("D", Event.WITHDRAWN),
}


class Core:
    """The shared part of the gateway."""

    def __init__(
        self, database: Database, clock: Clock, *, blobs: Blobs | None = None, pages: PageSeal | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._blobs = blobs
        self._pages = pages or PageSeal(os.urandom(32))
        self._own: Database | None = None
        self._opening = asyncio.Lock()
        self._commits: GroupCommit[Testimony, Answer] = GroupCommit(self._own_slots, settle)
        self._known: WeakKeyDictionary[Reader, dict[tuple[Eyes, UUID], Facts]] = WeakKeyDictionary()

    async def close(self) -> None:
        """Finish the traces under way and let the connections go."""
        await self._commits.close()
        if self._own is not None:
            await self._own.close()

    async def trace(self, tx: Transaction, ctx: Context, *entries: Entry) -> None:
        """Trace acts of modules, in the transaction of what they record."""
        await record(tx, ctx, *entries)

    async def decide(self, tx: Transaction, ctx: Context, action: Action, target: Target) -> Permit:
        """The permit for an action; a refusal is traced in a transaction of its own, then raised."""
        eyes = Eyes.of(ctx)
        return await self.decide_on(await self.facts(tx, ctx, eyes, target.label.patient), ctx, eyes, action, target)

    async def decide_on(self, facts: Facts, ctx: Context, eyes: Eyes, action: Action, target: Target) -> Permit:
        """The same, on facts that were just read."""
        verdict = judge(facts, eyes, action, target)
        if not verdict.allowed:
            await self.trace_refusal(ctx, action, target, verdict.rule)
        return permit(action, target, verdict)

    async def facts(self, reader: Reader, ctx: Context, eyes: Eyes, patient: UUID | None) -> Facts:
        """The facts about a patient, loaded once in a transaction."""
        if patient is None or not isinstance(reader, Transaction):
            return await facts_about(reader, ctx, eyes, patient)
        known = self._known.setdefault(reader, {})
        facts = known.get((eyes, patient))
        if facts is None:
            facts = await facts_about(reader, ctx, eyes, patient)
            if facts.state is not None:
                # A space may be opened later in this transaction: that there is none yet is not worth remembering.
                known[eyes, patient] = facts
        return facts

    def forget_facts(self, tx: Transaction) -> None:
        """The facts have changed in this transaction."""
        self._known.pop(tx, None)

    async def trace_refusal(
        self, ctx: Context, action: Action, target: Target, rule: Rule, *, key: UUID | None = None
    ) -> None:
        code, event = CODES[action]
        label = target.label
        entry = Entry(
            code,
            event,
            label.patient,
            target.type,
            key,
            label.kind,
            rule=rule,
            outcome=REFUSED,
        )
        await self.note(ctx, entry)

    async def note(self, ctx: Context, *entries: Entry) -> None:
        """Trace in a transaction of its own, durable before this returns."""
        await self._commits.run(Note(tuple(Line.of(ctx, entry) for entry in entries)))

    async def _read_one(self, job: Look) -> Stored | None:
        """Read by id together with whoever reads now."""
        return cast(Stored | None, await self._commits.run(job))

    async def _read_page(self, job: Find) -> SearchResult:
        """Search one record together with whoever reads now."""
        return cast(SearchResult, await self._commits.run(job))

    async def _witness(self, reader: Reader, *readings: Reading) -> None:
        """Judge and trace reads: within the caller's transaction when there is one, else in a shared commit."""
        if not isinstance(reader, Transaction):
            await asyncio.gather(*(self._commits.run(reading) for reading in readings))
            return
        for answer, lines in await hear(reader, readings):
            if isinstance(answer, Exception):
                # The refusal may roll the caller's transaction back: its trace must not go with it.
                await self._commits.run(Note(lines))
                raise answer
            await record_lines(reader, lines)

    async def _own_slots(self) -> Database:
        """Connections of the witness alone: readers that wait for it hold the others."""
        async with self._opening:
            if self._own is None:
                self._own = await Database.open(self._database.dsn, slots=LANES + 2)
            return self._own


class Owner(Protocol):
    """The module that owns a type: every write of it, by any way in, is one of its use cases."""

    async def create(self, tx: Transaction, ctx: Context, resource: dict[str, object], *, id: str | None) -> Stored:
        """File a new resource."""
        ...

    async def update(
        self, tx: Transaction, ctx: Context, resource: dict[str, object], *, if_match: int | None
    ) -> Stored:
        """Change one that is there; its id is in the resource."""
        ...

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None) -> None:
        """Delete one."""
        ...


def target_of(stored: Stored) -> Target:
    """A stored resource as the rules see it."""
    return Target(stored.type, stored.label, stored.key)


__all__ = ["Core", "Flags", "Label", "Owner", "Verdict", "target_of"]
