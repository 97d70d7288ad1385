"""What goes into the tables for one resource: the body with its id and meta inside, and the index values."""

from collections.abc import Sequence
from datetime import UTC, datetime
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
    updated = shown(now)
    id = str(key) if name is None else name
    body = json.encode(with_meta(resource, id, version, updated))
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
    meta: dict[str, Any] = {
        **(resource.get("meta") or {}),
        "versionId": str(version),
        "lastUpdated": instant(updated),
    }
    # The type, the id and the meta come first, as people expect to read them.
    return {"resourceType": resource["resourceType"], "id": id, "meta": meta} | {
        name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")
    }


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
        "texts": [row[1] for row in rows],
        "originals": [row[2] for row in rows],
    }


def array(values: Any) -> str:
    """A PostgreSQL array of numbers, written out: cheaper than having the driver adapt each of them."""
    return "{" + ",".join(map(str, values)) + "}"


def date_text(moment: datetime | None) -> str:
    """A timestamp as PostgreSQL reads it; -infinity for none and for the beginning of time."""
    if moment is None or moment <= EARLIEST:
        return "-infinity"
    return "infinity" if moment >= LATEST else moment.isoformat()
