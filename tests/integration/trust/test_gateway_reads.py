"""Reading through the door: who sees what, what a refusal looks like, what the trace says."""

from uuid import UUID

import pytest

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context
from ambroise.trust.gateway import Action, Flags
from tests.integration.trust.people import NURSE, TEST_INS, World, matricule, professional

AUTHOR, OTHER, STRANGER = professional(1), professional(2), professional(3)


async def refused(world: World, ctx, type: str, id: str) -> Refusal:  # type: ignore[no-untyped-def]
    with pytest.raises(Refusal) as caught:
        await world.read(ctx, type, id)
    return caught.value


async def test_an_authorised_professional_reads_and_the_trace_says_under_which_rule(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    assert (await world.read(world.of(OTHER), "Observation", id))["status"] == "final"
    assert (await world.read(world.of(AUTHOR), "Observation", id))["status"] == "final"
    assert (await world.read(world.citizen(patient), "Observation", id))["status"] == "final"
    assert [line[:3] for line in await world.traces(patient)] == [
        ("create", 0, "system"),
        ("space_opened", 0, "system"),
        ("create", 0, "feeding"),
        ("authorised", 0, "patient"),
        ("read", 0, "authorised"),
        ("read", 0, "author"),
        ("read", 0, "patient"),
    ]


async def test_a_stranger_finds_nothing_and_the_patient_sees_the_attempt(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    assert (await refused(world, world.of(STRANGER), "Observation", id)).kind is Kind.NOT_FOUND
    assert (await world.traces(patient))[-1] == ("read", 4, "not_authorised", STRANGER.id)


async def test_no_way_of_asking_tells_an_id_of_a_record_that_is_not_open_to_one_from_an_id_of_nothing(
    world: World,
) -> None:
    """Not authorised, blocked, in an emergency that is refused or lacks its reason, as the author in a closed space."""
    patient, stranger = await world.patient(), world.of(STRANGER)
    id, absent = await world.observation(world.of(AUTHOR), patient), str(new_id(shard_of(patient)))
    await world.read(world.of(AUTHOR), "Observation", id)

    async def alike(ctx: Context) -> None:
        assert await answers(world, ctx, patient, id) == await answers(world, ctx, patient, absent)

    await alike(stranger)
    await alike(world.breaking_glass(STRANGER, None))
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_emergency_consents(
            tx, world.citizen(patient), patient, etreat=True, btg=False, masked=False
        )
        await world.gateway.rights.block(tx, world.citizen(patient), patient, Party.of(OTHER))
    await alike(world.breaking_glass(STRANGER))
    await alike(world.of(OTHER))
    await alike(world.citizen(await world.patient(2)))
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_state(tx, world.citizen(patient), patient, SpaceState.CLOSED)
    await alike(world.of(AUTHOR))
    await alike(stranger)
    refused_reads = [line for line in await world.traces(patient) if line[1] == 4 and line[3] == STRANGER.id]
    assert {"not_authorised", "emergency_reason", "emergency_refused", "space_closed"} <= {
        line[2] for line in refused_reads
    }, "the control: each attempt was refused under its own rule, and the patient reads it"


async def answers(world: World, ctx: Context, patient: UUID, id: str) -> list[tuple[str, str, str]]:
    """What each way of asking for an Observation answers: by id, by version, over time, changed, deleted."""
    changed = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }

    async def read() -> object:
        return await world.read(ctx, "Observation", id)

    async def vread() -> object:
        async with world.database.reader() as reader:
            return await world.gateway.vread(reader, ctx, "Observation", id, 1)

    async def history() -> object:
        async with world.database.reader() as reader:
            return await world.gateway.history(reader, ctx, "Observation", id)

    async def update(if_match: int | None = None) -> object:
        async with world.database.transaction() as tx:
            return await world.gateway.update(tx, ctx, changed, if_match=if_match)

    async def delete() -> object:
        async with world.database.transaction() as tx:
            return await world.gateway.delete(tx, ctx, "Observation", id)

    told: list[tuple[str, str, str]] = []
    for ask in (read, vread, history, update, lambda: update(if_match=1), delete):
        with pytest.raises(Refusal) as caught:
            await ask()
        told.append((caught.value.kind.value, caught.value.code, caught.value.diagnostics))
        assert not caught.value.data
    return told


async def test_a_masked_document_looks_unknown_to_other_professionals(world: World) -> None:
    patient = await world.patient()
    id = await world.document(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    await world.read(world.of(OTHER), "DocumentReference", id)
    async with world.database.transaction() as tx:
        await world.gateway.relabel(tx, world.citizen(patient), Action.MASK, "DocumentReference", id, set=Flags.MASKED)
    hidden = await refused(world, world.of(OTHER), "DocumentReference", id)
    absent = await refused(world, world.of(OTHER), "DocumentReference", str(patient))
    assert (hidden.kind, hidden.code, hidden.diagnostics, dict(hidden.data)) == (
        absent.kind,
        absent.code,
        absent.diagnostics,
        dict(absent.data),
    )
    await world.read(world.of(AUTHOR), "DocumentReference", id)
    await world.read(world.citizen(patient), "DocumentReference", id)
    async with world.database.transaction() as tx:
        await world.gateway.rights.declare_treating(tx, world.of(OTHER), patient, Party.of(OTHER))
    await world.read(world.of(OTHER), "DocumentReference", id)


async def test_a_revoked_or_blocked_professional_stops_at_the_next_request(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    await world.read(world.of(OTHER), "Observation", id)
    async with world.database.transaction() as tx:
        await world.gateway.rights.revoke(tx, world.citizen(patient), patient, Party.of(OTHER))
    assert (await refused(world, world.of(OTHER), "Observation", id)).code == "NOT_FOUND"
    async with world.database.transaction() as tx:
        await world.gateway.rights.block(tx, world.citizen(patient), patient, Party.of(OTHER))
        await world.gateway.rights.block(tx, world.citizen(patient), patient, Party.of(AUTHOR))
    assert (await refused(world, world.of(OTHER), "Observation", id)).code == "NOT_FOUND"
    assert (await refused(world, world.breaking_glass(OTHER), "Observation", id)).code == "NOT_FOUND"
    await world.read(world.of(AUTHOR), "Observation", id)
    mine = await world.observation(world.of(OTHER), patient)
    await world.read(world.of(OTHER), "Observation", mine)


async def test_unblocking_never_gives_the_authorisation_back(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    async with world.database.transaction() as tx:
        await world.gateway.rights.block(tx, world.citizen(patient), patient, Party.of(OTHER))
    with pytest.raises(Refusal, match="ACCESS_BLOCKED"):
        await world.authorise(patient, OTHER, world.of(OTHER))
    async with world.database.transaction() as tx:
        await world.gateway.rights.unblock(tx, world.citizen(patient), patient, Party.of(OTHER))
    assert (await refused(world, world.of(OTHER), "Observation", id)).code == "NOT_FOUND"


async def test_breaking_the_glass_follows_the_patients_choices(world: World) -> None:
    patient = await world.patient()
    shown = await world.document(world.of(AUTHOR), patient)
    masked = await world.document(world.of(AUTHOR), patient, flags=Flags.MASKED)
    assert (await refused(world, world.breaking_glass(OTHER, None), "DocumentReference", shown)).kind is (
        Kind.NOT_FOUND
    )
    await world.read(world.breaking_glass(OTHER), "DocumentReference", shown)
    assert (await refused(world, world.breaking_glass(OTHER), "DocumentReference", masked)).kind is Kind.NOT_FOUND
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_emergency_consents(
            tx, world.citizen(patient), patient, etreat=True, btg=True, masked=True
        )
    await world.read(world.breaking_glass(OTHER), "DocumentReference", masked)
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_emergency_consents(
            tx, world.citizen(patient), patient, etreat=True, btg=False, masked=True
        )
    assert (await refused(world, world.breaking_glass(OTHER), "DocumentReference", shown)).kind is (Kind.NOT_FOUND)
    lines = [line[:3] for line in await world.traces(patient) if line[3] == OTHER.id]
    assert lines == [
        ("emergency_opened", 4, "emergency_reason"),
        ("emergency_opened", 0, "emergency"),
        ("read", 0, "emergency"),
        ("read", 4, "masked"),
        ("read", 0, "emergency"),
        ("read", 4, "emergency_refused"),
    ]


async def test_the_matrix_hides_a_type_from_a_profession(world: World) -> None:
    patient = await world.patient()
    nurse = professional(4, NURSE)
    id = await world.document(world.of(AUTHOR), patient, "68599-0")
    await world.authorise(patient, nurse)
    assert (await refused(world, world.of(nurse), "DocumentReference", id)).kind is Kind.NOT_FOUND
    await world.authorise(patient, OTHER)
    await world.read(world.of(OTHER), "DocumentReference", id)


async def test_what_is_withheld_from_the_patient_stays_so_until_disclosed(world: World) -> None:
    patient = await world.patient()
    id = await world.document(world.of(AUTHOR), patient, flags=Flags.INVISIBLE_PATIENT)
    assert (await refused(world, world.citizen(patient), "DocumentReference", id)).kind is Kind.NOT_FOUND
    async with world.database.reader() as reader:
        lines, _ = await world.gateway.access_history(reader, world.citizen(patient), patient)
    (filed,) = [line for line in lines if line.event == "create" and line.actor_id == AUTHOR.id]
    assert filed.resource is not None
    assert filed.resource.key is None
    assert filed.resource.kind is None
    async with world.database.transaction() as tx:
        await world.gateway.relabel(
            tx,
            world.of(AUTHOR),
            Action.DISCLOSE,
            "DocumentReference",
            id,
            event="disclosed_to_patient",
            clear=Flags.INVISIBLE_PATIENT,
        )
    await world.read(world.citizen(patient), "DocumentReference", id)


async def test_a_withdrawn_document_exists_for_nobody(world: World) -> None:
    patient = await world.patient()
    id = await world.document(world.of(AUTHOR), patient)
    async with world.database.transaction() as tx:
        await world.gateway.relabel(tx, world.of(AUTHOR), Action.WITHDRAW, "DocumentReference", id, set=Flags.DELETED)
    for ctx in (world.of(AUTHOR), world.citizen(patient), world.system):
        assert (await refused(world, ctx, "DocumentReference", id)).kind is Kind.NOT_FOUND


async def test_a_citizen_never_sees_another_space_without_a_relation(world: World) -> None:
    parent, child = await world.patient(1), await world.patient(2)
    id = await world.document(world.of(AUTHOR), child)
    secret = await world.document(world.of(AUTHOR), child, flags=Flags.INVISIBLE_REPRESENTATIVES)
    acting = world.citizen(parent, acting_for=child, relation="representative")
    for ctx in (world.citizen(parent), acting):
        assert (await refused(world, ctx, "DocumentReference", id)).kind is Kind.NOT_FOUND
        assert await world.ids(ctx, "DocumentReference") == set()
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, child, parent, "representative")
    await world.read(acting, "DocumentReference", id)
    assert await world.ids(acting, "DocumentReference") == {id}
    assert (await refused(world, acting, "DocumentReference", secret)).kind is Kind.NOT_FOUND
    assert await world.ids(world.citizen(child), "DocumentReference") == {id, secret}


async def test_a_person_is_found_by_exact_identity_and_shows_nothing_more(world: World) -> None:
    patient = await world.patient(7)
    found = await world.search(world.of(STRANGER), "Patient", ("identifier", f"{TEST_INS}|{matricule(7)}"))
    ((stored, _),) = found.entries
    assert stored.key == patient
    assert b"telecom" not in stored.body
    assert b"SUBSETTED" in stored.body
    assert await world.ids(world.of(STRANGER), "Patient", ("family", "FICTIF7")) == set()
    assert b"telecom" not in str(await world.read(world.of(STRANGER), "Patient", str(patient))).encode()
    await world.authorise(patient, STRANGER)
    assert "telecom" in await world.read(world.of(STRANGER), "Patient", str(patient))
    assert [line[:3] for line in await world.traces(patient)][2:4] == [
        ("person_found", 0, "identity_only"),
        ("person_found", 0, "identity_only"),
    ]


async def test_finding_a_person_tells_nothing_but_the_identity(world: World) -> None:
    await world.patient(7, generalPractitioner=[{"reference": "Practitioner/somebody"}])
    ins = ("identifier", f"{TEST_INS}|{matricule(7)}")
    stranger = world.of(STRANGER)
    assert len(await world.ids(stranger, "Patient", ins)) == 1
    for probe in (("general-practitioner", "Practitioner/somebody"), ("phone", "0100000000"), ("active", "true")):
        assert await world.ids(stranger, "Patient", ins, probe) == set()
    traits = [("family", "FICTIF7"), ("given", "ALIX"), ("birthdate", "1980-02-29"), ("gender", "female")]
    assert len(await world.ids(stranger, "Patient", *traits)) == 1
    assert await world.ids(stranger, "Patient", *traits[:3]) == set()
