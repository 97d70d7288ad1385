"""`_include` and `_revinclude`: what matches refer to, and what refers to them. Scopes hold for every row of both."""

from collections.abc import Iterable, Sequence
from typing import Final, LiteralString

from ambroise.fhir import json
from ambroise.fhir.definitions import is_resource_type, search_parameters
from ambroise.fhir.paths import extract
from ambroise.fhir.search.binding import Bound, in_records
from ambroise.fhir.search.compile import Compiler
from ambroise.fhir.search.query import Include, Query
from ambroise.fhir.search.text import Builder, statement
from ambroise.fhir.store import terms
from ambroise.fhir.store.entries import array
from ambroise.fhir.store.keys import as_key, name_keys
from ambroise.fhir.store.layout import layout
from ambroise.fhir.store.rows import COLUMNS, stored
from ambroise.fhir.store.types import ScopeFor, Stored
from ambroise.kernel.db import Reader
from ambroise.kernel.ids import shard_of

MOST: Final = 1000
_ROUNDS: Final = 5

Seen = dict[str, Stored]


async def included(
    reader: Reader, scope_for: ScopeFor, query: Query, matches: Sequence[Stored], bound: Bound | None
) -> list[Stored]:
    """What the query asks to include, each resource once, matches left out; at most MOST of them."""
    seen: Seen = {_name(match): match for match in matches}
    own = len(seen)
    fresh: list[Stored] = list(matches)
    for round in range(_ROUNDS):
        forward = [each for each in query.includes if round == 0 or each.iterate]
        backward = [each for each in query.revincludes if round == 0 or each.iterate]
        found = [
            *await _referred(reader, scope_for, forward, fresh, seen),
            *await _referring(reader, scope_for, backward, fresh, bound),
        ]
        fresh = [each for each in {_name(each): each for each in found}.values() if _name(each) not in seen]
        seen |= {_name(each): each for each in fresh}
        if not fresh or len(seen) - own >= MOST:
            break
    return list(seen.values())[own : own + MOST]


def _name(resource: Stored) -> str:
    return f"{resource.type}/{resource.id}"


async def _referred(
    reader: Reader,
    scope_for: ScopeFor,
    includes: Sequence[Include],
    sources: Sequence[Stored],
    seen: Seen,
) -> list[Stored]:
    wanted: dict[str, dict[str, None]] = {}
    for source in sources:
        mine = [include for include in includes if include.source == source.type]
        for name in _references(source, mine) if mine else ():
            type, _, id = name.rpartition("/")
            if name not in seen and is_resource_type(type):
                wanted.setdefault(type, {})[id] = None
    found: list[Stored] = []
    for type, ids in wanted.items():
        found += await _by_ids(reader, scope_for, type, list(ids))
    return found


def _references(source: Stored, includes: Sequence[Include]) -> Iterable[str]:
    targets: dict[int, set[str | None]] = {}
    for include in includes:
        for parameter in (include.parameter,) if include.parameter else search_parameters(source.type).values():
            targets.setdefault(parameter.number, set()).add(include.target)
    for number, target, _ in extract(json.decode(source.body)).references:
        allowed = targets.get(number)
        if allowed and target is not None and (None in allowed or target.rpartition("/")[0] in allowed):
            yield target


async def _by_ids(reader: Reader, scope_for: ScopeFor, type: str, ids: list[str]) -> list[Stored]:
    keys = [key for id in ids if (key := as_key(id)) is not None]
    named = [id for id in ids if as_key(id) is None]
    if named:
        keys += (await name_keys(reader, type, named)).values()
    if not keys:
        return []
    builder = Builder(scope_for)
    bind = builder.bind
    # Not confined to the record: a reference may name another patient, whom the scope then admits or not.
    where = Compiler(builder, None).where(type, "r", ())
    shards, ids_ = bind(array({shard_of(key) for key in keys})), bind(keys)
    text: LiteralString = (
        f"select {COLUMNS} from resource r where r.shard = any({shards}::smallint[]) and r.id = any({ids_}::uuid[])"
        f" and {where} order by r.id limit {bind(MOST)}"
    )
    return [stored(row) for row in await reader.fetch_all(statement(text), builder.values)]


async def _referring(
    reader: Reader,
    scope_for: ScopeFor,
    includes: Sequence[Include],
    targets: Sequence[Stored],
    bound: Bound | None,
) -> list[Stored]:
    found: list[Stored] = []
    for include in includes:
        mine = [each for each in targets if include.target in (None, each.type)]
        if mine and include.parameter is not None:
            found += await _referring_by(reader, scope_for, include, mine, bound)
    return found


async def _referring_by(
    reader: Reader, scope_for: ScopeFor, include: Include, targets: Sequence[Stored], bound: Bound | None
) -> list[Stored]:
    parameter = include.parameter
    if parameter is None:
        return []
    number = layout(include.source).narrows.get(parameter.number, parameter.number)
    wanted = array(sorted({terms.reference(number, _name(target)) for target in targets}))
    builder = Builder(scope_for)
    bind = builder.bind
    record = bound or _common_record(targets)
    where = Compiler(builder, record if in_records(include.source) else None).where(include.source, "r", ())
    text: LiteralString = (
        f"select {COLUMNS} from resource r where {where} and r.terms && {bind(wanted)}::bigint[]"
        f" order by r.id limit {bind(MOST)}"
    )
    return [stored(row) for row in await reader.fetch_all(statement(text), builder.values)]


def _common_record(targets: Sequence[Stored]) -> Bound | None:
    """The one record that all of them are in: what refers to them from a record is in it too."""
    patients = {target.label.patient for target in targets}
    patient = patients.pop() if len(patients) == 1 else None
    return None if patient is None else Bound(patient)
