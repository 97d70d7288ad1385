"""A forgotten password, and a second factor lost with everything else: nobody learns anything, nobody is kept out."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.errors import Refusal
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.api import (
    RECOVERY_ASKED,
    Claim,
    Devices,
    Enrolments,
    Factors,
    Identity,
    NotSignedIn,
    Origin,
    Recovery,
    Rescues,
    SignedIn,
    SignInProblem,
)
from ambroise.modules.letters.api import Channel, Kind, Letter
from ambroise.modules.space.api import TERMS
from ambroise.trust.context import Context, Operator
from tests.integration.identity.conftest import PAT_TROIS, Registry
from tests.integration.identity.test_enrolment import HERS, HOME, MAIL, PASSWORD, enrolments, proven

__all__ = ["enrolments"]

NAME, NEW = "d.pattrois", "Pivoine-27"
STRANGER = Origin("198.51.100.9")
WRONG = replace(HERS, first_name="claude")


@pytest.fixture
async def identity(enrolments: Enrolments) -> Identity:
    """Dominique has an account, and proved a mail address."""
    token = await proven(enrolments)
    await enrolments.keep_contacts(token)
    await enrolments.choose_credentials(token, NAME, PASSWORD)
    await enrolments.finish(token, TERMS)
    return enrolments.identity


async def deliver(identity: Identity) -> None:
    subscriptions = Subscriptions()
    subscriptions.on(RECOVERY_ASKED, Recovery(identity).answer)
    await Delivery(identity.database, subscriptions, identity.clock).deliver_all()


async def letters(identity: Identity) -> list[Letter]:
    assert identity.codes is not None
    async with identity.database.reader() as reader:
        return await identity.codes.letters.latest(reader)


async def asked(identity: Identity, claim: Claim = HERS, origin: Origin = HOME) -> str:
    token = await Recovery(identity).begin(claim, Channel.MAIL, origin)
    await deliver(identity)
    return token


async def recovered(identity: Identity, origin: Origin = HOME) -> Origin:
    """The browser that got back in, with the token that it keeps."""
    token = await asked(identity, origin=origin)
    await Recovery(identity).prove(token, (await letters(identity))[0].details["code"], origin)
    return replace(origin, device=await Recovery(identity).choose(token, NEW, origin))


async def problem(promise: object) -> str:
    with pytest.raises(Refusal) as refused:
        await promise  # type: ignore[misc]
    return refused.value.code


async def half(identity: Identity, password: str, origin: Origin = HOME) -> SignedIn:
    signed = await identity.sign_in(NAME, password, origin)
    assert isinstance(signed, SignedIn)
    return signed


async def complete(identity: Identity, password: str = PASSWORD) -> SignedIn:
    first = await half(identity, password)
    await Factors(identity).send(first.token, Channel.MAIL)
    done = await identity.verify_code(first.token, (await letters(identity))[0].details["code"], HOME, remember=True)
    assert isinstance(done, SignedIn)
    return done


async def test_a_code_to_the_proven_address_leads_to_a_new_password(identity: Identity) -> None:
    before = await complete(identity)
    token = await asked(identity)
    sent = (await letters(identity))[0]
    assert (sent.kind, sent.address) == (Kind.RECOVERY_CODE, MAIL)
    recovery = Recovery(identity)
    assert not (await recovery.present(token)).sign_in_name, "the name is said to who read the code"
    assert await problem(recovery.choose(token, NEW, HOME)) == "ENROLMENT_STEP"
    await recovery.prove(token, sent.details["code"], HOME)
    assert (await recovery.present(token)).sign_in_name == NAME
    await recovery.choose(token, NEW, HOME)
    session = await identity.session(before.token)
    assert session is not None
    assert not session.live, "every session ends"
    assert (await letters(identity))[0].kind is Kind.PASSWORD_CHANGED
    assert await identity.sign_in(NAME, PASSWORD, HOME) == NotSignedIn(SignInProblem.WRONG)
    again = await half(identity, NEW, replace(HOME, device=before.device))
    assert not again.complete, "a trusted browser is asked again"
    assert await problem(recovery.present(token)) == "SESSION_TIMED_OUT"


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("Pat-Trois-9", "PASSWORD_PERSONAL"),
        ("Marin-1979", "PASSWORD_PERSONAL"),
        ("bateaux-9x", "PASSWORD_CLASSES"),
        ("Bat-9", "PASSWORD_TOO_SHORT"),
        ("Princess-2026", "PASSWORD_COMMON"),
        (f"{PAT_TROIS}-Aa", "PASSWORD_PERSONAL"),
    ],
)
async def test_the_rule_of_passwords_is_the_same_for_recovery_and_change(
    identity: Identity, password: str, expected: str
) -> None:
    token = await asked(identity)
    await Recovery(identity).prove(token, (await letters(identity))[0].details["code"], HOME)
    assert await problem(Recovery(identity).choose(token, password, HOME)) == expected
    session = await identity.session((await half(identity, PASSWORD)).token)
    assert session is not None
    assert await problem(identity.change_password(session, PASSWORD, password, HOME)) == expected


@pytest.mark.parametrize(
    "claim", [WRONG, replace(HERS, matricule="260058815400233"), replace(HERS, birth_date=date(1980, 1, 1))]
)
async def test_a_wrong_detail_looks_like_a_right_one_to_the_end(identity: Identity, claim: Claim) -> None:
    count = len(await letters(identity))
    token = await asked(identity, claim)
    assert len(await letters(identity)) == count, "nothing leaves"
    right = await asked(identity)
    recovery = Recovery(identity)
    for one in (token, right):
        assert not (await recovery.present(one)).proven
        said = [await problem(recovery.prove(one, code, HOME)) for code in ("x", "y", "abcde-fghjk")]
        assert said == ["CODE_WRONG"] * 3
        assert len(await recovery.ask_desk(one)) == 9


async def test_asking_leaves_the_same_behind_whoever_is_designated(identity: Identity) -> None:
    """What a request does before it answers: one row, one event, no letter. Times would say what the machine did."""
    await deliver(identity)
    left: list[int] = []
    for claim in (HERS, WRONG):
        before = await _rows(identity)
        await Recovery(identity).begin(claim, Channel.MAIL, STRANGER)
        left.append(await _rows(identity) - before)
    assert left == [2, 2]


async def _rows(identity: Identity) -> int:
    async with identity.database.reader() as reader:
        return await reader.fetch_value(
            "select (select count(*) from recovery) + (select count(*) from outbox) + (select count(*) from letter)"
        )


async def test_a_stranger_who_asks_again_and_again_delays_only_that_network(identity: Identity) -> None:
    for _ in range(5):
        await asked(identity, origin=STRANGER)
    assert await problem(asked(identity, origin=STRANGER)) == "RECOVERY_WAIT"
    await recovered(identity)


async def test_recoveries_asked_at_the_same_moment_are_as_few_as_one_by_one(identity: Identity) -> None:
    """Each sends a letter to the person: a burst must not fill their mailbox."""
    many = (Recovery(identity).begin(HERS, Channel.MAIL, STRANGER) for _ in range(12))
    begun = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(one, str) for one in begun) == 5
    assert {one.code for one in begun if isinstance(one, Refusal)} == {"RECOVERY_WAIT"}


async def test_who_is_delayed_by_strangers_gets_in_by_recovery(identity: Identity, clock: FixedClock) -> None:
    for _ in range(8):
        await identity.sign_in(NAME, "not the right one", STRANGER)
    waiting = await identity.sign_in(NAME, PASSWORD, HOME)
    assert isinstance(waiting, NotSignedIn)
    assert waiting.problem is SignInProblem.WAIT
    known = await recovered(identity)
    assert await half(identity, NEW, known)
    for _ in range(8):
        await identity.sign_in(NAME, "not the right one", STRANGER)
    assert await half(identity, NEW, known), "this browser is counted apart from now on"


async def test_a_code_is_worth_five_tries_and_an_hour(identity: Identity, clock: FixedClock) -> None:
    token = await asked(identity)
    code = (await letters(identity))[0].details["code"]
    for _ in range(5):
        await problem(Recovery(identity).prove(token, "12", HOME))
    assert await problem(Recovery(identity).prove(token, code, HOME)) == "RECOVERY_WAIT"
    clock.move(timedelta(minutes=2))
    assert await problem(Recovery(identity).prove(token, code, HOME)) == "CODE_EXPIRED"
    clock.move(timedelta(hours=1))
    assert await problem(Recovery(identity).present(token)) == "SESSION_TIMED_OUT"


async def test_it_was_not_me_makes_the_password_worthless(identity: Identity) -> None:
    await recovered(identity, STRANGER)
    told = (await letters(identity))[0]
    await Devices(identity).disown_by_letter(told.details["token"])
    assert await identity.sign_in(NAME, NEW, HOME) == NotSignedIn(SignInProblem.WRONG)
    await recovered(identity)
    assert await half(identity, NEW)


def operator(registry: Registry, *duties: str) -> Context:
    return registry.context(Operator("desk-1", "Guichet", frozenset(duties)))


async def test_who_lost_everything_gets_a_code_at_the_desk(identity: Identity, registry: Registry) -> None:
    token = await asked(identity)
    reference = await Recovery(identity).ask_desk(token)
    assert await Recovery(identity).ask_desk(token) == reference
    rescues, desk = Rescues(identity), operator(registry, "identity")
    waiting = (await rescues.waiting(desk))[0]
    assert (waiting.reference, waiting.patient) == (reference, registry.patient)
    assert await problem(rescues.give(desk, waiting.id, "rien")) == "PROOF_INSUFFICIENT"
    code = await rescues.give(desk, waiting.id, "CN")
    assert await rescues.waiting(desk) == []
    assert await problem(rescues.give(desk, waiting.id, "CN")) == "RESCUE_OVER"
    await Recovery(identity).prove(token, code.upper(), HOME)
    await Recovery(identity).choose(token, NEW, HOME)
    first = await half(identity, NEW)
    assert not await Factors(identity).ways(first.token), "a new second factor is set up"
    assert (await identity.begin_second_factor(first.token)).secret
    async with registry.database.reader() as reader:
        traced = await reader.fetch_value("select count(*)::int from trace where event = 'account_rescue'")
    assert traced == 1


async def test_a_code_of_the_desk_is_good_once_and_for_a_day(
    identity: Identity, registry: Registry, clock: FixedClock
) -> None:
    rescues, desk = Rescues(identity), operator(registry, "identity")
    await Recovery(identity).ask_desk(await asked(identity))
    code = await rescues.give(desk, (await rescues.waiting(desk))[0].id, "PA")
    assert await problem(Recovery(identity).prove(await asked(identity, WRONG), code, HOME)) == "CODE_WRONG"
    await Recovery(identity).prove(await asked(identity), code, HOME)
    assert await problem(Recovery(identity).prove(await asked(identity), code, HOME)) == "CODE_WRONG"
    await Recovery(identity).ask_desk(await asked(identity, origin=STRANGER))
    late = await rescues.give(desk, (await rescues.waiting(desk))[0].id, "PA")
    clock.move(timedelta(days=1))
    assert await problem(Recovery(identity).prove(await asked(identity), late, HOME)) == "CODE_WRONG"


async def test_nobody_enters_the_queue_by_wrong_details_and_only_its_duty_reads_it(
    identity: Identity, registry: Registry
) -> None:
    await Recovery(identity).ask_desk(await asked(identity, WRONG))
    assert await Rescues(identity).waiting(operator(registry, "identity")) == []
    await problem(Rescues(identity).waiting(operator(registry, "support")))
