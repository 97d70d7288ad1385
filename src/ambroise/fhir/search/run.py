"""Running a search: bind it to a record if it can be, send one statement, add what is included."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

import msgspec

from ambroise.fhir.definitions import SearchParameter
from ambroise.fhir.search.binding import PATIENT, Bound, identifier_asked_for, in_records, patient_asked_for
from ambroise.fhir.search.compile import Compiler
from ambroise.fhir.search.includes import included
from ambroise.fhir.search.order import SHOWN, Key, after, order_by, order_of, order_of_found, order_of_shown, values_of
from ambroise.fhir.search.parse import parse
from ambroise.fhir.search.query import Clause, Filter, Ignored, Query, Summary, Token, Total
from ambroise.fhir.search.text import Builder, Select, statement
from ambroise.fhir.store.keys import as_key, name_keys
from ambroise.fhir.store.layout import ID, LAST_UPDATED, layout
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.rows import COLUMNS, WIDTH, stored
from ambroise.fhir.store.types import ScopeFor, Stored
from ambroise.kernel.db import Reader, Row
from ambroise.kernel.errors import Kind, Refusal

USUAL_COUNT: Final = 50
_ESTIMATED_UP_TO: Final = 10_001
_PURPOSE: Final = "search"

Mode = Literal["match", "include"]
Entries = list[tuple[Stored, Mode]]


class SearchResult(msgspec.Struct, frozen=True):
    """One page. `query` is what was run: the one asked for, or the one behind a cursor."""

    entries: Entries
    total: int | None
    next_cursor: str | None
    applied: str
    ignored: tuple[Ignored, ...]
    query: Query


class _Start(msgspec.Struct, frozen=True):
    """Where a page starts: after these values of the order."""

    values: list[str | None]
    id: UUID


class _Plan(msgspec.Struct, frozen=True):
    """A query, the record that it stays in if one is sure, the keys of the ids that it names, and where it starts."""

    query: Query
    bound: Bound | None
    keys: dict[str, list[UUID]]
    start: _Start | None

    @property
    def limit(self) -> int:
        return USUAL_COUNT if self.query.count is None else self.query.count

    @property
    def total(self) -> Total:
        if self.query.total is not None:
            return self.query.total
        return Total.ACCURATE if self.bound is not None else Total.NONE


async def search(reader: Reader, scope_for: ScopeFor, query: Query, *, pages: PageSeal) -> SearchResult:
    """One page of what matches and what it includes; no row that `scope_for` does not admit is read, or counted."""
    query, start = _opened(query, pages)
    bound = await _bound(reader, scope_for, query)
    if bound == _NOBODY:
        return _page(query, [], 0, None)
    plan = _Plan(query, bound if isinstance(bound, Bound) else None, await _keys(reader, query), start)
    if query.summary == Summary.COUNT or query.count == 0:
        return _page(query, [], await _count(reader, scope_for, plan, None), None)
    keys, rows = await _rows(reader, scope_for, plan)
    matches = [stored(row) for row in rows[: plan.limit]]
    entries: Entries = [(match, "match") for match in matches]
    if query.includes or query.revincludes:
        for each in await included(reader, scope_for, query, matches, plan.bound):
            entries.append((each, "include"))
    total = await _total(reader, scope_for, plan, rows)
    return _page(query, entries, total, _next(plan, keys, rows, pages))


class Page(msgspec.Struct, frozen=True):
    """A page for who runs its statements with others: that of the rows, then that of the total if they call for it."""

    plan: _Plan
    scope_for: ScopeFor
    keys: list[Key]
    rows: Select

    def count(self, rows: Sequence[Row]) -> Select | None:
        """What to run to know the total, when the rows do not tell it."""
        return None if _is_told(self.plan, rows) else _counting(self.scope_for, self.plan, None)

    def result(self, rows: Sequence[Row], counted: Sequence[Row], pages: PageSeal) -> SearchResult:
        """The page, from what its statements found."""
        entries: Entries = [(stored(row), "match") for row in rows[: self.plan.limit]]
        total = counted[0][0] if counted else _told(self.plan, rows)
        return _page(self.plan.query, entries, total, _next(self.plan, self.keys, rows, pages))


def is_one_page(query: Query) -> bool:
    """Whether the first page of a query about one record is read from columns of its rows alone."""
    return (
        query.cursor is None
        and not (query.includes or query.revincludes)
        and query.summary is not Summary.COUNT
        and query.count != 0
        and query.total is not Total.ESTIMATE
        and all(isinstance(one, Filter) and _in_columns(query.type, one.parameter) for one in query.clauses)
        and all(_in_columns(query.type, one.parameter) for one in query.sort)
    )


def _in_columns(type: str, parameter: SearchParameter) -> bool:
    if parameter.type == "date":
        return parameter.code == LAST_UPDATED or parameter.number == layout(type).principal
    return parameter.type in ("token", "reference", "uri") and parameter.code != ID


def one_page(query: Query, scope_for: ScopeFor, patient: UUID) -> Page:
    """The first page of a query for which `is_one_page`, about this record."""
    plan = _Plan(query, Bound(patient), {}, None)
    keys, select = _select(scope_for, plan)
    return Page(plan, scope_for, keys, select)


_NOBODY: Final = "nobody"


def _page(query: Query, entries: Entries, total: int | None, cursor: str | None) -> SearchResult:
    return SearchResult(entries, total, cursor, query.applied, query.ignored, query)


def _opened(query: Query, pages: PageSeal) -> tuple[Query, _Start | None]:
    """The query and the start that a cursor stands for; a query without cursor is itself, from its start."""
    if query.cursor is None:
        return query, None
    type, pairs, now, bases, values, id = pages.open(_PURPOSE, query.cursor)
    if type != query.type:
        raise Refusal(Kind.INVALID, "CURSOR_UNKNOWN", f"This page link is for {type}.", element="_cursor")
    again = parse(type, [(name, value) for name, value in pairs], now=datetime.fromisoformat(now), bases=bases)
    return again, _Start(values, UUID(bytes=id))


def _next(plan: _Plan, keys: Sequence[Key], rows: Sequence[Row], pages: PageSeal) -> str | None:
    if len(rows) <= plan.limit:
        return None
    query, last = plan.query, rows[plan.limit - 1]
    now = query.now.isoformat() if query.now else ""
    values = values_of(keys, last[WIDTH:])
    return pages.seal(_PURPOSE, [query.type, query.pairs, now, query.bases, values, last[1].bytes])


async def _bound(reader: Reader, scope_for: ScopeFor, query: Query) -> Bound | Literal["nobody"] | None:
    """The record that the query stays in: the one it names, or that of the one patient who bears its identifier."""
    id = patient_asked_for(query)
    if id is not None:
        key = as_key(id) or next(iter((await name_keys(reader, PATIENT, [id])).values()), None)
        return Bound(key) if key is not None else None
    asked = identifier_asked_for(query)
    if asked is None:
        return None
    builder = Builder(scope_for)
    where = Compiler(builder, None).where(PATIENT, "r", (asked[0],))
    text: LiteralString = f"select r.id from resource r where {where} limit 2"
    found = await reader.fetch_all(statement(text), builder.values)
    if not found:
        return _NOBODY
    return Bound(found[0][0]) if len(found) == 1 else None


async def _keys(reader: Reader, query: Query) -> dict[str, list[UUID]]:
    """The keys of the ids in `_id`: those that clients chose are looked up, the others are keys themselves."""
    ids = {
        value.code
        for clause in query.clauses
        if isinstance(clause, Filter) and clause.parameter.code == ID
        for value in clause.values
        if isinstance(value, Token) and value.code
    }
    if not ids:
        return {}
    direct = {id: key for id in ids if (key := as_key(id)) is not None}
    # In a record, an id may have the form of a key and still be a name: that of a row brought from elsewhere.
    names = [id for id in ids if id not in direct or (in_records(query.type) and query.type != PATIENT)]
    named = await name_keys(reader, query.type, names) if names else {}
    return {f"{query.type}/{id}": [key for key in (direct.get(id), named.get(id)) if key is not None] for id in ids}


async def _rows(reader: Reader, scope_for: ScopeFor, plan: _Plan) -> tuple[list[Key], list[Row]]:
    """The rows of the page and one more if there is one; each ends with the values of its order."""
    whole = plan.bound if _counts_on_the_way(plan) else None
    keys, select = _select(scope_for, plan) if whole is None else _counted(scope_for, plan, whole)
    return keys, await reader.fetch_all(statement(select.text), select.values, prepare=_prepare(plan))


def _counts_on_the_way(plan: _Plan) -> bool:
    """Whether the rows of a record are looked at once, for the page and its total: texts are dear to compare."""
    return (
        plan.bound is not None
        and plan.start is None
        and plan.total is Total.ACCURATE
        and any(_is_read_slowly(plan.query.type, one) for one in plan.query.clauses)
    )


def _is_read_slowly(type: str, clause: Clause) -> bool:
    return not isinstance(clause, Filter) or not _in_columns(type, clause.parameter)


def _counted(scope_for: ScopeFor, plan: _Plan, bound: Bound) -> tuple[list[Key], Select]:
    """As `_select`, each row ending with the total: the matches are found once, and the page is fetched from them."""
    builder = Builder(scope_for)
    keys = order_of(plan.query, builder, in_record=True)
    where = Compiler(builder, bound, plan.keys).where(plan.query.type, "r", plan.query.clauses)
    found = ", ".join([f"{key.expression} as {name}" for key, name in zip(keys, SHOWN, strict=False)])
    shown = ", ".join([f"{key.shown} as {name}" for key, name in zip(keys, SHOWN, strict=False)])
    text: LiteralString = (
        f"with found as materialized (select r.type, r.id, {found} from resource r where {where})"
        f" select {COLUMNS}, {shown}, (select count(*) from found)"
        f" from (select * from found order by {order_of_found(keys)} limit {builder.bind(plan.limit + 1)}) f"
        f" join resource r on r.shard = {builder.bind(bound.shard)} and r.type = f.type and r.id = f.id"
        f" order by {order_by(keys)}"
    )
    return keys, Select(text, builder.values)


def _select(scope_for: ScopeFor, plan: _Plan) -> tuple[list[Key], Select]:
    builder = Builder(scope_for)
    keys = order_of(plan.query, builder, in_record=plan.bound is not None)
    where = Compiler(builder, plan.bound, plan.keys).where(plan.query.type, "r", plan.query.clauses)
    shown = ", ".join([f"{key.shown} as {name}" for key, name in zip(keys, SHOWN, strict=False)])
    page: LiteralString = where if plan.start is None else where + " and " + _after(keys, plan.start, builder)
    limit = builder.bind(plan.limit + 1)
    text: LiteralString = (
        f"select {COLUMNS}, {shown} from resource r where {page} order by {order_by(keys)} limit {limit}"
    )
    return keys, Select(text, builder.values, order_of_shown(keys))


def _after(keys: Sequence[Key], start: _Start, builder: Builder) -> LiteralString:
    return after(keys, start.values, start.id, builder)


def _prepare(plan: _Plan) -> bool | None:
    """A search over all records is planned for its values: only they tell a rare term from a frequent one."""
    return None if plan.bound is not None else False


async def _total(reader: Reader, scope_for: ScopeFor, plan: _Plan, rows: Sequence[Row]) -> int | None:
    if plan.total is Total.ESTIMATE:
        return await _count(reader, scope_for, plan, _ESTIMATED_UP_TO)
    if _is_told(plan, rows):
        return _told(plan, rows)
    return rows[0][-1] if _counts_on_the_way(plan) else await _count(reader, scope_for, plan, None)


def _is_told(plan: _Plan, rows: Sequence[Row]) -> bool:
    """Whether the total is not wanted, or is the number of rows of a first page that is the only one."""
    return plan.total is Total.NONE or (plan.start is None and len(rows) <= plan.limit)


def _told(plan: _Plan, rows: Sequence[Row]) -> int | None:
    return None if plan.total is Total.NONE else len(rows)


async def _count(reader: Reader, scope_for: ScopeFor, plan: _Plan, up_to: int | None) -> int:
    select = _counting(scope_for, plan, up_to)
    found: Any = await reader.fetch_value(statement(select.text), select.values, prepare=_prepare(plan))
    return found


def _counting(scope_for: ScopeFor, plan: _Plan, up_to: int | None) -> Select:
    builder = Builder(scope_for)
    where = Compiler(builder, plan.bound, plan.keys).where(plan.query.type, "r", plan.query.clauses)
    text: LiteralString = f"select count(*) from resource r where {where}"
    if up_to is not None:
        # What a planner would guess knows nothing of rights: a bounded count does.
        text = f"select count(*) from (select from resource r where {where} limit {builder.bind(up_to)}) x"
    return Select(text, builder.values)
