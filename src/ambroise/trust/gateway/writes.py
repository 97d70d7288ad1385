"""Writing through the door: by clients, by the modules that own a type, one by one or in bulk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from ambroise.fhir.store import keys, reading, records, writing
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.types import NO_FLAGS, Flags, Label, Peeked, Permit, Stored
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import shard_of
from ambroise.kernel.objects import Blobs
from ambroise.trust.access.decide import Action, Target, inspection, judge, permit, refusal, unknown
from ambroise.trust.access.facts import Eyes, Facts, Viewer
from ambroise.trust.access.kinds import IDENTITY, OPERATIONAL, SUBMISSION, kind_of
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.access.scope import door_scope
from ambroise.trust.audit.entry import Action as Code
from ambroise.trust.audit.entry import Entry, Event, PatientEvent, record
from ambroise.trust.context import Context
from ambroise.trust.gateway.core import CODES, Owner
from ambroise.trust.gateway.labels import author_of, label_of_new, patient_of, unknown_patient, with_defaults
from ambroise.trust.gateway.reads import Reads, gone

Json: TypeAlias = dict[str, Any]
PatientWritten: TypeAlias = Callable[[Transaction, Context, Stored, Mapping[str, Any]], Awaitable[None]]

_CHANGES: Mapping[Action, tuple[Flags, Flags]] = {
    Action.MASK: (Flags.MASKED, Flags.MASKED),
    Action.DISCLOSE: (NO_FLAGS, Flags.INVISIBLE_PATIENT),
    Action.DISCLOSE_TO_REPRESENTATIVES: (NO_FLAGS, Flags.INVISIBLE_REPRESENTATIVES),
    Action.ARCHIVE: (Flags.ARCHIVED, Flags.ARCHIVED),
    Action.REPLACE: (Flags.SUPERSEDED, Flags.SUPERSEDED),
    Action.WITHDRAW: (Flags.DELETED, NO_FLAGS),
    Action.UPDATE: (NO_FLAGS, NO_FLAGS),
}
"""Which flags an action may set, and clear."""

_VISIBILITY = Flags.MASKED | Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES


class Writes(Reads):
    """The writing part of the gateway."""

    def __init__(
        self, database: Database, clock: Clock, *, blobs: Blobs | None = None, pages: PageSeal | None = None
    ) -> None:
        super().__init__(database, clock, blobs=blobs, pages=pages)
        self._owners: dict[str, Owner] = {}
        self.on_patient_created: PatientWritten | None = None
        """Called with every Patient a client creates; the identity module puts its use case here."""
        self.on_patient_updated: PatientWritten | None = None
        """Called with every Patient a client updates, likewise."""

    def register_owner(self, type: str, owner: Owner) -> None:
        """Give a type to the module that owns it: every client's write of it becomes one of its use cases."""
        self._owners[type] = owner

    # For clients: REST, transactions, patches, loads.

    async def create(self, tx: Transaction, ctx: Context, resource: Json, *, id: str | None = None) -> Stored:
        """Store a new resource. `id` is one that `reserve` gave, or one the caller may choose."""
        type = str(resource["resourceType"])
        owner = self._owners.get(type)
        if owner is not None:
            return await owner.create(tx, ctx, resource, id=id)
        return await self.add(tx, ctx, resource, id=id)

    async def update(self, tx: Transaction, ctx: Context, resource: Json, *, if_match: int | None = None) -> Stored:
        """Store the next version of what the resource's id names, or create it there for who may choose ids.

        To others an id that names nothing is as unknown as one that names what they may not see.
        """
        owner = self._owners.get(str(resource["resourceType"]))
        if owner is not None:
            return await owner.update(tx, ctx, resource, if_match=if_match)
        return await self.replace(tx, ctx, resource, if_match=if_match)

    async def replace(self, tx: Transaction, ctx: Context, resource: Json, *, if_match: int | None = None) -> Stored:
        """Do what `update` does, past the use case of the type's owner."""
        type, id = str(resource["resourceType"]), str(resource["id"])
        current = await reading.lock(tx, inspection(), type, id)
        if current is None:
            if Eyes.of(ctx).viewer is not Viewer.SYSTEM:
                raise unknown(type)
            if if_match is not None:
                raise Refusal(Kind.PRECONDITION_FAILED, "VERSION_MISMATCH", f"There is no {type}/{id[:64]} to match.")
            return await self.add(tx, ctx, resource, id=id)
        allowed = await self._permit(tx, ctx, Action.UPDATE, current)
        label = await self._next_label(tx, current, resource)
        stored = await writing.update(tx, allowed, current, resource, label, now=ctx.now(), if_match=if_match)
        await self._trace_write(tx, ctx, "U", Event.UPDATE, stored, allowed)
        if type == "Patient" and self.on_patient_updated is not None:
            await self.on_patient_updated(tx, ctx, stored, resource)
        return stored

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None = None) -> None:
        """Delete a resource, leaving its history. Raises GONE when it was deleted before."""
        owner = self._owners.get(type)
        if owner is not None:
            return await owner.delete(tx, ctx, type, id, if_match=if_match)
        await self.remove(tx, ctx, type, id, if_match=if_match)

    async def reserve(self, reader: Reader, ctx: Context, resource: Mapping[str, Any]) -> str:
        """An id for a resource to come, on the shard of its patient, before the resource is whole."""
        return str(keys.new_key(await patient_of(reader, resource)))

    async def open(
        self, tx: Transaction, ctx: Context, action: Action, type: str, id: str, *, if_match: int | None = None
    ) -> Stored:
        """Lock the present version for an action on it and return it; the write that follows is what gets traced."""
        current = await reading.lock(tx, inspection(), type, id)
        if current is None:
            raise unknown(type)
        await self._permit(tx, ctx, action, current)
        writing.expect(current, if_match)
        if current.deleted:
            raise gone(current)
        stored = await reading.read(tx, door_scope(), type, id)
        if stored is None:
            raise unknown(type)
        return stored

    # For the owners of types and other modules, which know the label.

    async def file(
        self,
        tx: Transaction,
        ctx: Context,
        resource: Json,
        label: Label,
        *,
        key: UUID | None = None,
        id: str | None = None,
        event: PatientEvent = Event.CREATE,
    ) -> Stored:
        """Store a new resource under a label that the module worked out; the rules decide on that label."""
        eyes = Eyes.of(ctx)
        facts = await self.facts(tx, ctx, eyes, label.patient)
        label = with_defaults(ctx, label, facts)
        target = Target(str(resource["resourceType"]), label)
        allowed = await self.decide_on(facts, ctx, eyes, Action.CREATE, target)
        stored = await writing.insert(tx, allowed, resource, label, now=ctx.now(), key=key, id=id)
        await self._trace_write(tx, ctx, "C", event, stored, allowed)
        return stored

    async def file_all(
        self, tx: Transaction, ctx: Context, resources: Sequence[tuple[Json, UUID]], label: Label
    ) -> list[Stored]:
        """Store what follows a document (`label.source`), under the document's label; traced as one extraction."""
        if not resources:
            return []
        eyes = Eyes.of(ctx)
        facts = await self.facts(tx, ctx, eyes, label.patient)
        label = with_defaults(ctx, label, facts)
        allowed = await self.decide_on(facts, ctx, eyes, Action.CREATE, Target("DocumentReference", label))
        now = ctx.now()
        stored = [await writing.insert(tx, allowed, resource, label, now=now, key=key) for resource, key in resources]
        entry = Entry(
            "C",
            Event.EXTRACTED,
            label.patient,
            "DocumentReference",
            label.source,
            label.kind,
            rule=allowed.rule,
            count=len(stored),
        )
        await record(tx, ctx, entry)
        return stored

    async def remove(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None = None) -> None:
        """Delete a resource, leaving its history, past its owner's use case. Raises GONE when it was deleted before."""
        current = await reading.lock(tx, inspection(), type, id)
        if current is None:
            raise unknown(type)
        allowed = await self._permit(tx, ctx, Action.DELETE, current)
        if current.deleted:
            raise gone(current)
        removed = await writing.delete(tx, allowed, current, now=ctx.now(), if_match=if_match)
        await self._trace_write(tx, ctx, "D", Event.DELETE, removed, allowed)

    async def rewrite(
        self,
        tx: Transaction,
        ctx: Context,
        action: Action,
        current: Stored,
        resource: Json,
        *,
        event: PatientEvent | None = None,
        set: Flags = NO_FLAGS,
        clear: Flags = NO_FLAGS,
    ) -> Stored:
        """Store the next version of what `open` returned and carry the flags to all that follows it."""
        _check_change(action, set, clear)
        locked = await reading.lock(tx, inspection(), current.type, current.id)
        if locked is None:
            raise unknown(current.type)
        allowed = await self._permit(tx, ctx, action, locked)
        label = msgspec.structs.replace(locked.label, flags=(locked.label.flags & ~clear) | set)
        stored = await writing.update(tx, allowed, locked, resource, label, now=ctx.now(), if_match=current.version)
        if set or clear:
            await records.relabel(tx, allowed, locked.key, set=set, clear=clear)
        code, usual = CODES[action]
        await self._trace_write(tx, ctx, code, event or usual, stored, allowed)
        return stored

    async def relabel(
        self,
        tx: Transaction,
        ctx: Context,
        action: Action,
        type: str,
        id: str,
        *,
        event: PatientEvent | None = None,
        set: Flags = NO_FLAGS,
        clear: Flags = NO_FLAGS,
    ) -> Label:
        """Change the flags of a resource and of all that follows it, without a new version; the new label."""
        _check_change(action, set, clear)
        current = await reading.lock(tx, inspection(), type, id)
        if current is None:
            raise unknown(type)
        allowed = await self._permit(tx, ctx, action, current)
        await records.relabel(tx, allowed, current.key, set=set, clear=clear)
        code, usual = CODES[action]
        await self._trace_write(tx, ctx, code, event or usual, current, allowed)
        return msgspec.structs.replace(current.label, flags=(current.label.flags & ~clear) | set)

    async def labels(self, reader: Reader, type: str, keys_: Sequence[UUID]) -> list[Label]:
        """The labels of resources, for their owner to label what is made of them; unknown ones are left out."""
        found = [await reading.peek(reader, inspection(), type, str(key)) for key in keys_]
        return [one.label for one in found if one is not None]

    async def align(self, tx: Transaction, ctx: Context, type: str, id: str, flags: Flags) -> None:
        """Bring a submission set, made of several documents, to these flags after a decided change of one."""
        current = await reading.lock(tx, inspection(), type, id)
        if current is None or current.deleted or current.label.kind != SUBMISSION:
            return
        wanted, present = flags & _VISIBILITY, current.label.flags & _VISIBILITY
        if wanted == present:
            return
        target = Target(type, current.label, current.key)
        aligned = permit(Action.UPDATE, target, Verdict(True, Rule.SYSTEM))
        await records.relabel(tx, aligned, current.key, set=wanted & ~present, clear=present & ~wanted)
        entry = Entry(
            "U",
            Event.RELABELLED,
            current.label.patient,
            type,
            current.key,
            current.label.kind,
            current.version,
            aligned.rule,
        )
        await record(tx, ctx, entry)

    async def add(self, tx: Transaction, ctx: Context, resource: Json, *, id: str | None = None) -> Stored:
        """Do what `create` does, past the use case of the type's owner."""
        type = str(resource["resourceType"])
        if type == "Patient":
            return await self._create_patient(tx, ctx, resource, id)
        label = await label_of_new(tx, ctx, resource)
        eyes = Eyes.of(ctx)
        facts = await self.facts(tx, ctx, eyes, label.patient)
        label = with_defaults(ctx, label, facts)
        await self._refuse_unknown_patient(tx, label, facts)
        key, name = self._place(ctx, type, id, label.patient)
        allowed = await self.decide_on(facts, ctx, eyes, Action.CREATE, Target(type, label))
        stored = await writing.insert(tx, allowed, resource, label, now=ctx.now(), key=key, id=name)
        await self._trace_write(tx, ctx, "C", Event.CREATE, stored, allowed)
        return stored

    # How.

    async def _create_patient(self, tx: Transaction, ctx: Context, resource: Json, id: str | None) -> Stored:
        """A Patient is the space it opens: its key gives the shard of everything in it."""
        key, name = self._place(ctx, "Patient", id, None)
        key = key or keys.new_key(None)
        author, organization = author_of(ctx)
        label = Label(key, IDENTITY, NO_FLAGS, author, organization)
        allowed = await self.decide(tx, ctx, Action.CREATE, Target("Patient", label))
        stored = await writing.insert(tx, allowed, resource, label, now=ctx.now(), key=key, id=name)
        await self._trace_write(tx, ctx, "C", Event.CREATE, stored, allowed)
        if self.on_patient_created is not None:
            await self.on_patient_created(tx, ctx, stored, resource)
        self.forget_facts(tx)
        return stored

    def _place(self, ctx: Context, type: str, id: str | None, patient: UUID | None) -> tuple[UUID | None, str | None]:
        """Where a new resource goes: under a reserved key, or a key of ours with the name that a client chose."""
        if id is None:
            return None, None
        key = keys.as_key(id)
        if key is not None and (patient is None or shard_of(key) == shard_of(patient)):
            return key, None
        if Eyes.of(ctx).viewer is not Viewer.SYSTEM:
            raise Refusal(
                Kind.FORBIDDEN,
                "ACCESS_ID_CHOSEN",
                f"Ids are given by the server: POST the {type} instead, without an id of your own.",
                data={"rule": "id_chosen", "ways": ["create_without_id"]},
            )
        return None, id

    async def _next_label(self, tx: Transaction, current: Peeked, resource: Json) -> Label:
        """The label of the next version: same patient, same author, the kind of the new content."""
        label = current.label
        if current.type != "Patient":
            patient = await patient_of(tx, resource)
            if patient != label.patient:
                raise Refusal(
                    Kind.UNPROCESSABLE,
                    "PATIENT_CHANGED",
                    f"A {current.type} stays with its patient: delete this one and create another.",
                    element=current.type,
                )
        if label.patient is None or label.source is not None or label.kind == OPERATIONAL:
            return label
        return msgspec.structs.replace(label, kind=kind_of(resource))

    async def _permit(self, tx: Transaction, ctx: Context, action: Action, current: Peeked) -> Permit:
        """The permit to act on something that exists. What may not even be seen is answered like an unknown id."""
        eyes, target = Eyes.of(ctx), Target(current.type, current.label, current.key)
        facts = await self.facts(tx, ctx, eyes, current.label.patient)
        verdict = judge(facts, eyes, action, target)
        if verdict.allowed:
            return permit(action, target, verdict)
        await self.trace_refusal(ctx, action, target, verdict.rule, key=current.key)
        if not judge(facts, eyes, Action.READ, target).allowed:
            raise unknown(current.type)
        raise refusal(action, current.type, verdict.rule)

    async def _refuse_unknown_patient(self, tx: Transaction, label: Label, facts: Facts) -> None:
        """A resource names a Patient that exists. One with a space does; without, look."""
        if label.patient is None or facts.state is not None:
            return
        peeked = await reading.peek(tx, inspection(), "Patient", str(label.patient))
        if peeked is None or peeked.deleted:
            raise unknown_patient(str(label.patient))

    async def _trace_write(
        self, tx: Transaction, ctx: Context, code: Code, event: PatientEvent, written: Stored | Peeked, allowed: Permit
    ) -> None:
        label = written.label
        entry = Entry(code, event, label.patient, written.type, written.key, label.kind, written.version, allowed.rule)
        await record(tx, ctx, entry)


def _check_change(action: Action, set: Flags, clear: Flags) -> None:
    """Catch a module that changes flags which its action does not speak of: a fault, hence ValueError."""
    may_set, may_clear = _CHANGES[action]
    if set & ~may_set or clear & ~may_clear:
        raise ValueError(f"{action} neither sets {set!r} nor clears {clear!r}")
