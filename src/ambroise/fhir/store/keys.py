"""Keys and logical ids. A server-made id is the key itself and carries its shard; a client's id is a name for a key."""

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from psycopg.sql import SQL

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.types import Label
from ambroise.kernel.db import Reader
from ambroise.kernel.ids import SHARDS, hash64, new_id, shard_of

_KEY: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

_LOOK_UP: Final = SQL("select id from named_id where slot = %s and type = %s and name = %s")

_LOOK_UP_MANY: Final = SQL(
    "select n.name, n.id from unnest(%s::smallint[], %s::text[]) as asked (slot, name)"
    " join named_id n on n.slot = asked.slot and n.name = asked.name where n.type = %s"
)


def new_key(patient: UUID | None = None) -> UUID:
    """A fresh key: beside its patient's rows when it belongs to one, anywhere otherwise."""
    return new_id(None if patient is None else shard_of(patient))


def as_key(id: str) -> UUID | None:
    """The key that `id` is, if it has the form of one (a lower-case UUIDv7)."""
    return UUID(int=int(id.replace("-", ""), 16)) if _KEY.fullmatch(id) else None


def id_of(key: UUID) -> str:
    """The logical id that a key is: what `str` gives, in a third of the time."""
    digits = f"{key.int:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def slot_of(type: str, name: str) -> int:
    """The shard where a client's id is looked up."""
    return hash64(f"{type}/{name}") % SHARDS


async def key_of(reader: Reader, type: str, id: str) -> UUID | None:
    """The key behind a logical id, whether or not anything is stored there; None for a name nobody gave."""
    named = await name_key(reader, type, id)
    return named if named is not None else as_key(id)


async def name_key(reader: Reader, type: str, name: str) -> UUID | None:
    """The key behind an id that a client chose."""
    return await reader.fetch_value(_LOOK_UP, (slot_of(type, name), type_number(type), name))


async def name_keys(reader: Reader, type: str, names: Sequence[str]) -> dict[str, UUID]:
    """The keys behind several ids that clients chose; those nobody gave are left out."""
    slots = [slot_of(type, name) for name in names]
    rows = await reader.fetch_all(_LOOK_UP_MANY, (slots, list(names), type_number(type)))
    return dict(rows)


def shard_for(key: UUID, label: Label) -> int:
    """The shard of a row. Raises ValueError when the key was not made beside its patient's rows."""
    shard = shard_of(key)
    if label.patient is not None and shard_of(label.patient) != shard:
        raise ValueError(
            "the key of a resource in a patient's record carries that patient's shard: use new_key(patient)"
        )
    return shard
