"""Passkeys: registering, signing in, second factor, proving again, the desk's last one, and what is traced."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pyotp.totp import TOTP

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity.api import (
    Account,
    AccountKind,
    Identity,
    Invitations,
    NewAccount,
    NotSignedIn,
    Origin,
    Passkey,
    PasskeyPurpose,
    PasskeyReply,
    Passkeys,
    Proofs,
    RelyingParty,
    Session,
    SignedIn,
    SignInProblem,
    Situation,
    Vouching,
    hash_password,
)
from ambroise.modules.identity.sealing import KeySealer
from ambroise.trust.context import Context, Operator
from tests.support.authenticator import Authenticator

PUBLIC = "https://ambroise.example"
PASSWORD = "quatre bateaux verts"
HERE = Origin("203.0.113.7")
BROWSER = "one browser"


@dataclass
class Desk:
    """The instance, its people, and what each needs to come in by a passkey."""

    passkeys: Passkeys
    database: Database
    accounts: dict[AccountKind, Account] = field(default_factory=dict[AccountKind, Account])

    @property
    def identity(self) -> Identity:
        return self.passkeys.identity

    async def give(self, kind: AccountKind, name: str = "Mon téléphone") -> tuple[Authenticator, Passkey]:
        """A passkey for one of the people."""
        made = Authenticator(PUBLIC)
        account = self.accounts[kind]
        begun = await self.passkeys.begin_registration(account, BROWSER)
        reply = PasskeyReply(begun.reference, made.create(begun.options), BROWSER)
        return made, await self.passkeys.register(account, reply, name, HERE)

    async def signed_in(self, key: Authenticator) -> SignedIn | NotSignedIn:
        begun = await self.passkeys.challenge(PasskeyPurpose.SIGN_IN, BROWSER)
        return await self.passkeys.sign_in(PasskeyReply(begun.reference, key.get(begun.options), BROWSER), HERE)

    async def session(self, signed: SignedIn | NotSignedIn) -> Session:
        assert isinstance(signed, SignedIn)
        found = await self.identity.session(signed.token)
        assert found is not None
        return found

    async def half_open(self, kind: AccountKind) -> tuple[str, Session]:
        signed = await self.identity.sign_in(self.accounts[kind].sign_in_name, PASSWORD, HERE)
        assert isinstance(signed, SignedIn)
        return signed.token, await self.session(signed)

    async def traced(self) -> list[tuple[str, str, int, dict[str, Any]]]:
        async with self.database.reader() as reader:
            return [
                tuple(row)
                for row in await reader.fetch_all(
                    "select event, actor_name, outcome, details from trace order by at, id"
                )
            ]


@pytest.fixture
async def desk(database: Database, clock: FixedClock) -> Desk:
    identity = Identity(database, clock, KeySealer(ApplicationSecret(b"s" * 32)), operators_by_passkey=True)
    made = Desk(Passkeys(identity, Proofs(identity), RelyingParty.at(PUBLIC)), database)
    kept = hash_password(PASSWORD)
    work = (Situation("10", specialty="SM54", organization="1370000002", organization_name="Cabinet"),)
    people = (
        NewAccount(AccountKind.CITIZEN, "ana@exemple.fr", "Ana Fictive", patient=new_id(), password=kept),
        NewAccount(
            AccountKind.PROFESSIONAL, "810000000001", "Dr Camille Fictif", professional="810000000001", situations=work
        ),
        NewAccount(
            AccountKind.OPERATOR, "guichet@exemple.fr", "Nadia Inventée", duties=frozenset({"support"}), password=kept
        ),
    )
    async with database.transaction() as tx:
        for one in people:
            await identity.create_account(tx, one)
    for one in people:
        async with database.reader() as reader:
            found = await identity.account_of(reader, patient=one.patient, professional=one.professional)
        if found is None:
            found = (await made.session(await identity.sign_in(one.sign_in_name, PASSWORD, HERE))).account
        made.accounts[one.kind] = found
    return made


async def test_a_passkey_signs_in_without_a_name_nor_a_password(desk: Desk) -> None:
    key, kept = await desk.give(AccountKind.CITIZEN)
    session = await desk.session(await desk.signed_in(key))
    assert session.complete
    assert session.account.id == desk.accounts[AccountKind.CITIZEN].id
    assert session.means == "passkey"
    assert session.account.has_passkey
    async with desk.database.reader() as reader:
        listed = await desk.passkeys.of_account(reader, session.account)
    assert [(one.id, one.name, one.used_at is not None) for one in listed] == [(kept.id, "Mon téléphone", True)]


async def test_each_sign_in_and_each_refusal_leaves_one_line_with_its_means_and_no_secret(desk: Desk) -> None:
    key, kept = await desk.give(AccountKind.CITIZEN)
    before = len(await desk.traced())
    await desk.signed_in(key)
    await desk.signed_in(Authenticator("https://elsewhere.example", key.credential, key.key, key.holder))
    await desk.identity.sign_in("ana@exemple.fr", "not the right one", HERE)
    await desk.identity.sign_in("nobody@exemple.fr", "not the right one", HERE)
    lines = (await desk.traced())[before:]
    assert [(event, who, outcome) for event, who, outcome, _ in lines] == [
        ("signed_in", "Ana Fictive", 0),
        ("sign_in_refused", "Ana Fictive", 4),
        ("sign_in_refused", "Ana Fictive", 4),
        ("sign_in_refused", "entrance", 4),
    ]
    assert [details["means"] for *_, details in lines] == ["passkey", "passkey", "password", "password"]
    assert lines[1][3]["why"] == "origin"
    assert "not the right" not in str(lines)
    assert "nobody@" not in str(lines)
    async with desk.database.reader() as reader:
        kept_rows = str(await reader.fetch_all("select * from passkey_challenge"))
    assert kept_rows == "[]", "an answered challenge is gone"
    assert kept.id


async def test_a_second_factor_by_passkey_completes_the_session(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.OPERATOR)
    token, session = await desk.half_open(AccountKind.OPERATOR)
    begun = await desk.passkeys.challenge(PasskeyPurpose.SECOND_FACTOR, BROWSER, session.account)
    reply = PasskeyReply(begun.reference, key.get(begun.options), BROWSER)
    signed = await desk.passkeys.complete(token, session, reply, HERE)
    opened = await desk.session(signed)
    assert opened.complete
    assert opened.means == "password_and_passkey"
    old = await desk.identity.session(token)
    assert old is not None
    assert not old.live


async def test_an_operator_who_has_a_passkey_comes_in_with_nothing_weaker(desk: Desk, clock: FixedClock) -> None:
    token, _ = await desk.half_open(AccountKind.OPERATOR)
    secret = (await desk.identity.begin_second_factor(token)).secret
    await desk.identity.confirm_second_factor(token, TOTP(secret).at(clock.now()), HERE)
    clock.move(timedelta(minutes=2))
    token, _ = await desk.half_open(AccountKind.OPERATOR)
    assert isinstance(await desk.identity.verify_code(token, TOTP(secret).at(clock.now()), HERE), SignedIn), (
        "without a passkey, a code is enough"
    )
    await desk.give(AccountKind.OPERATOR)
    clock.move(timedelta(minutes=2))
    token, _ = await desk.half_open(AccountKind.OPERATOR)
    refused = await desk.identity.verify_code(token, TOTP(secret).at(clock.now()), HERE)
    assert refused == NotSignedIn(SignInProblem.PASSKEY_ASKED)


async def test_who_only_knows_the_password_adds_no_authenticator_beside_a_passkey(desk: Desk) -> None:
    await desk.give(AccountKind.OPERATOR)
    token, _ = await desk.half_open(AccountKind.OPERATOR)
    with pytest.raises(Refusal, match="SECOND_FACTOR_SET"):
        await desk.identity.begin_second_factor(token)


async def test_a_revoked_passkey_opens_nothing_and_never_comes_back(desk: Desk) -> None:
    key, kept = await desk.give(AccountKind.CITIZEN)
    account = desk.accounts[AccountKind.CITIZEN]
    async with desk.database.transaction() as tx:
        await desk.passkeys.revoke(tx, account, kept.id, HERE)
    assert await desk.signed_in(key) == NotSignedIn(SignInProblem.PASSKEY_REFUSED)
    begun = await desk.passkeys.begin_registration(account, BROWSER)
    with pytest.raises(Refusal, match="PASSKEY_NOT_REGISTERED"):
        await desk.passkeys.register(
            account, PasskeyReply(begun.reference, key.create(begun.options), BROWSER), "Encore", HERE
        )


async def test_the_last_passkey_of_an_operator_stays(desk: Desk) -> None:
    _, first = await desk.give(AccountKind.OPERATOR)
    operator = desk.accounts[AccountKind.OPERATOR]
    with pytest.raises(Refusal, match="LAST_STRONG_MEANS"):
        async with desk.database.transaction() as tx:
            await desk.passkeys.revoke(tx, operator, first.id, HERE)
    await desk.give(AccountKind.OPERATOR, "Clé du bureau")
    async with desk.database.transaction() as tx:
        await desk.passkeys.revoke(tx, operator, first.id, HERE)


async def test_nobody_names_or_revokes_the_passkey_of_another(desk: Desk) -> None:
    _, kept = await desk.give(AccountKind.CITIZEN)
    other = desk.accounts[AccountKind.OPERATOR]
    passkeys = desk.passkeys
    acts = (
        lambda tx: passkeys.revoke(tx, other, kept.id, HERE),
        lambda tx: passkeys.rename(tx, other, kept.id, "À moi"),
    )
    for act in acts:
        with pytest.raises(Refusal, match="PASSKEY_UNKNOWN"):
            async with desk.database.transaction() as tx:
                await act(tx)


async def test_a_proof_is_recent_for_five_minutes_and_changes_the_token(desk: Desk, clock: FixedClock) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    signed = await desk.signed_in(key)
    session = await desk.session(signed)
    assert desk.passkeys.proofs.is_recent(session), "signing in is a proof"
    clock.move(timedelta(minutes=5, seconds=1))
    assert not desk.passkeys.proofs.is_recent(session)
    begun = await desk.passkeys.challenge(PasskeyPurpose.PROOF, BROWSER, session.account)
    token = await desk.passkeys.prove(session, PasskeyReply(begun.reference, key.get(begun.options), BROWSER), HERE)
    assert isinstance(token, str)
    renewed = await desk.identity.session(token)
    assert renewed is not None
    assert desk.passkeys.proofs.is_recent(renewed)
    assert renewed.id == session.id
    assert isinstance(signed, SignedIn)
    assert await desk.identity.session(signed.token) is None, "the old token opens nothing"


async def test_a_password_proves_again_and_wrong_ones_are_slowed(desk: Desk, clock: FixedClock) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    session = await desk.session(await desk.signed_in(key))
    proofs = desk.passkeys.proofs
    for _ in range(5):
        assert await proofs.by_password(session, "not the right one") == NotSignedIn(SignInProblem.WRONG)
    assert await proofs.by_password(session, PASSWORD) == NotSignedIn(SignInProblem.WAIT, timedelta(minutes=1))
    clock.move(timedelta(minutes=1))
    assert isinstance(await proofs.by_password(session, PASSWORD), str)
    with pytest.raises(Refusal, match="NOT_A_DEMONSTRATION"):
        await proofs.by_gesture(session)


async def test_an_operator_who_has_a_passkey_proves_with_it_and_nothing_weaker(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.OPERATOR)
    session = await desk.session(await desk.signed_in(key))
    with pytest.raises(Refusal, match="PASSKEY_ASKED"):
        await desk.passkeys.proofs.by_password(session, PASSWORD)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080", "https://192.0.2.1", "http://ambroise.example", "https://[::1]:1"]
)
async def test_without_a_name_or_without_tls_there_are_no_passkeys(desk: Desk, address: str) -> None:
    assert RelyingParty.at(address) is None
    none = Passkeys(desk.identity, desk.passkeys.proofs, None)
    with pytest.raises(Refusal, match="PASSKEYS_UNAVAILABLE"):
        await none.challenge(PasskeyPurpose.SIGN_IN, BROWSER)


def test_a_demonstration_uses_the_name_of_this_machine() -> None:
    assert RelyingParty.at("http://localhost:8080/") == RelyingParty("localhost", "http://localhost:8080", "Ambroise")


async def test_two_colleagues_together_bring_back_an_operator_who_lost_every_means(
    desk: Desk, clock: FixedClock
) -> None:
    lost = desk.accounts[AccountKind.OPERATOR]
    invitations = Invitations(desk.passkeys)
    vouching = Vouching(invitations)
    duties = frozenset({"identity"})
    first, second = (
        Context(Operator(id, name, duties), clock, channel="web") for id, name in (("a", "Ida"), ("b", "Omar"))
    )
    refused: list[str] = []

    async def vouch(ctx: Context, name: str = lost.sign_in_name) -> str | None:
        try:
            return (await vouching.vouch(ctx, name))[1]
        except Refusal as refusal:
            refused.append(refusal.code)
            return None

    await vouch(Context(Operator(lost.id, lost.display_name, duties), clock, channel="web"))
    await vouch(Context(Operator("c", "Lise"), clock, channel="web"))
    await vouch(first, "810000000001")
    assert await vouch(first) is None
    await vouch(first)
    assert refused == ["VOUCH_SELF", "DUTY_REQUIRED", "NO_SUCH_ACCOUNT", "VOUCH_TWICE"]
    clock.move(timedelta(hours=5))
    assert await vouch(second) is None, "the first one is too old: this one is the first of two"
    code = await vouch(first)
    assert code is not None

    ticket = await invitations.redeem(lost.sign_in_name, code, BROWSER, HERE)
    made, begun = Authenticator(PUBLIC), await invitations.begin(ticket, BROWSER)
    reply = PasskeyReply(begun.reference, made.create(begun.options), BROWSER)
    await invitations.register(ticket, reply, "Nouvelle clé", HERE)
    assert (await desk.session(await desk.signed_in(made))).account.id == lost.id
    told = [(event, name) for event, name, _, _ in await desk.traced() if "vouched" in event or "code_given" in event]
    assert told == [
        ("operator_vouched", "Ida"),
        ("operator_vouched", "Omar"),
        ("operator_vouched", "Ida"),
        ("passkey_code_given", "Ida"),
    ]
