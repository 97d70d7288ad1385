"""The use cases of the life of a space: each finds the step possible, has the door decide it, and writes its dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import emit
from ambroise.modules.identity.api import forget_account
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.record.api import Record
from ambroise.modules.space import repository
from ambroise.modules.space.events import event_of
from ambroise.modules.space.model import Channel, Life, Reason, Step, Suspicion, follow
from ambroise.trust.access.authority import Act
from ambroise.trust.access.facts import Eyes, SpaceState
from ambroise.trust.access.spaces import count_by_state
from ambroise.trust.context import Context, Operator
from ambroise.trust.gateway import Gateway

_DESK = frozenset({Step.NOTIFY, Step.SUSPEND, Step.LIFT, Step.DECLARE_DEATH, Step.CORRECT_DEATH})
_INSTANCE = frozenset({Step.OPEN, Step.CLOSE_SUSPENDED, Step.PURGE})
_TOLD = {
    Step.OPEN: Code.SPACE_OPENED,
    Step.CLOSE: Code.SPACE_CLOSED,
    Step.CLOSE_SUSPENDED: Code.SPACE_CLOSED,
    Step.SUSPEND: Code.SPACE_SUSPENDED,
    Step.LIFT: Code.SPACE_BACK,
    Step.REOPEN: Code.SPACE_BACK,
    Step.CORRECT_DEATH: Code.SPACE_BACK,
    Step.REQUEST_DELETION: Code.SPACE_DELETION,
}
TERMS = "2026-01"
"""The terms of use that a holder accepts when activating (conditions générales)."""


class Spaces(Struct, frozen=True):
    """The life of spaces."""

    gateway: Gateway
    record: Record

    # What the holder does, or a legal representative.

    async def object(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """Oppose the opening within six weeks of the notice (R. 1111-28). Raises OBJECTION_TOO_LATE once it is open."""
        return await self._step(tx, ctx, patient, Step.OBJECT)

    async def activate(self, tx: Transaction, ctx: Context, patient: UUID, *, terms: str) -> Life:
        """Begin using the space, accepting the present terms of use. Raises TERMS_NOT_ACCEPTED."""
        if terms != TERMS:
            raise Refusal(Kind.UNPROCESSABLE, "TERMS_NOT_ACCEPTED", "Accept the present terms of use.", element="terms")
        return await self._step(tx, ctx, patient, Step.ACTIVATE, terms=terms)

    async def begin(self, tx: Transaction, ctx: Context, patient: UUID, terms: str) -> None:
        """Activate the space as its account is made; a space already in use stays as it is."""
        if (await self._held(tx, patient)).state is not SpaceState.OPEN_ACTIVE or terms != TERMS:
            await self.activate(tx, ctx, patient, terms=terms)

    async def close(
        self, tx: Transaction, ctx: Context, patient: UUID, reason: Reason, *, delete: bool = False
    ) -> Life:
        """Close the space; its data is archived, or deleted soon when the holder asks so (R. 1111-36)."""
        closed = await self._step(tx, ctx, patient, Step.CLOSE, close_reason=reason.value)
        return await self.request_deletion(tx, ctx, patient) if delete else closed

    async def reopen(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """Open a closed space again, with what it held; a deletion that was asked for is cancelled."""
        return await self._step(tx, ctx, patient, Step.REOPEN)

    async def request_deletion(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """Ask that an archive be deleted before its ten years."""
        return await self._step(tx, ctx, patient, Step.REQUEST_DELETION)

    async def cancel_deletion(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """Keep the archive after all."""
        return await self._step(tx, ctx, patient, Step.CANCEL_DELETION)

    async def contest(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """Contest a suspension: the space opens again."""
        return await self._step(tx, ctx, patient, Step.CONTEST)

    # What the desk does.

    async def notify(self, tx: Transaction, ctx: Context, patient: UUID, channel: Channel) -> Life:
        """Note that the notice was sent: six weeks begin."""
        return await self._step(tx, ctx, patient, Step.NOTIFY, notified_by=channel)

    async def suspend(self, tx: Transaction, ctx: Context, patient: UUID, why: Suspicion) -> Life:
        """Suspend after a malfunction or a fraud; closed in six weeks unless the holder contests it."""
        return await self._step(tx, ctx, patient, Step.SUSPEND, suspicion=why.value)

    async def lift(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """End a suspension."""
        return await self._step(tx, ctx, patient, Step.LIFT)

    async def declare_death(self, tx: Transaction, ctx: Context, patient: UUID, on: date) -> Life:
        """Note a death: nobody enters the space any more. Raises DEATH_DATE for a day that has not come."""
        if on > ctx.now().date():
            raise Refusal(Kind.UNPROCESSABLE, "DEATH_DATE", "This day has not come yet.", element="died_on")
        return await self._step(tx, ctx, patient, Step.DECLARE_DEATH, died_on=on)

    async def correct_death(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """Undo a death declared by mistake: the space is as it was before."""
        return await self._step(tx, ctx, patient, Step.CORRECT_DEATH)

    # What the instance does when a delay is over.

    async def end(self, tx: Transaction, ctx: Context, patient: UUID, step: Step) -> Life:
        """Take the step by which a waiting state ends."""
        if step is Step.PURGE:
            return await self._purge(tx, ctx, patient)
        more = {"close_reason": Reason.NOT_CONTESTED.value} if step is Step.CLOSE_SUSPENDED else {}
        return await self._step(tx, ctx, patient, step, **more)

    # What is known.

    async def life(self, reader: Reader, ctx: Context, patient: UUID) -> Life:
        """The life of a space, for its holder's side and the desk. Raises SPACE_NOT_FOUND."""
        eyes = Eyes.of(ctx)
        if not isinstance(ctx.actor, Operator) and ctx.space != patient:
            raise _unknown()
        if eyes.space is not None and not eyes.own:
            # What a session says of a help that ended is no right.
            facts = await self.gateway.facts(reader, ctx, eyes, patient)
            if facts.relation is None:
                raise _unknown()
        found = await repository.life(reader, patient)
        if found is None:
            raise _unknown()
        return found

    async def counts(self, reader: Reader, ctx: Context) -> dict[SpaceState, int]:
        """How many spaces are in each state, for the desk."""
        _refuse_others(ctx)
        return await count_by_state(reader)

    async def queue(
        self, reader: Reader, ctx: Context, state: SpaceState, *, count: int = 50, offset: int = 0
    ) -> list[Life]:
        """The spaces in a state, those longest in it first, for the desk."""
        _refuse_others(ctx)
        return await repository.queue(reader, state, count, offset)

    async def openings(self, reader: Reader, ctx: Context, since: datetime) -> dict[date, int]:
        """How many spaces opened on each day since an instant, for the desk."""
        _refuse_others(ctx)
        return dict(await repository.opened_by_day(reader, since))

    # How.

    async def _step(self, tx: Transaction, ctx: Context, patient: UUID, step: Step, **written: Any) -> Life:
        """Decide, move, write, tell. Who may not act learns nothing of the state."""
        act = _act(step)
        await self.gateway.rights.allow(tx, ctx, patient, act)
        present = await self._held(tx, patient)
        moved = replace(follow(present, step, ctx.now()), **written)
        details = {"step": step.value, "from": present.state.value}
        await self.gateway.rights.live(tx, ctx, patient, moved.state, act=act, details=details)
        await repository.write(tx, moved)
        await emit(tx, event_of(step.value), {"state": moved.state.value}, patient=patient)
        if step in _TOLD:
            await notify(tx, patient, ctx.now(), _TOLD[step], details={"state": moved.state.value})
        return moved

    async def _purge(self, tx: Transaction, ctx: Context, patient: UUID) -> Life:
        """Destroy what the space held and the key that read it. What stays: the trace, the dates, the state."""
        purged = follow(await self._held(tx, patient), Step.PURGE, ctx.now())
        await self.record.purge(tx, ctx, patient)
        await forget_account(tx, patient)
        await repository.write(tx, purged)
        await emit(tx, event_of(Step.PURGE.value), {"state": purged.state.value}, patient=patient)
        return purged

    async def _held(self, tx: Transaction, patient: UUID) -> Life:
        found = await repository.life(tx, patient, lock=True)
        if found is None:
            raise _unknown()
        return found


def _act(step: Step) -> Act:
    """The right that a step takes."""
    if step is Step.OBJECT:
        return Act.OBJECT
    return Act.STATE if step in _DESK or step in _INSTANCE else Act.LIVE


def _refuse_others(ctx: Context) -> None:
    if not isinstance(ctx.actor, Operator):
        raise Refusal(Kind.FORBIDDEN, "DESK_ONLY", "These lists are for the desk.")


def _unknown() -> Refusal:
    return Refusal(Kind.NOT_FOUND, "SPACE_NOT_FOUND", "This person has no space here.")
