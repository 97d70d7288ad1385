"""Reading by id: the present version, a past one, the label alone."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.entries import array
from ambroise.fhir.store.keys import as_key, slot_of
from ambroise.fhir.store.rows import COLUMNS, columns, opened, peeked, peeked_columns, stored
from ambroise.fhir.store.rows import closed as rows_to_closed
from ambroise.fhir.store.statements import flat
from ambroise.fhir.store.types import Closed, Peeked, Permit, Scope, ScopeBuilder, ScopeRow, Stored
from ambroise.fhir.store.writing import check
from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of

_STATEMENTS: Final = 256

_AT_KEY: Final = sql.SQL("r.shard = %(shard)s and r.type = %(type)s and r.id = %(id)s")
_NAMED: Final = sql.SQL(
    "named_id n join resource r on r.shard = n.shard and r.type = n.type and r.id = n.id"
    " where n.slot = %(slot)s and n.type = %(type)s and n.name = %(name)s"
)


async def read(reader: Reader, scope: Scope, type: str, id: str) -> Stored | None:
    """The present version of what `id` names, deleted or not, if the scope admits it. One round trip if it is there."""
    values = scope.bound()
    key = as_key(id)
    if key is not None:
        row = await reader.fetch_one(_read_by_key(scope.build), _at_key(values, type, key))
        if row is not None:
            return stored(row)
    row = await reader.fetch_one(_read_by_name(scope.build), _at_name(values, type, id))
    return None if row is None else stored(row)


async def read_keys(reader: Reader, scope: Scope, type: str, keys: list[UUID]) -> list[Stored]:
    """The present versions behind several keys of one type, in no order; what the scope does not admit is left out."""
    if not keys:
        return []
    values = scope.bound() | {"type": type_number(type), "keys": keys, "shards": list({shard_of(key) for key in keys})}
    return [stored(row) for row in await reader.fetch_all(_read_many(scope.build), values)]


async def vread(reader: Reader, scope: Scope, type: str, id: str, version: int) -> Stored | None:
    """One version of what `id` names. Whether it may be seen is decided on the present label, not on the old one."""
    values = scope.bound() | {"version": version}
    key = as_key(id)
    if key is not None:
        row = await reader.fetch_one(_vread_by_key(scope.build), _at_key(values, type, key))
        if row is not None:
            return stored(row)
    row = await reader.fetch_one(_vread_by_name(scope.build), _at_name(values, type, id))
    return None if row is None else stored(row)


async def peek(reader: Reader, permit: Permit, type: str, id: str) -> Peeked | None:
    """What access is decided on, whoever may see it. For the gateway: to decide on a write, or to explain a miss."""
    return await _peek(reader, permit, type, id, _PEEK_BY_KEY, _PEEK_BY_NAME)


def many(permit: Permit, asked: Sequence[tuple[str, UUID]]) -> tuple[sql.SQL, Sequence[Any]]:
    """The statement that finds what is behind several keys at once, for `closed`: for the gateway, to decide on it."""
    return _MANY, (
        array([shard_of(key) for _, key in asked]),
        array([type_number(type) for type, _ in asked]),
        array([key for _, key in asked]),
        len(asked),
    )


def closed(rows: Sequence[Row], asked: Sequence[tuple[str, UUID]]) -> list[Closed | None]:
    """What `many` found, in the order of what was asked; None where there is nothing."""
    found = {(one.peeked.type, one.peeked.key): one for one in map(rows_to_closed, rows)}
    return [found.get(one) for one in asked]


def open_with(permit: Permit, closed: Closed) -> Stored:
    """The resource, for who was permitted to see it."""
    if permit.action != "read":
        raise ValueError("only a permit to read opens a resource")
    check(permit, closed.peeked.label.patient)
    return opened(closed)


async def lock(tx: Transaction, permit: Permit, type: str, id: str) -> Peeked | None:
    """The same, keeping others from changing it until the transaction ends."""
    return await _peek(tx, permit, type, id, _LOCK_BY_KEY, _LOCK_BY_NAME)


async def _peek(reader: Reader, permit: Permit, type: str, id: str, by_key: sql.SQL, by_name: sql.SQL) -> Peeked | None:
    key = as_key(id)
    row: Row | None = None
    if key is not None:
        row = await reader.fetch_one(by_key, _at_key({}, type, key))
    if row is None:
        row = await reader.fetch_one(by_name, _at_name({}, type, id))
    return None if row is None else peeked(row)


def _at_key(values: dict[str, Any], type: str, key: UUID) -> dict[str, Any]:
    values["shard"] = shard_of(key)
    values["type"] = type_number(type)
    values["id"] = key
    return values


def _at_name(values: dict[str, Any], type: str, name: str) -> dict[str, Any]:
    values["slot"] = slot_of(type, name)
    values["type"] = type_number(type)
    values["name"] = name
    return values


def _admitted(build: ScopeBuilder) -> sql.Composed:
    return sql.SQL(" and (") + build(ScopeRow("r", "scope_")) + sql.SQL(")")


@lru_cache(_STATEMENTS)
def _read_by_key(build: ScopeBuilder) -> sql.SQL:
    return flat(sql.SQL("select ") + columns("r") + sql.SQL(" from resource r where ") + _AT_KEY + _admitted(build))


@lru_cache(_STATEMENTS)
def _read_by_name(build: ScopeBuilder) -> sql.SQL:
    return flat(sql.SQL("select ") + columns("r") + sql.SQL(" from ") + _NAMED + _admitted(build))


@lru_cache(_STATEMENTS)
def _read_many(build: ScopeBuilder) -> sql.SQL:
    where = sql.SQL(
        " from resource r where r.shard = any(%(shards)s::smallint[]) and r.type = %(type)s and r.id = any(%(keys)s)"
    )
    return flat(sql.SQL("select ") + columns("r") + where + _admitted(build))


@lru_cache(_STATEMENTS)
def _vread_by_key(build: ScopeBuilder) -> sql.SQL:
    past = sql.SQL(
        " from resource r join resource_history h on h.shard = r.shard and h.type = r.type and h.id = r.id"
        " where h.shard = %(shard)s and h.type = %(type)s and h.id = %(id)s and h.version = %(version)s and "
    )
    return flat(
        sql.SQL("select ")
        + columns("r")
        + sql.SQL(" from resource r where ")
        + _AT_KEY
        + sql.SQL(" and r.version = %(version)s")
        + _admitted(build)
        + sql.SQL(" union all select ")
        + columns("h")
        + past
        + _AT_KEY
        + _admitted(build)
    )


@lru_cache(_STATEMENTS)
def _vread_by_name(build: ScopeBuilder) -> sql.SQL:
    past = sql.SQL(" join resource_history h on h.shard = r.shard and h.type = r.type and h.id = r.id where ")
    return flat(
        sql.SQL("select ")
        + columns("r")
        + sql.SQL(" from ")
        + _NAMED
        + sql.SQL(" and r.version = %(version)s")
        + _admitted(build)
        + sql.SQL(" union all select ")
        + columns("h")
        + sql.SQL(" from named_id n join resource r on r.shard = n.shard and r.type = n.type and r.id = n.id")
        + past
        + sql.SQL("n.slot = %(slot)s and n.type = %(type)s and n.name = %(name)s and h.version = %(version)s")
        + _admitted(build)
    )


# The limit is the number of keys: it cuts nothing, and hides their number from the planner, so that one plan does.
_MANY: Final = sql.SQL(
    f"select {COLUMNS} from (select * from unnest(%s::smallint[], %s::smallint[], %s::uuid[]) as x (shard, type, id)"
    " limit %s) asked join resource r on r.shard = asked.shard and r.type = asked.type and r.id = asked.id"
)
_PEEK_BY_KEY: Final = flat(sql.SQL("select ") + peeked_columns("r") + sql.SQL(" from resource r where ") + _AT_KEY)
_PEEK_BY_NAME: Final = flat(sql.SQL("select ") + peeked_columns("r") + sql.SQL(" from ") + _NAMED)
_FOR_UPDATE: Final = sql.SQL(" for update of r")
_LOCK_BY_KEY: Final = flat(_PEEK_BY_KEY + _FOR_UPDATE)
_LOCK_BY_NAME: Final = flat(_PEEK_BY_NAME + _FOR_UPDATE)
