"""What goes into the tables for one resource: the body with its id and meta inside, and the index values."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from typing import Any
from uuid import UUID

import msgspec

from ambroise.fhir import json
from ambroise.fhir.definitions import type_number
from ambroise.fhir.store import terms
from ambroise.fhir.store.codec import pack
from ambroise.fhir.store.index import EARLIEST, LATEST, Indexed, RangeRow, TextRow, index
from ambroise.fhir.store.keys import shard_for
from ambroise.fhir.store.types import Label, Stored


class Entry(msgspec.Struct, frozen=True):
    """One version of one resource, ready to be written."""

    stored: Stored
    shard: int
    type: int
    name: str | None
    handle: int
    packed: bytes
    indexed: Indexed


def entry(resource: dict[str, Any], label: Label, key: UUID, name: str | None, version: int, now: datetime) -> Entry:
    """Encode and index one version. `now` is kept to the millisecond, which is what `meta.lastUpdated` shows."""
    type = resource["resourceType"]
    updated, text = _shown(now)
    id = str(key) if name is None else name
    body = json.encode(_with_meta(resource, id, version, text))
    return Entry(
        stored=Stored(type, id, key, version, updated, False, label, body),
        shard=shard_for(key, label),
        type=type_number(type),
        name=name,
        handle=terms.handle(f"{type}/{id}"),
        packed=pack(body),
        indexed=index(resource),
    )


def with_meta(resource: dict[str, Any], id: str, version: int, updated: datetime) -> dict[str, Any]:
    """The resource as it is shown, with its id and what the server says of it in `meta`; `resource` is not changed."""
    return _with_meta(resource, id, version, instant(updated))


def _with_meta(resource: dict[str, Any], id: str, version: int, updated: str) -> dict[str, Any]:
    meta: dict[str, Any] = {**(resource.get("meta") or {}), "versionId": str(version), "lastUpdated": updated}
    # The type, the id and the meta come first, as people expect to read them.
    return {"resourceType": resource["resourceType"], "id": id, "meta": meta} | {
        name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")
    }


@lru_cache(16)
def _shown(moment: datetime) -> tuple[datetime, str]:
    """The moment as `meta.lastUpdated` shows it, and that text: what is loaded together is of one instant."""
    updated = shown(moment)
    return updated, instant(updated)


def shown(moment: datetime) -> datetime:
    """The moment as precisely as `meta.lastUpdated` shows it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def resource_values(entry: Entry) -> dict[str, Any]:
    """The columns of the resource row, as statement parameters."""
    stored, label, indexed = entry.stored, entry.stored.label, entry.indexed
    return {
        "shard": entry.shard,
        "type": entry.type,
        "id": stored.key,
        "name": entry.name,
        "version": stored.version,
        "updated": stored.updated,
        "patient": label.patient,
        "kind": label.kind,
        "flags": int(label.flags),
        "author": label.author,
        "author_organization": label.author_organization,
        "source": label.source,
        "date_low": date_text(indexed.date_low),
        "date_high": date_text(indexed.date_high),
        "handle": entry.handle,
        "terms": array(indexed.terms),
        "present": array(indexed.present),
        "displays": indexed.displays,
        "body": entry.packed,
    }


def range_values(rows: Sequence[RangeRow]) -> dict[str, Any]:
    """The rows of `resource_range` as arrays, one a column."""
    return {
        "range_parameters": array(row[0] for row in rows),
        "range_lows": array(row[1] for row in rows),
        "range_highs": array(row[2] for row in rows),
        "range_units": array("null" if row[3] is None else f'"{array(row[3])}"' for row in rows),
    }


def text_values(rows: Sequence[TextRow]) -> dict[str, Any]:
    """The rows of `resource_text` as arrays, one a column."""
    return {
        "text_parameters": array(row[0] for row in rows),
        "texts": text_array(row[1] for row in rows),
        "originals": text_array(row[2] for row in rows),
    }


def rows_of_many(entries: Sequence[Entry]) -> dict[str, Any]:
    """The rows of several resources as arrays, one a column; the bodies one after the other."""
    stored = [entry.stored for entry in entries]
    labels = [one.label for one in stored]
    indexed = [entry.indexed for entry in entries]
    sizes = [len(entry.packed) for entry in entries]
    return {
        "shard": array([entry.shard for entry in entries]),
        "type": array([entry.type for entry in entries]),
        "id": array(map(key_text, entries)),
        "name": text_array([entry.name for entry in entries]),
        "version": array([one.version for one in stored]),
        "updated": array([one.updated.isoformat() for one in stored]),
        "patient": array([label.patient or "null" for label in labels]),
        "kind": array([label.kind for label in labels]),
        "flags": array([int(label.flags) for label in labels]),
        "author": array([label.author for label in labels]),
        "author_organization": array([label.author_organization for label in labels]),
        "source": array([label.source or "null" for label in labels]),
        "date_low": array([date_text(one.date_low) for one in indexed]),
        "date_high": array([date_text(one.date_high) for one in indexed]),
        "handle": array([entry.handle for entry in entries]),
        "terms": array([f'"{array(one.terms)}"' for one in indexed]),
        "present": array([f'"{array(one.present)}"' for one in indexed]),
        "displays": text_array([one.displays for one in indexed]),
        "start": array(accumulate(sizes[:-1], initial=1)),
        "size": array(sizes),
        "bodies": b"".join(entry.packed for entry in entries),
    }


def ranges_of_many(entries: Sequence[Entry]) -> dict[str, Any]:
    """The rows of `resource_range` of several resources."""
    rows = [(entry, row) for entry in entries for row in entry.indexed.ranges]
    return {
        "range_shards": array([entry.shard for entry, _ in rows]),
        "range_ids": array([key_text(entry) for entry, _ in rows]),
        **range_values([row for _, row in rows]),
    }


def texts_of_many(entries: Sequence[Entry]) -> dict[str, Any]:
    """The rows of `resource_text` of several resources."""
    rows = [(entry, row) for entry in entries for row in entry.indexed.texts]
    return {
        "text_shards": array([entry.shard for entry, _ in rows]),
        "text_ids": array([key_text(entry) for entry, _ in rows]),
        **text_values([row for _, row in rows]),
    }


def key_text(entry: Entry) -> str:
    """The key, written: it is the id, unless a client chose another."""
    return entry.stored.id if entry.name is None else str(entry.stored.key)


def array(values: Any) -> str:
    """A PostgreSQL array of what needs no quotes, written out: cheaper than having the driver adapt each value."""
    return "{" + ",".join(map(str, values)) + "}"


def text_array(values: Iterable[str | None]) -> str:
    """A PostgreSQL array of texts, or nulls, written out."""
    return "{" + ",".join("null" if value is None else _quoted(value) for value in values) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def date_text(moment: datetime | None) -> str:
    """A timestamp as PostgreSQL reads it; -infinity for none and for the beginning of time."""
    if moment is None or moment <= EARLIEST:
        return "-infinity"
    return "infinity" if moment >= LATEST else moment.isoformat()
