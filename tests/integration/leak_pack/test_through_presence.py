"""The leak pack for a patient who is there: what showing a card or a code opens, and what it never shows.

Each case has its control: what must not show is there, for who may see it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs, open_store
from ambroise.trust.access.people import Party
from ambroise.trust.context import Professional
from ambroise.trust.gateway import Action, Flags, Gateway
from tests.integration.leak_pack.cases import CASES
from tests.integration.leak_pack.door import GatewayDoor
from tests.integration.leak_pack.record import write_secrets
from tests.integration.trust.people import World
from tests.integration.vitale.conftest import Bench, bench, code_of, world

__all__ = ["bench", "world"]

SECRET_WORDS = ("4548-4", "Observation", "loinc")
IN_PERSON = ("reading", "searching", "include", "include_of_another_patient")
"""The cases of the pack that a professional whom the patient met goes through as well."""


@pytest.mark.parametrize("name", IN_PERSON)
async def test_nothing_leaks_to_who_was_let_in_by_presence(
    name: str, database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    keys = DataKeys(MasterKeys.open(tmp_path / "master.key", create=True))
    gateway = Gateway(database, clock, blobs=Blobs(keys, open_store(f"file://{tmp_path}/objects")))
    secrets = await write_secrets(World(gateway, database, clock), by_presence=True)
    await CASES[name](GatewayDoor(secrets.world), secrets)
    await gateway.close()


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
    await bench.met(ana, bench.doctor, "code")
    assert await family.reads(bench.doctor, shown)
    assert not await family.reads(bench.doctor, masked)
    assert await family.reads(ana, masked)
