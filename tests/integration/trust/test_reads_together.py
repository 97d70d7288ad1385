"""What is read at the same moment is answered in one transaction: nobody gets, loses or hides anything by it."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from ambroise.fhir.json import decode
from ambroise.fhir.search import SearchResult, parse
from ambroise.kernel.errors import Refusal
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context
from ambroise.trust.gateway import Flags
from tests.integration.trust.people import World, professional

AUTHOR, OTHER, STRANGER = professional(1), professional(2), professional(3)
NOT_TEXT = "\x00"
"""PostgreSQL refuses it in any text, hence the whole transaction that brings it."""


async def together(*coroutines: Awaitable[Any]) -> list[Any]:
    """All at the same moment; each answer, or what it raised."""
    return await asyncio.gather(*coroutines, return_exceptions=True)


async def reads(world: World, patient: UUID, actor: str) -> list[tuple[str, int, str | None]]:
    """What the trace says that somebody read."""
    return [line[:3] for line in await world.traces(patient) if line[3] == actor and line[0] in ("read", "search")]


async def test_each_of_many_gets_its_own_answer_and_its_own_line(world: World) -> None:
    patients = [await world.patient(number) for number in range(1, 5)]
    ids = [await world.observation(world.of(AUTHOR), patient, f"code-{patient}") for patient in patients]
    for patient in patients[:3]:
        await world.authorise(patient, OTHER)
    pairs = list(zip(patients, ids, strict=True))
    answers = await together(*(world.read(world.of(OTHER), "Observation", id) for _, id in pairs * 10))
    for (patient, id), answer in zip(pairs * 10, answers, strict=True):
        if patient == patients[3]:
            assert isinstance(answer, Refusal)
            assert answer.code == "NOT_FOUND"
        else:
            assert answer["id"] == id
            assert answer["code"]["coding"][0]["code"] == f"code-{patient}"
    for patient in patients[:3]:
        assert await reads(world, patient, OTHER.id) == [("read", 0, "authorised")] * 10
    assert await reads(world, patients[3], OTHER.id) == [("read", 4, "not_authorised")] * 10


async def test_callers_who_ask_for_the_same_thing_are_judged_apart(world: World) -> None:
    patient = await world.patient()
    await world.authorise(patient, OTHER)
    id = await world.document(world.of(AUTHOR), patient, flags=Flags.MASKED)
    callers = [world.of(AUTHOR), world.of(OTHER), world.citizen(patient), world.of(STRANGER)] * 4
    answers = await together(*(world.read(ctx, "DocumentReference", id) for ctx in callers))
    codes = [answer.code if isinstance(answer, Refusal) else answer["id"] for answer in answers]
    assert codes == [id, "NOT_FOUND", id, "NOT_FOUND"] * 4


async def test_a_right_revoked_in_between_acts_on_the_next_request(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    begun, revoked = asyncio.Event(), asyncio.Event()
    late: list[bool] = []

    async def keep_reading() -> None:
        while True:
            too_late = revoked.is_set()
            try:
                await world.read(world.of(OTHER), "Observation", id)
            except Refusal:
                return
            late.append(too_late)
            begun.set()

    async def revoke() -> None:
        await begun.wait()
        async with world.database.transaction() as tx:
            await world.gateway.rights.revoke(tx, world.citizen(patient), patient, Party.of(OTHER))
        revoked.set()

    async with asyncio.timeout(60):
        await asyncio.gather(revoke(), *(keep_reading() for _ in range(8)))
    assert late
    assert not any(late)


async def test_one_that_cannot_be_run_does_not_touch_the_others(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    wrong = world.search(world.of(AUTHOR), "Observation", ("patient", str(patient)), ("code:text", NOT_TEXT))
    right = [world.read(world.of(AUTHOR), "Observation", id) for _ in range(5)]
    answers = await together(*right[:2], wrong, *right[2:])
    assert isinstance(answers.pop(2), psycopg.Error)
    assert [answer["id"] for answer in answers] == [id] * 5
    assert await reads(world, patient, AUTHOR.id) == [("read", 0, "author")] * 5


async def test_a_client_that_goes_away_takes_nobody_along(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    tasks = [asyncio.create_task(world.read(world.of(AUTHOR), "Observation", id)) for _ in range(6)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await together(*tasks)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert [answer["id"] for answer in answers[1:]] == [id] * 5
    assert (await world.read(world.of(AUTHOR), "Observation", id))["id"] == id


async def test_nobody_waits_for_ever_when_many_come_at_any_moment(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)

    async def some(pause: float) -> None:
        for _ in range(10):
            await world.read(world.of(AUTHOR), "Observation", id)
            await asyncio.sleep(pause)

    async with asyncio.timeout(60):
        await asyncio.gather(*(some(number / 1000) for number in range(12)))
    assert await reads(world, patient, AUTHOR.id) == [("read", 0, "author")] * 120


def shown(result: SearchResult) -> tuple[list[str], int | None]:
    return [stored.id for stored, _ in result.entries], result.total


async def test_a_search_together_finds_what_a_search_alone_finds(world: World) -> None:
    patient, elsewhere = await world.patient(1), await world.patient(2)
    await world.authorise(patient, OTHER)
    for place in range(5):
        flags = (Flags(0), Flags.MASKED, Flags.INVISIBLE_PATIENT)[place % 3]
        await world.document(world.of(AUTHOR if place < 4 else OTHER), patient, flags=flags)
    callers: list[Context] = [
        *map(world.of, (AUTHOR, OTHER, STRANGER)),
        world.citizen(patient),
        world.citizen(elsewhere),
        world.system,
    ]
    pairs = [("patient", str(patient)), ("_count", "2"), ("_sort", "-date")]
    query = parse("DocumentReference", pairs, now=world.clock.now())
    answers = await together(*(world.search(ctx, "DocumentReference", *pairs) for ctx in callers))
    lines = len(await world.traces(patient))
    for ctx, answer in zip(callers, answers, strict=True):
        async with world.database.transaction() as tx:
            alone = await world.gateway.search(tx, ctx, query)
        assert shown(answer) == shown(alone)
        assert (answer.next_cursor is None) == (alone.next_cursor is None)
    traced = await world.traces(patient)
    assert sorted(map(str, traced[lines:])) == sorted(map(str, traced[lines - (len(traced) - lines) : lines]))
    assert [answer.total for answer in answers] == [4, 4, 0, 4, 0, 5]


@pytest.mark.parametrize(
    ("type", "asked"),
    [
        ("Observation", (("_sort", "-date"), ("_count", "4"))),
        ("Observation", (("_sort", "date"), ("_count", "4"))),
        ("Observation", (("_sort", "_lastUpdated,-date"), ("code", "http://loinc.org|even"))),
        ("Observation", (("date", "ge2026-03-03"), ("_total", "none"), ("_count", "2"))),
        ("Observation", (("code:not", "even"), ("status", "final,amended"))),
        ("Observation", (("_lastUpdated", "ge2020-01-01"),)),
        ("Observation", (("date:missing", "true"),)),
    ],
)
async def test_many_searches_of_one_form_find_what_each_finds_alone(
    world: World, type: str, asked: tuple[tuple[str, str], ...]
) -> None:
    patients = [await world.patient(number) for number in range(1, 5)]
    for place, patient in enumerate(patients):
        for day in range(1, 3 + place * 2):
            dated = {"effectiveDateTime": f"2026-03-{day % 7 + 1:02}"} if day % 3 else {}
            await world.observation(world.of(AUTHOR), patient, "even" if day % 2 == 0 else "odd", **dated)
    pairs = [[("patient", str(patient)), *asked] for patient in patients]
    found = await together(*(world.search(world.of(AUTHOR), type, *each) for each in pairs))
    for each, answer in zip(pairs, found, strict=True):
        async with world.database.transaction() as tx:
            alone = await world.gateway.search(tx, world.of(AUTHOR), parse(type, each, now=world.clock.now()))
        assert shown(answer) == shown(alone)
    assert any(answer.entries for answer in found)


async def test_the_next_page_of_a_search_goes_on_where_the_first_ended(world: World) -> None:
    patient = await world.patient()
    filed = {await world.document(world.of(AUTHOR), patient) for _ in range(5)}
    first = await world.search(world.of(AUTHOR), "DocumentReference", ("patient", str(patient)), ("_count", "3"))
    assert first.next_cursor is not None
    rest = await world.search(world.of(AUTHOR), "DocumentReference", ("_cursor", first.next_cursor))
    assert {stored.id for stored, _ in (*first.entries, *rest.entries)} == filed
    assert (first.total, rest.total) == (5, 5)
    assert all(decode(stored.body)["id"] == stored.id for stored, _ in first.entries)


async def test_what_is_gone_says_so_to_who_could_see_it(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    async with world.database.transaction() as tx:
        await world.gateway.delete(tx, world.of(AUTHOR), "Observation", id)
    with pytest.raises(Refusal, match="GONE"):
        await world.read(world.of(AUTHOR), "Observation", id)
