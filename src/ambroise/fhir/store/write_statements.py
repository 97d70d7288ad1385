"""The statements that write: each keeps a row, its past versions and its index together."""

from typing import Final

from psycopg import sql

from ambroise.fhir.store.statements import flat

COLUMNS: Final = {
    "shard": "smallint",
    "type": "smallint",
    "id": "uuid",
    "name": "text",
    "version": "integer",
    "updated": "timestamptz",
    "patient": "uuid",
    "kind": "integer",
    "flags": "integer",
    "author": "bigint",
    "author_organization": "bigint",
    "source": "uuid",
    "date_low": "timestamptz",
    "date_high": "timestamptz",
    "handle": "bigint",
    "terms": "bigint[]",
    "present": "smallint[]",
    "displays": "text",
    "body": "bytea",
}
_KEPT: Final = sql.SQL(
    "shard, type, id, name, version, updated, deleted, patient, kind, flags, author, author_organization, source, body"
)
_AT: Final = sql.SQL("r.shard = %(shard)s and r.type = %(type)s and r.id = %(id)s")


_RANGES: Final = sql.SQL(
    "ranges as (insert into resource_range (shard, parameter, id, low, high, units)"
    " select %(shard)s::smallint, u.parameter, %(id)s::uuid, u.low, u.high, u.units::bigint[]"
    " from unnest(%(range_parameters)s::smallint[], %(range_lows)s::numeric[], %(range_highs)s::numeric[],"
    " %(range_units)s::text[]) u (parameter, low, high, units)"
)
_TEXTS: Final = sql.SQL(
    "texts as (insert into resource_text (shard, parameter, id, text, original)"
    " select %(shard)s::smallint, u.parameter, %(id)s::uuid, u.text, u.original"
    " from unnest(%(text_parameters)s::smallint[], %(texts)s::text[], %(originals)s::text[])"
    " u (parameter, text, original)"
)
_NAME: Final = sql.SQL(
    "named as (insert into named_id (slot, type, name, shard, id)"
    " values (%(slot)s, %(type)s, %(name)s, %(shard)s, %(id)s) on conflict do nothing returning id)"
)
_MANY_RANGES: Final = sql.SQL(
    "ranges as (insert into resource_range (shard, parameter, id, low, high, units)"
    " select u.shard, u.parameter, u.id, u.low, u.high, u.units::bigint[]"
    " from unnest(%(range_shards)s::smallint[], %(range_parameters)s::smallint[], %(range_ids)s::uuid[],"
    " %(range_lows)s::numeric[], %(range_highs)s::numeric[], %(range_units)s::text[])"
    " u (shard, parameter, id, low, high, units))"
)
_MANY_TEXTS: Final = sql.SQL(
    "texts as (insert into resource_text (shard, parameter, id, text, original)"
    " select u.shard, u.parameter, u.id, u.text, u.original"
    " from unnest(%(text_shards)s::smallint[], %(text_parameters)s::smallint[], %(text_ids)s::uuid[],"
    " %(texts)s::text[], %(originals)s::text[]) u (shard, parameter, id, text, original))"
)


def _insert_statement(ranges: bool, texts: bool, named: bool) -> sql.SQL:
    guard = sql.SQL(" where exists (select from named)") if named else sql.SQL("")
    before: list[sql.Composable] = [_NAME] if named else []
    if ranges:
        before.append(_RANGES + guard + sql.SQL(")"))
    if texts:
        before.append(_TEXTS + guard + sql.SQL(")"))
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    placed = sql.SQL(", ").join(
        sql.Placeholder(name) + sql.SQL("::") + sql.SQL(kind)  # pyright: ignore[reportArgumentType]
        for name, kind in COLUMNS.items()
    )
    return flat(
        (sql.SQL("with ") + sql.SQL(", ").join(before) + sql.SQL(" ") if before else sql.SQL(""))
        + sql.SQL("insert into resource (")
        + names
        + sql.SQL(") select ")
        + placed
        + guard
    )


INSERTS: Final = {
    (ranges, texts, named): _insert_statement(ranges, texts, named)
    for ranges in (False, True)
    for texts in (False, True)
    for named in (False, True)
}

# An array has no elements that are arrays of other lengths, and bytes in an array are written twice as long: the terms
# come as text, and the bodies one after the other.
_IN_ROWS: Final = {
    "terms": "u.terms::bigint[]",
    "present": "u.present::smallint[]",
    "body": "substr(%(bodies)s::bytea, u.start, u.size)",
}


def _many_statement(ranges: bool, texts: bool) -> sql.SQL:
    before = [part for part, wanted in ((_MANY_RANGES, ranges), (_MANY_TEXTS, texts)) if wanted]
    columns = {name: "text" if name in _IN_ROWS else kind for name, kind in COLUMNS.items() if name != "body"}
    columns |= {"start": "integer", "size": "integer"}
    return flat(
        (sql.SQL("with ") + sql.SQL(", ").join(before) + sql.SQL(" ") if before else sql.SQL(""))
        + sql.SQL("insert into resource (")
        + sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
        + sql.SQL(") select ")
        + sql.SQL(", ").join(sql.SQL(_IN_ROWS.get(name, f"u.{name}")) for name in COLUMNS)  # pyright: ignore[reportArgumentType]
        + sql.SQL(" from unnest(")
        + sql.SQL(", ").join(
            sql.SQL("{}::{}[]").format(sql.Placeholder(name), sql.SQL(kind))  # pyright: ignore[reportArgumentType]
            for name, kind in columns.items()
        )
        + sql.SQL(") u (")
        + sql.SQL(", ").join(map(sql.Identifier, columns))
        + sql.SQL(")")
    )


INSERTS_OF_MANY: Final = {
    (ranges, texts): _many_statement(ranges, texts) for ranges in (False, True) for texts in (False, True)
}

# The row is locked and read before it is changed, because the change reads `old`: its copy is the version replaced.
_REPLACED: Final = (
    sql.SQL("with old as materialized (select * from resource r where ")
    + _AT
    + sql.SQL(" and r.version = %(previous)s for update), copied as (insert into resource_history (")
    + _KEPT
    + sql.SQL(") select ")
    + _KEPT
    + sql.SQL(
        " from old), no_ranges as (delete from resource_range x"
        " where x.shard = %(shard)s and x.id = %(id)s and exists (select from old)),"
        " no_texts as (delete from resource_text x"
        " where x.shard = %(shard)s and x.id = %(id)s and exists (select from old))"
    )
)
_THAT_ROW: Final = sql.SQL(" from old where ") + _AT + sql.SQL(" and old.id = r.id")
_CHANGED: Final = sql.SQL(", ").join(
    sql.SQL("{} = {}::{}").format(sql.Identifier(name), sql.Placeholder(name), sql.SQL(kind))  # pyright: ignore[reportArgumentType]
    for name, kind in COLUMNS.items()
    if name not in ("shard", "type", "id", "name", "handle")
)
UPDATE: Final = flat(
    _REPLACED
    + sql.SQL(", ")
    + _RANGES
    + sql.SQL(" where exists (select from old)), ")
    + _TEXTS
    + sql.SQL(" where exists (select from old)) update resource r set deleted = false, ")
    + _CHANGED
    + _THAT_ROW
)
DELETE: Final = flat(
    _REPLACED
    + sql.SQL(
        " update resource r set deleted = true, version = %(version)s, updated = %(updated)s, body = '',"
        " terms = '{}', present = '{}', displays = null, date_low = '-infinity', date_high = '-infinity'"
    )
    + _THAT_ROW
)

_INDEX_ONLY: Final = ("date_low", "date_high", "handle", "terms", "present", "displays")
REINDEX: Final = flat(
    sql.SQL(
        "with no_ranges as (delete from resource_range x where x.shard = %(shard)s and x.id = %(id)s),"
        " no_texts as (delete from resource_text x where x.shard = %(shard)s and x.id = %(id)s), "
    )
    + _RANGES
    + sql.SQL("), ")
    + _TEXTS
    + sql.SQL(") update resource r set ")
    + sql.SQL(", ").join(
        sql.SQL("{} = {}::{}").format(sql.Identifier(name), sql.Placeholder(name), sql.SQL(COLUMNS[name]))  # pyright: ignore[reportArgumentType]
        for name in _INDEX_ONLY
    )
    + sql.SQL(" where ")
    + _AT
)
