"""The emergency code opens what its holder chose, nothing else, and tells each opening."""

from datetime import timedelta

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.modules.notification.api import notices
from ambroise.modules.profile.api import Draft, EmergencyCodes, Profile, Section
from ambroise.modules.profile.emergency import LASTS, MOST_AN_HOUR
from ambroise.trust.context import Citizen
from tests.integration.record.conftest import World

CHOSEN = (Section.ALLERGIES, Section.BLOOD)


async def test_the_whole_story_of_a_code(world: World) -> None:
    profile = Profile(world.database, world.gateway)
    codes = EmergencyCodes(profile, world.clock, demonstration=True)
    patient, me = world.patient, world.citizen
    async with world.database.transaction() as tx:
        for draft in (
            Draft(Section.ALLERGIES, "Pénicilline"),
            Draft(Section.ILLNESSES, "Asthme", start="1990"),
        ):
            await profile.add(tx, me, patient, draft)
        hidden = await profile.add(tx, me, patient, Draft(Section.ALLERGIES, "Secret"))
        await profile.hide(tx, me, patient, hidden, hidden=True)
        first = await codes.make(tx, me, patient, CHOSEN)
    assert len(first) > 40, "nobody guesses it"

    opened = await codes.open(first)
    assert [one.name for one in opened.sheet[Section.ALLERGIES].items] == ["Pénicilline"], "nothing that is hidden"
    assert set(opened.sheet.parts) == set(CHOSEN), "nothing that was not chosen"
    async with world.database.reader() as reader:
        told = await notices(reader, me)
        assert [one.code for one in told] == ["CODE_URGENCE_OUVERT"]
        lines = await reader.fetch_all(
            "select event from trace where patient = %s and event like 'profile_code%%' order by xid, id", (patient,)
        )
        assert [event for (event,) in lines] == ["profile_code_made", "profile_code_opened"]
        present = await codes.present(reader, me, patient)
        assert present is not None
        assert present.opened == 1
        with pytest.raises(Refusal, match="NOT_FOUND"):
            await codes.present(reader, world.professional(1), patient)

    async with world.database.transaction() as tx:
        second = await codes.make(tx, me, patient, CHOSEN)
    for dead in (first, "x" * 43, ""):
        with pytest.raises(Refusal, match="PAGE_NOT_FOUND"):
            await codes.open(dead)
    for _ in range(MOST_AN_HOUR):
        await codes.open(second)
    with pytest.raises(Refusal, match="PROFILE_CODE_TOO_OFTEN"):
        await codes.open(second)
    world.clock.move(timedelta(hours=2))
    await codes.open(second)

    world.clock.move(LASTS)
    with pytest.raises(Refusal, match="PAGE_NOT_FOUND"):
        await codes.open(second)
    async with world.database.transaction() as tx:
        third = await codes.make(tx, world.citizen, patient, CHOSEN)
        await codes.revoke(tx, world.citizen, patient)
    with pytest.raises(Refusal, match="PAGE_NOT_FOUND"):
        await codes.open(third)
    with pytest.raises(Refusal, match="NOT_A_CITIZEN"):
        async with world.database.transaction() as tx:
            await codes.make(tx, world.professional(1), patient, CHOSEN)


async def test_a_code_made_for_somebody_ends_with_the_right_to_act_for_them(world: World) -> None:
    codes = EmergencyCodes(Profile(world.database, world.gateway), world.clock, demonstration=True)
    parent = await world.create_space("279035121518890")
    acting = world.context(Citizen(parent, "Ana Fictive"), acting_for=world.patient, relation="representative")
    rights = world.gateway.rights
    async with world.database.transaction() as tx:
        await rights.set_relation(tx, world.system, world.patient, parent, "representative")
        token = await codes.make(tx, acting, world.patient, CHOSEN)
    assert (await codes.open(token)).patient == world.patient
    async with world.database.transaction() as tx:
        await rights.end_relation(tx, world.system, world.patient, parent, "representative")
    with pytest.raises(Refusal, match="PAGE_NOT_FOUND"):
        await codes.open(token)
    async with world.database.reader() as reader:
        assert await codes.present(reader, world.citizen, world.patient) is None
