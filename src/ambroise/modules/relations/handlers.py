"""What happens by itself: somebody comes of age."""

from __future__ import annotations

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event, Handler
from ambroise.modules.relations import events
from ambroise.modules.relations.service import Relations
from ambroise.trust.context import Context, System


class Handlers:
    """The handlers of relations, by event."""

    def __init__(self, relations: Relations, clock: Clock) -> None:
        self._relations = relations
        self._clock = clock

    def table(self) -> dict[str, Handler]:
        """Which handler serves which event."""
        return {events.MAJORITY: self._majority}

    async def _majority(self, tx: Transaction, event: Event) -> None:
        if event.patient is not None:
            ctx = Context(System("relations"), self._clock, channel="job")
            await self._relations.come_of_age(tx, ctx, event.patient)
