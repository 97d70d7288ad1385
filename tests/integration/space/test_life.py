"""The life of a space on a real database, with a clock that moves: what the law promises about delays and archives."""

from datetime import timedelta

import pytest

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.notification.api import notices
from ambroise.modules.space.api import TERMS, Channel, Reason, Step, Suspicion
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.context import Citizen, Context
from tests.integration.space.conftest import Lives

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<<>>\n"


async def document(lives: Lives) -> str:
    """Something in the space: an observation that a professional filed."""
    world = lives.world
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": {"reference": f"Patient/{world.patient}"},
    }
    async with world.database.transaction() as tx:
        return (await world.gateway.create(tx, world.author, resource)).id


async def reads(lives: Lives, ctx: Context, id: str) -> bool:
    async with lives.world.database.reader() as reader:
        try:
            await lives.world.gateway.read(reader, ctx, "Observation", id)
        except Refusal as refusal:
            if refusal.kind not in (Kind.FORBIDDEN, Kind.NOT_FOUND):
                raise
            return False
    return True


async def test_without_objection_it_opens_after_six_weeks_and_its_holder_is_told(lives: Lives) -> None:
    await lives.notified()
    assert await lives.later(days=41, hours=23) == {}
    assert await lives.later(hours=1) == {Step.OPEN: 1}
    assert await lives.state() is SpaceState.OPEN_INACTIVE
    async with lives.world.database.reader() as reader:
        assert [one.code for one in await notices(reader, lives.holder)] == ["ESPACE_OUVERT"]
    assert ("space_opened", 0, "system", "open_inactive") in await lives.traces()
    assert await lives.told() == ["space.notify"]
    async with lives.world.database.reader() as reader:
        batch = await reader.fetch_value("select payload from outbox where event = 'space.opened_many'")
    assert batch == {"patients": [str(lives.world.patient)]}


async def test_an_objection_on_the_last_day_means_that_it_never_opens(lives: Lives) -> None:
    await lives.notified()
    await lives.later(days=41)
    await lives.do(lives.spaces.object, lives.holder)
    assert await lives.later(days=4000) == {}
    assert await lives.state() is SpaceState.OPPOSED


async def test_an_objection_after_the_opening_is_too_late(lives: Lives) -> None:
    await lives.notified()
    await lives.later(days=42)
    assert await lives.refused(lives.spaces.object, lives.holder) == "OBJECTION_TOO_LATE"


async def test_who_objected_may_ask_for_the_space_later(lives: Lives) -> None:
    await lives.notified()
    await lives.do(lives.spaces.object, lives.holder)
    await lives.do(lives.spaces.activate, lives.holder, terms=TERMS)
    assert await lives.state() is SpaceState.OPEN_ACTIVE


async def test_activating_takes_the_present_terms(lives: Lives) -> None:
    await lives.notified()
    assert await lives.refused(lives.spaces.activate, lives.holder, terms="2019") == "TERMS_NOT_ACCEPTED"
    assert (await lives.do(lives.spaces.activate, lives.holder, terms=TERMS)).terms == TERMS


async def test_a_closed_space_is_kept_and_reopening_gives_everything_back(lives: Lives) -> None:
    kept = await document(lives)
    await lives.do(lives.spaces.close, lives.holder, Reason.NO_USE)
    assert not await reads(lives, lives.world.author, kept), "nobody works in a closed space"
    assert await lives.later(days=9 * 365) == {}
    await lives.do(lives.spaces.reopen, lives.holder)
    assert await reads(lives, lives.world.author, kept)
    assert (await lives.life()).due_at is None


async def test_after_ten_years_the_archive_is_deleted_with_its_key(lives: Lives) -> None:
    kept = await document(lives)
    await _with_file(lives)
    await lives.do(lives.spaces.close, lives.holder, Reason.UNWANTED)
    assert await lives.later(days=3651) == {}
    assert await lives.later(days=2) == {Step.PURGE: 1}
    assert await lives.state() is SpaceState.PURGED
    assert not await reads(lives, lives.holder, kept)
    async with lives.world.database.reader() as reader:
        keys = await reader.fetch_all(
            "select wrapped, destroyed_at from data_key where patient = %s", (lives.world.patient,)
        )
        left = await reader.fetch_value("select count(*) from resource where patient = %s", (lives.world.patient,))
        known = await reader.fetch_value(
            "select count(*) from identity_registry where patient = %s", (lives.world.patient,)
        )
    assert keys
    assert all(wrapped is None and destroyed is not None for wrapped, destroyed in keys)
    assert (left, known) == (0, 0)
    assert ("purged", 0, "system", None) in await lives.traces()


async def test_a_deletion_that_is_asked_for_comes_within_three_months(lives: Lives) -> None:
    await lives.do(lives.spaces.close, lives.holder, Reason.OTHER, delete=True)
    assert await lives.state() is SpaceState.DELETING
    assert await lives.later(days=89) == {Step.PURGE: 1}


async def test_reopening_cancels_a_deletion(lives: Lives) -> None:
    kept = await document(lives)
    await lives.do(lives.spaces.close, lives.holder, Reason.OTHER, delete=True)
    await lives.later(days=20)
    await lives.do(lives.spaces.reopen, lives.holder)
    assert await lives.later(days=400) == {}
    assert await reads(lives, lives.holder, kept)


async def test_a_cancelled_deletion_leaves_the_archive_its_first_ten_years(lives: Lives) -> None:
    closed = await lives.do(lives.spaces.close, lives.holder, Reason.OTHER, delete=True)
    await lives.later(days=5)
    kept = await lives.do(lives.spaces.cancel_deletion, lives.holder)
    assert kept.due_at == (closed.closed_at or lives.world.clock.now()).replace(year=2036)


async def test_a_suspended_space_closes_in_six_weeks_unless_its_holder_contests_it(lives: Lives) -> None:
    await lives.do(lives.spaces.suspend, lives.desk, Suspicion.FRAUD)
    await lives.later(days=30)
    await lives.do(lives.spaces.contest, lives.holder)
    assert await lives.later(days=100) == {}
    assert await lives.state() is SpaceState.OPEN_INACTIVE
    await lives.do(lives.spaces.suspend, lives.desk, Suspicion.MALFUNCTION)
    assert await lives.later(days=42) == {Step.CLOSE_SUSPENDED: 1}
    assert (await lives.life()).close_reason == "not_contested"


async def test_after_a_death_nobody_enters_and_a_mistake_can_be_undone(lives: Lives) -> None:
    kept = await document(lives)
    today = lives.world.clock.now().date()
    assert await lives.refused(lives.spaces.declare_death, lives.desk, today + timedelta(days=1)) == "DEATH_DATE"
    await lives.do(lives.spaces.declare_death, lives.desk, today)
    assert not await reads(lives, lives.holder, kept)
    assert not await reads(lives, lives.world.author, kept)
    assert await lives.refused(lives.spaces.reopen, lives.holder) == "SPACE_HOLDER_DECEASED"
    await lives.do(lives.spaces.correct_death, lives.desk)
    assert await reads(lives, lives.holder, kept)


@pytest.mark.parametrize("kind", ["carer", "representative"])
async def test_a_representative_lives_the_life_of_a_space_and_a_carer_does_not(lives: Lives, kind: str) -> None:
    world = lives.world
    other = await world.create_space("279035121518890")
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, world.patient, other, kind)  # type: ignore[arg-type]
    ctx = world.context(Citizen(other, "Autre"), acting_for=world.patient, relation=kind)
    if kind == "representative":
        assert (await lives.do(lives.spaces.close, ctx, Reason.OTHER)).state is SpaceState.CLOSED
        return
    assert await lives.refused(lives.spaces.close, ctx, Reason.OTHER) == "ACCESS_WRITE_RESERVED"
    assert ("space_state", 4, "citizen", None) in await lives.traces(), "the refusal is traced"


async def test_neither_strangers_nor_professionals_nor_the_desk_close_a_space(lives: Lives) -> None:
    stranger = lives.world.context(Citizen(await lives.world.create_space("279035121518890"), "Autre"))
    for ctx in (stranger, lives.world.author, lives.desk):
        code = await lives.refused(lives.spaces.close, ctx, Reason.OTHER)
        assert code in ("ACCESS_WRITE_RESERVED", "ACCESS_OTHER_SPACE", "NOT_FOUND"), code


async def test_the_desk_records_an_objection_that_came_by_letter(lives: Lives) -> None:
    await lives.notified()
    assert (await lives.do(lives.spaces.object, lives.desk)).state is SpaceState.OPPOSED


async def test_the_notice_says_how_it_was_sent(lives: Lives) -> None:
    await lives.notified()
    life = await lives.life()
    assert life.notified_by is Channel.MAIL
    assert life.next_step is Step.OPEN
    assert life.due_at == lives.world.clock.now() + timedelta(days=42)


async def _with_file(lives: Lives) -> None:
    """A file sealed under the key of the space."""
    world = lives.world
    async with world.database.transaction() as tx:
        assert world.gateway._blobs is not None
        await world.gateway._blobs.put(tx, world.patient, new_id(shard_of(world.patient)), PDF, "application/pdf")
