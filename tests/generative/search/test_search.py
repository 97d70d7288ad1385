"""Whatever is asked of whatever world, SQL finds what R4 says: under a scope, over pages, in totals and includes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from ambroise.fhir import store
from ambroise.fhir.search import parse, search
from ambroise.fhir.store.seal import SEAL
from ambroise.fhir.store.types import Permit, Scope, ScopeRow
from ambroise.kernel.db import Database, Transaction
from tests.generative.search.oracle import LINKS, READ, Ask, Param, asks, expected, written
from tests.generative.search.worlds import Thing, World, worlds

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
PAGES = store.PageSeal(bytes(32))
PERMIT = Permit(SEAL, "test", None, "test")


def _unmasked(row: ScopeRow) -> sql.Composable:
    return sql.SQL("{} & 1 = 0").format(row["flags"])


def scope_for(type: str, patient: UUID | None) -> Scope:
    return Scope(SEAL, "test", _unmasked)


# Every example rolls back, so that all may share one database.
_SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


class _Undo(Exception):
    """Leaves the database as it was."""


async def _store(tx: Transaction, world: World) -> None:
    for thing in world.things:
        await store.insert(tx, PERMIT, thing.resource, thing.label, now=NOW, key=thing.key, id=thing.name)


async def _found(tx: Transaction, type: str, pairs: list[tuple[str, str]]) -> tuple[list[str], list[str], int | None]:
    """The matches over all pages, what is included with them, and the total."""
    result = await search(tx, scope_for, parse(type, pairs, now=NOW), pages=PAGES)
    matches = [each.id for each, mode in result.entries if mode == "match"]
    included = [f"{each.type}/{each.id}" for each, mode in result.entries if mode == "include"]
    total = result.total
    while result.next_cursor:
        result = await search(tx, scope_for, parse(type, [("_cursor", result.next_cursor)]), pages=PAGES)
        assert result.total == total
        matches += [each.id for each, mode in result.entries if mode == "match"]
        included += [f"{each.type}/{each.id}" for each, mode in result.entries if mode == "include"]
    return matches, included, total


@st.composite
def questions(draw: st.DrawFn) -> tuple[World, str, list[Ask], Thing | None, list[tuple[str, str]]]:
    """A world, what is asked of it, the record it is asked in if any, and how the answer is wanted."""
    world = draw(worlds())
    type = draw(st.sampled_from(["Observation", "Observation", "Observation", *READ]))
    wanted = draw(st.lists(asks(type), min_size=1, max_size=3))
    patient = draw(st.sampled_from(world.of("Patient")))
    record = patient if type in ("Observation", "Encounter") and draw(st.booleans()) else None
    how = [("_total", "accurate")]
    if draw(st.booleans()):
        how.append(("_count", "2"))
    sorts = {"Observation": ["-date", "date,_id", "-value-quantity,date"], "Patient": ["family", "-name,birthdate"]}
    if draw(st.booleans()):
        how.append(("_sort", draw(st.sampled_from(sorts.get(type, ["_lastUpdated", "-_id"])))))
    return world, type, wanted, record, how


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(question=questions())
async def test_sql_finds_what_the_standard_says(database: Database, question: Any) -> None:
    world, type, wanted, record, how = question
    pairs = [written(ask) for ask in wanted]
    should = expected(world, type, wanted)
    if record is not None:
        pairs.append(("patient", record.id))
        seen = world.seen()
        should &= {t.id for t in seen.of(type) if t.resource["subject"]["reference"] == record.reference}
    try:
        async with database.transaction() as tx:
            await _store(tx, world)
            matches, _, total = await _found(tx, type, pairs + how)
            raise _Undo
    except _Undo:
        pass
    assert sorted(matches) == sorted(should), pairs
    assert total == len(should)


@settings(suppress_health_check=_SHARED)
@given(world=worlds(), link=st.sampled_from(sorted(LINKS)))
async def test_includes_bring_what_is_referred_to_and_nothing_hidden(
    database: Database, world: World, link: tuple[str, str]
) -> None:
    source, name = link
    seen = world.seen()
    _, read = READ[source][name]
    forward = {reference.get("reference") for thing in seen.of(source) for reference in read(thing.resource)}
    try:
        async with database.transaction() as tx:
            await _store(tx, world)
            _, included, _ = await _found(tx, source, [("_include", f"{source}:{name}")])
            assert set(included) == forward & {thing.reference for thing in seen.things}
            for target in LINKS[link]:
                _, referring, _ = await _found(tx, target, [("_revinclude", f"{source}:{name}:{target}")])
                there = {thing.reference for thing in seen.of(target)}
                backward = {
                    thing.reference
                    for thing in seen.of(source)
                    if there & {reference.get("reference") for reference in read(thing.resource)}
                }
                assert set(referring) == backward - there
            raise _Undo
    except _Undo:
        pass


async def test_the_oracle_and_the_search_agree_that_something_is_found(database: Database) -> None:
    """A control: on a fixed world, a plain search finds what is there."""
    world = World()
    key = store.new_key()
    resource = {"resourceType": "Patient", "name": [{"family": "Crème brûlée"}]}
    world.things.append(Thing(resource, str(key), store.Label(key), key, None))
    ask = Param("family", "string", None, ("CREME",))
    async with database.transaction() as tx:
        await _store(tx, world)
        assert await _found(tx, "Patient", [written(ask)]) == ([str(key)], [], None)
    assert expected(world, "Patient", [ask]) == {str(key)}
