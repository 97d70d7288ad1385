"""Requests pushed ahead (PAR, RFC 9126), and clients that sign who they are (private_key_jwt)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.provider.api import TYPE, ClientAuthentication, Grant, Registered
from tests.integration.oauth.conftest import BACK, PROTOCOL, REALM, Journey, Nation

KEY = ECKey.generate_key("P-256")
PUSH = "/ext/par/request"


def fields_of(journey: Journey, **changes: Any) -> dict[str, str]:
    return dict(parse_qsl(journey.address(**changes).partition("?")[2]))


async def test_a_pushed_request_signs_in_and_is_good_once(nation: Nation, client: Registered) -> None:
    journey = Journey(client)
    pushed = await nation.ask(fields_of(journey), client, PUSH)
    assert pushed.status_code == 201
    assert pushed.json()["expires_in"] == 60
    address = "/auth?" + urlencode({"client_id": client.client.id, "request_uri": pushed.json()["request_uri"]})
    browser = await nation.browser().get(address)
    assert "Se connecter en tant que professionnel" in browser.words
    assert (await nation.browser().get(address)).status == 410


async def test_a_pushed_request_belongs_to_its_client_and_its_minute(
    nation: Nation, client: Registered, clock: FixedClock
) -> None:
    other = await nation.client(name="Autre")
    uri = (await nation.ask(fields_of(Journey(client)), client, PUSH)).json()["request_uri"]
    assert (
        await nation.browser().get("/auth?" + urlencode({"client_id": other.client.id, "request_uri": uri}))
    ).status == 410
    clock.move(timedelta(seconds=61))
    assert (
        await nation.browser().get("/auth?" + urlencode({"client_id": client.client.id, "request_uri": uri}))
    ).status == 410


@pytest.mark.parametrize(
    ("change", "error"),
    [({"redirect_uri": BACK + "/x"}, "invalid_request"), ({"nonce": None}, "invalid_request"),
     ({"scope": "everything"}, "invalid_scope"), ({"request_uri": "urn:x"}, "invalid_request")],
)  # fmt: skip
async def test_a_wrong_request_is_refused_when_it_is_pushed(
    nation: Nation, client: Registered, change: dict[str, Any], error: str
) -> None:
    answer = await nation.ask(fields_of(Journey(client), **change), client, PUSH)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_nobody_pushes_without_proof(nation: Nation, client: Registered) -> None:
    assert (await nation.ask(fields_of(Journey(client)), None, PUSH)).status_code == 401


@pytest.fixture
async def signer(nation: Nation) -> Registered:
    return await nation.client(
        redirect_uris=(),
        grants=frozenset({Grant.CLIENT}),
        scopes=frozenset({"annuaire.lire"}),
        authentication=ClientAuthentication.ASSERTION,
        jwks={"keys": [KEY.as_dict(private=False)]},
    )


def assertion(client: Registered, clock: FixedClock, key: Any = KEY, alg: str = "ES256", **changes: Any) -> str:
    now = int(clock.now().timestamp())
    id = client.client.id
    claims = {"iss": id, "sub": id, "aud": REALM, "iat": now, "exp": now + 60, "jti": uuid4().hex, **changes}
    return jwt.encode({"alg": alg}, {name: value for name, value in claims.items() if value is not None}, key,
                      algorithms=[alg])  # fmt: skip


async def enter(nation: Nation, signed: str, **more: str) -> int:
    fields = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": signed, **more}
    return (await nation.ask(fields)).status_code


async def test_a_client_signs_who_it_is_once(nation: Nation, signer: Registered, clock: FixedClock) -> None:
    assert signer.secret is None
    signed = assertion(signer, clock)
    assert await enter(nation, signed) == 200
    assert await enter(nation, signed) == 401, "an assertion is good once"
    assert await enter(nation, assertion(signer, clock, aud=f"{PROTOCOL}/token"), client_id=signer.client.id) == 200


async def test_an_assertion_that_is_not_quite_right_proves_nothing(
    nation: Nation, signer: Registered, clock: FixedClock
) -> None:
    now = int(clock.now().timestamp())
    for what in (
        {"aud": "https://other.example"},
        {"aud": None},
        {"iss": "other"},
        {"jti": None},
        {"exp": now - 60},
        {"exp": now + 3600},
        {"exp": None},
        {"nbf": now + 120},
        {"key": ECKey.generate_key("P-256")},
        {"key": RSAKey.generate_key(2048), "alg": "RS256"},
    ):
        clock.move(timedelta(hours=3))
        moved = int(clock.now().timestamp()) - now
        later = {name: value + moved if name in ("exp", "nbf") and value else value for name, value in what.items()}
        assert await enter(nation, assertion(signer, clock, **later)) == 401, what


async def test_a_secret_does_not_replace_a_key(nation: Nation, signer: Registered, clock: FixedClock) -> None:
    id = signer.client.id
    assert (await nation.ask({"grant_type": "client_credentials", "client_id": id})).status_code == 401
    both = {"client_secret": "x", "client_id": id}
    assert await enter(nation, assertion(signer, clock), **both) == 400


@pytest.mark.parametrize(
    "jwks",
    [
        {"keys": []},
        {"keys": [KEY.as_dict(private=True)]},
        {"keys": [RSAKey.generate_key(1024).as_dict(private=False)]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"none": 1},
    ],
)
async def test_keys_that_are_weak_or_private_are_refused(nation: Nation, jwks: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        await nation.client(authentication=ClientAuthentication.ASSERTION, jwks=jwks)
