"""What a scope admits is what the rules allow row by row, in any world of facts, for any caller.

The rows and the callers are fixed and cover every kind, flag, author and role; the facts are drawn, and so are the
versions of the access matrix and the instant of the question.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from psycopg.sql import SQL

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.types import Flags, Label, Scope
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.ids import hash64, new_id, shard_of
from ambroise.trust.access import kinds
from ambroise.trust.access.decide import Action, Target, judge
from ambroise.trust.access.facts import Eyes, Facts, SpaceState, Viewer
from ambroise.trust.access.loader import Question, load_facts
from ambroise.trust.access.matrix import Row as MatrixRow
from ambroise.trust.access.matrix import first_matrix, first_rows, follow_versions
from ambroise.trust.access.scope import scope, scope_given, seen_as_scope
from ambroise.trust.access.versions import DUTY, publish, refresh
from ambroise.trust.access.viewpoint import Viewpoint
from ambroise.trust.context import Citizen, Context, Operator, Professional, Purpose, System
from ambroise.trust.limits import ANY, Limits
from tests.support.database import TestDatabase

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
CLOCK = FixedClock(NOW)

PATIENTS = tuple(new_id(shard) for shard in (1, 1, 7))
DOCTORS = tuple(
    Professional(
        f"8{rpps}", rpps, "Fictive", profession, system, organization=organization, organization_setting=setting
    )
    for rpps, profession, system, organization, setting in (
        ("10000000001", "10", "1.2.250.1.71.1.2.7", "1990000001", "SAMU_SMUR"),
        ("10000000002", "60", "1.2.250.1.71.1.2.7", "1990000002", "AMBULATOIRE"),
        ("10000000003", "38", "1.2.250.1.71.1.2.7", "1990000001", "SAMU_SMUR"),
        ("10000000004", "93", "1.2.250.1.213.1.6.1.109", None, None),
    )
)
CALLERS = (
    *(Context(doctor, CLOCK, purpose) for doctor, purpose in product(DOCTORS, Purpose)),
    *(Context(Citizen(person, ""), CLOCK) for person in PATIENTS[:2]),
    *(Context(Citizen(person, ""), CLOCK, acting_for=PATIENTS[0]) for person in PATIENTS),
    Context(Operator("desk", "Desk"), CLOCK),
    Context(System(), CLOCK),
    Context(System(), CLOCK, demonstration=True),
)

HOLDERS = (
    Context(Citizen(PATIENTS[0], ""), CLOCK),
    Context(Citizen(PATIENTS[1], ""), CLOCK, acting_for=PATIENTS[0]),
)
"""Who may look at the first space as somebody else."""

CODES = ("11502-2", "68599-0", "ATTEST-RESID", "28653-4")
KINDS = [kinds.kinds().number(code) for code in CODES] + [kinds.OPERATIONAL, kinds.IDENTITY, kinds.UNLABELLED]
AUTHORS = ((0, 0), (DOCTORS[0].key, 0), (0, DOCTORS[0].organization_key), (DOCTORS[1].key, DOCTORS[0].organization_key))
SHOWN = (Flags(0), Flags.MASKED, Flags.INVISIBLE_PATIENT, Flags.INVISIBLE_REPRESENTATIVES, Flags.OPERATIONAL)
FLAGS = (*SHOWN, Flags.DELETED, Flags.SIGNATURE, Flags.ARCHIVED, Flags.MASKED | Flags.INVISIBLE_REPRESENTATIVES)


NO_DOCUMENT = UUID(int=0)
DOCUMENTS = tuple(new_id(shard_of(PATIENTS[0])) for _ in range(2))
"""Documents that rows follow."""
TYPES = ("Practitioner", "Schedule", "Group")


@dataclass(frozen=True)
class Row:
    type: str
    key: UUID
    label: Label


def _row(
    type: str, patient: UUID | None, kind: int, flags: Flags, author: tuple[int, int], source: UUID | None = None
) -> Row:
    return Row(type, new_id(shard_of(patient) if patient else None), Label(patient, kind, flags, *author, source))


ROWS = (
    *(_row("Observation", p, k, f, AUTHORS[0]) for p, k, f in product(PATIENTS[:2], KINDS, FLAGS)),
    *(_row("Observation", p, KINDS[0], f, a) for p, f, a in product(PATIENTS, FLAGS, AUTHORS)),
    *(_row("Observation", PATIENTS[0], KINDS[0], f, a, d) for f, a, d in product(FLAGS[:2], AUTHORS, DOCUMENTS)),
    *(_row(type, None, kinds.UNLABELLED, flags, author) for type, flags, author in product(TYPES, FLAGS[:6], AUTHORS)),
)
BY_KEY = {row.key: row for row in ROWS}


@dataclass(frozen=True)
class World:
    """The facts."""

    spaces: Sequence[tuple[Any, ...]]
    grants: Sequence[tuple[Any, ...]]
    relations: Sequence[tuple[Any, ...]]
    emergencies: Sequence[tuple[Any, ...]]
    restrictions: Sequence[tuple[Any, ...]]
    versions: Sequence[tuple[datetime, str, Sequence[str]]] = ()
    """The later versions of the matrix, the oldest first: from when, of which group, which codes change."""
    at: datetime = NOW
    bearer: Context | None = None
    """A professional whose token opens what its scopes name alone (SMART App Launch)."""


PAST, FUTURE = NOW - timedelta(days=2), NOW + timedelta(days=2)
patients = st.sampled_from(PATIENTS)
states = st.one_of(st.just(SpaceState.OPEN_ACTIVE), st.sampled_from(SpaceState))
since = st.sampled_from([PAST, PAST, NOW, FUTURE])
until = st.sampled_from([None, None, FUTURE, NOW, PAST])
spaces = st.fixed_dictionaries(
    {}, optional={p: st.tuples(states, st.booleans(), st.booleans(), st.booleans()) for p in PATIENTS}
)
grants = st.lists(
    st.tuples(
        patients,
        st.sampled_from([doctor.id for doctor in DOCTORS] + ["1990000001", "1990000002"]),
        st.sampled_from(["authorised", "authorised", "treating", "administrator", "blocked"]),
        st.sampled_from(["consent", "care_team", "presence"]),
        st.sampled_from(["professional", "organization"]),
        since,
        until,
    ),
    max_size=10,
)
REACHES = {"representative": ("act",), "carer": ("act", "see"), "mediator": ("screens", "content")}
# Every pair is drawn or not by itself: a list of pairs would seldom hold the one that matters.
relations = st.fixed_dictionaries(
    {},
    optional={
        (PATIENTS[0], person, kind): st.tuples(since, until, st.sampled_from(reach))
        for person, (kind, reach) in product(PATIENTS[1:], REACHES.items())
    },
).map(lambda drawn: [(*who, *when) for who, when in drawn.items()])
emergencies = st.lists(
    st.tuples(
        patients,
        st.sampled_from([doctor.id for doctor in DOCTORS]),
        st.sampled_from(["bris_de_glace", "centre_15"]),
        since,
        st.sampled_from([FUTURE, FUTURE, NOW, PAST]),
    ),
    max_size=6,
)
# A kind, a document that rows follow, or a document that is a row itself.
kept = st.one_of(
    st.sampled_from([(kind, NO_DOCUMENT) for kind in KINDS]),
    st.sampled_from([(-1, document) for document in (*DOCUMENTS, *(row.key for row in ROWS[:8]))]),
)
restrictions = st.lists(
    st.tuples(patients, st.sampled_from([doctor.id for doctor in DOCTORS] + ["1990000001"]), kept, since, until),
    max_size=6,
)


def role_name(one: Professional) -> str:
    return first_matrix().role(one.profession_system, one.profession).name


# A later version may begin before an older one: the newest of those whose day has come is in force.
GROUPS = tuple(dict.fromkeys(role_name(one) for one in DOCTORS))
versions = st.lists(
    st.tuples(
        st.sampled_from([PAST, NOW - timedelta(minutes=1), NOW, NOW + timedelta(hours=1), FUTURE]),
        st.sampled_from(GROUPS),
        st.lists(st.sampled_from(CODES), min_size=1, unique=True),
    ),
    max_size=3,
)
scopes = st.builds(
    "{}/{}.{}".format,
    st.sampled_from(["patient", "user"]),
    st.sampled_from([ANY, "Observation", *TYPES]),
    st.sampled_from(["r", "s", "rs", "cud", "cruds"]),
)
bearers = st.builds(
    lambda doctor, purpose, limits: Context(doctor, CLOCK, purpose, limits=limits),
    st.sampled_from(DOCTORS),
    st.sampled_from(Purpose),
    st.builds(Limits.of, st.lists(scopes, max_size=3), st.sampled_from([None, *PATIENTS])),
)
worlds = st.builds(
    World,
    spaces.map(lambda drawn: [(p, state.value, *choices) for p, (state, *choices) in drawn.items()]),
    grants,
    relations,
    emergencies,
    restrictions,
    versions,
    st.sampled_from([NOW, NOW, NOW + timedelta(hours=1)]),
    bearers,
)
DESK = Context(Operator("desk", "Desk", frozenset({DUTY})), FixedClock(PAST - timedelta(days=1)))

INSERTS = {
    "spaces": "access_space (shard, patient, state, etreat, btg, emergency_masked, state_since, updated, recorded_by)",
    "grants": "access_grant (shard, patient, actor, team, actor_id, state, via, actor_kind, since, until, recorded_by)",
    "relations": "access_relation (shard, patient, person, kind, since, until, scope, recorded_by)",
    "emergencies": "access_emergency (shard, patient, actor, id, actor_id, purpose, opened, until, actor_name, reason)",
    "restrictions": "access_restriction"
    " (shard, patient, actor, id, actor_id, kind, document, since, until, actor_kind, recorded_by)",
    "rows": "resource"
    " (updated, author, author_organization, handle, version, kind, flags, shard, type, id, patient, source, body)",
}


async def insert(tx: Transaction, what: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        marks = ", ".join(["%s"] * len(rows[0]))
        await tx.execute_many(f"insert into {INSERTS[what]} values ({marks})", rows)  # type: ignore[arg-type]


async def build(tx: Transaction, world: World) -> None:
    await insert(tx, "spaces", [(shard_of(p), p, *rest, NOW, NOW, "") for p, *rest in world.spaces])
    await insert(
        tx, "grants", [(shard_of(p), p, hash64(one), new_id(), one, *rest, "") for p, one, *rest in world.grants]
    )
    await insert(tx, "relations", [(shard_of(p), p, *rest, "") for p, *rest in world.relations])
    await insert(
        tx,
        "emergencies",
        [(shard_of(p), p, hash64(one), new_id(), one, *rest, "", "x") for p, one, *rest in world.emergencies],
    )

    await insert(
        tx,
        "restrictions",
        [
            (shard_of(p), p, hash64(one), new_id(), one, *what, *when, "professional", "")
            for p, one, what, *when in world.restrictions
        ],
    )


async def edit_matrix(tx: Transaction, drawn: Sequence[tuple[datetime, str, Sequence[str]]]) -> None:
    """Publish these versions as the desk does, and know them as every process does."""
    rows = first_rows()
    for begins, group, codes in drawn:
        changed = MatrixRow(rows[group].readable ^ frozenset(codes), rows[group].verified)
        rows = (await publish(tx, DESK, {group: changed}, reason="Arrêté", source="JO", effective=begins)).rows
    await refresh(tx)


async def insert_rows(tx: Transaction) -> None:
    await insert(tx, "rows", [_values(row, row.label) for row in ROWS])


def _values(row: Row, label: Label) -> tuple[Any, ...]:
    shard, type, flags = shard_of(row.key), type_number(row.type), int(label.flags)
    authors = (label.author, label.author_organization)
    return (NOW, *authors, 0, 1, label.kind, flags, shard, type, row.key, label.patient, label.source, b"")


async def admitted(tx: Transaction, ctx: Context, patient: UUID | None, type: str | None = None) -> set[UUID]:
    one = scope(ctx, patient=patient, type=type)
    query = SQL("select r.id from resource r where %(every)s and ") + one.predicate("r")
    if type is not None:
        query += SQL(" and r.type = {}").format(type_number(type))
    return {row[0] for row in await tx.fetch_all(query, {**one.bound(), "every": True})}


async def rows_of(tx: Transaction, one: Scope) -> set[UUID]:
    query = SQL("select r.id from resource r where %(every)s and ") + one.predicate("r")
    return {row[0] for row in await tx.fetch_all(query, {**one.bound(), "every": True})}


async def compare(tx: Transaction, ctx: Context) -> set[UUID]:
    """Check every form of the scope against the rules; what the caller sees."""
    eyes = Eyes.of(ctx)
    found = await load_facts(tx, [Question(eyes, patient, ctx.now()) for patient in PATIENTS])
    facts: dict[UUID | None, Facts] = {None: Facts(), **dict(zip(PATIENTS, found, strict=True))}
    allowed = {
        row.key
        for row in ROWS
        if judge(facts[row.label.patient], eyes, Action.READ, Target(row.type, row.label, row.key)).allowed
    }
    sees = eyes.limits.sees if eyes.limits is not None else lambda _: True
    at_all = allowed if sees(None) else set[UUID]()
    wide = await admitted(tx, ctx, None)
    assert wide == at_all, [(BY_KEY[key], key in at_all) for key in wide ^ at_all]
    for type in TYPES if eyes.limits is None else ("Observation", *TYPES):
        of_type = {key for key in allowed if sees(type) and BY_KEY[key].type == type}
        assert await admitted(tx, ctx, None, type) == of_type, type
    for patient in PATIENTS if eyes.viewer in (Viewer.PROFESSIONAL, Viewer.CITIZEN) else ():
        given = await rows_of(tx, scope_given(eyes, patient, facts[patient]))
        assert given == {key for key in allowed if BY_KEY[key].label.patient == patient}, patient
    if eyes.viewer is Viewer.PROFESSIONAL:
        await compare_seen_as(tx, Viewpoint(eyes, facts[PATIENTS[0]]), allowed)
    narrow = await admitted(tx, ctx, PATIENTS[0])
    assert narrow <= at_all
    assert all(BY_KEY[key].label.patient not in (None, PATIENTS[0]) for key in at_all - narrow)
    if eyes.limits is not None:
        taken_away(facts, eyes, eyes.limits, allowed)
    return allowed


def taken_away(facts: dict[UUID | None, Facts], eyes: Eyes, limits: Limits, allowed: set[UUID]) -> None:
    """A token only takes away, and lets nothing at all be done to somebody whom it is not about."""
    free = replace(eyes, limits=None)
    for row in ROWS:
        target, about = Target(row.type, row.label, row.key), facts[row.label.patient]
        assert row.key not in allowed or judge(about, free, Action.READ, target).allowed, row
        if limits.patient is not None and row.label.patient not in (None, limits.patient):
            assert not any(judge(about, eyes, action, target).allowed for action in Action), row


async def compare_seen_as(tx: Transaction, viewpoint: Viewpoint, allowed: set[UUID]) -> None:
    """Whoever looks at a space as somebody else sees what both see."""
    for ctx in HOLDERS:
        mine = await admitted(tx, ctx, PATIENTS[0], "Observation")
        both = await rows_of(tx, seen_as_scope(ctx, "Observation", viewpoint))
        assert both == mine & allowed, ctx


class Undo(Exception):
    """Roll the world back."""


def at(ctx: Context, when: datetime) -> Context:
    """The same caller at another instant."""
    return replace(ctx, clock=FixedClock(when))


async def check(database: Database, world: World) -> None:
    try:
        async with database.transaction() as tx:
            await build(tx, world)
            await edit_matrix(tx, world.versions)
            for ctx in (*CALLERS, world.bearer) if world.bearer is not None else CALLERS:
                await compare(tx, at(ctx, world.at))
            raise Undo
    except Undo:
        pass
    finally:
        follow_versions([])


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def rows(module_database: TestDatabase, loop: asyncio.AbstractEventLoop) -> Iterator[Database]:
    """A database that holds the rows, and no facts."""
    database = loop.run_until_complete(_open(module_database.app_dsn))
    yield database
    loop.run_until_complete(database.close())


async def _open(dsn: str) -> Database:
    database = await Database.open(dsn, slots=2)
    async with database.transaction() as tx:
        await insert_rows(tx)
    return database


def test_a_scope_admits_exactly_what_the_rules_allow(rows: Database, loop: asyncio.AbstractEventLoop) -> None:
    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(world=worlds)
    def every_world(world: World) -> None:
        loop.run_until_complete(check(rows, world))

    every_world()


def test_a_version_of_the_matrix_changes_both_sides_at_its_instant(
    rows: Database, loop: asyncio.AbstractEventLoop
) -> None:
    before, after = loop.run_until_complete(_before_and_after(rows))
    assert after < before
    assert {BY_KEY[key].label.kind for key in before - after} == {KINDS[0]}


async def _before_and_after(database: Database) -> tuple[set[UUID], set[UUID]]:
    """What a nurse sees, the facts being the same, just before a version begins and at that instant."""
    nurse = DOCTORS[1]
    grant = (PATIENTS[0], nurse.id, "authorised", "consent", "professional", PAST, None)
    world = World([(PATIENTS[0], SpaceState.OPEN_ACTIVE.value, True, True, False)], [grant], [], [], [])
    seen: list[set[UUID]] = []
    try:
        async with database.transaction() as tx:
            await build(tx, world)
            await edit_matrix(tx, [(NOW, role_name(nurse), [CODES[0]])])
            for at in (NOW - timedelta(microseconds=1), NOW):
                seen.append(await compare(tx, Context(nurse, FixedClock(at))))
            raise Undo
    except Undo:
        return seen[0], seen[1]
    finally:
        follow_versions([])
