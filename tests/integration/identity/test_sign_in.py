"""Signing in against a real database: every path of the two factors, and what a session is worth."""

from datetime import timedelta
from uuid import UUID

import pyotp
import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity.api import (
    AccountKind,
    Identity,
    NewAccount,
    NotSignedIn,
    Origin,
    SignedIn,
    SignInProblem,
    Situation,
    hash_password,
)
from ambroise.trust.context import Citizen, Professional, Purpose

PASSWORD = "quatre bateaux verts"
KEPT = hash_password(PASSWORD)
HOME = Origin("203.0.113.7")


class XorSealer:
    """A reversible box for tests: what matters here is that secrets pass through it."""

    def seal(self, purpose: str, content: bytes) -> bytes:
        return purpose.encode() + b":" + bytes(byte ^ 0x5A for byte in content)

    def unseal(self, purpose: str, box: bytes) -> bytes:
        prefix = purpose.encode() + b":"
        assert box.startswith(prefix), "a box opened for something else"
        return bytes(byte ^ 0x5A for byte in box[len(prefix) :])


@pytest.fixture
def identity(database: Database, clock: FixedClock) -> Identity:
    return Identity(database, clock, XorSealer(), demonstration=True)


async def a_citizen(identity: Identity, name: str = "ana@exemple.fr", **more: object) -> tuple[UUID, UUID]:
    patient = new_id()
    async with identity.database.transaction() as tx:
        account = await identity.create_account(
            tx,
            NewAccount(AccountKind.CITIZEN, name, "Ana Fictive", patient=patient, password=KEPT, **more),  # type: ignore[arg-type]
        )
    return account, patient


async def enrolled(identity: Identity, clock: FixedClock) -> tuple[SignedIn, str, list[str]]:
    """A citizen who has just set a second factor up: session, secret, recovery codes."""
    first = await identity.sign_in("ana@exemple.fr", PASSWORD, HOME)
    assert isinstance(first, SignedIn)
    enrolment = await identity.begin_second_factor(first.token)
    done = await identity.confirm_second_factor(first.token, pyotp.TOTP(enrolment.secret).at(clock.now()), HOME)
    assert not isinstance(done, NotSignedIn)
    return done[0], enrolment.secret, done[1]


async def test_a_password_alone_opens_nothing(identity: Identity) -> None:
    await a_citizen(identity)
    first = await identity.sign_in(" ANA@exemple.fr ", PASSWORD, HOME)
    assert isinstance(first, SignedIn)
    assert not first.complete
    session = await identity.session(first.token)
    assert session is not None
    with pytest.raises(Refusal, match="SESSION_ENDED"):
        identity.context(session)


async def test_the_second_factor_completes_and_changes_the_token(identity: Identity, clock: FixedClock) -> None:
    _, patient = await a_citizen(identity)
    first, secret, _ = await enrolled(identity, clock)
    clock.move(timedelta(minutes=5))
    again = await identity.sign_in("ana@exemple.fr", PASSWORD, HOME)
    assert isinstance(again, SignedIn)
    code = pyotp.TOTP(secret).at(clock.now())
    complete = await identity.verify_code(again.token, code, HOME)
    assert isinstance(complete, SignedIn)
    assert complete.token != again.token
    half = await identity.session(again.token)
    assert half is not None
    assert not half.live
    session = await identity.session(complete.token)
    assert session is not None
    assert identity.context(session).actor == Citizen(patient, "Ana Fictive")
    assert first.device is not None


async def test_a_code_is_good_once(identity: Identity, clock: FixedClock) -> None:
    await a_citizen(identity)
    _, secret, _ = await enrolled(identity, clock)
    clock.move(timedelta(minutes=5))
    code = pyotp.TOTP(secret).at(clock.now())
    for expected in (True, False):
        half = await identity.sign_in("ana@exemple.fr", PASSWORD, HOME)
        assert isinstance(half, SignedIn)
        assert isinstance(await identity.verify_code(half.token, code, HOME), SignedIn) is expected


async def test_a_recovery_code_replaces_the_authenticator_once(identity: Identity, clock: FixedClock) -> None:
    await a_citizen(identity)
    _, _, codes = await enrolled(identity, clock)
    assert len(set(codes)) == 8
    for expected in (True, False):
        half = await identity.sign_in("ana@exemple.fr", PASSWORD, HOME)
        assert isinstance(half, SignedIn)
        assert isinstance(await identity.verify_code(half.token, codes[0].upper(), HOME), SignedIn) is expected


async def test_a_wrong_name_and_a_wrong_password_look_the_same(identity: Identity) -> None:
    await a_citizen(identity)
    assert await identity.sign_in("nobody@exemple.fr", PASSWORD, HOME) == NotSignedIn(SignInProblem.WRONG)
    assert await identity.sign_in("ana@exemple.fr", "wrong " + PASSWORD, HOME) == NotSignedIn(SignInProblem.WRONG)


async def test_failures_delay_the_next_try_but_never_the_browser_that_signed_in(
    identity: Identity, clock: FixedClock
) -> None:
    await a_citizen(identity)
    first, _, _ = await enrolled(identity, clock)
    stranger = Origin("198.51.100.9")
    for _ in range(5):
        assert await identity.sign_in("ana@exemple.fr", "a wrong password", stranger) == NotSignedIn(
            SignInProblem.WRONG
        )
    delayed = await identity.sign_in("ana@exemple.fr", PASSWORD, stranger)
    assert delayed == NotSignedIn(SignInProblem.WAIT, timedelta(minutes=1))
    known = Origin("203.0.113.7", first.device)
    assert isinstance(await identity.sign_in("ana@exemple.fr", PASSWORD, known), SignedIn)
    clock.move(timedelta(minutes=1))
    assert isinstance(await identity.sign_in("ana@exemple.fr", PASSWORD, stranger), SignedIn)


async def test_an_address_that_tries_many_names_is_delayed(identity: Identity) -> None:
    await a_citizen(identity)
    for number in range(30):
        await identity.sign_in(f"guess{number}@exemple.fr", "a wrong password", Origin("2001:db8::1"))
    answer = await identity.sign_in("ana@exemple.fr", PASSWORD, Origin("2001:db8::ffff"))
    assert isinstance(answer, NotSignedIn)
    assert answer.problem is SignInProblem.WAIT


async def test_a_session_ends_when_idle_and_its_draft_comes_back(identity: Identity, clock: FixedClock) -> None:
    account, _ = await a_citizen(identity, demonstration=True)
    token = (await identity.be(account, HOME)).token
    clock.move(timedelta(minutes=20))
    assert (session := await identity.session(token)) is not None
    assert session.live
    clock.move(timedelta(minutes=29))
    assert (session := await identity.session(token)) is not None
    assert session.live, "using a session keeps it alive"
    clock.move(timedelta(minutes=31))
    ended = await identity.session(token)
    assert ended is not None
    assert not ended.live
    await identity.keep_draft(ended, "/documents/ajouter", {"titre": ["Radio du poignet"]})
    fresh = await identity.session((await identity.be(account, HOME)).token)
    assert fresh is not None
    draft = await identity.take_draft(fresh, "/documents/ajouter")
    assert draft is not None
    assert draft.fields == {"titre": ["Radio du poignet"]}
    assert await identity.take_draft(fresh, "/documents/ajouter") is None


async def test_signing_out_ends_the_session_at_once(identity: Identity) -> None:
    account, _ = await a_citizen(identity, demonstration=True)
    token = (await identity.be(account, HOME)).token
    await identity.sign_out(token)
    session = await identity.session(token)
    assert session is not None
    assert not session.live


async def test_an_emergency_holds_for_one_patient_and_one_hour(
    identity: Identity, database: Database, clock: FixedClock
) -> None:
    async with database.transaction() as tx:
        account = await identity.create_account(
            tx,
            NewAccount(
                AccountKind.PROFESSIONAL,
                "899900000001",
                "Dr Inès Fictive",
                professional="899900000001",
                situations=(Situation("10", specialty="SM54", organization="1750000001"), Situation("10")),
                demonstration=True,
            ),
        )
    token = (await identity.be(account, HOME)).token
    session = await identity.session(token)
    assert session is not None
    patient, other = new_id(), new_id()
    async with database.transaction() as tx:
        await identity.open_emergency(tx, session, patient, Purpose.BREAK_GLASS, "Perte de connaissance")
    session = await identity.session(token)
    assert session is not None
    context = identity.context(session, patient=patient)
    assert isinstance(context.actor, Professional)
    assert (context.purpose, context.reason) == (Purpose.BREAK_GLASS, "Perte de connaissance")
    assert identity.context(session, patient=other).purpose is Purpose.NORMAL
    for _ in range(3):
        clock.move(timedelta(minutes=20, seconds=1))
        session = await identity.session(token)
        assert session is not None
    assert session.live
    assert identity.context(session, patient=patient).purpose is Purpose.NORMAL


async def test_a_real_instance_refuses_demonstration_people(
    identity: Identity, database: Database, clock: FixedClock
) -> None:
    account, _ = await a_citizen(identity, demonstration=True)
    real = Identity(database, clock, XorSealer(), demonstration=False)
    with pytest.raises(Refusal, match="NOT_A_DEMONSTRATION"):
        await real.be(account, HOME)
    async with database.reader() as reader:
        assert await real.demonstration_people(reader, AccountKind.CITIZEN) == []
        with pytest.raises(Refusal, match="DEMONSTRATION_DATA"):
            await real.refuse_demonstration_accounts(reader)


async def test_the_demonstration_list_is_searched_and_ranked(identity: Identity, database: Database) -> None:
    await a_citizen(identity, "b@exemple.fr", demonstration=True)
    await a_citizen(identity, "a@exemple.fr", demonstration=True, demonstration_rank=1, demonstration_note="Diabète")
    await a_citizen(identity, "c@exemple.fr")
    async with database.reader() as reader:
        people = await identity.demonstration_people(reader, AccountKind.CITIZEN)
        assert [person.sign_in_name for person in people] == ["a@exemple.fr", "b@exemple.fr"]
        assert len(await identity.demonstration_people(reader, AccountKind.CITIZEN, "B@")) == 1
        assert await identity.demonstration_people(reader, AccountKind.CITIZEN, "%") == []


async def test_an_operator_needs_a_strong_password(identity: Identity, database: Database) -> None:
    async with database.transaction() as tx:
        with pytest.raises(Refusal, match="PASSWORD_TOO_SHORT"):
            await identity.create_operator(tx, name="Op", sign_in_name="op", password="court", duties=frozenset())
        await identity.create_operator(
            tx, name="Op", sign_in_name="Op", password=PASSWORD, duties=frozenset({"support"})
        )
        with pytest.raises(Refusal, match="SIGN_IN_NAME_TAKEN"):
            await identity.create_operator(tx, name="Op", sign_in_name="oP", password=PASSWORD, duties=frozenset())


async def test_changing_the_password_ends_the_other_sessions(identity: Identity, clock: FixedClock) -> None:
    account, _ = await a_citizen(identity, demonstration=True)
    here, there = (await identity.be(account, HOME)).token, (await identity.be(account, HOME)).token
    session = await identity.session(here)
    assert session is not None
    assert not await identity.change_password(session, "not my password", "une phrase neuve et longue", HOME)
    assert await identity.change_password(session, PASSWORD, "une phrase neuve et longue", HOME)
    ended = await identity.session(there)
    assert ended is not None
    assert not ended.live
    assert isinstance(await identity.sign_in("ana@exemple.fr", "une phrase neuve et longue", HOME), SignedIn)
