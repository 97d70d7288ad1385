"""Passkeys attacked: answers replayed, too late, made for others or elsewhere; acts that matter, by old sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from msgspec.structs import replace

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import (
    AccountKind,
    NotSignedIn,
    Origin,
    PasskeyPurpose,
    PasskeyReply,
    SignedIn,
    SignInProblem,
)
from tests.integration.attacks.conftest import NAMES, PASSWORD, Target, form_token
from tests.integration.identity.test_passkeys import BROWSER, HERE, PUBLIC, Desk, desk
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, encoded

__all__ = ["desk"]

REFUSED = NotSignedIn(SignInProblem.PASSKEY_REFUSED)


async def _asked(desk: Desk, key: Authenticator, purpose: PasskeyPurpose = PasskeyPurpose.SIGN_IN) -> PasskeyReply:
    begun = await desk.passkeys.challenge(purpose, BROWSER)
    return PasskeyReply(begun.reference, key.get(begun.options), BROWSER)


async def _why(desk: Desk) -> str:
    return str((await desk.traced())[-1][3]["why"])


async def test_an_answer_is_good_once(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    reply = await _asked(desk, key)
    assert isinstance(await desk.passkeys.sign_in(reply, HERE), SignedIn)
    assert await desk.passkeys.sign_in(reply, HERE) == REFUSED
    assert await _why(desk) == "challenge"
    fresh = await desk.passkeys.challenge(PasskeyPurpose.SIGN_IN, BROWSER)
    assert await desk.passkeys.sign_in(replace(reply, reference=fresh.reference), HERE) == REFUSED, "an older answer"
    wrong = await _asked(desk, Authenticator("https://evil.example", key.credential, key.key, key.holder))
    assert await desk.passkeys.sign_in(wrong, HERE) == REFUSED
    right = replace(wrong, answer=key.get({"rpId": "ambroise.example", "challenge": encoded(b"x" * 32)}))
    assert await desk.passkeys.sign_in(right, HERE) == REFUSED, "a wrong answer uses the challenge up"


async def test_an_answer_that_comes_too_late_is_refused(desk: Desk, clock: FixedClock) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    reply = await _asked(desk, key)
    clock.move(timedelta(minutes=5, seconds=1))
    assert await desk.passkeys.sign_in(reply, HERE) == REFUSED
    assert await _why(desk) == "challenge"


async def test_a_challenge_is_answered_by_the_browser_that_asked_it_and_for_what_it_asked(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    stolen = replace(await _asked(desk, key), browser="another browser")
    assert await desk.passkeys.sign_in(stolen, HERE) == REFUSED
    other = await _asked(desk, key, PasskeyPurpose.SIGN_ON)
    assert await desk.passkeys.sign_in(other, HERE) == REFUSED


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://ambroise.example",
        "https://ambroise.example:8443",
        "https://ambroise.example.evil.example",
        "https://sub.ambroise.example",
        "null",
    ],
)
async def test_an_answer_made_in_a_page_of_another_origin_is_refused(desk: Desk, origin: str) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    assert await desk.signed_in(Authenticator(origin, key.credential, key.key, key.holder)) == REFUSED
    assert await _why(desk) == "origin"


async def test_an_answer_made_in_a_frame_of_another_site_is_refused(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    key.cross_origin = True
    assert await desk.signed_in(key) == REFUSED
    assert await _why(desk) == "origin"


@pytest.mark.parametrize("flags", [PRESENT, VERIFIED, 0])
async def test_a_device_that_did_not_verify_its_holder_is_refused(desk: Desk, flags: int) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    key.flags = flags
    assert await desk.signed_in(key) == REFUSED
    account = desk.accounts[AccountKind.CITIZEN]
    begun = await desk.passkeys.begin_registration(account, BROWSER)
    unsure = Authenticator(PUBLIC, flags=flags)
    with pytest.raises(Refusal, match="PASSKEY_NOT_REGISTERED"):
        await desk.passkeys.register(
            account, PasskeyReply(begun.reference, unsure.create(begun.options), BROWSER), "Clé", HERE
        )


async def test_a_copy_whose_count_goes_back_is_refused(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    key.count = 10
    assert isinstance(await desk.signed_in(key), SignedIn)
    copy = Authenticator(PUBLIC, key.credential, key.key, key.holder, count=4)
    assert await desk.signed_in(copy) == REFUSED
    assert await _why(desk) == "counter"
    same = Authenticator(PUBLIC, key.credential, key.key, key.holder, count=key.count - 1)
    assert await desk.signed_in(same) == REFUSED, "the same count twice"
    silent = Authenticator(PUBLIC, key.credential, key.key, key.holder)
    assert await desk.signed_in(silent) == REFUSED, "one that stops counting"
    assert isinstance(await desk.signed_in(key), SignedIn)


async def test_another_key_under_the_same_name_is_refused(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    forged = Authenticator(PUBLIC, credential=key.credential, holder=key.holder)
    assert await desk.signed_in(forged) == REFUSED
    assert await _why(desk) == "signature"


async def test_the_passkey_of_another_account_is_refused_everywhere(desk: Desk) -> None:
    mine, _ = await desk.give(AccountKind.CITIZEN)
    theirs, _ = await desk.give(AccountKind.OPERATOR)
    theirs.holder = mine.holder
    assert await desk.signed_in(theirs) == REFUSED, "it says that it is somebody else's"
    assert await _why(desk) == "other_account"
    theirs.holder = desk.accounts[AccountKind.OPERATOR].id.bytes
    token, half = await desk.half_open(AccountKind.CITIZEN)
    begun = await desk.passkeys.challenge(PasskeyPurpose.SECOND_FACTOR, BROWSER, half.account)
    reply = PasskeyReply(begun.reference, theirs.get(begun.options), BROWSER)
    assert await desk.passkeys.complete(token, half, reply, HERE) == REFUSED
    session = await desk.session(await desk.signed_in(mine))
    begun = await desk.passkeys.challenge(PasskeyPurpose.PROOF, BROWSER, session.account)
    reply = PasskeyReply(begun.reference, theirs.get(begun.options), BROWSER)
    assert await desk.passkeys.prove(session, reply, HERE) == REFUSED
    operator = desk.accounts[AccountKind.OPERATOR]
    begun = await desk.passkeys.begin_registration(desk.accounts[AccountKind.CITIZEN], BROWSER)
    made = Authenticator(PUBLIC).create(begun.options)
    with pytest.raises(Refusal, match="PASSKEY_NOT_REGISTERED"):
        await desk.passkeys.register(operator, PasskeyReply(begun.reference, made, BROWSER), "À moi", HERE)


async def test_a_citizen_and_an_operator_sign_on_to_no_software_of_professionals(desk: Desk) -> None:
    for kind in (AccountKind.CITIZEN, AccountKind.OPERATOR):
        key, _ = await desk.give(kind)
        assert await desk.passkeys.sign_on(await _asked(desk, key, PasskeyPurpose.SIGN_ON), HERE) == REFUSED


async def test_a_suspended_account_is_not_opened_by_its_passkey(desk: Desk) -> None:
    key, _ = await desk.give(AccountKind.CITIZEN)
    account = desk.accounts[AccountKind.CITIZEN]
    async with desk.database.transaction() as tx:
        await tx.execute("update account set suspended_at = now() where id = %s", (account.id,))
    assert await desk.signed_in(key) == REFUSED


async def test_nothing_tells_a_passkey_that_exists_from_one_that_does_not(desk: Desk) -> None:
    known, _ = await desk.give(AccountKind.CITIZEN)
    gone, revoked = await desk.give(AccountKind.CITIZEN, "Ancien")
    async with desk.database.transaction() as tx:
        await desk.passkeys.revoke(tx, desk.accounts[AccountKind.CITIZEN], revoked.id, HERE)
    wrong = Authenticator("https://evil.example", known.credential, known.key, known.holder)
    for key in (wrong, gone, Authenticator(PUBLIC, holder=known.holder)):
        assert await desk.signed_in(key) == REFUSED
    offered = (await desk.passkeys.challenge(PasskeyPurpose.SIGN_IN, BROWSER)).options
    assert offered["allowCredentials"] == [], "a sign-in names no passkey, so it tells nothing of anybody"


async def test_a_network_that_sends_wrong_answers_waits(desk: Desk, clock: FixedClock) -> None:
    stranger = Authenticator(PUBLIC, holder=b"nobody")
    for _ in range(30):
        assert await desk.signed_in(stranger) == REFUSED
    waiting = await desk.signed_in(stranger)
    assert isinstance(waiting, NotSignedIn)
    assert waiting.problem is SignInProblem.WAIT
    key, _ = await desk.give(AccountKind.CITIZEN)
    elsewhere = await desk.passkeys.sign_in(await _asked(desk, key), Origin("198.51.100.9"))
    assert isinstance(elsewhere, SignedIn), "nobody else waits"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "null",
        "[]",
        "not json",
        '{"id": 1}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA"}}',
        '{"id":"AA","rawId":"AA","type":"other","response":{}}',
        "[" * 5000,
        "x" * 20_000,
    ],
)
async def test_what_is_no_answer_is_refused_and_is_no_fault_of_ours(desk: Desk, answer: str) -> None:
    begun = await desk.passkeys.challenge(PasskeyPurpose.SIGN_IN, BROWSER)
    assert await desk.passkeys.sign_in(PasskeyReply(begun.reference, answer, BROWSER), HERE) == REFUSED
    account = desk.accounts[AccountKind.CITIZEN]
    begun = await desk.passkeys.begin_registration(account, BROWSER)
    with pytest.raises(Refusal, match="PASSKEY_NOT_REGISTERED"):
        await desk.passkeys.register(account, PasskeyReply(begun.reference, answer, BROWSER), "Clé", HERE)


ACTS = {
    AccountKind.CITIZEN: {
        "/espace": {"geste": "supprimer"},
        "/espace/fermer": {"raison": "autre", "donnees": "supprimer"},
        "/historique.csv": {},
        "/proches/inviter": {"geste": "x"},
        "/reglages/cles": {"geste": "revoquer:x"},
        "/reglages/cles/ajouter": {"nom": "Clé"},
    },
    AccountKind.OPERATOR: {
        "/guichet/matrice/proposer?groupe=nurse": {"geste": "publier"},
        "/guichet/matrice/versions": {"version": "1"},
        "/guichet/logiciels": {"geste": "x"},
        "/guichet/acces/premiere-cle": {"identifiant": "10000000012"},
        "/guichet/acces/collegue": {"identifiant": "quelquun"},
        "/guichet/identites/{space}": {"geste": "fictive", "note": "Parce que <b>"},
    },
}


@pytest.mark.asyncio(loop_scope="module")
class TestActsThatMatter:
    """What a session left open may no longer do."""

    async def test_acts_that_matter_are_refused_to_an_old_proof(self, target: Target) -> None:
        for kind, acts in ACTS.items():
            browser = await target.signed_in(kind)
            token = await form_token(browser, "/reglages")
            addresses = {address.format(space=target.space): sent for address, sent in acts.items()}
            for address, sent in addresses.items():
                answer = await browser.post(address, data={**sent, "jeton": token})
                assert not answer.headers.get("location", "").startswith("/preuve"), (
                    address,
                    "a recent sign-in is a proof",
                )
            await _age(target, kind)
            for address, sent in addresses.items():
                answer = await browser.post(address, data={**sent, "jeton": token})
                assert answer.status_code == 303, address
                assert answer.headers["location"].startswith("/preuve?suite="), address

    async def test_what_was_typed_comes_back_after_the_proof_and_the_old_token_is_worth_nothing(
        self, target: Target
    ) -> None:
        browser = await target.signed_in(AccountKind.OPERATOR)
        await _age(target, AccountKind.OPERATOR)
        token = await form_token(browser, "/reglages")
        address, typed = f"/guichet/identites/{target.space}", 'Parce que "<b>"'
        asked = await browser.post(address, data={"jeton": token, "geste": "fictive", "note": typed})
        old = browser.cookies["__Host-session"]
        page = asked.headers["location"]
        proven = await browser.post(
            page, data={"jeton": await form_token(browser, page), "geste": "confirmer"}, follow_redirects=True
        )
        read = html.document_fromstring(proven.text)
        form: Any = next(one for one in read.iter("form") if one.get("action") == address)
        assert dict(form.form_values())["note"] == typed
        assert browser.cookies["__Host-session"] != old
        thief = target.browser()
        thief.cookies.set("__Host-session", old, domain="test.example")
        assert (await thief.get("/guichet")).headers["location"].startswith("/connexion")
        again = await browser.get(str(proven.url))
        assert again.status_code == 303, "it is given back once"

    async def test_a_passkey_is_not_added_with_an_old_proof_even_by_the_script(self, target: Target) -> None:
        browser = await target.signed_in(AccountKind.CITIZEN)
        token = await form_token(browser, "/reglages")
        assert (await browser.post("/cle/defi", data={"jeton": token, "pour": "ajouter"})).status_code == 200
        await _age(target, AccountKind.CITIZEN)
        assert (await browser.post("/cle/defi", data={"jeton": token, "pour": "ajouter"})).status_code == 403

    async def test_a_stranger_and_a_half_open_session_get_no_challenge_of_an_account(self, target: Target) -> None:
        browser = target.browser()
        token = await form_token(browser, "/connexion")
        for purpose in ("deuxieme", "prouver", "ajouter"):
            answer = await browser.post("/cle/defi", data={"jeton": token, "pour": purpose})
            assert answer.status_code == 303, purpose
            assert answer.headers["location"].startswith("/connexion")
        assert (await browser.post("/cle/defi", data={"pour": "entrer"})).status_code == 403, "without its form"
        fields = {"identifiant": NAMES[AccountKind.CITIZEN], "passe": PASSWORD, "jeton": token}
        await browser.post("/connexion", data=fields)
        for purpose in ("prouver", "ajouter"):
            answer = await browser.post("/cle/defi", data={"jeton": token, "pour": purpose})
            assert answer.status_code == 303, purpose

    async def test_the_page_that_asks_sends_nobody_elsewhere(self, target: Target) -> None:
        browser = await target.signed_in(AccountKind.CITIZEN)
        for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example"):
            answer = await browser.get("/preuve", params={"suite": elsewhere}, follow_redirects=True)
            assert answer.url.host == "test.example"


async def _age(target: Target, kind: AccountKind) -> None:
    """Make the proofs of a person six minutes old."""
    async with target.house.services.database.transaction() as tx:
        await tx.execute(
            "update session set proven_at = proven_at - interval '6 minutes' where account = %s",
            (target.accounts[kind],),
        )
