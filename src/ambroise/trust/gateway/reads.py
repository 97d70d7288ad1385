"""Reading through the door: by id, by version, by search, over time."""

from __future__ import annotations

from dataclasses import dataclass

from ambroise.fhir.store import reading as store
from ambroise.fhir.store.types import Peeked, Stored
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.decide import Action, Target, inspection, judge, refusal, unknown
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.kinds import Shelf
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.scope import identity_scope, scope
from ambroise.trust.audit.entry import Entry, Event, record
from ambroise.trust.context import Context
from ambroise.trust.gateway.emergencies import Emergencies
from ambroise.trust.gateway.identity_only import KNOWN_STATES, identity_only, shows_identity
from ambroise.trust.gateway.witness import Reading


@dataclass(frozen=True)
class HistoryPage:
    """Versions, the newest first."""

    entries: list[Stored]
    total: int | None = None
    next_cursor: str | None = None


class Reads(Emergencies):
    """The reading part of the gateway."""

    async def read(self, reader: Reader, ctx: Context, type: str, id: str) -> Stored:
        """The present version, traced. Raises NOT_FOUND (also when existence is a secret), FORBIDDEN, GONE."""
        stored = await store.read(reader, scope(ctx), type, id)
        if stored is None:
            identity = await self._missed(reader, ctx, type, id)
            if identity is not None:
                return await self._identity_of(reader, ctx, identity)
            stored = await store.read(reader, scope(ctx), type, id)
        if stored is None:
            raise unknown(type)
        if stored.deleted:
            raise gone(stored)
        await self._trace_read(reader, ctx, Event.READ, stored)
        return stored

    async def vread(self, reader: Reader, ctx: Context, type: str, id: str, version: int) -> Stored:
        """One version, for who may see the present one."""
        stored = await store.vread(reader, scope(ctx), type, id, version)
        if stored is None:
            if await self._missed(reader, ctx, type, id) is not None:
                raise unknown(type)
            stored = await store.vread(reader, scope(ctx), type, id, version)
        present = await store.peek(reader, inspection(), type, id)
        if stored is None or present is None:
            raise unknown(type)
        if stored.deleted:
            raise gone(stored)
        await self._trace_read(reader, ctx, Event.READ, stored, present)
        return stored

    async def _trace_read(
        self, reader: Reader, ctx: Context, event: Event, stored: Stored, present: Peeked | None = None
    ) -> None:
        """Judge and trace one resource; what says nothing about a patient is not traced."""
        target = Target(stored.type, present.label if present else stored.label)
        if target.shelf is Shelf.OPEN:
            return
        label = target.label
        entry = Entry("R", event, label.patient, stored.type, stored.key, label.kind, stored.version)
        await self._witness(reader, Reading(ctx, Eyes.of(ctx), label.patient, (target,), entry))

    async def _missed(self, reader: Reader, ctx: Context, type: str, id: str) -> Peeked | None:
        """After a scope admitted nothing: refuse and say why, unless there is a way.

        None: look again (an emergency access was opened, or the facts have just changed). A label: only the identity
        of this Patient may be shown.
        """
        peeked = await store.peek(reader, inspection(), type, id)
        if peeked is None:
            raise unknown(type)
        eyes, target = Eyes.of(ctx), Target(type, peeked.label)
        patient = peeked.label.patient
        facts = await self.facts(reader, ctx, eyes, patient)
        verdict = judge(facts, eyes, Action.READ, target)
        if verdict.allowed:
            return None
        if verdict.rule is Rule.EMERGENCY_NOT_OPENED and patient is not None:
            await self._open_emergency_beside(ctx, patient)
            if isinstance(reader, Transaction):
                self.forget_facts(reader)
            facts = await self.facts(reader, ctx, eyes, patient)
            verdict = judge(facts, eyes, Action.READ, target)
            if verdict.allowed:
                return None
        if shows_identity(type, eyes, facts) and not peeked.deleted:
            return peeked
        await self._trace_refusal(ctx, Action.READ, target, verdict.rule, key=peeked.key)
        raise refusal(Action.READ, type, verdict.rule)

    async def _identity_of(self, reader: Reader, ctx: Context, peeked: Peeked) -> Stored:
        """A Patient reduced to the identity, for a professional who has no access to the space."""
        stored = await store.read(reader, identity_scope(KNOWN_STATES), "Patient", peeked.id)
        if stored is None:
            raise unknown("Patient")
        await self._trace_identity(reader, ctx, stored)
        return identity_only(stored)

    async def _trace_identity(self, reader: Reader, ctx: Context, stored: Stored) -> None:
        label, rule = stored.label, Rule.IDENTITY_ONLY.value
        entry = Entry("R", Event.PERSON_FOUND, label.patient, "Patient", stored.key, label.kind, stored.version, rule)
        if isinstance(reader, Transaction):
            await record(reader, ctx, entry)
        else:
            await self.note(ctx, entry)


def gone(stored: Stored | Peeked) -> Refusal:
    """The refusal for what was deleted, told to who could see it."""
    return Refusal(
        Kind.GONE,
        "GONE",
        f"{stored.type}/{stored.id} was deleted.",
        data={"version": stored.version, "updated": stored.updated},
    )
