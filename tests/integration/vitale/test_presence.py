"""A record opened by presence: for whom, how far, and until when. What it never shows is in the leak pack."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.context import Professional
from tests.integration.vitale.conftest import Bench, code_of


@pytest.mark.parametrize("way", ["card", "code"])
async def test_presence_opens_the_record_for_two_hours_to_that_professional_alone(bench: Bench, way: str) -> None:
    family = bench.family
    patient = await family.person()
    ana, other = family.of(patient), family.world.professional(2)
    seen = await family.observation(patient)
    assert not await family.reads(bench.doctor, seen)
    await bench.met(ana, bench.doctor, way)
    assert await family.reads(bench.doctor, seen)
    assert not await family.reads(other, seen)
    ((outcome, said),) = await bench.traced(patient, "presence_opened")
    assert outcome == 0
    assert isinstance(bench.doctor.actor, Professional)
    assert said["party"] == bench.doctor.actor.id
    async with family.world.database.reader() as reader:
        rules = await reader.fetch_all(
            "select distinct rule from trace where patient = %s and event = 'read' and outcome = 0", (patient,)
        )
    assert rules == [("presence",)]
    family.world.clock.move(timedelta(hours=2))
    assert not await family.reads(bench.doctor, seen)


async def test_the_person_ends_at_once_what_presence_opened_and_a_lasting_consent_stays(bench: Bench) -> None:
    family, rights = bench.family, bench.family.world.gateway.rights
    patient = await family.person()
    ana, seen = family.of(patient), await family.observation(patient)
    assert isinstance(bench.doctor.actor, Professional)
    party = Party.of(bench.doctor.actor)
    await bench.met(ana, bench.doctor, "code")
    await family.do(rights.end_presence, ana, patient, party)
    assert not await family.reads(bench.doctor, seen)
    await family.do(rights.authorise, ana, patient, party)
    await bench.met(ana, bench.doctor, "code")
    async with family.world.database.reader() as reader:
        assert sorted(one.via for one in await grants_of(reader, patient)) == ["consent", "presence"]
    await family.do(rights.end_presence, ana, patient, party)
    assert await family.reads(bench.doctor, seen)
    await family.do(rights.revoke, ana, patient, party)
    assert not await family.reads(bench.doctor, seen)


async def test_a_code_serves_once_for_five_minutes_and_cannot_be_guessed(bench: Bench) -> None:
    family = bench.family
    ana = family.of(await family.person())
    first = await bench.vitale.meetings.invite(ana)
    second = await bench.vitale.meetings.invite(ana)
    assert await code_of(bench.vitale.meetings.meet(bench.doctor, first.code)) == "VITALE_MEETING"
    assert await code_of(bench.vitale.meetings.meet(ana, second.code)) == "VITALE_READER_UNKNOWN"
    await bench.vitale.meetings.meet(bench.doctor, second.code)
    assert await code_of(bench.vitale.meetings.meet(bench.doctor, second.code)) == "VITALE_MEETING"
    third = await bench.vitale.meetings.invite(ana)
    family.world.clock.move(timedelta(minutes=5))
    assert await code_of(bench.vitale.meetings.meet(bench.doctor, third.code)) == "VITALE_MEETING"
    for _ in range(5):
        assert await code_of(bench.vitale.meetings.meet(bench.doctor, "AAAA AAAA")) == "VITALE_MEETING"
    assert await code_of(bench.vitale.meetings.meet(bench.doctor, "AAAA AAAA")) == "VITALE_TOO_MANY"
