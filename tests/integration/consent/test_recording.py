"""Consents that a professional records for others: who may, whom they cover, what the patient is told."""

import pytest

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.consent.api import Consents
from ambroise.modules.notification.api import notices
from ambroise.trust.access.decide import judge_entry
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.access.rules import Rule
from ambroise.trust.context import Context, Professional
from tests.integration.record.conftest import World, doctor

NURSE, ASSISTANT = Party("810000000002", "Dr 2"), Party("810000000008", "Alix Aide")


async def enters(world: World, ctx: Context) -> Rule | None:
    async with world.database.reader() as reader:
        eyes = Eyes.of(ctx)
        verdict = judge_entry(await world.gateway.facts(reader, ctx, eyes, world.patient), eyes)
    return verdict.rule if verdict.allowed else None


async def test_one_first_consent_covers_every_member_but_those_whom_the_patient_blocked(world: World) -> None:
    consents, doctor_1, blocked = Consents(world.gateway), world.professional(1), world.professional(3)
    assert isinstance(blocked.actor, Professional)
    assistant = world.context(doctor(ASSISTANT.id, ASSISTANT.name, profession="38"))
    async with world.database.transaction() as tx:
        await world.gateway.rights.block(tx, world.citizen, world.patient, Party.of(blocked.actor))
        await consents.for_team(tx, doctor_1, world.patient, [NURSE, ASSISTANT, Party.of(blocked.actor)])
    assert await enters(world, doctor_1) is Rule.CARE_TEAM
    assert await enters(world, assistant) is Rule.CARE_TEAM, "a profession that reads within a team only"
    assert await enters(world, blocked) is None
    async with world.database.reader() as reader:
        covered = {one.party.id for one in await consents.team(reader, world.professional(2), world.patient)}
        told = await notices(reader, world.citizen)
        about = "select details->>'party' from trace where patient = %s and event = 'authorised' and outcome = 4"
        assert await reader.fetch_value(about, (world.patient,)) == blocked.actor.id, "the patient sees it was tried"
    assert covered == {"810000000001", NURSE.id, ASSISTANT.id}
    assert told[0].details == {"by": "Dr 1", "for": "Dr 2, Alix Aide, Dr 3"}


async def test_who_joins_later_is_in_the_same_team_and_the_first_consents_stay(world: World) -> None:
    consents = Consents(world.gateway)
    async with world.database.transaction() as tx:
        await consents.for_team(tx, world.professional(1), world.patient, [NURSE])
    async with world.database.transaction() as tx:
        await consents.for_team(tx, world.professional(2), world.patient, [ASSISTANT, Party("810000000001")])
    async with world.database.reader() as reader:
        grants = {one.party.id: one for one in await grants_of(reader, world.patient)}
    assert len({one.team for one in grants.values()}) == 1
    assert {id: one.recorded_name for id, one in grants.items()} == {
        "810000000001": "Dr 1",
        NURSE.id: "Dr 1",
        ASSISTANT.id: "Dr 2",
    }


async def test_who_reads_within_a_team_only_forms_none_and_who_does_not_read_vouches_for_nobody(world: World) -> None:
    consents = Consents(world.gateway)
    assistant = world.context(doctor(ASSISTANT.id, ASSISTANT.name, profession="38"))
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal) as refused:
            await consents.for_team(tx, assistant, world.patient, [NURSE])
        assert refused.value.data["rule"] == "care_team_only"
        with pytest.raises(Refusal) as refused:
            await consents.for_another(tx, world.professional(1), world.patient, NURSE)
        assert refused.value.kind is Kind.FORBIDDEN
        for nobody in ([], [Party("810000000001")]):
            with pytest.raises(Refusal) as refused:
                await consents.for_team(tx, world.professional(1), world.patient, nobody)
            assert refused.value.code == "TEAM_EMPTY"
    async with world.database.reader() as reader:
        assert await grants_of(reader, world.patient) == []


async def test_a_patient_ends_a_team_and_keeps_what_was_given_to_one_person(world: World) -> None:
    consents = Consents(world.gateway)
    await world.authorise(world.professional(2))
    async with world.database.transaction() as tx:
        await consents.for_team(tx, world.professional(1), world.patient, [NURSE])
        team = (await consents.team(tx, world.professional(1), world.patient))[0].team
        assert team is not None
        await world.gateway.rights.end_care_team(tx, world.citizen, world.patient, team)
    assert await enters(world, world.professional(1)) is None
    assert await enters(world, world.professional(2)) is Rule.AUTHORISED
