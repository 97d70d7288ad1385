"""Codes by mail and SMS, browsers that an account knows, and warnings to its holder."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from pyotp.totp import TOTP

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import contacts
from ambroise.modules.identity.api import (
    AccountKind,
    Codes,
    CodesBy,
    Devices,
    Factors,
    Identity,
    KeySealer,
    NewAccount,
    NotSignedIn,
    Origin,
    Reaching,
    Session,
    SignedIn,
    SignInProblem,
    hash_password,
)
from ambroise.modules.letters.api import Channel, Kind, Letter, Letters

PASSWORD = "quatre bateaux verts"
KEPT = hash_password(PASSWORD)
HOME = Origin("203.0.113.7", agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
ELSEWHERE = Origin("198.51.100.9", agent="Mozilla/5.0 (Windows NT 10.0) Chrome/130.0")
MAIL, MOBILE = "ana@exemple.fr", "+33612345678"


@pytest.fixture
async def identity(database: Database, clock: FixedClock) -> Identity:
    """An instance with one citizen, Ana, who proved a mail address and a mobile number."""
    secret = ApplicationSecret(b"s" * 32)
    codes = Codes(
        database, clock, KeySealer(secret), Letters.over(clock, secret, channels=frozenset(), demonstration=True)
    )
    made = Identity(database, clock, codes.sealer, demonstration=True, codes=codes)
    async with database.transaction() as tx:
        new = NewAccount(AccountKind.CITIZEN, "ana.fictive", "Ana Fictive", patient=new_id(), password=KEPT)
        account = await made.create_account(tx, new)
        await contacts.keep(tx, made.sealer, account, Channel.MAIL, MAIL, clock.now())
        await contacts.keep(tx, made.sealer, account, Channel.SMS, MOBILE, clock.now())
    return made


async def letters(identity: Identity) -> list[Letter]:
    assert identity.codes is not None
    async with identity.database.reader() as reader:
        return await identity.codes.letters.latest(reader)


async def half(identity: Identity, origin: Origin = HOME) -> SignedIn:
    first = await identity.sign_in("ana.fictive", PASSWORD, origin)
    assert isinstance(first, SignedIn)
    return first


async def enter(identity: Identity, origin: Origin = HOME, *, remember: bool = False) -> SignedIn:
    """Sign in by a code sent by mail."""
    first = await half(identity, origin)
    await Factors(identity).send(first.token, Channel.MAIL)
    code = (await letters(identity))[0].details["code"]
    done = await identity.verify_code(first.token, code, origin, remember=remember)
    assert isinstance(done, SignedIn)
    return done


async def session_of(identity: Identity, signed: SignedIn) -> Session:
    session = await identity.session(signed.token)
    assert session is not None
    return session


async def live(identity: Identity, signed: SignedIn) -> bool:
    return (await session_of(identity, signed)).live


async def test_a_code_goes_to_the_proven_address_and_completes_the_session(identity: Identity) -> None:
    first = await half(identity)
    ways = await Factors(identity).ways(first.token)
    assert (ways.application, dict(ways.sent)) == (False, {Channel.MAIL: "a•••@e•••.fr", Channel.SMS: "•• •• •• •• 78"})
    await Factors(identity).send(first.token, Channel.SMS)
    sent = (await letters(identity))[0]
    assert (sent.kind, sent.channel, sent.address) == (Kind.SIGN_IN_CODE, Channel.SMS, MOBILE)
    wrong = "000000" if sent.details["code"] != "000000" else "111111"
    assert await identity.verify_code(first.token, wrong, HOME) == NotSignedIn(SignInProblem.CODE_WRONG)
    done = await identity.verify_code(first.token, sent.details["code"], HOME)
    assert isinstance(done, SignedIn)
    assert not await live(identity, first)


async def test_a_code_sent_is_good_once_and_for_ten_minutes(identity: Identity, clock: FixedClock) -> None:
    await enter(identity)
    code = (await letters(identity))[0].details["code"]
    again = await half(identity)
    assert await identity.verify_code(again.token, code, HOME) == NotSignedIn(SignInProblem.CODE_WRONG)
    clock.move(timedelta(seconds=31))
    await Factors(identity).send(again.token, Channel.MAIL)
    clock.move(timedelta(minutes=9))
    late = await half(identity)
    clock.move(timedelta(minutes=2))
    code = (await letters(identity))[0].details["code"]
    assert await identity.verify_code(late.token, code, HOME) == NotSignedIn(SignInProblem.CODE_WRONG)


async def test_who_only_knows_the_password_cannot_set_an_authenticator_up(identity: Identity) -> None:
    with pytest.raises(Refusal, match="SECOND_FACTOR_SET"):
        await identity.begin_second_factor((await half(identity)).token)


async def test_a_trusted_browser_needs_no_code_for_thirty_days(identity: Identity, clock: FixedClock) -> None:
    first = await enter(identity, remember=True)
    known = replace(HOME, device=first.device)
    assert (await half(identity, known)).complete
    assert not (await half(identity, ELSEWHERE)).complete
    clock.move(timedelta(days=30))
    assert not (await half(identity, known)).complete


async def test_trust_belongs_to_one_account_of_a_shared_browser(identity: Identity) -> None:
    first = await enter(identity, remember=True)
    async with identity.database.transaction() as tx:
        new = NewAccount(AccountKind.CITIZEN, "bo.fictif", "Bo Fictif", patient=new_id(), password=KEPT)
        await identity.create_account(tx, new)
    other = await identity.sign_in("bo.fictif", PASSWORD, replace(HOME, device=first.device))
    assert isinstance(other, SignedIn)
    assert not other.complete


async def test_devices_are_listed_and_forgotten_with_their_sessions(identity: Identity, clock: FixedClock) -> None:
    first = await enter(identity, remember=True)
    clock.move(timedelta(minutes=1))
    second = await enter(identity, ELSEWHERE, remember=True)
    devices, session = Devices(identity), await session_of(identity, second)
    listed = await devices.of(session, replace(ELSEWHERE, device=second.device))
    assert [(one.network, one.present, one.trusted_until is not None) for one in listed] == [
        ("198.51.100.0/24", True, True),
        ("203.0.113.0/24", False, True),
    ]
    await devices.forget(session, listed[1].id)
    assert not await live(identity, first)
    assert await live(identity, second)
    assert not (await half(identity, replace(HOME, device=first.device))).complete
    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await devices.forget(session, new_id())


async def test_nobody_forgets_the_device_of_another_account(identity: Identity) -> None:
    hers = await enter(identity)
    async with identity.database.transaction() as tx:
        new = NewAccount(AccountKind.CITIZEN, "bo.fictif", "Bo Fictif", patient=new_id(), demonstration=True)
        other = await identity.create_account(tx, new)
    device = (await Devices(identity).of(await session_of(identity, hers), HOME))[0].id
    stranger = await session_of(identity, await identity.be(other, ELSEWHERE))
    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await Devices(identity).forget(stranger, device)
    assert await live(identity, hers)


async def test_a_new_device_is_told_by_mail_and_in_the_portal_but_not_the_first(
    identity: Identity, clock: FixedClock
) -> None:
    first = await enter(identity)
    assert {one.kind for one in await letters(identity)} == {Kind.SIGN_IN_CODE}
    clock.move(timedelta(minutes=1))
    await enter(identity, replace(HOME, device=first.device))
    assert {one.kind for one in await letters(identity)} == {Kind.SIGN_IN_CODE}
    clock.move(timedelta(minutes=1))
    second = await enter(identity, ELSEWHERE)
    told = next(one for one in await letters(identity) if one.kind is Kind.NEW_DEVICE)
    assert (told.address, told.details["network"]) == (MAIL, "198.51.100.0/24")
    waiting = await Devices(identity).alerts(await session_of(identity, second))
    assert [one.agent for one in waiting] == [ELSEWHERE.agent]
    await Devices(identity).recognise(await session_of(identity, second), waiting[0].id)
    assert await Devices(identity).alerts(await session_of(identity, second)) == []


async def test_it_was_not_me_ends_everything_without_signing_in(identity: Identity, clock: FixedClock) -> None:
    await enter(identity)
    clock.move(timedelta(minutes=1))
    stranger = await enter(identity, ELSEWHERE, remember=True)
    told = next(one for one in await letters(identity) if one.kind is Kind.NEW_DEVICE)
    await Devices(identity).disown_by_letter(told.details["token"])
    assert not await live(identity, stranger)
    back = await identity.sign_in("ana.fictive", PASSWORD, replace(ELSEWHERE, device=stranger.device))
    assert not (isinstance(back, SignedIn) and back.complete)
    with pytest.raises(Refusal, match="ALERT_OVER"):
        await Devices(identity).disown_by_letter(told.details["token"])
    with pytest.raises(Refusal, match="ALERT_OVER"):
        await Devices(identity).disown_by_letter("x" * 43)


async def test_codes_can_come_by_the_application_alone(identity: Identity, clock: FixedClock) -> None:
    factors = Factors(identity)
    session = await session_of(identity, await enter(identity, remember=True))
    with pytest.raises(Refusal, match="FACTOR_MISSING"):
        await factors.choose(session, CodesBy.APP, PASSWORD, HOME)
    with pytest.raises(Refusal, match="PASSWORD_WRONG"):
        await factors.begin_application(session, "not my password")
    enrolment = await factors.begin_application(session, PASSWORD)
    with pytest.raises(Refusal, match="CODE_WRONG"):
        await factors.confirm_application(session, "12", HOME)
    codes = await factors.confirm_application(session, TOTP(enrolment.secret).at(clock.now()), HOME)
    assert len(set(codes)) == 8
    assert (await letters(identity))[0].kind is Kind.FACTOR_CHANGED
    session = (await identity.session((await _again(identity, clock, enrolment.secret)).token)) or session
    await factors.choose(session, CodesBy.APP, PASSWORD, HOME)
    first = await half(identity)
    assert not (await factors.ways(first.token)).sent
    with pytest.raises(Refusal, match="CONTACTS_NOT_FOUND"):
        await factors.send(first.token, Channel.MAIL)
    assert isinstance(await identity.verify_code(first.token, codes[0], HOME), SignedIn)


async def _again(identity: Identity, clock: FixedClock, secret: str) -> SignedIn:
    clock.move(timedelta(minutes=1))
    first = await half(identity)
    done = await identity.verify_code(first.token, TOTP(secret).at(clock.now()), HOME)
    assert isinstance(done, SignedIn)
    return done


async def test_the_last_way_to_receive_a_code_stays(identity: Identity, clock: FixedClock) -> None:
    factors = Factors(identity)
    session = await session_of(identity, await enter(identity))
    enrolment = await factors.begin_application(session, PASSWORD)
    await factors.confirm_application(session, TOTP(enrolment.secret).at(clock.now()), HOME)
    async with identity.database.transaction() as tx:
        await tx.execute("delete from account_contact where account = %s", (session.account.id,))
    with pytest.raises(Refusal, match="LAST_FACTOR"):
        await factors.remove_application(session, PASSWORD, HOME)


async def test_changing_a_factor_ends_the_trust_of_every_browser(identity: Identity) -> None:
    first = await enter(identity, remember=True)
    await Factors(identity).draw_recovery_codes(await session_of(identity, first), PASSWORD, HOME)
    assert not (await half(identity, replace(HOME, device=first.device))).complete


async def test_a_new_address_is_proven_told_to_the_former_one_and_given_back_if_it_was_not_the_holder(
    identity: Identity,
) -> None:
    reaching = Reaching(Factors(identity))
    session = await session_of(identity, await enter(identity, remember=True))
    with pytest.raises(Refusal, match="CONTACT_INVALID"):
        await reaching.send(session, Channel.MAIL, "nowhere", PASSWORD, HOME)
    with pytest.raises(Refusal, match="PASSWORD_WRONG"):
        await reaching.send(session, Channel.MAIL, "new@exemple.fr", "not my password", HOME)
    await reaching.send(session, Channel.MAIL, "New@Exemple.fr", PASSWORD, HOME)
    await reaching.prove(session, (await letters(identity))[0].details["code"], HOME)
    told = (await letters(identity))[0]
    assert (told.kind, told.address) == (Kind.FACTOR_CHANGED, MAIL), "the former address is told"
    assert await _mail(identity, session.account.id) == "new@exemple.fr"
    await Devices(identity).disown_by_letter(told.details["token"])
    assert await _mail(identity, session.account.id) == MAIL


async def _mail(identity: Identity, account: UUID) -> str:
    async with identity.database.reader() as reader:
        return (await contacts.of_account(reader, identity.sealer, account))[Channel.MAIL]


async def test_recovery_codes_are_kept_by_a_slow_hash(identity: Identity) -> None:
    session = await session_of(identity, await enter(identity))
    codes = await Factors(identity).draw_recovery_codes(session, PASSWORD, HOME)
    kept = await _kept_codes(identity, session.account.id)
    assert len(kept) == len(codes) == 8
    first = await half(identity)
    assert isinstance(await identity.verify_code(first.token, codes[3].upper(), HOME), SignedIn)
    assert (await Factors(identity).protection(session)).recovery_codes == 7


async def _kept_codes(identity: Identity, account: UUID) -> list[bytes]:
    async with identity.database.reader() as reader:
        rows = await reader.fetch_all("select code_hash from account_recovery_code where account = %s", (account,))
    return [bytes(row[0]) for row in rows]
