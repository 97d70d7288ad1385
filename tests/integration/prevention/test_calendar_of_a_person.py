"""A person's calendar: what the record says, what the person says, who may look, and what is recalled."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import SHARDS
from ambroise.kernel.outbox import Event
from ambroise.modules.notification.api import notices
from ambroise.modules.prevention.api import Calendar, Handlers, Item, Prevention, State, remind
from ambroise.modules.profile.api import CHANGED, Code, Draft, Profile, Section
from ambroise.trust.access.kinds import kinds
from ambroise.trust.context import Citizen, Context, Operator
from ambroise.trust.gateway import Flags, Label
from tests.integration.record.conftest import World, patient_resource, world

__all__ = ["world"]

WHOLE = range(SHARDS)
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.fixture
async def prevention(world: World) -> Prevention:
    """The rules of the software, in force; Dominique, born on 28 March 1979."""
    found = Prevention(world.gateway)
    async with world.database.transaction() as tx:
        assert await found.install(tx, world.system) > 60
        assert await found.install(tx, world.system) == 0
    return found


async def item(world: World, prevention: Prevention, ctx: Context, key: str) -> Item:
    async with world.database.reader() as reader:
        return (await prevention.calendar(reader, ctx, world.patient)).item(key)


async def act(world: World, use_case: Any, *details: Any, ctx: Context | None = None) -> None:
    async with world.database.transaction() as tx:
        await use_case(tx, ctx or world.citizen, world.patient, *details)


async def test_what_the_person_says_closes_an_item_until_it_is_taken_back(world: World, prevention: Prevention) -> None:
    key = "checkup.45-50"
    assert (await item(world, prevention, world.citizen, key)).state is State.DUE
    today = world.clock.now().date()
    with pytest.raises(Refusal, match="birth to today"):
        await act(world, prevention.done, key, today + timedelta(days=2))
    await act(world, prevention.done, key, today)
    done = await item(world, prevention, world.citizen, key)
    assert done.state is State.DONE
    assert done.source is not None
    assert done.source.kind == "declared"
    with pytest.raises(Refusal, match="done already"):
        await act(world, prevention.done, key, today)
    await act(world, prevention.take_back, key)
    await act(world, prevention.not_done, key)
    assert (await item(world, prevention, world.citizen, key)).state is State.NOT_DONE
    await act(world, prevention.done, key, today)
    assert (await item(world, prevention, world.citizen, key)).state is State.DONE


async def test_a_dose_said_by_the_person_is_an_immunization_that_counts(world: World, prevention: Prevention) -> None:
    booster = "vaccine.boosters:4"
    assert (await item(world, prevention, world.citizen, booster)).state is State.UNKNOWN
    await act(world, prevention.done, booster, date(2024, 5, 2))
    assert (await item(world, prevention, world.citizen, booster)).done == date(2024, 5, 2)


async def test_a_pregnancy_told_opens_its_calendar_and_stops_it(world: World, prevention: Prevention) -> None:
    today = world.clock.now().date()
    with pytest.raises(Refusal, match="42 weeks"):
        await act(world, prevention.expect, today + timedelta(weeks=60))
    expected = today + timedelta(weeks=10)
    await act(world, prevention.expect, expected)
    key = f"pregnancy.dental:{expected:%Y%m}"
    assert (await item(world, prevention, world.citizen, key)).waits
    await act(world, prevention.expect_no_more)
    with pytest.raises(Refusal, match="no such act"):
        await item(world, prevention, world.citizen, key)


async def test_a_pregnancy_that_others_wrote_of_is_stopped_too_and_a_birth_moves_what_comes_after(
    world: World, prevention: Prevention
) -> None:
    today = world.clock.now().date()
    written = today + timedelta(weeks=12)
    await file_expected(world, written)
    expected = (await calendar(world, prevention)).told
    assert expected is not None
    assert (expected.day, expected.own) == (written, False)
    with pytest.raises(Refusal, match="day of birth"):
        await act(world, prevention.born, today + timedelta(days=1))
    with pytest.raises(Refusal, match="day of birth"):
        await act(world, prevention.born, today - timedelta(weeks=10))
    born = today - timedelta(weeks=3)
    await act(world, prevention.born, born)
    after = await calendar(world, prevention)
    assert after.person.expected == born, "the real day, before the one that was expected"
    assert after.item(f"pregnancy.postnatal-interview:{born:%Y%m}").start == born + timedelta(weeks=4)
    await act(world, prevention.expect_no_more)
    assert (await calendar(world, prevention)).person.expected is None, "nor does the one of the record come back"
    await file_expected(world, written + timedelta(weeks=2))
    assert (await calendar(world, prevention)).person.expected is None, "a date that moves is of the same pregnancy"
    await act(world, prevention.expect, written)
    assert (await calendar(world, prevention)).person.expected == written, "their own word counts first"


async def test_a_minor_s_own_pregnancy_is_kept_from_their_parents_and_shown_to_them_when_a_parent_tells_it(
    world: World, prevention: Prevention
) -> None:
    today = world.clock.now().date()
    born = today.replace(year=today.year - 15)
    async with world.database.transaction() as tx:
        girl = await world.gateway.create(tx, world.system, _newborn(born))
        rights = world.gateway.rights
        await rights.set_relation(tx, world.system, girl.key, world.patient, "representative")
    own = world.context(Citizen(girl.key, "Zoé Bébé"))
    parent = world.context(world.citizen.actor, acting_for=girl.key, relation="representative")
    expected = today + timedelta(weeks=20)

    async def followed(ctx: Context) -> date | None:
        async with world.database.reader() as reader:
            return (await prevention.calendar(reader, ctx, girl.key)).person.expected

    async def say(ctx: Context, use_case: Any, *details: Any) -> None:
        async with world.database.transaction() as tx:
            await use_case(tx, ctx, girl.key, *details)

    await say(own, prevention.expect, expected)
    await say(own, prevention.done, f"pregnancy.first-examination:{expected:%Y%m}", today)
    assert await followed(own) == expected
    assert await followed(parent) is None
    async with world.database.reader() as reader:
        for ctx, seen in ((own, {"Observation", "Procedure"}), (parent, set[str]())):
            lines, _ = await world.gateway.access_history(reader, ctx, girl.key)
            made = {one.resource.type for one in lines if one.event == "create" and one.resource}
            assert made & {"Observation", "Procedure"} == seen
        assert not any(one.key.startswith("pregnancy") for one in await prevention.waiting(reader, parent, girl.key))
    await say(own, prevention.expect_no_more)
    assert await followed(own) is None
    await say(parent, prevention.expect, expected)
    assert await followed(parent) == expected, "the control: what a parent tells, a parent sees"


async def test_what_does_not_concern_them_is_said_once_and_taken_back(world: World, prevention: Prevention) -> None:
    key = "screening.cervix-hpv"
    assert (await item(world, prevention, world.citizen, key)).waits
    await act(world, prevention.not_concerned, key)
    said = await item(world, prevention, world.citizen, key)
    assert said.state is State.NOT_CONCERNED
    with pytest.raises(Refusal, match="not asked"):
        await act(world, prevention.not_concerned, key)
    async with world.database.reader() as reader:
        assert key not in {one.key for one in await prevention.waiting(reader, world.citizen, world.patient)}
    await world.authorise(world.professional(3))
    assert (await item(world, prevention, world.professional(3), key)).waits, "what a citizen notes is for them"
    await act(world, prevention.take_back, key)
    assert (await item(world, prevention, world.citizen, key)).waits


async def test_what_is_told_in_the_profile_changes_what_the_home_says_at_the_next_look(
    world: World, prevention: Prevention
) -> None:
    key, profile = "screening.cervix-hpv", Profile(world.database, world.gateway)
    await remind(world.database, prevention, world.clock, shards=WHOLE)

    async def home() -> set[str]:
        async with world.database.reader() as reader:
            return {one.key for one in await prevention.waiting(reader, world.citizen, world.patient)}

    assert key in await home()
    cancer = Code("http://hl7.org/fhir/sid/icd-10", "C53.9", "Tumeur du col")
    async with world.database.transaction() as tx:
        await profile.add(tx, world.citizen, world.patient, Draft(Section.ILLNESSES, "Cancer", cancer, start="2020"))
    async with world.database.transaction() as tx:
        rows = await tx.fetch_all("select id, payload, patient from outbox where event = %s", (CHANGED,))
        events = [Event(id, CHANGED, payload, whose, world.clock.now(), 0) for id, payload, whose in rows]
        assert [event.patient for event in events] == [world.patient]
        await Handlers(world.clock).profiles_changed(tx, events)
    await remind(world.database, prevention, world.clock, shards=WHOLE)
    assert key not in await home()


async def test_an_illness_and_the_result_of_the_record_change_what_is_asked(
    world: World, prevention: Prevention
) -> None:
    subject = {"reference": f"Patient/{world.patient}"}
    today = world.clock.now().date()
    condition = {
        "resourceType": "Condition",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]
        },
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "C53.9"}]},
        "subject": subject,
        "recordedDate": today.isoformat(),
    }
    born_early = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "11885-1"}]},
        "subject": subject,
        "effectiveDateTime": "1979-03-28",
        "valueInteger": 33,
    }
    label = Label(world.patient, kinds().numbers["11502-2"], Flags(0))
    async with world.database.transaction() as tx:
        await world.gateway.file(tx, world.system, condition, label)
        await world.gateway.file(tx, world.system, born_early, label)
    found = await calendar(world, prevention)
    assert found.item("screening.cervix-hpv").state is State.NOT_CONCERNED
    assert found.person.premature
    positive = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29771-3"}]},
        "subject": subject,
        "effectiveDateTime": today.isoformat(),
        "interpretation": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "POS"}
                ]
            }
        ],
    }
    world.clock.move(timedelta(days=366 * 4))
    assert (await calendar(world, prevention)).item("screening.colorectal").waits
    async with world.database.transaction() as tx:
        await world.gateway.file(tx, world.system, positive, label)
    assert (await calendar(world, prevention)).item("screening.colorectal").alarmed


async def file_expected(world: World, day: date) -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "11778-8"}]},
        "subject": {"reference": f"Patient/{world.patient}"},
        "effectiveDateTime": world.clock.now().date().isoformat(),
        "valueDateTime": day.isoformat(),
    }
    async with world.database.transaction() as tx:
        label = Label(world.patient, kinds().numbers["11502-2"], Flags(0))
        await world.gateway.file(tx, world.system, observation, label)


async def calendar(world: World, prevention: Prevention) -> Calendar:
    async with world.database.reader() as reader:
        return await prevention.calendar(reader, world.citizen, world.patient)


async def test_others_learn_of_it_by_the_rules_alone(world: World, prevention: Prevention) -> None:
    """The control: the person sees it. Then a stranger, another citizen, the desk, and who is authorised."""
    key, today = "checkup.45-50", world.clock.now().date()
    await act(world, prevention.done, key, today)
    assert (await item(world, prevention, world.citizen, key)).state is State.DONE
    other = await world.create_space("255086926005234")
    strangers = (
        world.professional(3),
        world.context(Citizen(other, "Ana Fictive")),
        world.context(Citizen(other, "Ana Fictive"), acting_for=world.patient, relation="carer"),
        world.context(Operator("desk-1", "Guichet", frozenset({"prevention"}))),
    )
    for stranger in strangers:
        with pytest.raises(Refusal):
            await item(world, prevention, stranger, key)
        with pytest.raises(Refusal):
            await act(world, prevention.not_done, key, ctx=stranger)
    await world.authorise(world.professional(3))
    seen = await item(world, prevention, world.professional(3), key)
    assert seen.state is State.DUE, "what a citizen notes is for that citizen"
    async with world.database.transaction() as tx:
        rights = world.gateway.rights
        await rights.set_relation(tx, world.system, world.patient, other, "carer", scope="see")
    carer = world.context(Citizen(other, "Ana Fictive"), acting_for=world.patient, relation="carer")
    assert (await item(world, prevention, carer, key)).state is State.DONE
    with pytest.raises(Refusal):
        await act(world, prevention.take_back, key, ctx=carer)


@pytest.mark.parametrize(
    ("hidden_from", "told_to"),
    [
        (Flags(0), {"holder", "parent"}),
        (Flags.INVISIBLE_REPRESENTATIVES, {"holder"}),
        (Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES, set[str]()),
    ],
    ids=["open", "kept from representatives", "not disclosed yet"],
)
async def test_what_waits_tells_nobody_of_a_fact_that_is_kept_from_them(
    world: World, prevention: Prevention, hidden_from: Flags, told_to: set[str]
) -> None:
    parent = await world.create_space("255086926005234")
    acting = world.context(Citizen(parent, "Ana Fictive"), acting_for=world.patient, relation="representative")
    expected = world.clock.now().date() + timedelta(weeks=10)
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "11778-8"}]},
        "subject": {"reference": f"Patient/{world.patient}"},
        "effectiveDateTime": world.clock.now().date().isoformat(),
        "valueDateTime": expected.isoformat(),
    }
    kind = kinds().numbers["11502-2"]
    await remind(world.database, prevention, world.clock, shards=WHOLE)
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, world.patient, parent, "representative")
        await world.gateway.file(tx, world.system, observation, Label(world.patient, kind, hidden_from))
        await tx.execute("update prevention_watch set next_at = %s", (world.clock.now().date(),))
        await tx.execute("delete from notification")
    world.clock.move(timedelta(days=1))
    await remind(world.database, prevention, world.clock, shards=WHOLE)

    def about_it(keys: Iterable[str]) -> bool:
        return any(key.startswith("pregnancy.") for key in keys)

    async with world.database.reader() as reader:
        viewers = {"holder": world.citizen, "parent": acting}
        waiting = {who: await prevention.waiting(reader, ctx, world.patient) for who, ctx in viewers.items()}
        notified = {who: await notices(reader, ctx) for who, ctx in viewers.items()}
    assert {who for who, found in waiting.items() if about_it(one.key for one in found)} == told_to
    assert {who for who, found in notified.items() if found} == told_to


async def test_what_begins_to_wait_is_told_once_and_to_nobody_whose_space_is_not_open(
    world: World, prevention: Prevention
) -> None:
    closed = await world.create_space("255086926005234")
    async with world.database.transaction() as tx:
        await tx.execute("update access_space set state = 'closed' where patient = %s", (closed,))
        child = await world.gateway.create(tx, world.system, _newborn(world.clock.now().date()))
    assert await remind(world.database, prevention, world.clock, shards=WHOLE) == 2
    assert await told(world) == [
        (child.key, "RAPPEL_RDV_PREV"),
        (world.patient, "RAPPEL_RDV_PREV"),
        (world.patient, "RAPPEL_RDV_PREV_DEPIST"),
    ]
    assert await remind(world.database, prevention, world.clock, shards=WHOLE) == 0
    world.clock.move(timedelta(days=61))
    await remind(world.database, prevention, world.clock, shards=WHOLE)
    assert (child.key, "RAPPEL_RDV_PREV_VACC") in await told(world), "vaccines begin at two months"
    assert not [patient for patient, _ in await told(world) if patient == closed]
    async with world.database.reader() as reader:
        keys = {one.key for one in await prevention.waiting(reader, world.citizen, world.patient)}
        assert "checkup.45-50" in keys
        with pytest.raises(Refusal):
            await prevention.waiting(reader, world.professional(3), world.patient)


async def told(world: World) -> list[Any]:
    async with world.database.reader() as reader:
        rows = await reader.fetch_all(
            "select patient, code from notification where code like 'RAPPEL_RDV_PREV%%' order by code, patient"
        )
    return sorted(((patient, code) for patient, code in rows), key=lambda one: (one[0] == world.patient, one[1]))


def _newborn(day: date) -> dict[str, Any]:
    return patient_resource("126036926005267", birthDate=day.isoformat(), name=[{"family": "BEBE", "given": ["ZOE"]}])
