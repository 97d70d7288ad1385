"""What the record does when an event is due: tell a citizen, end a withholding."""

from __future__ import annotations

from uuid import UUID

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event, Handler
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.record import events, repository, withholding
from ambroise.modules.record.service import Record
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import EMERGENCY_OPENED, Flags


class Handlers:
    """The handlers of the record, by event."""

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record = record
        self._clock = clock

    def table(self) -> dict[str, Handler]:
        """Which handler serves which event."""
        return {
            events.WITHHELD_NOTICE_DUE: self._notice_due,
            events.WITHHELD_ENDS: self._ends,
            events.DIRECTIVES_DUE: self._directives_due,
            EMERGENCY_OPENED: self._emergency_opened,
        }

    async def _notice_due(self, tx: Transaction, event: Event) -> None:
        await withholding.tell(tx, event, self._clock.now())

    async def _directives_due(self, tx: Transaction, event: Event) -> None:
        await self._record.recall_directives(tx, event, self._clock.now())

    async def _ends(self, tx: Transaction, event: Event) -> None:
        """One month passed: the document becomes visible by itself, and its patient is told."""
        document = UUID(event.payload["document"])
        if event.patient is None or not await repository.still_withheld(tx, event.patient, document):
            return
        shown = await self._record.disclose(tx, self._context(), str(document))
        await notify(
            tx,
            event.patient,
            self._clock.now(),
            Code.VISIBLE_AGAIN,
            subject=str(document),
            hidden_from_representatives=bool(shown.label.flags & Flags.INVISIBLE_REPRESENTATIVES),
        )

    async def _emergency_opened(self, tx: Transaction, event: Event) -> None:
        if event.patient is not None:
            details = {"purpose": event.payload.get("purpose"), "by": event.payload.get("actor_name")}
            await notify(tx, event.patient, self._clock.now(), Code.EMERGENCY_ACCESS, details=details)

    def _context(self) -> Context:
        return Context(System("record"), self._clock, channel="job")
