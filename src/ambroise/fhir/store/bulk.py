"""Loading many resources at once: the same rows as one by one, through COPY."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import sql

from ambroise.fhir.store.entries import Entry, array, date_text, entry, key_text
from ambroise.fhir.store.keys import as_key, new_key, slot_of
from ambroise.fhir.store.types import Label, Permit
from ambroise.fhir.store.writing import check, owned
from ambroise.kernel.db import Transaction

_CHUNK: Final = 500
_NULL: Final = "\\N"
_SPECIAL: Final = re.compile(r"[\\\t\n\r]")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

_INTO_RESOURCE: Final = sql.SQL(
    "copy resource (shard, type, id, name, version, updated, patient, kind, flags, author, author_organization, source,"
    " date_low, date_high, handle, terms, present, displays, body) from stdin"
)
_INTO_RANGE: Final = sql.SQL("copy resource_range (shard, parameter, id, low, high, units) from stdin")
_INTO_TEXT: Final = sql.SQL("copy resource_text (shard, parameter, id, text, original) from stdin")
_INTO_NAME: Final = sql.SQL("copy named_id (slot, type, name, shard, id) from stdin")


class Draft(msgspec.Struct, frozen=True):
    """One resource to load: `key` made before with `new_key` if others refer to it, `id` if a client chose one."""

    resource: dict[str, Any]
    label: Label
    key: UUID | None = None
    id: str | None = None


async def bulk_insert(tx: Transaction, permit: Permit, drafts: Iterable[Draft], *, now: datetime) -> int:
    """Store first versions of valid resources; how many. An id that is taken fails the whole transaction."""
    loaded = 0
    chunk: list[Entry] = []
    for draft in drafts:
        chunk.append(_entry(permit, draft, now))
        if len(chunk) == _CHUNK:
            loaded += await _load(tx, chunk)
            chunk = []
    return loaded + await _load(tx, chunk)


def _entry(permit: Permit, draft: Draft, now: datetime) -> Entry:
    key = draft.key or (as_key(draft.id) if draft.id else None) or new_key(draft.label.patient)
    label = owned(draft.resource, draft.label, key)
    check(permit, label.patient)
    return entry(draft.resource, label, key, None if draft.id == str(key) else draft.id, 1, now)


async def _load(tx: Transaction, entries: Sequence[Entry]) -> int:
    if not entries:
        return 0
    await tx.copy_text(_INTO_RESOURCE, [_resource_line(each) for each in entries])
    await tx.copy_text(_INTO_RANGE, [line for each in entries for line in _range_lines(each)])
    await tx.copy_text(_INTO_TEXT, [line for each in entries for line in _text_lines(each)])
    await tx.copy_text(_INTO_NAME, [_name_line(each) for each in entries if each.name is not None])
    return len(entries)


def _resource_line(each: Entry) -> str:
    stored, label, indexed = each.stored, each.stored.label, each.indexed
    return (
        f"{each.shard}\t{each.type}\t{key_text(each)}\t{_text(each.name)}\t{stored.version}\t{_moment(stored.updated)}\t"
        f"{_patient(label.patient)}\t{label.kind}\t{int(label.flags)}\t{label.author}\t{label.author_organization}\t"
        f"{label.source or _NULL}\t{date_text(indexed.date_low)}\t{date_text(indexed.date_high)}\t{each.handle}\t"
        f"{array(indexed.terms)}\t{array(indexed.present)}\t{_text(indexed.displays)}\t\\\\x{each.packed.hex()}\n"
    )


def _range_lines(each: Entry) -> Iterable[str]:
    for parameter, low, high, units in each.indexed.ranges:
        written = _NULL if units is None else array(units)
        yield f"{each.shard}\t{parameter}\t{key_text(each)}\t{low}\t{high}\t{written}\n"


def _text_lines(each: Entry) -> Iterable[str]:
    shard, key = each.shard, key_text(each)
    for parameter, text, original in each.indexed.texts:
        yield f"{shard}\t{parameter}\t{key}{_texts(text, original)}"


def _name_line(each: Entry) -> str:
    slot = slot_of(each.stored.type, each.name or "")
    return f"{slot}\t{each.type}\t{_text(each.name)}\t{each.shard}\t{each.stored.key}\n"


@lru_cache(64)
def _moment(moment: datetime) -> str:
    # Everything that is loaded together is of one instant.
    return moment.isoformat()


@lru_cache(4096)
def _patient(patient: UUID | None) -> str:
    return str(patient) if patient else _NULL


@lru_cache(16_384)
def _texts(text: str, original: str | None) -> str:
    # First names and towns come back all the time.
    return f"\t{_text(text)}\t{_text(original)}\n"


def _text(value: str | None) -> str:
    if value is None:
        return _NULL
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value
