"""The SQL of prevention: versions of rules, and whose calendar to look at again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct
from psycopg.types.json import Jsonb

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.prevention.model import Rule, plain, read_rule

_COLUMNS = "number, edition, body, effective, reason, published, published_name, withdrawn, withdrawn_name"


class Version(Struct, frozen=True):
    """One version of a rule. `edition`: the table that brought it, none for what the desk published."""

    number: int
    edition: str | None
    rule: Rule
    effective: date
    reason: str
    published: datetime
    published_name: str
    withdrawn: datetime | None = None
    withdrawn_name: str | None = None


async def fingerprint(reader: Reader) -> tuple[int, int]:
    """What changes whenever a version is published or withdrawn."""
    row = await reader.fetch_one("select count(*), count(withdrawn) from prevention_rule")
    return (row[0], row[1]) if row else (0, 0)


async def in_force(reader: Reader, day: date) -> list[Rule]:
    """The version of each rule that holds on a day."""
    rows = await reader.fetch_all(
        """
        select distinct on (rule) body
        from prevention_rule
        where effective <= %s
          and withdrawn is null
        order by rule, effective desc, number desc
        """,
        (day,),
    )
    return [read_rule(body) for (body,) in rows]


async def versions(reader: Reader, rule: str) -> list[Version]:
    """Every version of a rule, the newest first."""
    rows = await reader.fetch_all(
        f"select {_COLUMNS} from prevention_rule where rule = %s order by number desc", (rule,)
    )
    return [_version(row) for row in rows]


async def coming(reader: Reader, day: date) -> list[Version]:
    """The versions that are published and hold later, the next one first."""
    rows = await reader.fetch_all(
        f"""
        select {_COLUMNS}
        from prevention_rule
        where effective > %s
          and withdrawn is null
        order by effective, rule
        """,
        (day,),
    )
    return [_version(row) for row in rows]


async def add(
    tx: Transaction,
    rule: Rule,
    *,
    effective: date,
    at: datetime,
    by: str,
    name: str,
    edition: str | None = None,
    reason: str = "",
) -> int:
    """Write the next version of a rule, unless the same edition brought it before; its number, 0 when it was there."""
    found = await tx.fetch_value(
        """
        insert into prevention_rule
          (rule, number, edition, body, effective, reason, published, published_by, published_name)
        select %(rule)s, coalesce(max(number), 0) + 1, %(edition)s, %(body)s, %(effective)s, %(reason)s, %(at)s, %(by)s,
          %(name)s
        from prevention_rule
        where rule = %(rule)s
        on conflict do nothing
        returning number
        """,
        {
            "rule": rule.id,
            "edition": edition,
            "body": Jsonb(plain(rule)),
            "effective": effective,
            "reason": reason,
            "at": at,
            "by": by,
            "name": name,
        },
    )
    return found or 0


async def withdraw(tx: Transaction, rule: str, number: int, *, at: datetime, by: str, name: str) -> bool:
    """Withdraw a version; whether it stood until now."""
    touched = await tx.execute(
        """
        update prevention_rule
        set withdrawn = %s, withdrawn_by = %s, withdrawn_name = %s
        where rule = %s and number = %s and withdrawn is null
        """,
        (at, by, name, rule, number),
    )
    return touched == 1


async def editions(reader: Reader) -> set[tuple[str, str]]:
    """Which tables brought which rules."""
    rows = await reader.fetch_all("select rule, edition from prevention_rule where edition is not null")
    return {(rule, edition) for rule, edition in rows}


class Gesture(StrEnum):
    """What a draft is for: a new rule, another version of one, or its end."""

    NEW = "new"
    CHANGE = "change"
    END = "end"


class Draft(Struct, frozen=True):
    """A rule that somebody of the desk is writing."""

    rule: Rule
    gesture: Gesture
    reason: str
    written_name: str
    updated: datetime


async def drafts(reader: Reader) -> list[Draft]:
    """Every draft, the latest first."""
    rows = await reader.fetch_all(
        "select body, gesture, reason, written_name, updated from prevention_draft order by updated desc, rule"
    )
    return [Draft(read_rule(body), Gesture(gesture), *others) for body, gesture, *others in rows]


async def draft(reader: Reader, rule: str) -> Draft | None:
    """The draft of a rule."""
    row = await reader.fetch_one(
        "select body, gesture, reason, written_name, updated from prevention_draft where rule = %s", (rule,)
    )
    return Draft(read_rule(row[0]), Gesture(row[1]), *row[2:]) if row else None


async def keep_draft(
    tx: Transaction, rule: Rule, gesture: Gesture, reason: str, *, at: datetime, by: str, name: str
) -> None:
    """Write a draft in place of the one before."""
    await tx.execute(
        """
        insert into prevention_draft (rule, body, gesture, reason, written_by, written_name, updated)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (rule) do update
        set body = excluded.body, gesture = excluded.gesture, reason = excluded.reason,
          written_by = excluded.written_by, written_name = excluded.written_name, updated = excluded.updated
        """,
        (rule.id, Jsonb(plain(rule)), gesture.value, reason, by, name, at),
    )


async def drop_draft(tx: Transaction, rule: str) -> bool:
    """Throw a draft away; whether there was one."""
    return await tx.execute("delete from prevention_draft where rule = %s", (rule,)) == 1


# Whose calendar to look at again.


async def enrol(tx: Transaction, day: date, shards: Sequence[int]) -> int:
    """Look at the calendars of people of these shards whose space is open and whose calendar nobody looked at."""
    return await tx.execute(
        """
        insert into prevention_watch (shard, patient, next_at)
        select s.shard, s.patient, %s
        from access_space s
        where s.shard = any(%s)
          and s.state in ('open_inactive', 'open_active')
          and not exists (
            select from prevention_watch w where w.shard = s.shard and w.patient = s.patient
          )
        on conflict do nothing
        """,
        (day, list(shards)),
    )


class Watched(Struct, frozen=True):
    """Somebody whose calendar is to be looked at: since when, and what waited then."""

    patient: UUID
    next_at: date
    waiting: Sequence[Any]


async def due(tx: Transaction, day: date, count: int) -> list[Watched]:
    """Lock some of those whose calendar is to be looked at by this day."""
    rows = await tx.fetch_all(
        """
        select patient, next_at, waiting
        from prevention_watch
        where next_at <= %s
        order by next_at, shard, patient
        limit %s
        for update skip locked
        """,
        (day, count),
    )
    return [Watched(*row) for row in rows]


async def watch(tx: Transaction, patient: UUID, next_at: date, waiting: Sequence[Any]) -> None:
    """Keep what waits for somebody, and when to look again."""
    await tx.execute(
        """
        insert into prevention_watch (shard, patient, next_at, waiting)
        values (%s, %s, %s, %s)
        on conflict (shard, patient) do update
        set next_at = excluded.next_at, waiting = excluded.waiting
        """,
        (shard_of(patient), patient, next_at, Jsonb(list(waiting))),
    )


async def look_again(tx: Transaction, patients: Collection[UUID], day: date) -> None:
    """Something happened to these people: look again at what waits for them."""
    found = sorted(patients)
    # Locked in one order, whoever does the same at the same time.
    tx.enqueue(
        """
        update prevention_watch w
        set next_at = %s
        from (
          select shard, patient
          from prevention_watch
          where (shard, patient) in (select * from unnest(%s::smallint[], %s::uuid[])) and next_at > %s
          order by shard, patient
          for update
        ) l
        where w.shard = l.shard and w.patient = l.patient
        """,
        (day, [shard_of(one) for one in found], found, day),
    )


async def look_again_in(tx: Transaction, shards: Sequence[int], day: date) -> int:
    """A rule changes on a day: look again then at everybody of these shards."""
    return await tx.execute(
        "update prevention_watch set next_at = %s where shard = any(%s) and next_at > %s", (day, list(shards), day)
    )


async def waiting(reader: Reader, patient: UUID) -> list[Any]:
    """What waited for somebody when a job last looked."""
    return (
        await reader.fetch_value(
            "select waiting from prevention_watch where shard = %s and patient = %s", (shard_of(patient), patient)
        )
        or []
    )


async def erase(tx: Transaction, patient: UUID) -> None:
    """Forget somebody."""
    await tx.execute("delete from prevention_watch where shard = %s and patient = %s", (shard_of(patient), patient))


def _version(row: Row) -> Version:
    return Version(row[0], row[1], read_rule(row[2]), *row[3:])
