"""A record opened by presence: for whom, how far, until when, and what never shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Professional
from ambroise.trust.gateway import Action, Flags
from tests.integration.vitale.conftest import Bench, code_of

SECRET_WORDS = ("4548-4", "Observation", "loinc")


async def _met(bench: Bench, holder: Context, reader: Context, way: str) -> Any:
    if way == "card":
        await bench.card(holder)
        return await bench.verified((await bench.shown(holder, opens=True)).token, reader)
    code = await bench.vitale.meetings.invite(holder)
    return await bench.vitale.meetings.meet(reader, code.code.lower())


@pytest.mark.parametrize("way", ["card", "code"])
async def test_presence_opens_the_record_for_two_hours_to_that_professional_alone(bench: Bench, way: str) -> None:
    family = bench.family
    patient = await family.person()
    ana, other = family.of(patient), family.world.professional(2)
    seen = await family.observation(patient)
    assert not await family.reads(bench.doctor, seen)
    await _met(bench, ana, bench.doctor, way)
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


async def test_showing_the_card_alone_opens_nothing_and_returns_nothing_medical(bench: Bench) -> None:
    family = bench.family
    patient = await family.person()
    seen = await family.observation(patient)
    ana = family.of(patient)
    await bench.card(ana)
    verified = await bench.verified((await bench.shown(ana)).token)
    assert verified.receipt.access_until is None
    assert not await family.reads(bench.doctor, seen)
    # The control: what must not show is there, for the person.
    assert await family.reads(ana, seen)
    told = repr(verified).lower()
    assert not [word for word in (*SECRET_WORDS, seen) if word.lower() in told]


async def test_the_person_ends_at_once_what_presence_opened_and_a_lasting_consent_stays(bench: Bench) -> None:
    family, rights = bench.family, bench.family.world.gateway.rights
    patient = await family.person()
    ana, seen = family.of(patient), await family.observation(patient)
    assert isinstance(bench.doctor.actor, Professional)
    party = Party.of(bench.doctor.actor)
    await _met(bench, ana, bench.doctor, "code")
    await family.do(rights.end_presence, ana, patient, party)
    assert not await family.reads(bench.doctor, seen)
    await family.do(rights.authorise, ana, patient, party)
    await _met(bench, ana, bench.doctor, "code")
    async with family.world.database.reader() as reader:
        assert sorted(one.via for one in await grants_of(reader, patient)) == ["consent", "presence"]
    await family.do(rights.end_presence, ana, patient, party)
    assert await family.reads(bench.doctor, seen)
    await family.do(rights.revoke, ana, patient, party)
    assert not await family.reads(bench.doctor, seen)


async def test_presence_opens_nothing_to_who_is_blocked_nor_outside_a_care_team(bench: Bench) -> None:
    family, rights = bench.family, bench.family.world.gateway.rights
    patient = await family.person()
    ana, seen = family.of(patient), await family.observation(patient)
    assert isinstance(bench.doctor.actor, Professional)
    await bench.card(ana)
    await family.do(rights.block, ana, patient, Party.of(bench.doctor.actor))
    # The identity is shown all the same: the card is for that. The record stays closed.
    verified = await bench.verified((await bench.shown(ana, opens=True)).token)
    assert verified.receipt.access_until is None
    code = await bench.vitale.meetings.invite(ana)
    assert await code_of(bench.vitale.meetings.meet(bench.doctor, code.code)) == "ACCESS_BLOCKED"
    assert not await family.reads(bench.doctor, seen)
    assistant = family.world.context(replace(bench.doctor.actor, id="810000000077", profession="38"))
    code = await bench.vitale.meetings.invite(ana)
    assert await code_of(bench.vitale.meetings.meet(assistant, code.code)) == "ACCESS_CARE_TEAM_ONLY"


async def test_presence_never_shows_what_is_masked(bench: Bench) -> None:
    family = bench.family
    patient = await family.person()
    ana = family.of(patient)
    shown, masked = await family.observation(patient), await family.observation(patient)
    async with family.world.database.transaction() as tx:
        await family.world.gateway.relabel(tx, ana, Action.MASK, "Observation", masked, set=Flags.MASKED)
    await _met(bench, ana, bench.doctor, "code")
    assert await family.reads(bench.doctor, shown)
    assert not await family.reads(bench.doctor, masked)
    assert await family.reads(ana, masked)


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
