"""The SQL of notices on their way: those to hand out, their deliveries, and what became of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.notification.wishes import Channel

State: TypeAlias = Literal["waiting", "handed", "sent", "failed", "cancelled"]


class Pending(Struct, frozen=True):
    """A notice to hand out."""

    patient: UUID
    id: UUID
    code: str
    hidden_from_representatives: bool


class Delivery(Struct, frozen=True):
    """One notice on its way to one person by one channel."""

    person: UUID
    id: UUID
    notice: UUID
    patient: UUID
    code: str
    channel: Channel
    made_at: datetime
    due_at: datetime
    state: State
    done_at: datetime | None = None
    reason: str | None = None


_DELIVERY: Final = (
    "d.person, d.id, d.notice, d.patient, d.code, d.channel, d.made_at, d.due_at, d.state, d.done_at, d.reason"
)


async def take_pending(tx: Transaction, count: int) -> list[Pending]:
    """The notices to hand out next, the urgent ones first, which are not to hand out any more."""
    rows = await tx.fetch_all(
        """
        update notification n
        set pending = null
        from (
          select shard, patient, id
          from notification
          where pending is not null
          order by pending, at
          limit %s
          for update skip locked
        ) one
        where n.shard = one.shard and n.patient = one.patient and n.id = one.id
        returning n.patient, n.id, n.code, n.hidden_from_representatives
        """,
        (count,),
    )
    return [Pending(*row) for row in rows]


async def add(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep deliveries that wait."""
    await tx.execute(
        """
        insert into notification_delivery
          (shard, person, id, notice, patient, code, channel, made_at, due_at, state, done_at, reason)
        select *
        from unnest(%s::smallint[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[],
          %s::timestamptz[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::text[])
        """,
        (
            [shard_of(one.person) for one in deliveries],
            [one.person for one in deliveries],
            [one.id for one in deliveries],
            [one.notice for one in deliveries],
            [one.patient for one in deliveries],
            [one.code for one in deliveries],
            [one.channel.value for one in deliveries],
            [one.made_at for one in deliveries],
            [one.due_at for one in deliveries],
            [one.state for one in deliveries],
            [one.done_at for one in deliveries],
            [one.reason for one in deliveries],
        ),
    )


def waiting(person: UUID, notice: Pending, channel: Channel, now: datetime, due: datetime) -> Delivery:
    """A delivery to come."""
    id = new_id(shard_of(person))
    return Delivery(person, id, notice.id, notice.patient, notice.code, channel, now, due, "waiting")


async def take_due(tx: Transaction, now: datetime) -> list[Delivery]:
    """What goes together next, locked: all that is due to one person about one space by one channel."""
    rows = await tx.fetch_all(
        f"""
        with next as (
          select shard, person, patient, channel
          from notification_delivery
          where state = 'waiting' and due_at <= %s
          order by due_at, shard, person, id
          limit 1
          for update skip locked
        )
        select {_DELIVERY}
        from notification_delivery d
        join next using (shard, person, patient, channel)
        where d.state = 'waiting' and d.due_at <= %s
        order by d.made_at, d.id
        limit 200
        for update of d skip locked
        """,
        (now, now),
    )
    return [_delivery(row) for row in rows]


async def settle(
    tx: Transaction,
    deliveries: Sequence[Delivery],
    state: State,
    now: datetime,
    *,
    reason: str | None = None,
    message: UUID | None = None,
) -> None:
    """Note what became of deliveries that go together."""
    await tx.execute(
        """
        update notification_delivery d
        set state = %s, done_at = %s, reason = %s, message = %s
        from unnest(%s::smallint[], %s::uuid[], %s::uuid[]) as one (shard, person, id)
        where d.shard = one.shard and d.person = one.person and d.id = one.id
        """,
        (
            state,
            None if state == "handed" else now,
            reason,
            message,
            [shard_of(one.person) for one in deliveries],
            [one.person for one in deliveries],
            [one.id for one in deliveries],
        ),
    )


async def end_message(tx: Transaction, message: UUID, state: State, now: datetime, reason: str | None) -> int:
    """Note what became of all that one message carried; none of it changes twice."""
    return await tx.execute(
        """
        update notification_delivery
        set state = %s, done_at = %s, reason = %s
        where message = %s and state = 'handed'
        """,
        (state, now, reason, message),
    )


async def came_back(tx: Transaction, message: UUID, now: datetime, reason: str) -> list[UUID]:
    """Note that one message came back, if that was not known as it was sent; whom it was for."""
    rows = await tx.fetch_all(
        """
        update notification_delivery
        set state = 'failed', done_at = %s, reason = coalesce(reason, %s)
        where message = %s and state in ('handed', 'sent', 'failed')
        returning person
        """,
        (now, reason, message),
    )
    return sorted({person for (person,) in rows})


async def codes_of_message(reader: Reader, message: UUID) -> list[str]:
    """The codes that a message carries and that were not told yet."""
    rows = await reader.fetch_all(
        "select code from notification_delivery where message = %s and state = 'handed' order by made_at, id",
        (message,),
    )
    return [code for (code,) in rows]


async def cancel(tx: Transaction, notices: Collection[UUID], now: datetime, reason: str) -> None:
    """Hold back what waits about notices that are no more."""
    await tx.execute(
        """
        update notification_delivery
        set state = 'cancelled', done_at = %s, reason = %s
        where notice = any(%s) and state = 'waiting'
        """,
        (now, reason, list(notices)),
    )


async def still_there(reader: Reader, patient: UUID, notices: Collection[UUID], *, holder: bool) -> set[UUID]:
    """Which of these notices of a space are not deleted and may be told to its holder, or to who acts for them."""
    rows = await reader.fetch_all(
        """
        select id
        from notification
        where shard = %s and patient = %s and id = any(%s) and (%s or not hidden_from_representatives)
        """,
        (shard_of(patient), patient, list(notices), holder),
    )
    return {id for (id,) in rows}


async def to_person(reader: Reader, person: UUID, count: int, before: tuple[datetime, UUID] | None) -> list[Delivery]:
    """What was sent to somebody, newest first."""
    at, id = before or (None, None)
    rows = await reader.fetch_all(
        f"""
        select {_DELIVERY}
        from notification_delivery d
        where d.shard = %s and d.person = %s
          and (%s::timestamptz is null or (d.made_at, d.id) < (%s::timestamptz, %s::uuid))
        order by d.made_at desc, d.id desc
        limit %s
        """,
        (shard_of(person), person, at, at, id, count),
    )
    return [_delivery(row) for row in rows]


async def of_notice(reader: Reader, notice: UUID) -> list[Delivery]:
    """Every delivery of a notice."""
    rows = await reader.fetch_all(
        f"select {_DELIVERY} from notification_delivery d where d.notice = %s order by d.made_at desc, d.id", (notice,)
    )
    return [_delivery(row) for row in rows]


async def failures(reader: Reader, since: datetime, count: int) -> list[Delivery]:
    """The latest deliveries that failed."""
    rows = await reader.fetch_all(
        f"""
        select {_DELIVERY}
        from notification_delivery d
        where d.made_at >= %s and d.state = 'failed'
        order by d.made_at desc, d.id
        limit %s
        """,
        (since, count),
    )
    return [_delivery(row) for row in rows]


async def per_day(reader: Reader, since: datetime, zone: str) -> list[tuple[datetime, str, str, int]]:
    """How many deliveries were made each day (of a clock), by channel and state."""
    rows = await reader.fetch_all(
        """
        select date_trunc('day', made_at at time zone %s) as day, channel, state, count(*)
        from notification_delivery
        where made_at >= %s
        group by 1, 2, 3
        order by 1, 2, 3
        """,
        (zone, since),
    )
    return [(day, channel, state, count) for day, channel, state, count in rows]


async def sweep(tx: Transaction, before: datetime) -> int:
    """Forget deliveries made before an instant that are over."""
    return await tx.execute(
        "delete from notification_delivery where made_at < %s and state in ('sent', 'failed', 'cancelled')", (before,)
    )


async def erase(tx: Transaction, person: UUID) -> None:
    """Forget what was sent to somebody, or to others about their space."""
    await tx.execute("delete from notification_delivery where shard = %s and person = %s", (shard_of(person), person))
    await tx.execute("delete from notification_delivery where patient = %s", (person,))


def _delivery(row: Row) -> Delivery:
    person, id, notice, patient, code, channel, made_at, due_at, state, done_at, reason = row
    return Delivery(person, id, notice, patient, code, Channel(channel), made_at, due_at, state, done_at, reason)
