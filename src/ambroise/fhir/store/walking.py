"""Going through all that a record holds, type after type, however much there is."""

from typing import Final
from uuid import UUID

from psycopg import sql

from ambroise.fhir.definitions import type_name, type_number
from ambroise.fhir.store.statements import flat
from ambroise.fhir.store.types import Flags, Permit, Scope
from ambroise.fhir.store.writing import check
from ambroise.kernel.db import Reader
from ambroise.kernel.ids import shard_of

# The keys alone are sorted, on the index of the record: bodies are fetched for one page only, by `read_keys`.
_KEYS: Final = sql.SQL("""
    with mine as materialized (
      select r.id
      from resource r
      where r.shard = %(shard)s and r.patient = %(patient)s and r.type = %(type)s and not r.deleted
        and (%(after)s::uuid is null or r.id > %(after)s::uuid)
    )
    select id
    from mine
    order by id
    limit %(count)s
""")


async def keys_after(
    reader: Reader, permit: Permit, patient: UUID, type: str, after: UUID | None, count: int
) -> list[UUID]:
    """The next keys of a record's resources of one type, whoever may see them: for the gateway, to read them then."""
    check(permit, patient)
    rows = await reader.fetch_all(
        flat(_KEYS),
        {"shard": shard_of(patient), "patient": patient, "type": type_number(type), "after": after, "count": count},
    )
    return [key for (key,) in rows]


async def keys_flagged(reader: Reader, permit: Permit, patient: UUID, flags: Flags) -> list[UUID]:
    """The keys of a record's resources that have one of these flags, gone ones too: for the gateway, to hide them."""
    check(permit, patient)
    rows = await reader.fetch_all(
        "select id from resource where shard = %s and patient = %s and flags & %s <> 0",
        (shard_of(patient), patient, int(flags)),
    )
    return [key for (key,) in rows]


async def count_by_type(reader: Reader, scope: Scope, patient: UUID) -> dict[str, int]:
    """How many resources of each type the scope shows in a record."""
    statement = flat(
        sql.SQL(
            "select r.type, count(*) from resource r"
            " where r.shard = %(shard)s and r.patient = %(patient)s and not r.deleted and "
        )
        + scope.predicate()
        + sql.SQL(" group by r.type")
    )
    rows = await reader.fetch_all(statement, scope.bound() | {"shard": shard_of(patient), "patient": patient})
    return dict(sorted((type_name(number), count) for number, count in rows))
