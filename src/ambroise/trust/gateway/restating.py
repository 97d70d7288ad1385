"""Stating again what a document says, when a newer extraction reads more or better in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.store import reading, records, writing
from ambroise.fhir.store.types import Flags, Label, Peeked, Permit, Stored
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.decide import Action, Target, inspection, permit, unknown
from ambroise.trust.access.facts import Eyes, Viewer
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.access.scope import door_scope
from ambroise.trust.audit.entry import Entry, Event, record
from ambroise.trust.context import Context
from ambroise.trust.gateway.labels import follow

Json: TypeAlias = dict[str, Any]


class Restating:
    """For the instance's own job alone: who may see what is stated does not change, and nothing is shown to anybody."""

    async def stated(self, tx: Transaction, ctx: Context, document: UUID) -> tuple[Stored, list[Stored]]:
        """A document, locked, and all that follows it. Raises FORBIDDEN to anybody else, NOT_FOUND when it is gone."""
        _reserved(ctx)
        locked = await reading.lock(tx, inspection(), "DocumentReference", str(document))
        patient = locked.label.patient if locked is not None else None
        if locked is None or patient is None or locked.deleted or locked.label.flags & Flags.DELETED:
            raise unknown("DocumentReference")
        found = await reading.read(tx, door_scope(), "DocumentReference", str(document))
        if found is None:
            raise unknown("DocumentReference")
        following: list[Stored] = []
        for type, keys in (await records.following(tx, inspection(), patient, document)).items():
            following += await reading.read_keys(tx, door_scope(), type, keys)
        return found, following

    async def restate(
        self,
        tx: Transaction,
        ctx: Context,
        document: Stored,
        *,
        changed: Sequence[tuple[Stored, Json]],
        gone: Sequence[Stored],
        new: Sequence[tuple[Json, UUID, Flags]],
    ) -> None:
        """Write the difference, under one line of the trace.

        What changes keeps its id and its label, so that what was hidden stays hidden; what is new follows the document,
        with the flags that are given besides.
        """
        _reserved(ctx)
        label, now = document.label, ctx.now()
        for stored, resource in changed:
            locked = await _locked(tx, stored)
            await writing.update(
                tx, _permit(Action.UPDATE, stored.type, label), locked, resource, locked.label, now=now
            )
        for stored in gone:
            await writing.delete(tx, _permit(Action.DELETE, stored.type, label), await _locked(tx, stored), now=now)
        for resource, key, flags in new:
            below = follow(replace(label, flags=label.flags | flags), document.key)
            await writing.insert(
                tx, _permit(Action.CREATE, resource["resourceType"], label), resource, below, now=now, key=key
            )
        count = len(changed) + len(gone) + len(new)
        entry = Entry(
            "U", Event.EXTRACTED, label.patient, "DocumentReference", document.key, label.kind,
            rule=Rule.SYSTEM, count=count,
        )  # fmt: skip
        await record(tx, ctx, entry)


async def _locked(tx: Transaction, stored: Stored) -> Peeked:
    locked = await reading.lock(tx, inspection(), stored.type, stored.id)
    if locked is None:
        raise unknown(stored.type)
    return locked


def _permit(action: Action, type: str, label: Label) -> Permit:
    return permit(action, Target(type, label), Verdict(True, Rule.SYSTEM))


def _reserved(ctx: Context) -> None:
    eyes = Eyes.of(ctx)
    if eyes.viewer is not Viewer.SYSTEM or not eyes.trusted:
        raise Refusal(
            Kind.FORBIDDEN, "EXTRACTING_RESERVED", "Only the instance itself states again what documents say."
        )
