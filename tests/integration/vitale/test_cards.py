"""Asking for a card, the desk, the secret code, children's cards."""

import asyncio
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from ambroise.modules.vitale.api import CardState, CheckReason, Document
from ambroise.trust.context import Operator
from tests.integration.vitale.conftest import CODE, PASSPORT, Bench, code_of


async def test_a_card_is_active_once_the_desk_accepted_and_the_code_was_chosen(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    assert (await bench.vitale.cards.request(ana, PASSPORT)).state is CardState.REQUESTED
    assert await code_of(bench.vitale.cards.choose_code(ana, CODE)) == "VITALE_STEP"
    ((check, identity),) = await bench.vitale.cards.queue(bench.desk)
    assert (check.number, check.again, identity.patient) == ("12AB34567", False, ana.space)
    card = await bench.vitale.cards.accept(bench.desk, check.id, document_seen=True, person_seen=True)
    assert card.expires_at == bench.now.replace(year=bench.now.year + 5)
    assert (await bench.vitale.cards.choose_code(ana, CODE)).state is CardState.ACTIVE
    assert ana.space is not None
    steps = [said["step"] for _, said in await bench.traced(ana.space, "vitale_card")]
    assert steps == ["request", "accept", "activate"]


async def test_a_document_number_is_forgotten_once_the_desk_answered(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    async with bench.family.world.database.reader() as reader:
        kept = await reader.fetch_value("select number from vitale_check where patient = %s", (ana.space,))
    assert kept is None


async def test_the_desk_accepts_nobody_without_having_seen_document_and_person(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.vitale.cards.request(ana, PASSPORT)
    ((check, _),) = await bench.vitale.cards.queue(bench.desk)
    for seen in ({"document_seen": True, "person_seen": False}, {"document_seen": False, "person_seen": True}):
        assert await code_of(bench.vitale.cards.accept(bench.desk, check.id, **seen)) == "VITALE_CHECK_INCOMPLETE"
    assert await bench.state(ana) is CardState.REQUESTED


async def test_only_who_answers_for_identities_at_the_desk_checks(bench: Bench) -> None:
    support = bench.family.world.context(Operator("desk-2", "Guichet", frozenset({"support"})))
    for other in (support, bench.doctor, bench.family.of(await bench.family.person())):
        assert await code_of(bench.vitale.cards.queue(other))


async def test_a_refused_card_says_why_and_another_may_be_asked_for(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.vitale.cards.request(ana, PASSPORT)
    assert await code_of(bench.vitale.cards.request(ana, PASSPORT)) == "VITALE_CARD_EXISTS"
    ((check, _),) = await bench.vitale.cards.queue(bench.desk)
    await bench.vitale.cards.refuse(bench.desk, check.id, CheckReason.PERSON_ABSENT)
    present = await bench.vitale.cards.present(ana)
    assert present.card is not None
    assert (present.card.state, present.card.reason) == (CardState.REFUSED, "person_absent")
    assert await code_of(bench.vitale.cards.refuse(bench.desk, check.id, CheckReason.PERSON_ABSENT))
    await bench.card(ana)
    assert await bench.state(ana) is CardState.ACTIVE


async def test_two_requests_at_once_make_one_card(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    asked = [bench.vitale.cards.request(ana, PASSPORT) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in answers) == 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (Document("AN", "12AB34567"), "VITALE_DOCUMENT_KIND"),
        (Document("carte Vitale", "12AB34567"), "VITALE_DOCUMENT_KIND"),
        (Document("PA", "1"), "VITALE_DOCUMENT_NUMBER"),
        (Document("PA", "12AB34567", date(2020, 1, 1)), "VITALE_DOCUMENT_UNTIL"),
    ],
)
async def test_a_poor_document_is_refused(bench: Bench, document: Document, code: str) -> None:
    ana = bench.family.of(await bench.family.person())
    assert await code_of(bench.vitale.cards.request(ana, document)) == code


async def test_three_wrong_codes_block_the_card_and_a_new_check_unlocks_it(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    phone = await bench.phone(ana)
    assert await code_of(bench.vitale.showings.unlock(ana, "0001")) == "VITALE_CODE_WRONG"
    await bench.shown(ana)
    for _ in range(2):
        assert await code_of(bench.vitale.showings.unlock(ana, "0001")) == "VITALE_CODE_WRONG"
    assert await code_of(bench.vitale.showings.unlock(ana, "0001")) == "VITALE_BLOCKED"
    assert await code_of(bench.vitale.showings.unlock(ana, CODE)) == "VITALE_BLOCKED"
    assert await code_of(bench.verified(phone.token(bench.now))) == "VITALE_DEVICE_ENDED"
    await bench.vitale.cards.request(ana, PASSPORT)
    ((check, _),) = await bench.vitale.cards.queue(bench.desk)
    assert check.again
    await bench.checked(ana)
    await bench.vitale.cards.choose_code(ana, "8260")
    assert await code_of(bench.vitale.showings.unlock(ana, CODE)) == "VITALE_CODE_WRONG"
    await bench.verified((await bench.shown(ana, code="8260")).token)


async def test_codes_tried_at_the_same_moment_count_one_by_one(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    tried = [bench.vitale.showings.unlock(ana, f"{number:04}") for number in range(20)]
    answers = [getattr(one, "code", "") for one in await asyncio.gather(*tried, return_exceptions=True)]
    assert answers.count("VITALE_CODE_WRONG") == 2
    assert await bench.state(ana) is CardState.BLOCKED


async def test_a_card_put_aside_shows_nothing_until_it_is_taken_back_with_the_code(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    shown, phone = await bench.shown(ana), await bench.phone(ana)
    await bench.vitale.cards.suspend(ana)
    assert await code_of(bench.verified(shown.token)) == "VITALE_SUSPENDED"
    assert await code_of(bench.verified(phone.token(bench.now))) == "VITALE_SUSPENDED"
    assert await code_of(bench.vitale.cards.resume(ana, "0001")) == "VITALE_CODE_WRONG"
    await bench.vitale.cards.resume(ana, CODE)
    await bench.verified((await bench.shown(ana)).token)


async def test_a_changed_code_ends_the_former_one_and_the_telephone(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    phone = await bench.phone(ana)
    await bench.vitale.cards.change_code(ana, CODE, "8260")
    assert await code_of(bench.vitale.showings.unlock(ana, CODE)) == "VITALE_CODE_WRONG"
    assert await code_of(bench.verified(phone.token(bench.now))) == "VITALE_DEVICE_ENDED"


async def test_a_card_expires_by_itself(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    card = await bench.card(ana)
    phone = await bench.phone(ana)
    assert card.expires_at is not None
    bench.family.world.clock.move(card.expires_at - bench.now)
    assert await code_of(bench.verified(phone.token(bench.now))) == "VITALE_EXPIRED"
    assert await bench.vitale.cards.expire() == 1
    assert await bench.vitale.cards.expire() == 0
    assert await bench.state(ana) is CardState.EXPIRED
    assert (await bench.vitale.cards.request(ana, PASSPORT)).state is CardState.REQUESTED


async def test_a_childs_card_is_carried_by_who_represents_it_and_by_nobody_else(bench: Bench) -> None:
    family = bench.family
    child, parent = await family.person("2018-05-05"), await family.person()
    other, carer = await family.person(), await family.person()
    for person in (parent, other):
        await family.do(family.relations.attach_child, family.desk, child, person)
    mine = family.of(parent, child, "representative")
    assert await code_of(bench.vitale.cards.request(family.of(child), PASSPORT)) == "VITALE_TOO_YOUNG"
    assert await code_of(bench.vitale.cards.request(family.of(carer, child, "carer"), PASSPORT))
    await bench.card(mine)
    shown = await bench.shown(mine)
    verified = await bench.verified(shown.token)
    assert (verified.identity.patient, verified.receipt.person) == (child, parent)
    assert await code_of(bench.shown(family.of(other, child, "representative"))) == "VITALE_NOT_HOLDER"
    phone = await bench.phone(mine)
    await family.do(family.relations.end_for, family.desk, child, parent, "representative")
    assert await code_of(bench.verified(phone.token(bench.now))) == "VITALE_REVOKED"
    assert await code_of(bench.vitale.cards.present(mine))


async def test_a_carer_decides_nothing_about_a_card(bench: Bench) -> None:
    family = bench.family
    holder = await family.person()
    await bench.card(family.of(holder))
    carer = family.of(await family.carer(holder), holder, "carer")
    for act in (bench.vitale.cards.present(carer), bench.vitale.cards.suspend(carer), bench.vitale.cards.revoke(carer)):
        assert await code_of(act)


async def test_an_ended_card_stays_ended(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    shown = await bench.shown(ana)
    await bench.vitale.cards.revoke(ana)
    assert await code_of(bench.verified(shown.token)) == "VITALE_REVOKED"
    assert await code_of(bench.vitale.cards.resume(ana, CODE)) == "VITALE_REVOKED"
    assert await code_of(bench.vitale.cards.suspend(ana)) == "VITALE_STEP"


async def test_what_a_code_opened_closes_by_itself(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    unlocked = await bench.vitale.showings.unlock(ana, CODE)
    other = bench.family.of(await bench.family.person())
    assert await code_of(bench.vitale.showings.show(other, unlocked.secret)) == "VITALE_LOCKED"
    bench.family.world.clock.move(timedelta(minutes=5))
    assert await code_of(bench.vitale.showings.show(ana, unlocked.secret)) == "VITALE_LOCKED"
    assert replace(unlocked, secret="").until <= bench.now
