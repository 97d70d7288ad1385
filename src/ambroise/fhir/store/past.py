"""History: the versions of a resource, of a type, of everything, the newest first.

Whether a version may be seen is decided on the label that the resource has now: what is hidden today is hidden in all
its past, and what was shown yesterday does not stay open for it.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from heapq import merge
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from psycopg import sql

from ambroise.fhir.definitions import type_name, type_number
from ambroise.fhir.store.entries import shown
from ambroise.fhir.store.keys import key_of
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.rows import columns, stored
from ambroise.fhir.store.statements import flat
from ambroise.fhir.store.types import Scope, ScopeBuilder, ScopeFor, ScopeRow, Stored
from ambroise.kernel.db import Reader, Row
from ambroise.kernel.ids import shard_of

_PURPOSE: Final = "history"
_BEGINNING: Final = "-infinity"

# The types that are there, each found by one step through an index.
_TYPES: Final = sql.SQL(
    "with recursive present as ((select type from resource order by type limit 1) union all"
    " select (select r.type from resource r where r.type > present.type order by r.type limit 1)"
    " from present where present.type is not null) select type from present where type is not null"
)


class HistoryPage(msgspec.Struct, frozen=True):
    """Versions, the newest first, and where the next page starts."""

    entries: list[Stored]
    next_cursor: str | None


class _Asked(msgspec.Struct, frozen=True):
    """What a page is of, and where it starts: before (updated, id, version)."""

    type: str | None
    id: str | None
    since: str
    count: int
    before: tuple[str, str, int] | None = None


async def history(
    reader: Reader,
    scope_for: ScopeFor,
    *,
    pages: PageSeal,
    type: str | None = None,
    id: str | None = None,
    since: datetime | None = None,
    count: int = 50,
    cursor: str | None = None,
) -> HistoryPage:
    """A page of versions of one resource, of a type, or of everything; with a cursor, the page that it stands for.

    Empty when nothing was ever stored there, or nothing that the scope admits.
    """
    asked = _Asked(type, id, shown(since).isoformat() if since else _BEGINNING, count)
    if cursor is not None:
        asked = msgspec.convert(pages.open(_PURPOSE, cursor), _Asked)
    key = None
    if asked.id is not None and asked.type is not None:
        key = await key_of(reader, asked.type, asked.id)
        if key is None:
            return HistoryPage([], None)
    types = [asked.type] if asked.type is not None else await _present_types(reader)
    found = [await _versions(reader, scope_for(each, None), each, key, asked) for each in types]
    rows = list(merge(*found, key=_place, reverse=True))[: asked.count + 1]
    return HistoryPage([stored(row) for row in rows[: asked.count]], _next(asked, rows, pages))


def _next(asked: _Asked, rows: Sequence[Row], pages: PageSeal) -> str | None:
    if len(rows) <= asked.count or asked.count == 0:
        return None
    updated, id, version = _place(rows[asked.count - 1])
    before = (updated.isoformat(), str(id), version)
    return pages.seal(_PURPOSE, msgspec.to_builtins(msgspec.structs.replace(asked, before=before)))


def _place(row: Row) -> tuple[datetime, UUID, int]:
    return row[4], row[1], row[3]


async def _present_types(reader: Reader) -> list[str]:
    return [type_name(number) for (number,) in await reader.fetch_all(_TYPES)]


async def _versions(reader: Reader, scope: Scope, type: str, key: UUID | None, asked: _Asked) -> list[Row]:
    values: dict[str, Any] = scope.bound() | {
        "type": type_number(type),
        "since": asked.since,
        "limit": asked.count + 1,
    }
    if key is not None:
        values |= {"id": key, "shard": shard_of(key)}
    if asked.before is not None:
        values |= dict(zip(("before", "before_id", "before_version"), asked.before, strict=True))
    statement = _statement(scope.build, one=key is not None, further=asked.before is not None)
    return await reader.fetch_all(statement, values)


@lru_cache(256)
def _statement(build: ScopeBuilder, *, one: bool, further: bool) -> sql.SQL:
    past = sql.SQL("resource_history v join resource r on r.shard = v.shard and r.type = v.type and r.id = v.id")
    return flat(
        sql.SQL("select * from (")
        + _versions_from(sql.SQL("resource v"), "v", build, one=one, further=further)
        + sql.SQL(" union all ")
        + _versions_from(past, "r", build, one=one, further=further)
        + sql.SQL(") x order by updated desc, id desc, version desc limit %(limit)s")
    )


def _versions_from(
    tables: sql.Composable, present: LiteralString, build: ScopeBuilder, *, one: bool, further: bool
) -> sql.Composed:
    """The versions `v` in these tables, where the scope admits the row that is `present`."""
    parts: list[sql.Composable] = [sql.SQL("v.type = %(type)s"), sql.SQL("v.updated >= %(since)s::timestamptz")]
    if one:
        parts += [sql.SQL("v.shard = %(shard)s"), sql.SQL("v.id = %(id)s")]
    if further:
        parts.append(
            sql.SQL("(v.updated, v.id, v.version) < (%(before)s::timestamptz, %(before_id)s::uuid, %(before_version)s)")
        )
    parts.append(sql.SQL("(") + build(ScopeRow(present, "scope_")) + sql.SQL(")"))
    return (
        sql.SQL("(select ")
        + columns("v")
        + sql.SQL(" from ")
        + tables
        + sql.SQL(" where ")
        + sql.SQL(" and ").join(parts)
        + sql.SQL(" order by v.updated desc, v.id desc, v.version desc limit %(limit)s)")
    )
