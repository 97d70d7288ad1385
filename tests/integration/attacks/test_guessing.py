"""Guessing and telling apart: passwords, names, codes and people, by what is said or by how long it takes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import passwords
from ambroise.modules.identity.api import (
    AccountKind,
    Identity,
    NewAccount,
    NotSignedIn,
    Origin,
    SignedIn,
    SignInProblem,
    hash_password,
)
from ambroise.modules.identity.sealing import KeySealer
from tests.integration.attacks.conftest import NAMES, Target, form_token

PASSWORD = "quatre bateaux verts"
NEW = "cinq chevaux tranquilles"
HERE = Origin("203.0.113.7")


@pytest.fixture
async def identity(database: Database, clock: FixedClock) -> Identity:
    made = Identity(database, clock, KeySealer(ApplicationSecret(b"s" * 32)), demonstration=True)
    async with database.transaction() as tx:
        await made.create_account(
            tx,
            NewAccount(
                AccountKind.CITIZEN,
                "ana@exemple.fr",
                "Ana Fictive",
                patient=new_id(),
                password=hash_password(PASSWORD),
                demonstration=True,
            ),
        )
    return made


async def test_a_stolen_session_is_no_place_to_guess_the_password(identity: Identity, clock: FixedClock) -> None:
    async with identity.database.reader() as reader:
        account = (await identity.demonstration_people(reader, AccountKind.CITIZEN))[0]
    session = await identity.session((await identity.be(account.id, HERE)).token)
    assert session is not None
    for _ in range(5):
        assert not await identity.change_password(session, "not the right one", NEW, HERE)
    with pytest.raises(Refusal, match="TOO_MANY_TRIES"):
        await identity.change_password(session, PASSWORD, NEW, HERE)
    clock.move(timedelta(minutes=1))
    assert await identity.change_password(session, PASSWORD, NEW, HERE), "the delay ends"


async def test_guesses_at_the_same_moment_are_delayed_like_guesses_one_by_one(
    identity: Identity, clock: FixedClock
) -> None:
    """Each is counted before it is made; those who come in take their own count back."""
    async with identity.database.reader() as reader:
        account = (await identity.demonstration_people(reader, AccountKind.CITIZEN))[0]
    session = await identity.session((await identity.be(account.id, HERE)).token)
    assert session is not None
    many = [identity.sign_in("ana@exemple.fr", f"guess {number}", HERE) for number in range(12)]
    answers = await asyncio.gather(*many)
    problems = [one.problem for one in answers if isinstance(one, NotSignedIn)]
    assert (problems.count(SignInProblem.WRONG), problems.count(SignInProblem.WAIT)) == (5, 7)
    tries = (identity.change_password(session, f"guess {number}", NEW, HERE) for number in range(8))
    changed = await asyncio.gather(*tries, return_exceptions=True)
    assert [one is False for one in changed].count(True) == 5
    assert all(one is False or isinstance(one, Refusal) for one in changed)
    clock.move(timedelta(minutes=1))
    right = await asyncio.gather(*(identity.sign_in("ana@exemple.fr", PASSWORD, HERE) for _ in range(3)))
    assert sum(isinstance(one, SignedIn) for one in right) >= 1
    assert isinstance(await identity.sign_in("ana@exemple.fr", PASSWORD, HERE), SignedIn), "who came in is not delayed"


async def test_codes_guessed_at_the_same_moment_are_as_few_as_one_by_one(identity: Identity) -> None:
    half = await identity.sign_in("ana@exemple.fr", PASSWORD, HERE)
    assert isinstance(half, SignedIn)
    many = [identity.verify_code(half.token, f"{number:06}", HERE) for number in range(12)]
    answers = await asyncio.gather(*many)
    problems = [one.problem for one in answers if isinstance(one, NotSignedIn)]
    assert (problems.count(SignInProblem.CODE_WRONG), problems.count(SignInProblem.WAIT)) == (5, 7)


async def test_an_unknown_name_costs_as_much_as_a_wrong_password(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times are compared by the work that is done: a clock would make this test say what the machine was busy with."""
    hashed: list[str] = []

    class Counted:
        def verify(self, kept: str, password: str) -> bool:
            hashed.append(kept)
            return hasher.verify(kept, password)

        def __getattr__(self, name: str) -> Any:
            return getattr(hasher, name)

    hasher = passwords._hasher  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(passwords, "_hasher", Counted())
    known = await identity.sign_in("ana@exemple.fr", "not the right one", HERE)
    unknown = await identity.sign_in("nobody@exemple.fr", "not the right one", HERE)
    assert known == unknown == NotSignedIn(SignInProblem.WRONG)
    assert len(hashed) == 2
    costs = {kept.rpartition("$")[0].rpartition("$")[0] for kept in hashed}
    assert len(costs) == 1, "the same work for both"


async def test_an_unknown_name_is_delayed_like_a_known_one(identity: Identity) -> None:
    for name in ("ana@exemple.fr", "nobody@exemple.fr"):
        for _ in range(5):
            await identity.sign_in(name, "not the right one", HERE)
        assert await identity.sign_in(name, PASSWORD, HERE) == NotSignedIn(SignInProblem.WAIT, timedelta(minutes=1))


async def test_who_fails_on_purpose_never_locks_the_person_out_for_more_than_two_hours(
    identity: Identity, clock: FixedClock
) -> None:
    for _ in range(40):
        await identity.sign_in("ana@exemple.fr", "not the right one", Origin("198.51.100.9"))
        clock.move(timedelta(hours=2))
    assert isinstance(await identity.sign_in("ana@exemple.fr", PASSWORD, HERE), SignedIn)


@pytest.mark.asyncio(loop_scope="module")
class TestWhatIsSaid:
    """What pages and interfaces say of who exists."""

    async def test_the_way_in_says_the_same_of_a_known_and_an_unknown_name(self, target: Target) -> None:
        said: list[tuple[int, str]] = []
        for name in (NAMES[AccountKind.OPERATOR], "nobody@exemple.fr"):
            browser = target.browser()
            token = await form_token(browser, "/connexion")
            fields = {"identifiant": name, "passe": "not the right one", "jeton": token}
            answer = await browser.post("/connexion", data=fields)
            said.append((answer.status_code, _without_what_changes(answer, name)))
        assert said[0] == said[1]

    async def test_a_space_that_exists_and_one_that_does_not_look_the_same_to_a_professional(
        self, target: Target
    ) -> None:
        browser = await target.signed_in(AccountKind.PROFESSIONAL)
        answers = [
            await browser.get(f"/pro/patients/{target.space}/documents/{new_id()}"),
            await browser.get(f"/pro/patients/{new_id()}/documents/{new_id()}"),
        ]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].status_code in (403, 404)


def _without_what_changes(answer: httpx.Response, name: str) -> str:
    """The words of a page, without the name that was typed and what is drawn anew each time."""
    lines = (line for line in answer.text.replace(name, "NAME").splitlines() if 'name="jeton"' not in line)
    return "\n".join(lines)
