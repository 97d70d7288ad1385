"""Taking a whole record away: what its holder's side may see of it, batch after batch, each with its line in the trace.

Whoever makes the copy, it holds what the person it is for may see: what is withheld from a patient until a disclosure
visit (CSP R. 1111-53) is not in a copy either, and nothing tells that it is missing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.store import reading as store
from ambroise.fhir.store import walking
from ambroise.fhir.store.types import Stored
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.objects import Blobs, BlobStream
from ambroise.trust.access.authority import Act, authority
from ambroise.trust.access.decide import Action, inspection, refusal
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.scope import scope
from ambroise.trust.audit.entry import REFUSED, Entry, Event, record
from ambroise.trust.audit.history import Filters, TraceLine
from ambroise.trust.context import Citizen, Context

if TYPE_CHECKING:
    from ambroise.trust.gateway.core import Core

Held = Callable[[Reader, Stored], Awaitable[bytes]]
"""The bytes behind a document that was judged."""
Lines = Callable[
    [Reader, Context, UUID | None, Filters, str | None, int], Awaitable[tuple[list[TraceLine], str | None]]
]
"""One page of the trace, without what the viewer may not know of."""
_MEDIA = "application/octet-stream"


class Copies:
    """Reads a record to copy it, and keeps the pieces of copies, sealed with the key of the citizen."""

    def __init__(self, door: Core, kept: Blobs, held: Held, lines: Lines) -> None:
        self._door = door
        self._kept = kept
        self._held = held
        self._lines = lines

    async def ask(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """Note that somebody asks for a copy. Raises FORBIDDEN, traced, for who may not take one."""
        rule = await self._allow(tx, ctx, patient, Event.COPY_ASKED)
        await record(tx, ctx, Entry("C", Event.COPY_ASKED, patient, rule=rule))

    async def may(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """Make sure that the caller may take a copy of this record, or bring one into it. Raises FORBIDDEN, traced."""
        await self._allow(tx, ctx, patient, Event.COPY_ASKED)

    async def counts(self, tx: Transaction, ctx: Context, patient: UUID) -> dict[str, int]:
        """How many resources of each type the copy will hold."""
        await self._allow(tx, ctx, patient, Event.COPIED)
        return await walking.count_by_type(tx, scope(_holder(ctx, patient), patient=patient), patient)

    async def batch(
        self, tx: Transaction, ctx: Context, patient: UUID, type: str, after: UUID | None, count: int
    ) -> tuple[list[Stored], UUID | None]:
        """The next resources of one type that the copy holds, and where the following ones start, None at the end."""
        rule = await self._allow(tx, ctx, patient, Event.COPIED)
        keys = await walking.keys_after(tx, inspection(), patient, type, after, count)
        seen = await store.read_keys(tx, scope(_holder(ctx, patient), type=type), type, keys)
        seen.sort(key=lambda one: one.key)
        if seen:
            await record(tx, ctx, Entry("R", Event.COPIED, patient, type, rule=rule, count=len(seen)))
        return seen, keys[-1] if len(keys) == count else None

    async def named(self, tx: Transaction, ctx: Context, patient: UUID, documents: list[UUID]) -> list[Stored]:
        """Those of these documents that the copy holds, for the sentences that name them."""
        await self._allow(tx, ctx, patient, Event.COPIED)
        seen = scope(_holder(ctx, patient), type="DocumentReference")
        return await store.read_keys(tx, seen, "DocumentReference", documents)

    async def content(self, tx: Transaction, document: Stored) -> bytes:
        """The bytes of a document that `batch` gave. Raises CONTENT_NOT_FOUND when it has none here."""
        return await self._held(tx, document)

    async def history(
        self, tx: Transaction, ctx: Context, patient: UUID, cursor: str | None, count: int
    ) -> tuple[list[TraceLine], str | None]:
        """The next lines of the trace, as the holder's side reads them, the newest first."""
        rule = await self._allow(tx, ctx, patient, Event.COPIED)
        lines, following = await self._lines(tx, _holder(ctx, patient), patient, Filters(), cursor, count)
        await record(tx, ctx, Entry("R", Event.COPIED, patient, "AuditEvent", rule=rule, count=len(lines)))
        return lines, following

    async def keep(self, tx: Transaction, patient: UUID, content: bytes) -> UUID:
        """Keep a piece of a copy; its id."""
        id = new_id(shard_of(patient))
        await self._kept.put(tx, patient, id, content, _MEDIA)
        return id

    async def piece(self, reader: Reader, id: UUID) -> BlobStream:
        """A piece of a copy, for who `take` let have it."""
        return await self._kept.open_stream(reader, id)

    async def take(self, tx: Transaction, ctx: Context, patient: UUID, size: int) -> None:
        """Note that a copy leaves. Raises FORBIDDEN, traced, once the right to it has ended."""
        rule = await self._allow(tx, ctx, patient, Event.COPY_TAKEN)
        await record(tx, ctx, Entry("R", Event.COPY_TAKEN, patient, rule=rule, details={"bytes": size}))

    async def forget(self, tx: Transaction, pieces: list[UUID]) -> None:
        """Delete pieces of copies."""
        for id in pieces:
            await self._kept.delete(tx, id)

    async def _allow(self, tx: Transaction, ctx: Context, patient: UUID, event: Event) -> str:
        eyes = Eyes.of(ctx)
        facts = await self._door.facts(tx, ctx, eyes, patient)
        verdict = authority(facts, eyes, Act.COPY)
        if eyes.person is not None and eyes.space != patient:
            verdict = verdict._replace(allowed=False, rule=Rule.OTHER_SPACE)
        if not verdict.allowed:
            await self._door.note(ctx, Entry("R", event, patient, rule=verdict.rule.value, outcome=REFUSED))
            raise refusal(Action.READ, "Patient", verdict.rule)
        return verdict.rule.value


def _holder(ctx: Context, patient: UUID) -> Context:
    """Whose eyes a copy is made with: the citizen's who asks, else the holder's to whom an operator hands it."""
    if isinstance(ctx.actor, Citizen):
        return ctx
    return replace(ctx, actor=Citizen(patient, ""), acting_for=None, relation=None)
