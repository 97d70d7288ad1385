"""Asking an absent patient for consent: what it gives, what it tells, and how often."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.consent.api import Request, Requests, State, erase, limits
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context
from tests.integration.record.conftest import World, doctor


@dataclass(frozen=True)
class Desk:
    """The requests of one world, and short words for its acts."""

    world: World
    requests: Requests

    @property
    def doctor(self) -> Context:
        return self.world.professional(1)

    async def ask(self, ctx: Context | None = None, reason: str = "Je prépare votre consultation.") -> Request:
        async with self.world.database.transaction() as tx:
            return await self.requests.ask(tx, ctx or self.doctor, self.world.patient, reason)

    async def act(self, name: str, request: Request, ctx: Context | None = None) -> Request:
        async with self.world.database.transaction() as tx:
            return await getattr(self.requests, name)(tx, ctx or self.world.citizen, request.id)

    async def waiting(self) -> list[Request]:
        async with self.world.database.reader() as reader:
            return await self.requests.waiting(reader, self.world.citizen)

    async def latest(self) -> State | None:
        async with self.world.database.reader() as reader:
            found = await self.requests.latest(reader, self.doctor, self.world.patient)
        return found.state(self.world.clock.now()) if found else None

    async def reads(self) -> bool:
        async with self.world.database.reader() as reader:
            grants = await grants_of(reader, self.world.patient)
        return any(one.party.id == "810000000001" and one.state == "authorised" for one in grants)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.world.database.reader() as reader:
            return await reader.fetch_all(query, (self.world.patient,))  # type: ignore[arg-type]

    async def traced(self) -> list[tuple[Any, ...]]:
        return await self.rows(
            "select event, outcome, rule from trace where patient = %s and event ~ 'consent' order by at, id"
        )


@pytest.fixture
async def desk(world: World) -> Desk:
    return Desk(world, Requests(world.gateway))


async def test_asking_gives_no_right_and_shows_the_request_to_the_patient(desk: Desk) -> None:
    asked = await desk.ask()
    assert not await desk.reads()
    assert [(one.id, one.reason) for one in await desk.waiting()] == [(asked.id, "Je prépare votre consultation.")]
    assert await desk.traced() == [("consent_asked", 0, None)]
    assert ("consent.asked",) in await desk.rows("select event from outbox where patient = %s")


async def test_accepting_authorises_as_any_consent_does(desk: Desk) -> None:
    await desk.act("accept", await desk.ask())
    assert await desk.reads()
    assert await desk.waiting() == []
    assert await desk.latest() is State.ACCEPTED


async def test_refusing_leaves_nothing_open_and_a_line(desk: Desk) -> None:
    await desk.act("refuse", await desk.ask())
    assert not await desk.reads()
    assert await desk.latest() is State.REFUSED
    assert ("consent_refused", 0, "patient") in await desk.traced()


@pytest.mark.parametrize("answer", ["accept", "refuse"])
async def test_an_answer_can_be_taken_back_while_the_request_lasts(desk: Desk, answer: str) -> None:
    asked = await desk.ask()
    await desk.act(answer, asked)
    await desk.act("reopen", asked)
    assert not await desk.reads()
    assert [one.id for one in await desk.waiting()] == [asked.id]
    await desk.act(answer, asked)
    desk.world.clock.move(limits().lasts)
    with pytest.raises(Refusal) as refused:
        await desk.act("reopen", asked)
    assert refused.value.code == "REQUEST_OVER"


async def test_a_request_expires_by_itself(desk: Desk) -> None:
    asked = await desk.ask()
    desk.world.clock.move(limits().lasts)
    assert await desk.waiting() == []
    assert await desk.latest() is State.EXPIRED
    with pytest.raises(Refusal) as refused:
        await desk.act("accept", asked)
    assert refused.value.code == "REQUEST_OVER"
    assert (await desk.ask()).id != asked.id, "one may ask again"


async def test_who_is_blocked_cannot_tell_it_from_the_answer(desk: Desk) -> None:
    async with desk.world.database.transaction() as tx:
        await desk.world.gateway.rights.block(tx, desk.world.citizen, desk.world.patient, Party("810000000001", "Dr 1"))
    asked = await desk.ask()
    other = await desk.ask(desk.world.professional(2))
    plain = {"id": asked.id, "party": asked.party}
    assert replace(other, **plain) == asked
    assert await desk.latest() is State.WAITING
    assert [one.id for one in await desk.waiting()] == [other.id], "the patient is left in peace"
    assert ("consent_asked", 4, "blocked") in await desk.traced(), "and knows of it from the history"
    for name in ("accept", "refuse"):
        with pytest.raises(Refusal) as refused:
            await desk.act(name, asked)
        assert refused.value.code == "NO_SUCH_REQUEST"
    with pytest.raises(Refusal) as again:
        await desk.ask()
    assert again.value.code == "REQUEST_WAITS"
    desk.world.clock.move(limits().lasts)
    assert await desk.latest() is State.EXPIRED


async def test_one_request_at_a_time_then_a_delay(desk: Desk) -> None:
    asked = await desk.ask()
    with pytest.raises(Refusal) as waits:
        await desk.ask()
    assert (waits.value.code, waits.value.kind) == ("REQUEST_WAITS", Kind.CONFLICT)
    await desk.act("refuse", asked)
    desk.world.clock.move(limits().again_after - timedelta(minutes=1))
    with pytest.raises(Refusal) as soon:
        await desk.ask()
    assert soon.value.code == "REQUEST_TOO_SOON"
    desk.world.clock.move(timedelta(minutes=2))
    await desk.ask()


async def test_a_professional_asks_a_bounded_number_of_patients_a_day(desk: Desk) -> None:
    async with desk.world.database.transaction() as tx:
        await tx.execute(
            """
            insert into consent_request (shard, patient, id, actor, actor_id, actor_name, actor_role, reason, asked_at,
              expires_at)
            select 0, gen_random_uuid(), gen_random_uuid(), %s, '810000000001', '', '', '', %s, %s
            from generate_series(1, %s)
            """,
            (
                desk.doctor.actor.key,
                desk.world.clock.now(),
                desk.world.clock.now() + limits().lasts,
                limits().per_day,
            ),
        )
    with pytest.raises(Refusal) as refused:
        await desk.ask()
    assert (refused.value.code, refused.value.kind) == ("REQUESTS_TOO_MANY", Kind.THROTTLED)
    desk.world.clock.move(timedelta(days=1, minutes=1))
    await desk.ask()


async def test_who_reads_already_has_nothing_to_ask(desk: Desk) -> None:
    await desk.world.authorise(desk.doctor)
    with pytest.raises(Refusal) as refused:
        await desk.ask()
    assert refused.value.code == "CONSENT_GIVEN"


async def test_who_reads_within_a_care_team_only_is_told_so(desk: Desk) -> None:
    assistant = desk.world.context(doctor("810000000009", "Assistante", profession="35"))
    with pytest.raises(Refusal) as refused:
        await desk.ask(assistant)
    assert refused.value.code == "ACCESS_CARE_TEAM_ONLY"


async def test_consent_given_face_to_face_settles_the_request(desk: Desk) -> None:
    await desk.ask()
    await desk.world.authorise(desk.doctor)
    assert await desk.waiting() == []


async def test_nobody_answers_for_another_space(desk: Desk) -> None:
    asked = await desk.ask()
    other = await desk.world.create_space("255081416802538")
    stranger = desk.world.context(Citizen(other, "Quelqu’un"))
    with pytest.raises(Refusal) as refused:
        await desk.act("accept", asked, stranger)
    assert refused.value.code == "NO_SUCH_REQUEST"
    pretender = replace(stranger, acting_for=desk.world.patient, relation="representative")
    for name in ("accept", "refuse"):
        with pytest.raises(Refusal):
            await desk.act(name, asked, pretender)
    assert not await desk.reads()


async def test_a_purge_forgets_the_requests(desk: Desk) -> None:
    await desk.ask()
    async with desk.world.database.transaction() as tx:
        await erase(tx, desk.world.patient)
    assert await desk.rows("select 1 from consent_request where patient = %s") == []
