"""From rows to stored resources: the columns that every reading statement selects, in this order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import sql

from ambroise.fhir.definitions import type_name
from ambroise.fhir.store.codec import unpack
from ambroise.fhir.store.keys import id_of
from ambroise.fhir.store.types import Closed, Label, Peeked, Stored, flags_of

_PEEKED: Final = (
    "type",
    "id",
    "name",
    "version",
    "updated",
    "deleted",
    "patient",
    "kind",
    "flags",
    "author",
    "author_organization",
    "source",
)


WIDTH: Final = len(_PEEKED) + 1
"""How many columns `stored` reads."""

COLUMNS: Final[LiteralString] = (
    "r.type, r.id, r.name, r.version, r.updated, r.deleted, r.patient, r.kind, r.flags,"
    " r.author, r.author_organization, r.source, r.body"
)
"""The columns of `stored` for the row `r`, written out."""


def columns(alias: str) -> sql.Composed:
    """The columns of `stored`."""
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in (*_PEEKED, "body"))


def peeked_columns(alias: str) -> sql.Composed:
    """The columns of `peeked`."""
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in _PEEKED)


def stored(row: Sequence[Any]) -> Stored:
    """The resource in a row that starts with `columns`."""
    type: int
    key: UUID
    name: str | None
    version: int
    updated: datetime
    deleted: bool
    type, key, name, version, updated, deleted, patient, kind, flags, author, organization, source, body = row[:13]
    return Stored(
        type_name(type),
        id_of(key) if name is None else name,
        key,
        version,
        updated,
        deleted,
        Label(patient, kind, flags_of(flags), author, organization, source),
        unpack(body),
    )


def closed(row: Sequence[Any]) -> Closed:
    """The same with the body as it lies there."""
    return Closed(peeked(row), row[12])


def opened(closed: Closed) -> Stored:
    """The same once its content may be seen."""
    one = closed.peeked
    return Stored(one.type, one.id, one.key, one.version, one.updated, one.deleted, one.label, unpack(closed.packed))


def peeked(row: Sequence[Any]) -> Peeked:
    """The same without the body."""
    type, key, name, version, updated, deleted, patient, kind, flags, author, organization, source = row[:12]
    return Peeked(
        type_name(type),
        id_of(key) if name is None else name,
        key,
        version,
        updated,
        deleted,
        Label(patient, kind, flags_of(flags), author, organization, source),
    )
