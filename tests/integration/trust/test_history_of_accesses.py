"""What the person concerned sees of the trace, and AuditEvent made from it."""

import pytest

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.fhir.validation import validate
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access import viewpoint
from ambroise.trust.access.facts import Standing
from ambroise.trust.access.matrix import matrix
from ambroise.trust.audit.history import Filters
from ambroise.trust.context import Context, Operator
from ambroise.trust.gateway import Action, Flags
from tests.integration.trust.people import NURSE, TEST_INS, World, matricule, professional

AUTHOR, OTHER = professional(1, organization="1750000001"), professional(2)


async def test_the_citizen_sees_who_did_what_and_under_which_rule(world: World) -> None:
    patient = await world.patient()
    id = await world.observation(world.of(AUTHOR), patient)
    await world.authorise(patient, OTHER)
    await world.read(world.of(OTHER), "Observation", id)
    async with world.database.reader() as reader:
        lines, _ = await world.gateway.access_history(
            reader, world.citizen(patient), patient, Filters(group="professionals")
        )
    read, created = lines
    assert (read.event, read.actor_name, read.rule, read.role) == (
        "read",
        OTHER.name,
        "authorised",
        ("1.2.250.1.71.1.2.7", "10"),
    )
    assert read.resource is not None
    assert (read.resource.type, read.resource.kind) == ("Observation", "11502-2")
    assert (created.event, created.organization_name) == ("create", "Cabinet fictif")


async def test_pages_of_the_history_go_on_where_they_stopped(world: World) -> None:
    patient = await world.patient()
    for _ in range(5):
        await world.observation(world.of(AUTHOR), patient)
    ctx, cursor, seen = world.citizen(patient), None, []
    async with world.database.reader() as reader:
        while True:
            lines, cursor = await world.gateway.access_history(
                reader, ctx, patient, Filters(group="professionals"), cursor=cursor, count=2
            )
            seen += lines
            if cursor is None:
                break
    assert len(seen) == len({line.id for line in seen}) == 5


async def test_a_secret_access_is_hidden_from_representatives(world: World) -> None:
    child, parent = await world.patient(1), await world.patient(2)
    id = await world.observation(world.of(AUTHOR), child)
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, child, parent, "representative")
    await world.read(world.of(AUTHOR, secret=True), "Observation", id)
    acting = world.citizen(parent, acting_for=child, relation="representative")
    async with world.database.reader() as reader:
        hidden, _ = await world.gateway.access_history(reader, acting, child, Filters(events=("read",)))
        shown, _ = await world.gateway.access_history(reader, world.citizen(child), child, Filters(events=("read",)))
    assert (len(hidden), len(shown)) == (0, 1)


async def test_what_is_done_with_what_a_minor_keeps_secret_is_in_no_history_of_a_parent(world: World) -> None:
    """Who filed or read it would tell of it: by the lines, by their number, by asking for the document by its id."""
    child, parent = await world.patient(1), await world.patient(2)
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, child, parent, "representative")
        await world.gateway.rights.set_relation(tx, world.system, child, parent, "carer")
    await world.document(world.of(OTHER), child)
    acting = world.citizen(parent, acting_for=child, relation="representative")
    kept = await world.document(world.of(AUTHOR), child, "11488-4", flags=Flags.INVISIBLE_REPRESENTATIVES)
    await world.read(world.of(AUTHOR), "DocumentReference", kept)

    async def told(ctx: Context, *about: tuple[str, str]) -> tuple[set[str], int | None]:
        pairs = [("patient", f"Patient/{child}"), *about, ("action", "C")]
        async with world.database.reader() as reader:
            found = await world.gateway.search(reader, ctx, parse("AuditEvent", pairs))
            lines, _ = await world.gateway.access_history(reader, ctx, child)
        names = {line.actor_name for line in lines if line.actor_kind == "professional"}
        return names, found.total

    asked = ("entity", f"DocumentReference/{kept}")
    whole, number = await told(world.citizen(child))
    assert whole == {AUTHOR.name, OTHER.name}, "the control"
    assert await told(world.citizen(child), asked) == (whole, 1)
    assert await told(acting) == ({OTHER.name}, (number or 0) - 1)
    assert await told(acting, asked) == ({OTHER.name}, 0)


async def test_what_was_withdrawn_while_it_was_withheld_stays_unknown_to_its_patient(world: World) -> None:
    patient = await world.patient()
    shown = await world.document(world.of(AUTHOR), patient)
    withheld = await world.document(world.of(AUTHOR), patient, "11488-4", flags=Flags.INVISIBLE_PATIENT)
    for id in (shown, withheld):
        async with world.database.transaction() as tx:
            await world.gateway.relabel(
                tx, world.of(AUTHOR), Action.WITHDRAW, "DocumentReference", id, set=Flags.DELETED
            )
    async with world.database.reader() as reader:
        lines, _ = await world.gateway.access_history(
            reader, world.citizen(patient), patient, Filters(events=("create", "withdrawn"))
        )
    kinds = [line.resource.kind for line in lines if line.resource is not None]
    assert "11502-2" in kinds, "the control: what was never withheld is named"
    assert "11488-4" not in kinds


async def test_nobody_else_reads_the_history(world: World) -> None:
    patient, other = await world.patient(1), await world.patient(2)
    await world.authorise(patient, AUTHOR)
    for ctx in (world.of(AUTHOR), world.citizen(other)):
        async with world.database.reader() as reader:
            with pytest.raises(Refusal):
                await world.gateway.access_history(reader, ctx, patient)


async def test_audit_events_are_valid_searched_and_read(world: World) -> None:
    patient = await world.patient()
    await world.authorise(patient, OTHER)
    id = await world.observation(world.of(AUTHOR), patient)
    await world.read(world.of(OTHER, software="Logiciel fictif"), "Observation", id)
    await world.search(world.of(OTHER), "Observation", ("patient", f"Patient/{patient}"), ("code", "4548-4"))
    await world.read(world.breaking_glass(professional(5)), "Observation", id)
    with pytest.raises(Refusal):
        await world.read(world.of(professional(6)), "Observation", id)
    citizen = world.citizen(patient)
    found = await world.search(citizen, "AuditEvent", ("patient", f"Patient/{patient}"), ("_count", "100"))
    assert found.total == len(found.entries)
    for stored, _ in found.entries:
        assert validate(decode(stored.body)) == []
    events = [decode(stored.body) for stored, _ in found.entries]
    purposes = [event["purposeOfEvent"][0]["coding"][0]["code"] for event in events]
    assert purposes.count("BTG") == 2
    assert [event["outcome"] for event in events].count("4") == 1
    one = found.entries[0][0]
    assert (await world.read(citizen, "AuditEvent", one.id))["id"] == one.id
    about = await world.search(citizen, "AuditEvent", ("entity", f"Observation/{id}"), ("action", "R"))
    assert len(about.entries) == 4
    desk = world.of(Operator("desk", "Guichet"))
    assert (await world.search(desk, "AuditEvent", ("patient", f"Patient/{patient}"))).entries
    for ctx in (world.of(OTHER), world.citizen(await world.patient(2))):
        with pytest.raises(Refusal):
            await world.search(ctx, "AuditEvent", ("patient", f"Patient/{patient}"))
        with pytest.raises(Refusal) as caught:
            await world.read(ctx, "AuditEvent", one.id)
        assert caught.value.kind is Kind.NOT_FOUND


async def test_audit_events_are_never_written(world: World) -> None:
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal, match="TRACE_NOT_WRITABLE"):
            await world.gateway.create(tx, world.system, {"resourceType": "AuditEvent"})
        with pytest.raises(Refusal, match="TRACE_NOT_WRITABLE"):
            await world.gateway.update(tx, world.system, {"resourceType": "AuditEvent", "id": "x"})
        with pytest.raises(Refusal, match="TRACE_NOT_WRITABLE"):
            await world.gateway.delete(tx, world.system, "AuditEvent", "x")


async def test_the_trace_never_holds_an_ins_or_a_name_that_was_searched(world: World) -> None:
    await world.patient(7)
    ins = matricule(7)
    await world.search(world.of(AUTHOR), "Patient", ("identifier", f"{TEST_INS}|{ins}"))
    await world.search(world.of(AUTHOR), "Patient", ("family", "FICTIF7"))
    async with world.database.reader() as reader:
        text = str(await reader.fetch_all("select t.* from trace t"))
    assert ins not in text
    assert "FICTIF7" not in text


async def test_the_patient_learns_why_and_sees_as_another(world: World) -> None:
    patient = await world.patient()
    plain = await world.document(world.of(AUTHOR), patient)
    masked = await world.document(world.of(AUTHOR), patient, flags=Flags.MASKED)
    psychiatric = await world.document(world.of(AUTHOR), patient, "68599-0")
    withheld = await world.document(world.of(AUTHOR), patient, flags=Flags.INVISIBLE_PATIENT)
    await world.authorise(patient, OTHER)
    citizen, nurse = world.citizen(patient), professional(8, NURSE)
    async with world.database.reader() as reader:
        why = await world.gateway.explain(reader, citizen, "DocumentReference", masked, [AUTHOR, OTHER, nurse])
        assert [(one.allowed, one.rule) for one in why] == [
            (True, "author"),
            (False, "masked"),
            (False, "not_authorised"),
        ]
        query = parse("DocumentReference", [("patient", f"Patient/{patient}")])
        for role, standing, expected in (
            ("10", Standing.AUTHORISED, {plain, psychiatric}),
            ("10", Standing.TREATING, {plain, psychiatric, masked}),
            ("60", Standing.AUTHORISED, {plain}),
        ):
            job = matrix(citizen.now()).role("1.2.250.1.71.1.2.7", role)
            view = await viewpoint.supposed(reader, citizen, patient, job, standing=standing)
            seen = await world.gateway.see_as(reader, citizen, query, view)
            assert {stored.id for stored, _ in seen.entries} == expected
            assert withheld not in expected


async def test_looking_up_too_many_people_is_refused(world: World) -> None:
    async def look(number: int) -> None:
        await world.search(world.of(AUTHOR), "Patient", ("identifier", f"{TEST_INS}|{matricule(number)}"))

    for number in range(60):
        await look(number)
    with pytest.raises(Refusal) as caught:
        await look(61)
    assert caught.value.kind is Kind.THROTTLED
