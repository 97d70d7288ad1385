"""What concerns a whole document or a whole record: labels, purge."""

from typing import Final
from uuid import UUID

from psycopg import sql

from ambroise.fhir.definitions import type_name
from ambroise.fhir.store.types import NO_FLAGS, Flags, Permit
from ambroise.fhir.store.writing import check
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import shard_of

_RELABEL: Final = sql.SQL(
    "update resource r set flags = (r.flags & ~%(clear)s::integer) | %(set)s::integer,"
    " kind = coalesce(%(kind)s::integer, r.kind)"
    " where r.shard = %(shard)s and r.patient = %(patient)s and (r.id = %(id)s or r.source = %(id)s)"
)
# What hangs on the rows goes first: afterwards nothing tells which they were.
_PURGE: Final = (
    sql.SQL(
        "delete from resource_range x using resource r"
        " where r.shard = %(shard)s and r.patient = %(patient)s and x.shard = %(shard)s and x.id = r.id"
    ),
    sql.SQL(
        "delete from resource_text x using resource r"
        " where r.shard = %(shard)s and r.patient = %(patient)s and x.shard = %(shard)s and x.id = r.id"
    ),
    sql.SQL(
        "delete from named_id x using resource r"
        " where r.shard = %(shard)s and r.patient = %(patient)s and x.shard = %(shard)s and x.id = r.id"
    ),
    sql.SQL(
        "delete from resource_history x using resource r"
        " where r.shard = %(shard)s and r.patient = %(patient)s"
        " and x.shard = %(shard)s and x.type = r.type and x.id = r.id"
    ),
    sql.SQL("delete from resource r where r.shard = %(shard)s and r.patient = %(patient)s"),
)

_FOLLOWING: Final = """
    select type, id
    from resource
    where shard = %(shard)s and patient = %(patient)s and source = %(document)s and not deleted
    order by id
"""


async def relabel(
    tx: Transaction,
    permit: Permit,
    document: UUID,
    *,
    set: Flags = NO_FLAGS,
    clear: Flags = NO_FLAGS,
    kind: int | None = None,
) -> int:
    """Change the flags or the kind of a document and of everything extracted from it; how many rows that made.

    The content and the version stay as they are: a label says how the record treats a resource, not what it says.
    """
    return await tx.execute(
        _RELABEL,
        {
            "shard": shard_of(document),
            "patient": _patient(permit),
            "id": document,
            "set": int(set),
            "clear": int(clear),
            "kind": kind,
        },
    )


async def following(reader: Reader, permit: Permit, patient: UUID, document: UUID) -> dict[str, list[UUID]]:
    """The keys of what was extracted from a document, by type, whoever may see it: for the gateway, to read it then."""
    check(permit, patient)
    found: dict[str, list[UUID]] = {}
    values = {"shard": shard_of(patient), "patient": patient, "document": document}
    for type, key in await reader.fetch_all(_FOLLOWING, values):
        found.setdefault(type_name(type), []).append(key)
    return found


async def purge(tx: Transaction, permit: Permit) -> int:
    """Remove a whole record: rows, past versions, index entries, names; how many resources it held."""
    patient = _patient(permit)
    values = {"shard": shard_of(patient), "patient": patient}
    removed = 0
    for statement in _PURGE:
        removed = await tx.execute(statement, values)
    return removed


def _patient(permit: Permit) -> UUID:
    if permit.patient is None:
        raise ValueError("this takes a permit for one patient's record")
    return permit.patient
