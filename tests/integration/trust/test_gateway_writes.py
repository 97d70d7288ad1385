"""Writing through the door: who may write what, about whom, and what is refused."""

from uuid import UUID

import pytest

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Operator, System
from ambroise.trust.gateway import Action, Flags, New
from tests.integration.trust.people import World, professional

AUTHOR, OTHER, COLLEAGUE = (
    professional(1, organization="1750000001"),
    professional(2),
    professional(3, organization="1750000001"),
)
DESK = Operator("desk", "Guichet")


def note(patient: UUID | None, **more: object) -> dict[str, object]:
    subject = {"subject": {"reference": f"Patient/{patient}"}} if patient else {}
    return {"resourceType": "Observation", "status": "final", "code": {"text": "note"}, **subject, **more}


async def create(world: World, ctx: Context, resource: dict[str, object]) -> str:
    async with world.database.transaction() as tx:
        return (await world.gateway.create(tx, ctx, resource)).id


async def code_of(world: World, ctx: Context, resource: dict[str, object]) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as caught:
        await create(world, ctx, resource)
    return caught.value.kind, caught.value.code


async def test_a_clinical_resource_names_one_patient_who_exists(world: World) -> None:
    patient = await world.patient()
    ctx = world.of(AUTHOR)
    assert await code_of(world, ctx, note(None)) == (Kind.UNPROCESSABLE, "PATIENT_MISSING")
    assert await code_of(world, ctx, note(new_id())) == (Kind.UNPROCESSABLE, "PATIENT_UNKNOWN")
    absent = {**note(None), "subject": {"reference": "Patient/nobody"}}
    assert await code_of(world, ctx, absent) == (Kind.UNPROCESSABLE, "PATIENT_UNKNOWN")
    group = {"resourceType": "Provenance", "target": [{"reference": f"Patient/{patient}"}, {"reference": "Patient/x"}]}
    assert await code_of(world, ctx, group) == (Kind.UNPROCESSABLE, "PATIENT_AMBIGUOUS")
    await create(world, ctx, note(patient))
    await create(world, world.system, note(None))


async def test_a_closed_space_takes_nothing_and_shows_its_author_nothing(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_state(tx, world.citizen(patient), patient, SpaceState.CLOSED)
    assert await code_of(world, world.of(AUTHOR), note(patient)) == (Kind.FORBIDDEN, "ACCESS_SPACE_CLOSED")
    with pytest.raises(Refusal, match="NOT_FOUND"):
        await world.read(world.of(AUTHOR), "Observation", id)
    await world.read(world.citizen(patient), "Observation", id)


async def test_an_opposition_to_feeding_holds_for_professionals(world: World) -> None:
    patient = await world.patient()
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_feed_opposed(tx, world.citizen(patient), patient, True, reason="a conflict")
    assert await code_of(world, world.of(AUTHOR), note(patient)) == (Kind.FORBIDDEN, "ACCESS_FEED_OPPOSED")


async def test_only_the_author_changes_or_deletes(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    for ctx in (world.of(OTHER), world.citizen(patient)):
        async with world.database.transaction() as tx:
            with pytest.raises(Refusal, match="ACCESS_NOT_AUTHOR"):
                await world.gateway.update(tx, ctx, note(patient, id=id))
            with pytest.raises(Refusal, match="ACCESS_NOT_AUTHOR"):
                await world.gateway.delete(tx, ctx, "Observation", id)
    async with world.database.transaction() as tx:
        changed = await world.gateway.update(tx, world.of(AUTHOR), note(patient, id=id), if_match=1)
        assert changed.version == 2
        with pytest.raises(Refusal, match="VERSION_MISMATCH"):
            await world.gateway.update(tx, world.of(AUTHOR), note(patient, id=id), if_match=1)
        await world.gateway.delete(tx, world.of(AUTHOR), "Observation", id)
    with pytest.raises(Refusal, match="GONE"):
        await world.read(world.of(AUTHOR), "Observation", id)
    with pytest.raises(Refusal, match="NOT_FOUND"):
        await world.read(world.of(professional(9)), "Observation", id)


async def test_what_one_may_not_see_cannot_be_changed_nor_told_from_nothing(world: World) -> None:
    patient = await world.patient()
    id = await world.document(world.of(AUTHOR), patient, flags=Flags.MASKED)
    await world.authorise(patient, OTHER)
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal) as caught:
            await world.gateway.open(tx, world.of(OTHER), Action.MASK, "DocumentReference", id)
    assert caught.value.kind is Kind.NOT_FOUND


async def test_a_resource_stays_with_its_patient(world: World) -> None:
    patient, other = await world.patient(1), await world.patient(2)
    id = await world.observation(world.of(AUTHOR), patient)
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal, match="PATIENT_CHANGED"):
            await world.gateway.update(tx, world.of(AUTHOR), note(other, id=id))


async def test_a_structure_replaces_what_its_members_wrote(world: World) -> None:
    patient = await world.patient()
    id = await world.document(world.of(AUTHOR), patient)
    async with world.database.transaction() as tx:
        await world.gateway.open(tx, world.of(COLLEAGUE), Action.REPLACE, "DocumentReference", id)
        with pytest.raises(Refusal, match="NOT_FOUND"):
            await world.gateway.open(tx, world.of(OTHER), Action.REPLACE, "DocumentReference", id)


async def test_a_citizen_notes_for_himself_and_never_writes_what_care_writes(world: World) -> None:
    patient = await world.patient()
    id = await create(world, world.citizen(patient), note(patient))
    await world.read(world.citizen(patient), "Observation", id)
    await world.authorise(patient, OTHER)
    with pytest.raises(Refusal, match="NOT_FOUND"):
        await world.read(world.of(OTHER), "Observation", id)
    request = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }
    assert await code_of(world, world.citizen(patient), request) == (Kind.FORBIDDEN, "ACCESS_WRITE_RESERVED")
    other = await world.patient(2)
    assert await code_of(world, world.citizen(patient), note(other)) == (Kind.FORBIDDEN, "ACCESS_OTHER_SPACE")
    async with world.database.transaction() as tx:
        await world.gateway.delete(tx, world.citizen(patient), "Observation", id)


async def test_the_directory_is_written_by_the_operator_and_read_by_all(world: World) -> None:
    practitioner = {"resourceType": "Practitioner", "name": [{"family": "FICTIF"}]}
    assert (await code_of(world, world.of(AUTHOR), practitioner))[1] == "ACCESS_OPERATOR_ONLY"
    id = await create(world, world.of(DESK), practitioner)
    for ctx in (world.of(AUTHOR), world.citizen(await world.patient())):
        await world.read(ctx, "Practitioner", id)


async def test_the_desk_never_reads_care(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    with pytest.raises(Refusal, match="NOT_FOUND"):
        await world.read(world.of(DESK), "Observation", id)
    await world.read(world.of(DESK), "Patient", str(patient))


async def test_the_operators_token_writes_on_demonstrations_only(world: World) -> None:
    real = Context(System(), world.clock)
    assert await code_of(world, real, note(await world.patient())) == (
        Kind.FORBIDDEN,
        "ACCESS_SYSTEM_ONLY_DEMONSTRATION",
    )


async def test_ids_are_the_servers_but_for_the_operators_token(world: World) -> None:
    patient = await world.patient()
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal, match="NOT_FOUND"):
            await world.gateway.update(tx, world.of(AUTHOR), note(patient, id="mine"))
        with pytest.raises(Refusal, match="ACCESS_ID_CHOSEN"):
            await world.gateway.create(tx, world.of(AUTHOR), note(patient), id="mine")
        reserved = await world.gateway.reserve(tx, world.of(AUTHOR), note(patient))
        assert (await world.gateway.create(tx, world.of(AUTHOR), note(patient), id=reserved)).id == reserved
        named = await world.gateway.update(tx, world.system, note(patient, id="example"))
    assert (named.id, named.version) == ("example", 1)
    await world.read(world.citizen(patient), "Observation", "example")


async def test_the_default_of_the_patient_masks_what_arrives(world: World) -> None:
    patient = await world.patient()
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_masked_by_default(tx, world.citizen(patient), patient, True)
    id = await world.observation(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    with pytest.raises(Refusal, match="NOT_FOUND"):
        await world.read(world.of(OTHER), "Observation", id)


async def test_a_carer_cannot_decide_for_the_holder(world: World) -> None:
    patient, carer = await world.patient(1), await world.patient(2)
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.citizen(patient), patient, carer, "carer")
    acting = world.citizen(carer, acting_for=patient, relation="carer")
    async with world.database.transaction() as tx:
        await world.gateway.rights.block(tx, acting, patient, Party.of(OTHER))
    for attempt in (
        lambda tx: world.gateway.rights.set_state(tx, acting, patient, SpaceState.CLOSED),
        lambda tx: world.gateway.rights.set_relation(tx, acting, patient, new_id(), "carer"),
        lambda tx: world.gateway.rights.appoint_administrator(tx, acting, patient, Party.of(OTHER)),
    ):
        async with world.database.transaction() as tx:
            with pytest.raises(Refusal, match="ACCESS_WRITE_RESERVED"):
                await attempt(tx)


async def test_a_purge_erases_the_record_and_keeps_the_trace(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal, match="ACCESS_WRITE_RESERVED"):
            await world.gateway.purge(tx, world.of(DESK), patient)
        assert await world.gateway.purge(tx, world.system, patient) == 2
    with pytest.raises(Refusal, match="NOT_FOUND"):
        await world.read(world.of(AUTHOR), "Observation", id)
    assert (await world.traces(patient))[-1][:3] == ("purged", 0, "system")


async def test_a_load_is_decided_traced_and_masked_like_single_writes(world: World) -> None:
    patient, other = await world.patient(1), await world.patient(2)
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_masked_by_default(tx, world.citizen(other), other, True)
        loaded = await world.gateway.load(
            tx, world.of(AUTHOR), [New(note(patient)) for _ in range(3)] + [New(note(other)) for _ in range(2)]
        )
        assert loaded == 5
    assert len(await world.ids(world.of(AUTHOR), "Observation")) == 5
    for who in (patient, other):
        await world.authorise(who, OTHER)
    assert len(await world.ids(world.of(OTHER), "Observation")) == 3
    assert [line[:3] for line in await world.traces(patient)].count(("loaded", 0, "feeding")) == 3
    with pytest.raises(Refusal, match="ACCESS_WRITE_RESERVED"):
        async with world.database.transaction() as tx:
            await world.gateway.load(tx, world.citizen(patient), [New({**note(patient), "resourceType": "Flag"})])
    async with world.database.transaction() as tx:
        await world.gateway.load(tx, world.system, [New(note(patient), id="named"), New(note(other))])
    await world.read(world.citizen(patient), "Observation", "named")
