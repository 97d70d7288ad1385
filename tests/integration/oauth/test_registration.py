"""Registering a client by API (RFC 7591)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from ambroise.interfaces.token_claims import Role
from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.provider.api import Registered
from ambroise.trust.context import Context, System
from tests.integration.oauth.conftest import BACK, PROTOCOL, REALM, Journey, Nation

REGISTER = f"{REALM}/clients-registrations/openid-connect"


async def register(nation: Nation, token: str | None, **metadata: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with nation.http(**headers) as http:
        return await http.post(REGISTER, json={"client_name": "Par API", "redirect_uris": [BACK], **metadata})


async def test_an_operator_registers_a_client_that_works_at_once(nation: Nation) -> None:
    made = await register(nation, nation.house.token())
    assert made.status_code == 201
    told = made.json()
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    async with nation.http() as http:
        answer = await http.post(
            f"{PROTOCOL}/revoke", data={"token": "x"}, auth=(told["client_id"], told["client_secret"])
        )
        assert answer.status_code == 200
        discovery = (await http.get(f"{REALM}/.well-known/openid-configuration")).json()
    assert discovery["registration_endpoint"] == REGISTER


async def test_only_operators_in_charge_register(nation: Nation, client: Registered) -> None:
    professional = (await nation.tokens(nation.browser(), Journey(client)))["access_token"]
    desk = nation.house.token(Role.OPERATOR, duties=("support",))
    administrator = nation.house.token(Role.OPERATOR, duties=("administration",))
    assert (await register(nation, None)).status_code == 401
    assert (await register(nation, professional)).status_code == 403
    assert (await register(nation, desk)).status_code == 403
    assert (await register(nation, administrator)).status_code == 201


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"redirect_uris": ["http://rp.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://rp.example/"}, "invalid_client_metadata"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"client_name": ""}, "invalid_client_metadata"),
        ({"client_name": 7}, "invalid_client_metadata"),
    ],
)
async def test_metadata_that_break_the_rules_say_which(nation: Nation, change: dict[str, Any], error: str) -> None:
    answer = await register(nation, nation.house.token(), **change)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_client_that_was_ended_is_unknown(nation: Nation, client: Registered) -> None:
    services = nation.house.services
    assert (await nation.ask({"token": "x"}, client, "/revoke")).status_code == 200
    async with services.database.transaction() as tx:
        await services.provider.clients.disable(tx, Context(System(), nation.clock), client.client.id)
    assert (await nation.ask({"token": "x"}, client, "/revoke")).status_code == 401
    assert (await nation.browser().get(Journey(client).address())).status == 400


async def test_a_client_ended_by_another_process_is_unknown_within_a_second(
    nation: Nation, client: Registered, clock: FixedClock
) -> None:
    assert (await nation.ask({"token": "x"}, client, "/revoke")).status_code == 200
    async with nation.house.services.database.transaction() as tx:
        await tx.execute("update oauth_client set disabled_at = %s", (clock.now(),))
    clock.move(timedelta(seconds=1))
    assert (await nation.ask({"token": "x"}, client, "/revoke")).status_code == 401
