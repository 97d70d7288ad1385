"""What a patient keeps from one person is not seen by that person, until then, and by nobody else's loss."""

from datetime import timedelta

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.people import Party
from ambroise.trust.access.restrictions import restrictions_of
from ambroise.trust.context import Professional
from tests.integration.trust.people import World, professional

AUTHOR, OTHER, TREATING = professional(1), professional(2), professional(3)
HOSPITAL = "1990000009"
INSIDE, OUTSIDE = professional(4, organization=HOSPITAL), professional(5)


async def sees(world: World, who: Professional, document: str) -> bool:
    """Whether this professional reads it; that it is kept from him is not told."""
    try:
        await world.read(world.of(who), "DocumentReference", document)
    except Refusal as refusal:
        if refusal.code != "NOT_FOUND":
            raise
        return False
    return True


async def test_a_document_is_kept_from_one_person_for_a_time(world: World) -> None:
    patient = await world.patient()
    for who in (AUTHOR, OTHER, OUTSIDE):
        await world.authorise(patient, who)
    document = await world.document(world.of(AUTHOR), patient)
    other = await world.document(world.of(AUTHOR), patient)
    until = world.clock.now() + timedelta(days=2)
    async with world.database.transaction() as tx:
        key = (await world.gateway.read(tx, world.citizen(patient), "DocumentReference", document)).key
        for who in (OTHER, AUTHOR):
            rights = world.gateway.rights
            await rights.restrict(tx, world.citizen(patient), patient, Party.of(who), document=key, until=until)
    assert not await sees(world, OTHER, document)
    assert await sees(world, OTHER, other)
    assert await sees(world, OUTSIDE, document)
    assert await sees(world, AUTHOR, document), "an author reads what he wrote"
    world.clock.move(timedelta(days=2))
    assert await sees(world, OTHER, document)


async def test_a_kind_is_kept_from_a_whole_structure_until_it_is_lifted(world: World) -> None:
    patient = await world.patient()
    for who in (INSIDE, OUTSIDE):
        await world.authorise(patient, who)
    document = await world.document(world.of(AUTHOR), patient, "34794-8")
    hospital = Party(HOSPITAL, "Hôpital fictif", "organization")
    numbers = [kinds().number("34794-8"), kinds().number("11502-2")]
    async with world.database.transaction() as tx:
        id = await world.gateway.rights.restrict(tx, world.citizen(patient), patient, hospital, kinds=numbers)
    assert not await sees(world, INSIDE, document)
    assert await sees(world, OUTSIDE, document)
    async with world.database.transaction() as tx:
        (found,) = await restrictions_of(tx, patient)
        assert (found.id, found.kinds, found.documents) == (id, frozenset(numbers), frozenset())
        await world.gateway.rights.lift_restriction(tx, world.citizen(patient), patient, id)
    assert await sees(world, INSIDE, document)
    told = [line[0] for line in await world.traces(patient) if line[0].startswith("restrict")]
    assert told == ["restricted", "restriction_lifted"]


async def test_whom_masking_does_not_stop_a_restriction_does_not_stop(world: World) -> None:
    patient = await world.patient()
    document = await world.document(world.of(AUTHOR), patient)
    async with world.database.transaction() as tx:
        ctx, rights = world.citizen(patient), world.gateway.rights
        await rights.restrict(tx, ctx, patient, Party.of(TREATING), kinds=[kinds().number("11502-2")])
        await rights.authorise(tx, ctx, patient, Party.of(TREATING))
    assert not await sees(world, TREATING, document)
    async with world.database.transaction() as tx:
        await rights.declare_treating(tx, world.of(TREATING), patient, Party.of(TREATING))
    assert await sees(world, TREATING, document)


async def test_only_the_patients_side_keeps_and_lifts(world: World) -> None:
    patient = await world.patient()
    await world.authorise(patient, OTHER)
    with pytest.raises(Refusal) as refused:
        async with world.database.transaction() as tx:
            await world.gateway.rights.restrict(tx, world.of(OTHER), patient, Party.of(AUTHOR), kinds=[1])
    assert refused.value.code == "ACCESS_WRITE_RESERVED"
