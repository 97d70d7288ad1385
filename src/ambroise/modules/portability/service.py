"""Copies of records: asked for, made piece after piece by the worker, told when ready, taken, forgotten.

GDPR art. 15 (access) and 20 (portability). Each piece is one transaction: the worker that is killed leaves the pieces
that were kept, and the next one goes on from there; nothing is read twice into the zip, and nothing is missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.log import logger
from ambroise.kernel.outbox import MAX_ATTEMPTS, Event, emit
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.portability.making import Made, Maker
from ambroise.modules.portability.model import Asker, Export, Place, Scribe, Stage, State
from ambroise.modules.portability.repositories import copies
from ambroise.trust.context import Citizen, Context
from ambroise.trust.gateway import Gateway

_log = logger(__name__)

GOES_ON: Final = "portability.goes_on"
_SHOWN: Final = 10
_SWEPT: Final = 100
_READY: Final = 2
"""How many ready copies one person keeps of a record while another is made; the oldest go."""
_NEVER: Final = ("Binary", "DocumentReference")
"""Binaries stand in the copy as files, documents have a stage of their own."""


class Taken(Struct, frozen=True):
    """A copy that leaves: how many bytes, and the bytes, piece after piece."""

    size: int
    chunks: AsyncIterator[bytes]


class Exports(Struct, frozen=True):
    """The copies of an instance. `kept`: for how long a ready copy can be taken."""

    database: Database
    gateway: Gateway
    clock: Clock
    maker: Maker
    kept: timedelta
    demonstration: bool

    @classmethod
    def over(
        cls,
        database: Database,
        gateway: Gateway,
        clock: Clock,
        scribe: Scribe,
        *,
        kept: timedelta,
        address: str,
        demonstration: bool,
    ) -> Exports:
        return cls(database, gateway, clock, Maker(gateway, scribe, clock, address), kept, demonstration)

    async def ask(self, tx: Transaction, ctx: Context, patient: UUID, *, language: str = "fr") -> Export:
        """Begin a copy, for the holder's side or an operator with that duty. Raises COPY_UNDER_WAY, FORBIDDEN."""
        await self.gateway.copies.ask(tx, ctx, patient)
        asker = Asker.of(ctx)
        await copies.EXPORTS.alone(tx, patient, asker.id)
        before = await copies.EXPORTS.of_person(tx, patient, asker.id, _SHOWN)
        if any(one.state is State.MAKING for one in before):
            raise Refusal(Kind.CONFLICT, "COPY_UNDER_WAY", "A copy is being made: wait until it is ready.")
        for one in [one for one in before if one.state is State.READY][_READY:]:
            await self._end(tx, one, State.GONE)
        counts = await self.gateway.copies.counts(tx, ctx, patient)
        types = tuple(type for type in counts if type not in _NEVER)
        total = sum(count for type, count in counts.items() if type != "Binary")
        begun = Export(
            id=new_id(shard_of(patient)),
            patient=patient,
            asker=asker,
            language=language,
            asked_at=ctx.now(),
            state=State.MAKING,
            place=Place(Stage.DOCUMENTS, types),
            done=0,
            total=total,
            files=0,
            size=0,
            parts=0,
            ready_at=None,
            ends_at=None,
        )
        await copies.insert(tx, begun)
        if isinstance(ctx.actor, Citizen):
            await emit(tx, GOES_ON, {"export": str(begun.id)}, patient=patient)
        return begun

    async def mine(self, reader: Reader, ctx: Context, patient: UUID) -> list[Export]:
        """The latest copies of a record that the caller asked for, newest first."""
        return await copies.EXPORTS.of_person(reader, patient, Asker.of(ctx).id, _SHOWN)

    async def go_on(self, tx: Transaction, event: Event) -> None:
        """Make the next piece, in the transaction that removes the event, and ask for the one after it."""
        id = UUID(event.payload["export"])
        try:
            async with tx.savepoint():
                export = await self.advance(tx, id)
        except Exception:
            if event.attempts + 1 < MAX_ATTEMPTS:
                raise
            # It will never succeed: say so, rather than let somebody wait and be refused another one.
            _log.exception("copy_failed", export=str(id))
            export = await self._give_up(tx, id)
        if export is not None and export.state is State.MAKING:
            await emit(tx, GOES_ON, {"export": str(export.id)}, patient=export.patient)

    async def advance(self, tx: Transaction, id: UUID) -> Export | None:
        """Make one piece of a copy; None when there is no such copy any more."""
        export = await copies.EXPORTS.hold(tx, id)
        if export is None or export.state is not State.MAKING:
            return export
        ctx = export.asker.context(self.clock, export.patient, demonstration=self.demonstration)
        try:
            made = await self.maker.next(tx, ctx, export)
        except Refusal as refusal:
            if refusal.kind not in (Kind.FORBIDDEN, Kind.NOT_FOUND):
                raise
            return await self._give_up(tx, id)
        return await self._keep(tx, export, made)

    async def finish(self, id: UUID) -> Export:
        """Make all the pieces of a copy at once, one transaction each. Raises COPY_STOPPED, COPY_UNKNOWN."""
        while True:
            async with self.database.transaction() as tx:
                export = await self.advance(tx, id)
            if export is None:
                raise Refusal(Kind.NOT_FOUND, "COPY_UNKNOWN", "There is no such copy.")
            if export.state is State.READY:
                return export
            if export.state is not State.MAKING:
                raise Refusal(Kind.FORBIDDEN, "COPY_STOPPED", "The right to this copy ended while it was made.")

    async def take(self, ctx: Context, patient: UUID, id: UUID) -> Taken:
        """The zip, for the person who asked for it and while they have the right to.

        Raises COPY_UNKNOWN, COPY_NOT_READY, COPY_OVER; COPY_OUTDATED when it holds a document that was withdrawn
        since, or that this person may see no more: it is deleted.
        """
        async with self.database.transaction() as tx:
            export = await self._own(tx, ctx, patient, id)
            if export.state is State.MAKING:
                raise Refusal(Kind.CONFLICT, "COPY_NOT_READY", "This copy is still being made.")
            if export.state is not State.READY or export.ends_at is None or export.ends_at <= self.clock.now():
                raise Refusal(Kind.GONE, "COPY_OVER", "This copy was deleted when its time was over: ask for another.")
            pieces = await self._leaving(tx, ctx, export)
        if pieces is None:
            text = "This copy held a document that was withdrawn since: ask for another."
            raise Refusal(Kind.GONE, "COPY_OUTDATED", text)
        return Taken(export.size, self._stream(pieces))

    async def drop(self, ctx: Context, patient: UUID, id: UUID) -> None:
        """Delete a copy before its time, for who asked for it."""
        async with self.database.transaction() as tx:
            await self._end(tx, await self._own(tx, ctx, patient, id), State.GONE)

    async def sweep(self, tx: Transaction) -> int:
        """Delete the copies whose time is over; how many."""
        over = await copies.over(tx, self.clock.now(), _SWEPT)
        for one in over:
            await self._end(tx, one, State.GONE)
        return len(over)

    async def forget(self, tx: Transaction, event: Event) -> None:
        """Forget the copies of a space that was purged; the pieces went with its key."""
        if event.patient is not None:
            await copies.EXPORTS.erase(tx, event.patient)

    async def _give_up(self, tx: Transaction, id: UUID) -> Export | None:
        export = await copies.EXPORTS.hold(tx, id)
        if export is None or export.state is not State.MAKING:
            return export
        stopped = await self._end(tx, export, State.STOPPED)
        await self._tell(tx, stopped)
        return stopped

    async def _leaving(self, tx: Transaction, ctx: Context, export: Export) -> list[UUID] | None:
        """The pieces that leave now; None when the copy holds what it may not any more, and is deleted."""
        held = {UUID(one.id) async for listing in self.maker.listings(tx, export) for one in listing.documents}
        if len(await self.gateway.copies.named(tx, ctx, export.patient, sorted(held))) < len(held):
            await self._end(tx, export, State.GONE)
            return None
        await self.gateway.copies.take(tx, ctx, export.patient, export.size)
        return [piece for piece, _ in await copies.parts(tx, export.id)]

    async def _own(self, tx: Transaction, ctx: Context, patient: UUID, id: UUID) -> Export:
        """A copy of the caller's; that of anybody else does not exist."""
        export = await copies.EXPORTS.hold(tx, id)
        mine = export is not None and export.patient == patient and export.asker.id == Asker.of(ctx).id
        if export is None or not mine:
            raise Refusal(Kind.NOT_FOUND, "COPY_UNKNOWN", "There is no such copy.")
        return export

    async def _keep(self, tx: Transaction, export: Export, made: Made) -> Export:
        piece, kept = made.piece, self.gateway.copies
        moved = replace(
            export,
            place=made.following or export.place,
            done=export.done + made.done,
            files=export.files + len(piece.members),
        )
        if content := piece.content:
            listing = msgspec.json.encode(piece.listing)
            await copies.add_part(
                tx,
                export.id,
                export.parts,
                await kept.keep(tx, export.patient, content),
                await kept.keep(tx, export.patient, listing),
            )
            moved = replace(moved, parts=export.parts + 1, size=export.size + len(content))
        if made.following is None:
            now = self.clock.now()
            moved = replace(moved, state=State.READY, ready_at=now, ends_at=now + self.kept)
            await self._tell(tx, moved)
        await copies.write(tx, moved)
        return moved

    async def _tell(self, tx: Transaction, export: Export) -> None:
        """Tell who asked, in their own space."""
        if export.asker.kind == "citizen":
            await notify(
                tx,
                UUID(export.asker.id),
                self.clock.now(),
                Code.EXPORT_READY if export.state is State.READY else Code.EXPORT_FAILED,
                hidden_from_representatives=True,
                once=f"copy {export.id}",
            )

    async def _end(self, tx: Transaction, export: Export, state: State) -> Export:
        """Delete the pieces; the line that tells of the copy stays."""
        pieces = [id for both in await copies.parts(tx, export.id) for id in both]
        await self.gateway.copies.forget(tx, pieces)
        await copies.drop_parts(tx, export.id)
        ended = replace(export, state=state, size=0, parts=0)
        await copies.write(tx, ended)
        return ended

    async def _stream(self, pieces: list[UUID]) -> AsyncIterator[bytes]:
        for id in pieces:
            async with self.database.reader() as reader:
                stream = await self.gateway.copies.piece(reader, id)
            async for chunk in stream.chunks:
                yield chunk
