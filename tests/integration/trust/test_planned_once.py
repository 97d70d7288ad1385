"""What a request runs is planned once for all: planning took longer than running, at every request."""

from ambroise.kernel.db import Reader
from ambroise.kernel.ids import new_id
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.loader import Question, load_facts
from ambroise.trust.access.people import Party
from tests.integration.trust.people import World, professional

TRIED = 5
"""PostgreSQL plans a prepared statement for its values this many times before it may settle on one plan."""


async def planned_anew(reader: Reader) -> list[str]:
    """The statements of this connection that are planned again at each execution."""
    rows = await reader.fetch_all(
        "select statement from pg_prepared_statements where custom_plans > %s and not statement like '%%pg_prepared%%'",
        (TRIED,),
    )
    return [statement for (statement,) in rows]


async def test_the_facts_of_a_decision_are_read_with_one_plan(world: World) -> None:
    eyes = [Eyes.of(world.of(professional(number))) for number in range(40)]
    patients = [await world.patient(number) for number in range(3)]
    async with world.database.reader() as reader:
        for count in (1, 2, 5, 40):
            for _ in range(3 * TRIED):
                places = enumerate(eyes[:count])
                asked = [Question(one, patients[place % 3], world.clock.now()) for place, one in places]
                found = await load_facts(reader, asked)
                assert [facts.state is not None for facts in found] == [True] * count
        assert await planned_anew(reader) == []


async def test_one_question_and_many_have_the_same_answers(world: World) -> None:
    treating, blocked, unknown = professional(1), professional(2), professional(3)
    patient = await world.patient()
    await world.authorise(patient, treating)
    async with world.database.transaction() as tx:
        await world.gateway.rights.block(tx, world.citizen(patient), patient, Party.of(blocked))
    asked = [
        Question(Eyes.of(ctx), of, world.clock.now())
        for ctx in (*map(world.of, (treating, blocked, unknown)), world.citizen(patient), world.system)
        for of in (patient, new_id())
    ]
    async with world.database.reader() as reader:
        together = await load_facts(reader, asked)
        assert together == [(await load_facts(reader, [one]))[0] for one in asked]
    assert len(set(together)) > 3


async def test_a_create_and_a_filing_are_planned_once(world: World) -> None:
    patient = await world.patient()
    ctx = world.of(professional(1))
    for _ in range(3 * TRIED):
        await world.observation(ctx, patient, valueQuantity={"value": 7, "unit": "%"}, note=[{"text": "note"}])
        await world.document(ctx, patient)
    async with world.database.reader() as reader:
        assert await planned_anew(reader) == []
