"""Index columns and rows made again from the bodies, for when the way of indexing changes. Safe to stop and go on."""

from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import sql

from ambroise.fhir import json
from ambroise.fhir.store import terms
from ambroise.fhir.store.entries import array, date_text, range_values, text_values
from ambroise.fhir.store.index import index
from ambroise.fhir.store.rows import COLUMNS, stored
from ambroise.fhir.store.types import Permit, Stored
from ambroise.fhir.store.write_statements import REINDEX
from ambroise.kernel.db import Transaction
from ambroise.kernel.ids import shard_of

_NEXT: Final = sql.SQL(
    "select " + COLUMNS + " from resource r where (r.shard, r.type, r.id) > (%s, %s, %s)"
    " order by r.shard, r.type, r.id limit %s for update"
)


class Place(msgspec.Struct, frozen=True):
    """Where a rebuild has got to."""

    shard: int = -1
    type: int = 0
    id: UUID = UUID(int=0)


async def rebuild(tx: Transaction, permit: Permit, start: Place, *, count: int = 500) -> Place | None:
    """Index again the next resources after `start`; where to go on, None at the end. One transaction a step."""
    rows = await tx.fetch_all(_NEXT, (start.shard, start.type, start.id, count))
    for row in rows:
        if not row[5]:
            await tx.execute(REINDEX, _values(stored(row), row[0]))
    if len(rows) < count:
        return None
    last = rows[-1]
    return Place(shard_of(last[1]), last[0], last[1])


def _values(resource: Stored, type: int) -> dict[str, Any]:
    indexed = index(json.decode(resource.body))
    return {
        "shard": shard_of(resource.key),
        "type": type,
        "id": resource.key,
        "date_low": date_text(indexed.date_low),
        "date_high": date_text(indexed.date_high),
        "handle": terms.handle(f"{resource.type}/{resource.id}"),
        "terms": array(indexed.terms),
        "present": array(indexed.present),
        "displays": indexed.displays,
        **range_values(indexed.ranges),
        **text_values(indexed.texts),
    }
