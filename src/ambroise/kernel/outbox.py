"""Events: rows written with the fact they tell, delivered by a worker at least once.

A handler runs in the transaction that removes the event: what it writes to the database happens exactly once, what it
does outside may happen twice after a crash, and so must be safe to repeat. Events that are frequent and only lead to
writes are heard of many at a time (`on_many`), with one commit. An event that fails is tried again, later
and later; after the last attempt it stays in the table as dead, counted by the metrics and by `ambroise doctor`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from msgspec import Struct
from psycopg.types.json import Jsonb

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction, json_rows
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.log import logger

_log = logger(__name__)

MAX_ATTEMPTS = 12

_FIRST_DELAY = timedelta(seconds=5)
_LONGEST_DELAY = timedelta(hours=6)
_ERROR_LENGTH = 500
_TOGETHER = 200
_GATHER_SECONDS = 0.05
_EMIT = json_rows("""
insert into outbox (shard, id, event, payload, patient, not_before)
select x.shard, x.id, x.event, x.payload, x.patient, coalesce(x.not_before, '-infinity')
from json_to_recordset(%s::json) as x (shard smallint, id uuid, event text, payload jsonb, patient uuid,
  not_before timestamptz)
""")

# Awakes the delivery loops of this process; a worker elsewhere looks again after its idle time.
_wakers: set[Callable[[], None]] = set()


class Event(Struct, frozen=True):
    id: UUID
    name: str
    payload: Mapping[str, Any]
    patient: UUID | None
    created_at: datetime
    attempts: int


Handler = Callable[[Transaction, Event], Awaitable[None]]
ManyHandler = Callable[[Transaction, Sequence[Event]], Awaitable[None]]
"""Hears of several events of one name in one transaction: for what only writes to the database, and is asked often."""


async def emit(
    tx: Transaction,
    event: str,
    payload: Mapping[str, Any],
    *,
    patient: UUID | None = None,
    not_before: datetime | None = None,
) -> UUID:
    """Tell subscribers of a fact once it is committed (and not before an instant); ids and codes, never content."""
    id = new_id(shard_of(patient) if patient else None)
    row: dict[str, Any] = {"shard": shard_of(id), "id": id, "event": event, "payload": payload}
    if patient is not None:
        row["patient"] = patient
    if not_before is not None:
        row["not_before"] = not_before
    tx.write_last(_EMIT, row)
    if not_before is None:
        tx.after_commit(_wake)
    return id


async def cancel(tx: Transaction, event: str, patient: UUID, matching: Mapping[str, Any]) -> int:
    """Withdraw the undelivered events of a citizen whose payload contains `matching`; how many."""
    await tx.flush()
    return await tx.execute(
        "delete from outbox where shard = %s and patient = %s and event = %s and payload @> %s",
        (shard_of(patient), patient, event, Jsonb(matching, dumps=orjson.dumps)),
    )


class Backlog(Struct, frozen=True):
    """How many events wait now, wait for a later instant, and are dead."""

    due: int
    later: int
    dead: int


async def backlog(reader: Reader, now: datetime) -> Backlog:
    row = await reader.fetch_one(
        """
        select count(*) filter (where not dead and not_before <= %s),
               count(*) filter (where not dead and not_before > %s),
               count(*) filter (where dead)
        from outbox
        """,
        (now, now),
    )
    return Backlog(*(row or (0, 0, 0)))


async def revive(tx: Transaction, now: datetime) -> int:
    """Try the dead events again; how many."""
    return await tx.execute("update outbox set dead = false, attempts = 0, not_before = %s where dead", (now,))


def _wake() -> None:
    for waker in _wakers:
        waker()


class Subscriptions:
    """Who wants to hear of which event."""

    def __init__(self) -> None:
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)
        self._many: defaultdict[str, list[ManyHandler]] = defaultdict(list)

    def on(self, event: str, handler: Handler) -> None:
        self._handlers[event].append(handler)

    def on_many(self, event: str, handler: ManyHandler) -> None:
        """The same for a handler that hears of many at once."""

        async def alone(tx: Transaction, heard: Event) -> None:
            await handler(tx, (heard,))

        self._many[event].append(handler)
        self._handlers[event].append(alone)

    @property
    def events(self) -> list[str]:
        """What anybody wants to hear of."""
        return list(self._handlers)

    @property
    def gathered(self) -> list[str]:
        """The events that everybody who wants to hear of them hears of together."""
        return [event for event, handlers in self._many.items() if len(handlers) == len(self._handlers[event])]

    def many_handlers(self, event: str) -> tuple[ManyHandler, ...]:
        return tuple(self._many.get(event, ()))

    def handlers(self, event: str) -> tuple[Handler, ...]:
        return tuple(self._handlers.get(event, ()))


class Delivery:
    """Delivers due events to their handlers; several may work side by side.

    A transaction serves one event, or many of those that are heard of together.
    """

    def __init__(self, database: Database, subscriptions: Subscriptions, clock: Clock) -> None:
        self._database = database
        self._subscriptions = subscriptions
        self._clock = clock

    async def deliver_one(self) -> bool:
        """Deliver the event that waits longest; whether there was one."""
        event: Event | None = None
        try:
            async with self._database.transaction() as tx:
                event = await self._take(tx)
                if event is None:
                    return False
                for handler in self._subscriptions.handlers(event.name):
                    await handler(tx, event)
        except Exception as error:
            if event is None:
                raise
            await self._postpone(event, error)
        return True

    async def deliver_all(self) -> int:
        """Deliver until nothing is due; how many events."""
        delivered = await self._pass_over() + await self._deliver_gathered()
        while await self.deliver_one():
            delivered += 1
        return delivered

    async def run(self, *, idle_seconds: float = 1.0) -> None:
        """Deliver for ever."""
        loop = asyncio.get_running_loop()
        bell = asyncio.Event()

        def ring() -> None:
            loop.call_soon_threadsafe(bell.set)

        _wakers.add(ring)
        try:
            while True:
                bell.clear()
                try:
                    # Those who ring within a moment are served together.
                    await asyncio.sleep(_GATHER_SECONDS)
                    await self.deliver_all()
                except Exception:
                    # The database may be away for a moment: the events wait in it.
                    _log.exception("delivery_failed")
                try:
                    async with asyncio.timeout(idle_seconds):
                        await bell.wait()
                except TimeoutError:
                    pass
        finally:
            _wakers.discard(ring)

    async def _deliver_gathered(self) -> int:
        """Deliver what is heard of together; how many. What fails is left to be delivered one by one."""
        names, delivered = self._subscriptions.gathered, 0
        while names:
            try:
                async with self._database.transaction() as tx:
                    # A crash that undoes what was heard brings the events back: there is no need to wait for the disk.
                    tx.enqueue("set local synchronous_commit = off")
                    events = await self._take_many(tx, names)
                    for name, group in groupby(sorted(events, key=_name), _name):
                        heard = tuple(group)
                        for handler in self._subscriptions.many_handlers(name):
                            await handler(tx, heard)
            except Exception:
                _log.exception("events_failed_together")
                break
            delivered += len(events)
            if len(events) < _TOGETHER:
                break
        return delivered

    async def _pass_over(self) -> int:
        """Remove at once what is due and nobody wants to hear of: one by one, each would take a transaction."""
        async with self._database.transaction() as tx:
            # What a crash brings back is removed again: there is no need to wait for the disk.
            tx.enqueue("set local synchronous_commit = off")
            return await tx.execute(
                "delete from outbox where not dead and not_before <= %s and event <> all(%s::text[])",
                (self._clock.now(), self._subscriptions.events),
            )

    async def _take(self, tx: Transaction) -> Event | None:
        row = await tx.fetch_one(
            """
            delete from outbox
            where (shard, id) = (
              select shard, id
              from outbox
              where not dead and not_before <= %s
              order by not_before, id
              limit 1
              for update skip locked
            )
            returning id, event, payload, patient, created_at, attempts
            """,
            (self._clock.now(),),
        )
        return None if row is None else Event(*row)

    async def _take_many(self, tx: Transaction, names: Sequence[str]) -> list[Event]:
        rows = await tx.fetch_all(
            """
            delete from outbox
            where (shard, id) in (
              select shard, id
              from outbox
              where not dead and not_before <= %s and event = any(%s::text[])
              order by not_before, id
              limit %s
              for update skip locked
            )
            returning id, event, payload, patient, created_at, attempts
            """,
            (self._clock.now(), list(names), _TOGETHER),
        )
        return [Event(*row) for row in rows]

    async def _postpone(self, event: Event, error: Exception) -> None:
        attempts = event.attempts + 1
        dead = attempts >= MAX_ATTEMPTS
        delay = min(_FIRST_DELAY * 2 ** (attempts - 1), _LONGEST_DELAY)
        _log.warning(
            "event_failed", event_name=event.name, id=str(event.id), attempts=attempts, dead=dead, exc_info=error
        )
        async with self._database.transaction() as tx:
            await tx.execute(
                """
                update outbox
                set attempts = %s, not_before = %s, dead = %s, last_error = %s
                where shard = %s and id = %s
                """,
                (
                    attempts,
                    self._clock.now() + delay,
                    dead,
                    # The type only: an error's text may quote what it was about.
                    type(error).__name__[:_ERROR_LENGTH],
                    shard_of(event.id),
                    event.id,
                ),
            )


def _name(event: Event) -> str:
    return event.name
