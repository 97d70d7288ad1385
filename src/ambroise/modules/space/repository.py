"""The SQL of the life of spaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace
from psycopg.sql import SQL

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.space.model import Channel, Life
from ambroise.trust.access.facts import SpaceState

_FIELDS: Final = (
    "due_at",
    "notified_at",
    "notified_by",
    "objected_at",
    "opened_at",
    "activated_at",
    "terms",
    "closed_at",
    "close_reason",
    "deletion_requested_at",
    "suspended_at",
    "suspicion",
    "died_on",
    "before_death",
    "purged_at",
)
_COLUMNS: Final = ", ".join(f"l.{name}" for name in _FIELDS)
_WRITE: Final = SQL(
    "insert into space_life (shard, patient, {names}) values (%s, %s, {marks})"  # type: ignore[arg-type]
    " on conflict (shard, patient) do update set {changes}"
).format(
    names=SQL(", ".join(_FIELDS)),  # type: ignore[arg-type]
    marks=SQL(", ".join("%s" for _ in _FIELDS)),  # type: ignore[arg-type]
    changes=SQL(", ".join(f"{name} = excluded.{name}" for name in _FIELDS)),  # type: ignore[arg-type]
)


async def life(reader: Reader, patient: UUID, *, lock: bool = False) -> Life | None:
    """The life of one space, None when there never was one; `lock`: nobody else moves it meanwhile."""
    row = await reader.fetch_one(
        f"""
        select s.patient, s.state, s.state_since, {_COLUMNS}
        from access_space s
        left join space_life l on l.shard = s.shard and l.patient = s.patient
        where s.shard = %s and s.patient = %s
        {"for update of s" if lock else ""}
        """,
        (shard_of(patient), patient),
    )
    return None if row is None else _life(row)


async def write(tx: Transaction, one: Life) -> None:
    """Write the dates of a life; its state is written by the door."""
    tx.enqueue(_WRITE, (shard_of(one.patient), one.patient, *_values(one)))


async def due_among(tx: Transaction, state: SpaceState, now: datetime, count: int) -> list[Life]:
    """Spaces in this state whose delay is over, locked; those that another worker holds are left to it."""
    rows = await tx.fetch_all(
        f"""
        select s.patient, s.state, s.state_since, {_COLUMNS}
        from space_life l
        join access_space s on s.shard = l.shard and s.patient = l.patient
        where l.due_at <= %s and s.state = %s
        order by l.due_at, l.shard, l.patient
        limit %s
        for update of s, l skip locked
        """,
        (now, state.value, count),
    )
    return [_life(row) for row in rows]


async def queue(reader: Reader, state: SpaceState, count: int, offset: int) -> list[Life]:
    """Spaces in a state, those longest in it first."""
    rows = await reader.fetch_all(
        f"""
        select s.patient, s.state, s.state_since, {_COLUMNS}
        from access_space s
        left join space_life l on l.shard = s.shard and l.patient = s.patient
        where s.state = %s
        order by s.state_since, s.shard, s.patient
        limit %s offset %s
        """,
        (state.value, count, offset),
    )
    return [_life(row) for row in rows]


async def opened_by_day(reader: Reader, since: datetime) -> list[tuple[Any, int]]:
    """How many spaces opened on each day since an instant, by the calendar of Paris."""
    rows = await reader.fetch_all(
        """
        select (opened_at at time zone 'Europe/Paris')::date as day, count(*)
        from space_life
        where opened_at >= %s
        group by day
        order by day
        """,
        (since,),
    )
    return [(day, count) for day, count in rows]


_COPY: Final = "copy space_life (shard, patient, due_at, notified_at, notified_by) from stdin"


async def enter_many(tx: Transaction, people: Iterable[tuple[UUID, Channel]], model: Life) -> None:
    """Write the lives of people who were just notified together, each by a channel: the dates are those of `model`."""
    dates = f"\t{_text(model.due_at)}\t{_text(model.notified_at)}\t"
    await tx.copy_text(_COPY, [f"{shard_of(key)}\t{key.hex}{dates}{channel}\n" for key, channel in people])


async def opened_many(tx: Transaction, patients: Sequence[UUID], at: datetime) -> None:
    """Write that these spaces opened by themselves."""
    await tx.execute(
        """
        update space_life l
        set opened_at = %s, due_at = null
        from unnest(%s::smallint[], %s::uuid[]) as one (shard, patient)
        where l.shard = one.shard and l.patient = one.patient
        """,
        (at, [shard_of(one) for one in patients], list(patients)),
    )


def _life(row: Row) -> Life:
    found = Life(row[0], SpaceState(row[1]), row[2], **dict(zip(_FIELDS, row[3:], strict=True)))
    return replace(
        found,
        notified_by=Channel(found.notified_by) if found.notified_by else None,
        before_death=SpaceState(found.before_death) if found.before_death else None,
    )


def _values(one: Life) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in _FIELDS)


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else "\\N"
