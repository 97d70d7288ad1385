"""What the desk sees of what was sent: when, by which channel, with what result; never about what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.modules.notification.repositories import outgoing
from ambroise.modules.notification.repositories.outgoing import Delivery
from ambroise.trust.context import Context, Operator

DUTY: Final = "support"
_DAYS: Final = 30
_MOST: Final = 50


class Day(Struct, frozen=True):
    """How many deliveries of one day came to each end."""

    day: datetime
    sent: int
    failed: int
    waiting: int


class Support(Struct, frozen=True):
    """The delivery log, for operators with the duty of support."""

    clock: Clock

    async def of_notice(self, reader: Reader, ctx: Context, notice: UUID) -> Sequence[Delivery]:
        """Every delivery of a notice."""
        _require_support(ctx)
        return await outgoing.of_notice(reader, notice)

    async def of_person(self, reader: Reader, ctx: Context, person: UUID) -> Sequence[Delivery]:
        """The latest deliveries to somebody."""
        _require_support(ctx)
        return await outgoing.to_person(reader, person, _MOST, None)

    async def failures(self, reader: Reader, ctx: Context) -> Sequence[Delivery]:
        """The latest deliveries that failed."""
        _require_support(ctx)
        return await outgoing.failures(reader, self._since(), _MOST)

    async def days(self, reader: Reader, ctx: Context, zone: str) -> Sequence[Day]:
        """What became of the deliveries of the last thirty days, by day of a clock; days without any are left out."""
        _require_support(ctx)
        counts: dict[datetime, dict[str, int]] = {}
        for day, _, state, count in await outgoing.per_day(reader, self._since(), zone):
            ends = counts.setdefault(day, {})
            ends[state] = ends.get(state, 0) + count
        return [
            Day(day, ends.get("sent", 0), ends.get("failed", 0), ends.get("waiting", 0) + ends.get("handed", 0))
            for day, ends in counts.items()
        ]

    def _since(self) -> datetime:
        return self.clock.now() - timedelta(days=_DAYS)


def _require_support(ctx: Context) -> None:
    if not isinstance(ctx.actor, Operator) or DUTY not in ctx.actor.duties:
        raise Refusal(Refused.FORBIDDEN, "DUTY_REQUIRED", "Operators with the duty of support see what was sent.")
