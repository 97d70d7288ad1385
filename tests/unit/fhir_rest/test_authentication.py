"""Bearer tokens: what is believed, what is refused, what is remembered."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from ambroise.interfaces.authentication import Authenticator, Space
from ambroise.interfaces.token_claims import Role, claims_for, sign
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Citizen, Operator, Professional, Purpose, System

KEY = ECKey.generate_key("P-256")
OWN = UUID(int=1)
CHILD = UUID(int=2)
START = datetime(2026, 1, 15, 9, tzinfo=UTC)


class KnownPeople:
    def __init__(self) -> None:
        self.asked = 0

    async def professional(self, rpps: str, organization: str | None) -> Professional | None:
        self.asked += 1
        if rpps != "01234567897":
            return None
        return Professional("8" + rpps, rpps, "Claire Démo", "10", organization=organization and "1" + organization)

    async def space(self, key: UUID | str) -> Space | None:
        self.asked += 1
        known: dict[UUID | str, UUID] = {OWN: OWN, CHILD: CHILD, "279035121518989": OWN}
        return Space(known[key], "Dominique Démo") if key in known else None


class House:
    def __init__(self) -> None:
        self.clock = FixedClock(START)
        self.people = KnownPeople()
        self.authenticator = Authenticator(
            KEY, self.people, issuer="https://ici.test", audience="https://ici.test/fhir", clock=self.clock
        )

    def claims(self, role: Role, **more: Any) -> dict[str, Any]:
        return claims_for(
            role,
            "someone",
            issuer="https://ici.test",
            audience="https://ici.test/fhir",
            issued_at=START,
            lifetime=timedelta(minutes=10),
            **more,
        )

    async def ask(self, claims: dict[str, Any]) -> Any:
        return await self.authenticator.context("Bearer " + sign(claims, KEY))


@pytest.fixture
def house() -> House:
    return House()


async def test_a_professional_comes_with_what_the_directory_says(house: House) -> None:
    claims = house.claims(
        Role.PROFESSIONAL, rpps="01234567897", organization="750803447", purpose="bris_de_glace", reason="Inconscient"
    )
    context = await house.ask(claims)
    assert isinstance(context.actor, Professional)
    assert context.actor.organization == "1750803447"
    assert (context.purpose, context.reason) == (Purpose.BREAK_GLASS, "Inconscient")


async def test_a_citizen_is_known_by_patient_id_or_by_ins_and_may_act_for_another(house: House) -> None:
    by_ins = await house.ask(house.claims(Role.CITIZEN, ins="279035121518989"))
    by_id = await house.ask(house.claims(Role.CITIZEN, patient=OWN, acting_for=CHILD))
    assert isinstance(by_ins.actor, Citizen)
    assert by_ins.actor.patient == OWN
    assert by_id.acting_for == CHILD


async def test_system_and_operator_need_no_directory(house: House) -> None:
    assert isinstance((await house.ask(house.claims(Role.SYSTEM))).actor, System)
    operator = (await house.ask(house.claims(Role.OPERATOR, duties=("identity",)))).actor
    assert isinstance(operator, Operator)
    assert operator.duties == {"identity"}
    assert house.people.asked == 0


async def test_each_request_has_its_own_id(house: House) -> None:
    claims = house.claims(Role.SYSTEM)
    first, second = await house.ask(claims), await house.ask(claims)
    assert first.request_id != second.request_id


async def test_a_verified_token_is_remembered_and_checked_again_after_a_while(house: House) -> None:
    token = "Bearer " + sign(house.claims(Role.PROFESSIONAL, rpps="01234567897"), KEY)
    await house.authenticator.context(token)
    await house.authenticator.context(token)
    assert house.people.asked == 1
    house.clock.move(timedelta(seconds=31))
    await house.authenticator.context(token)
    assert house.people.asked == 2


async def test_who_signs_assertions_is_remembered_until_the_directory_changes_or_a_while_has_passed(
    house: House,
) -> None:
    async def ask() -> Professional | None:
        return await house.authenticator.professional("01234567897", "750803447")

    first = await ask()
    assert await ask() == first
    assert house.people.asked == 1
    house.authenticator.forget(frozenset({"899700000013"}))
    await ask()
    assert house.people.asked == 1
    house.authenticator.forget(frozenset({"801234567897"}))
    await ask()
    house.clock.move(timedelta(seconds=31))
    await ask()
    assert house.people.asked == 3
    for _ in range(2):
        assert await house.authenticator.professional("99700000013", None) is None
    assert house.people.asked == 5, "nobody is not remembered"


async def test_a_remembered_token_ends_when_it_says(house: House) -> None:
    token = "Bearer " + sign(house.claims(Role.SYSTEM), KEY)
    await house.authenticator.context(token)
    house.clock.move(timedelta(minutes=9, seconds=50))
    await house.authenticator.context(token)
    house.clock.move(timedelta(seconds=20))
    with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
        await house.authenticator.context(token)


def part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def by_hand(claims: dict[str, Any], algorithm: str, secret: bytes | None) -> str:
    """A token as somebody would forge it, with a secret of his choice or none."""
    head = part(json.dumps({"alg": algorithm, "typ": "at+jwt"}).encode()) + "." + part(json.dumps(claims).encode())
    mark = part(hmac.new(secret, head.encode(), "sha256").digest()) if secret else ""
    return head + "." + mark


def forged(house: House) -> list[tuple[str, str]]:
    good = house.claims(Role.SYSTEM)
    header = {"alg": "ES256", "typ": "at+jwt"}
    token = sign(good, KEY)
    return [
        ("another key", sign(good, ECKey.generate_key("P-256"))),
        ("no signature", by_hand(good, "none", None)),
        ("the public key as a secret", by_hand(good, "HS256", KEY.as_pem(private=False))),
        ("another use", jwt.encode({**header, "typ": "logout+jwt"}, good, KEY)),
        ("another issuer", sign({**good, "iss": "https://ailleurs.test"}, KEY)),
        ("another audience", sign({**good, "aud": "https://ici.test/xds"}, KEY)),
        ("no expiry", sign({name: value for name, value in good.items() if name != "exp"}, KEY)),
        ("not yet", sign({**good, "nbf": good["nbf"] + 600}, KEY)),
        ("an unknown role", sign({**good, "amb_role": "king"}, KEY)),
        ("a role that is no text", sign({**good, "amb_role": ["system"]}, KEY)),
        ("an unknown purpose", sign({**good, "amb_purpose": "curiosity"}, KEY)),
        ("changed claims", token[:40] + ("A" if token[40] != "A" else "B") + token[41:]),
        ("not a token", "abc"),
        ("much too long", "a" * 9000),
    ]


@pytest.mark.parametrize("number", range(14))
async def test_a_forged_token_is_refused(house: House, number: int) -> None:
    _, token = forged(house)[number]
    with pytest.raises(Refusal) as refused:
        await house.authenticator.context("Bearer " + token)
    assert (refused.value.kind, refused.value.code) == (Kind.UNAUTHENTICATED, "TOKEN_INVALID")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic YTpi", "Token x"])
async def test_no_token_is_said_as_such(house: House, header: str | None) -> None:
    with pytest.raises(Refusal, match="TOKEN_MISSING"):
        await house.authenticator.context(header)


async def test_an_unknown_person_is_refused(house: House) -> None:
    with pytest.raises(Refusal, match="PROFESSIONAL_UNKNOWN"):
        await house.ask(house.claims(Role.PROFESSIONAL, rpps="00000000000"))
    with pytest.raises(Refusal, match="SPACE_UNKNOWN"):
        await house.ask(house.claims(Role.CITIZEN, ins="100000000000000"))
    with pytest.raises(Refusal, match="SPACE_UNKNOWN"):
        await house.ask(house.claims(Role.CITIZEN, patient=OWN, acting_for=UUID(int=9)))
