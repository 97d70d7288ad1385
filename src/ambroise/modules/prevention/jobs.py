"""The job that reminds: it looks at the calendars that may have changed, keeps what waits, and tells it once.

It works in batches of its own transactions: killed, it goes on with what is left; two workers share the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.ids import SHARDS
from ambroise.kernel.log import logger
from ambroise.kernel.outbox import Event, Handler, ManyHandler
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.prevention import reminders, repository
from ambroise.modules.prevention.desk import RULE_CHANGED
from ambroise.modules.prevention.service import Prevention, day_of
from ambroise.modules.profile.api import CHANGED, Section
from ambroise.modules.record.api import DOCUMENT_FILED, DOCUMENT_WITHDRAWN
from ambroise.modules.space.api import PURGED
from ambroise.trust.access.facts import OPEN_STATES
from ambroise.trust.access.spaces import space_of
from ambroise.trust.context import Context, System

_log = logger(__name__)

_BATCH: Final = 50
_BATCHES: Final = 20
_TURN: Final = 60
_CLOSED: Final = timedelta(days=30)
_READ: Final = frozenset({Section.VACCINATIONS.value, Section.STAYS.value, Section.ILLNESSES.value})
"""The sections of the profile that a calendar is read from."""


async def remind(
    database: Database, prevention: Prevention, clock: Clock, *, shards: Sequence[int] | None = None
) -> int:
    """Look at the calendars whose day has come; how many. New spaces are found by their shards, all within an hour."""
    ctx = Context(System("prevention"), clock, channel="job")
    turn = range(ctx.now().minute % _TURN, SHARDS, _TURN)
    async with database.transaction() as tx:
        await repository.enrol(tx, day_of(ctx), turn if shards is None else shards)
    count = 0
    for _ in range(_BATCHES):
        async with database.transaction() as tx:
            watched = await repository.due(tx, day_of(ctx), _BATCH)
            for one in watched:
                await _look(tx, ctx, prevention, one)
        count += len(watched)
        if len(watched) < _BATCH:
            break
    if count:
        _log.info("prevention_calendars_looked_at", count=count)
    return count


async def _look(tx: Transaction, ctx: Context, prevention: Prevention, one: repository.Watched) -> None:
    space = await space_of(tx, one.patient)
    if space is None or space.state not in OPEN_STATES:
        # Nobody is recalled anything while the space is not open; it is looked at again later, should it open again.
        await repository.watch(tx, one.patient, day_of(ctx) + _CLOSED, [])
        return
    looked = await prevention.refresh(tx, one.patient, ctx)
    calendar = looked.calendar
    before = {kept["key"] for kept in one.waiting}
    news = {
        (reminders.code_of(item.rule.kind), item.key in looked.secret)
        for item in calendar.items
        if (day := reminders.reached(item, calendar.today)) is not None
        and (item.key not in before or day >= one.next_at)
    }
    shown = set(reminders.rounds(looked.others.items, calendar.today))
    for asked in reminders.rounds(calendar.items, calendar.today):
        once = f"prevention:plan:{asked[0]}:{asked[1]}"
        secret = asked not in shown
        await notify(tx, one.patient, ctx.now(), Code.PLAN_FOLLOW_UP, hidden_from_representatives=secret, once=once)
    for code, secret in sorted(news):
        # One notice a day for all that begins to wait, whatever it is; what is the holder's alone is told apart.
        once = f"prevention{':own' if secret else ''}:{code.value}:{calendar.today:%Y%m%d}"
        await notify(tx, one.patient, ctx.now(), code, hidden_from_representatives=secret, once=once)


class Handlers:
    """What prevention does when something happens elsewhere."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def table(self) -> dict[str, Handler]:
        """Which handler serves which event."""
        return {
            PURGED: self.forget_purged,
            RULE_CHANGED: self.rule_changed,
        }

    def table_of_many(self) -> dict[str, ManyHandler]:
        """The same for handlers that hear of many at once."""
        return {
            DOCUMENT_FILED: self.documents_changed,
            DOCUMENT_WITHDRAWN: self.documents_changed,
            CHANGED: self.profiles_changed,
        }

    async def documents_changed(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Documents came or went: that may close something, or close it no more."""
        ctx = Context(System("prevention"), self._clock, channel="job")
        patients = {event.patient for event in events if event.patient is not None}
        if not patients:
            return
        await repository.look_again(tx, patients, day_of(ctx))

    async def profiles_changed(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Somebody told of a vaccine, an act or an illness, or took it back: the same."""
        await self.documents_changed(tx, [event for event in events if event.payload.get("section") in _READ])

    async def rule_changed(self, tx: Transaction, event: Event) -> None:
        """A version was published: everybody of these shards is looked at again on the day it begins."""
        await repository.look_again_in(tx, event.payload["shards"], date.fromisoformat(event.payload["day"]))

    async def forget_purged(self, tx: Transaction, event: Event) -> None:
        """A space was purged: nothing of its calendar stays."""
        if event.patient is not None:
            await repository.erase(tx, event.patient)
