"""Writing: create, update, delete, each in one statement."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import sql
from psycopg.errors import UniqueViolation

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.entries import (
    Entry,
    entry,
    range_values,
    ranges_of_many,
    resource_values,
    rows_of_many,
    shown,
    text_values,
    texts_of_many,
)
from ambroise.fhir.store.keys import as_key, new_key, slot_of
from ambroise.fhir.store.types import Label, Peeked, Permit, Stored
from ambroise.fhir.store.write_statements import DELETE, INSERTS, INSERTS_OF_MANY, UPDATE
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import shard_of


async def insert(
    tx: Transaction,
    permit: Permit,
    resource: dict[str, Any],
    label: Label,
    *,
    now: datetime,
    key: UUID | None = None,
    id: str | None = None,
) -> Stored:
    """Store the first version of a valid resource.

    `key` is one made before with `new_key`; `id` is one that the client chose. A Patient belongs to its own record.
    Without an `id` it leaves with the next statement of the transaction. Refuses an `id` that is taken (ID_TAKEN).
    """
    key = key or _chosen_key(resource, label, id) or new_key(label.patient)
    label = owned(resource, label, key)
    check(permit, label.patient)
    made = entry(resource, label, key, None if id == str(key) else id, 1, now)
    if id is None:
        # Nobody else can have this key: there is no answer to wait for.
        tx.enqueue_row(insertion, made)
        return made.stored
    try:
        written = await tx.execute(*insertion([made]))
    except UniqueViolation:
        written = 0
    if not written:
        raise Refusal(Kind.CONFLICT, "ID_TAKEN", f"{made.stored.type}/{made.stored.id} exists already; update it.")
    return made.stored


def _chosen_key(resource: dict[str, Any], label: Label, id: str | None) -> UUID | None:
    """The client's id itself where it has the form of a key and lies where the row belongs; a Patient's always does."""
    key = None if id is None else as_key(id)
    if key is None or label.patient is None or resource["resourceType"] == "Patient":
        return key
    return key if shard_of(key) == shard_of(label.patient) else None


async def update(
    tx: Transaction,
    permit: Permit,
    current: Peeked,
    resource: dict[str, Any],
    label: Label,
    *,
    now: datetime,
    if_match: int | None = None,
) -> Stored:
    """Store the next version; the present one goes to the history. Brings a deleted resource back.

    `current` comes from `lock` in this transaction. Refuses when the version is not the one that the client expects
    (VERSION_MISMATCH) or when it changed since `current` was read (VERSION_CONFLICT).
    """
    check(permit, label.patient)
    check(permit, current.label.patient)
    expect(current, if_match)
    name = None if current.id == str(current.key) else current.id
    made = entry(resource, label, current.key, name, current.version + 1, now)
    if await tx.execute(UPDATE, values_of(made) | {"previous": current.version}) == 0:
        raise _changed(current)
    return made.stored


async def delete(
    tx: Transaction, permit: Permit, current: Peeked, *, now: datetime, if_match: int | None = None
) -> Peeked:
    """Leave a tombstone: the content goes to the history, the index entries go away. Deleting twice changes nothing."""
    check(permit, current.label.patient)
    expect(current, if_match)
    if current.deleted:
        return current
    gone = msgspec.structs.replace(
        current,
        version=current.version + 1,
        deleted=True,
        updated=shown(now),
    )
    values = {**at(current), "previous": current.version, "version": gone.version, "updated": gone.updated}
    if await tx.execute(DELETE, values) == 0:
        raise _changed(current)
    return gone


def owned(resource: dict[str, Any], label: Label, key: UUID) -> Label:
    """The label, knowing that a Patient belongs to its own record."""
    if resource["resourceType"] == "Patient" and label.patient is None:
        return msgspec.structs.replace(label, patient=key)
    return label


def check(permit: Permit, patient: UUID | None) -> None:
    """Catch a caller who acts on a record with a permit for another one: a fault, hence ValueError."""
    if permit.patient is not None and permit.patient != patient:
        raise ValueError("this permit is for another patient's record")


def expect(current: Peeked, if_match: int | None) -> None:
    """Refuse when the client thinks of another version."""
    if if_match is not None and if_match != current.version:
        raise Refusal(
            Kind.PRECONDITION_FAILED,
            "VERSION_MISMATCH",
            f"{current.type}/{current.id} is at version {current.version}, not {if_match}; read it again first.",
        )


def _changed(current: Peeked) -> Refusal:
    return Refusal(
        Kind.CONFLICT,
        "VERSION_CONFLICT",
        f"{current.type}/{current.id} was changed by somebody else at the same time; read it again, then redo it.",
    )


def at(current: Peeked) -> dict[str, Any]:
    """The place of a row."""
    return {"shard": shard_of(current.key), "type": type_number(current.type), "id": current.key}


def values_of(made: Entry) -> dict[str, Any]:
    """Every parameter that the statements for this entry take."""
    values = resource_values(made)
    if made.indexed.ranges or made.stored.version > 1:
        values |= range_values(made.indexed.ranges)
    if made.indexed.texts or made.stored.version > 1:
        values |= text_values(made.indexed.texts)
    if made.name is not None:
        values["slot"] = slot_of(made.stored.type, made.name)
    return values


def insertion(entries: list[Entry]) -> tuple[sql.SQL, dict[str, Any]]:
    """The statement that stores first versions. Several have no names that clients chose."""
    if len(entries) == 1:
        # Columns cost less than arrays of one.
        (made,) = entries
        return INSERTS[bool(made.indexed.ranges), bool(made.indexed.texts), made.name is not None], values_of(made)
    ranges = any(made.indexed.ranges for made in entries)
    texts = any(made.indexed.texts for made in entries)
    values = rows_of_many(entries)
    if ranges:
        values |= ranges_of_many(entries)
    if texts:
        values |= texts_of_many(entries)
    return INSERTS_OF_MANY[ranges, texts], values
