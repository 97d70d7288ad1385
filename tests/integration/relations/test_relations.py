"""Representatives, carers, guardians: who may be asked, what they see and do, and when it ends."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from ambroise.fhir.store.types import Flags
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.profile.api import EmergencyCodes, Profile, Section
from ambroise.modules.relations.api import Known, majority
from ambroise.modules.space.api import Reason, Spaces
from ambroise.trust.access.authority import Act
from ambroise.trust.context import Context
from ambroise.trust.gateway import author_of, label_for
from tests.integration.relations.conftest import Family, asked

NOTE = {"resourceType": "Observation", "status": "final", "code": {"text": "tension"}}


async def test_a_carer_is_asked_accepts_and_acts_until_either_ends_it(family: Family) -> None:
    holder = await family.person()
    seen = await family.observation(holder)
    carer = await family.person()
    ctx = family.of(carer, holder, "carer")
    invitation = await family.do(family.relations.invite_carer, family.of(holder), Known(carer, "A"), scope="act")
    assert not await family.reads(ctx, seen), "an invitation gives nothing"
    await family.do(family.relations.accept, family.of(carer), invitation.id)
    assert await family.reads(ctx, seen)
    await family.do(family.relations.leave, family.of(carer), holder, "carer")
    assert not await family.reads(ctx, seen)
    assert await family.told(holder) == ["ACCORD_PARTAGE_PROFIL", "REVOCATION_PAR_AIDANT"]
    again = await family.carer(holder)
    await family.do(family.relations.end, family.of(holder), again, "carer")
    assert not await family.reads(family.of(again, holder, "carer"), seen)
    assert "REVOCATION_PAR_AIDE" in await family.told(again)


async def test_the_trace_names_the_carer_and_for_whom(family: Family) -> None:
    holder = await family.person()
    seen = await family.observation(holder)
    carer = await family.carer(holder)
    assert await family.reads(family.of(carer, holder, "carer"), seen)
    async with family.world.database.reader() as reader:
        rows = await reader.fetch_all(
            "select actor_id, acting_for, relation, rule from trace where patient = %s and event = 'read'", (holder,)
        )
    assert (str(carer), holder, "carer", "carer") in rows


async def test_a_carer_who_only_sees_changes_nothing(family: Family) -> None:
    holder = await family.person()
    seen = await family.observation(holder)
    ctx = family.of(await family.carer(holder, "see"), holder, "carer")
    assert await family.reads(ctx, seen)
    note = {**NOTE, "subject": {"reference": f"Patient/{holder}"}}
    assert await family.refused(family.world.gateway.create, ctx, note) == "ACCESS_WRITE_RESERVED"
    acting = family.of(await family.carer(holder, "act"), holder, "carer")
    await family.do(family.world.gateway.create, acting, note)


async def test_help_ends_on_its_last_day(family: Family) -> None:
    holder = await family.person()
    seen = await family.observation(holder)
    carer = await family.carer(holder, ends_on=date(2026, 3, 20))
    assert await family.reads(family.of(carer, holder, "carer"), seen)
    family.world.clock.move(timedelta(days=7))
    assert not await family.reads(family.of(carer, holder, "carer"), seen)


async def test_a_fourth_carer_is_refused_invitations_counted(family: Family) -> None:
    holder = await family.person()
    await family.carer(holder)
    await family.carer(holder)
    for expected in (None, "OUTGOING_CAREGIVING_DELEGATIONS_LIMIT_REACHED"):
        other = Known(await family.person(), "B")
        if expected is None:
            await family.do(family.relations.invite_carer, family.of(holder), other, scope="see")
            continue
        assert await family.refused(family.relations.invite_carer, family.of(holder), other, scope="see") == expected


async def test_a_sixth_person_to_care_for_is_refused_when_asked_and_when_accepting(family: Family) -> None:
    carer = await family.person()
    waiting = []
    for _ in range(6):
        holder = await family.person()
        one = await family.do(family.relations.invite_carer, family.of(holder), Known(carer, "A"), scope="see")
        waiting.append(one.id)
    for id in waiting[:5]:
        await family.do(family.relations.accept, family.of(carer), id)
    full = "INCOMING_CAREGIVING_DELEGATIONS_LIMIT_REACHED"
    assert await family.refused(family.relations.accept, family.of(carer), waiting[5]) == full
    late = family.of(await family.person())
    assert await family.refused(family.relations.invite_carer, late, Known(carer, "A"), scope="see") == full


async def test_nobody_is_asked_twice_nor_oneself(family: Family) -> None:
    holder = await family.person()
    carer = await family.carer(holder)
    other = Known(await family.person(), "B")
    invite, ctx = family.relations.invite_carer, family.of(holder)
    await family.do(invite, ctx, other, scope="see")
    assert await family.refused(invite, ctx, other, scope="see") == "SAME_INVITATION_ALREADY_EXISTS"
    assert await family.refused(invite, ctx, Known(carer, "A"), scope="see") == "SAME_DELEGATION_ALREADY_EXISTS"
    assert await family.refused(invite, ctx, Known(holder, "A"), scope="see") == "SELF_INVITATION"


async def test_only_the_one_who_was_asked_answers_and_in_time(family: Family) -> None:
    holder, carer, stranger = await family.person(), await family.person(), await family.person()
    one = await family.do(family.relations.invite_carer, family.of(holder), Known(carer, "A"), scope="see")
    assert await family.refused(family.relations.accept, family.of(stranger), one.id) == "INVITATION_NOT_FOUND"
    family.world.clock.move(timedelta(days=31))
    assert await family.refused(family.relations.accept, family.of(carer), one.id) == "INVITATION_ENDED"
    await family.do(family.relations.invite_carer, family.of(holder), Known(carer, "A"), scope="see")


@pytest.mark.parametrize(
    "changed", [{"birth_name": "Autre"}, {"first_given": "Bob"}, {"birth_date": date(1970, 1, 2)}, {"birth_name": None}]
)
async def test_whoever_is_sought_with_one_wrong_trait_is_not_found(family: Family, changed: dict[str, object]) -> None:
    person = await family.person()
    ctx = family.of(await family.person())
    async with family.world.database.reader() as reader:
        assert (await family.relations.find(reader, ctx, *asked(1))).patient == person
        with pytest.raises(Refusal) as refused:
            await family.relations.find(reader, ctx, *asked(1, **changed))
    assert refused.value.code == "PROFILE_NOT_FOUND"


async def test_who_never_activated_is_not_found_either(family: Family) -> None:
    person = await family.person()
    spaces = Spaces(family.world.gateway, family.world.record)
    await family.do(spaces.close, family.of(person), person, Reason.OTHER)
    async with family.world.database.reader() as reader:
        with pytest.raises(Refusal) as refused:
            await family.relations.find(reader, family.of(await family.person()), *asked(1))
    assert refused.value.code == "PROFILE_NOT_FOUND"


async def test_a_carer_neither_invites_nor_ends_others(family: Family) -> None:
    holder = await family.person()
    ctx = family.of(await family.carer(holder), holder, "carer")
    other = Known(await family.person(), "B")
    assert await family.refused(family.relations.invite_carer, ctx, other, scope="see") == "ACCESS_WRITE_RESERVED"
    assert await family.refused(family.relations.end, ctx, other.patient, "carer") == "ACCESS_WRITE_RESERVED"


async def test_parents_represent_a_child_until_the_eighteenth_birthday(family: Family) -> None:
    child = await family.person("2008-03-20")
    mother, father = await family.person(), await family.person()
    seen = await family.observation(child)
    await family.do(family.relations.attach_child, family.desk, child, mother)
    for_child = family.of(mother, child, "representative")
    one = await family.do(family.relations.invite_representative, for_child, Known(father, "P"))
    await family.do(family.relations.accept, family.of(father), one.id)
    third = Known(await family.person(), "T")
    refused = await family.refused(family.relations.invite_representative, for_child, third)
    assert refused == "REPRESENTATIVES_LIMIT_REACHED"
    family.world.clock.set(datetime(2026, 3, 19, 22, 59, tzinfo=UTC))
    assert await family.reads(for_child, seen)
    family.world.clock.set(datetime(2026, 3, 19, 23, 0, tzinfo=UTC))
    assert not await family.reads(for_child, seen), "midnight in Paris"
    assert not await family.reads(family.of(father, child, "representative"), seen)
    await family.deliver()
    assert await family.told(child) == ["ACCORD_PARTAGE_PROFIL", "RAPPEL_CONSENT_PASSAGE_MAJO"]
    assert "RAPPEL_CONSENT_RL_PASSAGE_MAJO" in await family.told(mother)
    assert "RAPPEL_CONSENT_RL_PASSAGE_MAJO" in await family.told(father)


async def test_an_adult_is_no_child_and_a_child_has_no_guardian(family: Family) -> None:
    adult, child, other = await family.person(), await family.person("2020-01-01"), await family.person()
    assert await family.refused(family.relations.attach_child, family.desk, adult, other) == "NOT_A_MINOR"
    assert await family.refused(family.relations.set_guardian, family.desk, child, other) == "NOT_AN_ADULT"
    assert await family.refused(family.relations.set_guardian, family.of(other), adult, other) == "DESK_ONLY"


async def test_a_guardian_represents_an_adult_until_the_measure_ends(family: Family) -> None:
    adult, guardian = await family.person(), await family.person()
    seen = await family.observation(adult)
    await family.do(family.relations.set_guardian, family.desk, adult, guardian, ends_on=date(2026, 6, 1))
    ctx = family.of(guardian, adult, "representative")
    assert await family.reads(ctx, seen)
    assert await family.do(family.world.gateway.rights.allow, ctx, adult, Act.CHOICES) == "representative"
    family.world.clock.set(datetime(2026, 6, 2, tzinfo=UTC))
    assert not await family.reads(ctx, seen)


async def test_a_minors_secret_care_is_unknown_to_parents_even_one_who_is_a_carer_too(family: Family) -> None:
    world = family.world
    child, mother = await family.person("2010-05-05"), await family.person()
    await family.do(family.relations.attach_child, family.desk, child, mother)
    await family.do(world.gateway.rights.set_relation, world.system, child, mother, "carer")
    resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11502-2"}]},
        "subject": {"reference": f"Patient/{child}"},
        "content": [{"attachment": {"contentType": "application/pdf"}}],
    }
    secretly = replace(world.author, secret=True)
    author, organization = author_of(secretly)
    label = label_for(
        "DocumentReference",
        resource,
        patient=child,
        flags=Flags.INVISIBLE_REPRESENTATIVES,
        author=author,
        author_organization=organization,
    )
    async with world.database.transaction() as tx:
        kept = (await world.gateway.file(tx, secretly, resource, label)).id
    assert await family.reads(family.of(child), kept, "DocumentReference"), "the young person reads it"
    for claimed in ("representative", "carer"):
        ctx = family.of(mother, child, claimed)
        assert not await family.reads(ctx, kept, "DocumentReference")
        async with world.database.reader() as reader:
            lines, _ = await world.gateway.access_history(reader, ctx, child)
        assert not [line for line in lines if line.secret], f"a secret access shows, claiming to be a {claimed}"
    async with world.database.reader() as reader:
        lines, _ = await world.gateway.access_history(reader, family.of(child), child)
    assert [line for line in lines if line.secret]


async def test_an_invitation_is_taken_back_before_its_answer(family: Family) -> None:
    holder, carer = await family.person(), await family.person()
    one = await family.do(family.relations.invite_carer, family.of(holder), Known(carer, "A"), scope="see")
    assert await family.refused(family.relations.withdraw, family.of(carer), one.id) == "INVITATION_NOT_FOUND"
    await family.do(family.relations.withdraw, family.of(holder), one.id)
    assert await family.refused(family.relations.accept, family.of(carer), one.id) == "INVITATION_ENDED"


def test_majority_is_the_first_instant_of_the_birthday_in_paris() -> None:
    assert majority(date(2008, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert majority(date(2008, 2, 29)) == datetime(2026, 2, 28, 23, tzinfo=UTC), "1 March in an ordinary year"


async def test_searches_are_counted(family: Family) -> None:
    ctx = family.of(await family.person())
    counted = [await family.do(family.relations.count_search, ctx) for _ in range(11)]
    assert counted == [True] * 10 + [False]


async def test_an_invitation_ends_with_the_right_of_the_representative_who_sent_it(family: Family) -> None:
    holder, guardian, asked = await family.person(), await family.person(), await family.person()
    await family.do(family.relations.set_guardian, family.desk, holder, guardian)
    acting = family.of(guardian, holder, "representative")
    kept, outlived = [
        await family.do(family.relations.invite_carer, acting, Known(one, "A"), scope="act")
        for one in (asked, await family.person())
    ]
    await family.do(family.relations.accept, family.of(asked), kept.id)
    await family.do(family.relations.end_for, family.desk, holder, guardian, "representative")
    invited = family.of(outlived.invitee)
    assert await family.refused(family.relations.accept, invited, outlived.id) == "INVITATION_ENDED"
    secret = await family.observation(holder)
    assert not await family.reads(family.of(outlived.invitee, holder, "carer"), secret)
    assert await family.reads(family.of(asked, holder, "carer"), secret), "the control: accepted in time"


async def test_who_acts_for_somebody_is_told_to_the_holder_and_to_who_represents_them_now(family: Family) -> None:
    holder, guardian = await family.person(), await family.person()
    carer = await family.carer(holder)
    await family.do(family.relations.set_guardian, family.desk, holder, guardian)
    claims = family.of(guardian, holder, "representative")

    async def told(ctx: Context) -> set[UUID]:
        async with family.world.database.reader() as reader:
            return {one.person for one in (await family.relations.helpers(reader, ctx))[0]}

    assert await told(family.of(holder)) == await told(claims) == {carer, guardian}, "the control"
    assert await told(family.of(carer, holder, "representative")) == set(), "whatever a carer claims to be"
    await family.do(family.relations.end_for, family.desk, holder, guardian, "representative")
    assert await told(claims) == set()
    assert await told(family.of(holder)) == {carer}


async def test_a_help_that_ended_shows_neither_the_life_of_a_space_nor_its_emergency_code(family: Family) -> None:
    world, holder = family.world, await family.person()
    helper = await family.carer(holder)
    carer = family.of(helper, holder, "carer")
    spaces = Spaces(world.gateway, world.record)
    codes = EmergencyCodes(Profile(world.database, world.gateway), world.clock, demonstration=True)
    await family.do(codes.make, family.of(holder), holder, (Section.ALLERGIES,))

    async def shown() -> tuple[bool, bool]:
        found: list[bool] = []
        for ask in (spaces.life, codes.present):
            async with world.database.reader() as reader:
                try:
                    found.append(await ask(reader, carer, holder) is not None)
                except Refusal as refusal:
                    found.append(refusal.kind is not Kind.NOT_FOUND)
        return found[0], found[1]

    assert await shown() == (True, True), "the control"
    await family.do(family.relations.leave, family.of(helper), holder, "carer")
    assert await shown() == (False, False)
