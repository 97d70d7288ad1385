"""Signing on without a browser (CIBA): the phone, the card, the rhythm of polling."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.provider.api import Grant, Registered
from tests.integration.oauth.conftest import HOSPITAL, PROTOCOL, RPPS, Nation

ASKED = {"scope": "openid scope_all", "acr_values": "eidas1", "login_hint": "8" + RPPS, "binding_message": "42"}
CIBA = "/ext/ciba/auth"


@pytest.fixture
async def desktop(nation: Nation) -> Registered:
    return await nation.client(redirect_uris=(), grants=frozenset({Grant.CIBA, Grant.REFRESH}))


async def asked(nation: Nation, client: Registered, **changes: Any) -> dict[str, Any]:
    fields = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    answer = await nation.ask(fields, client, CIBA)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def poll(nation: Nation, client: Registered, reference: str) -> dict[str, Any]:
    return (await nation.ask({"grant_type": Grant.CIBA.value, "auth_req_id": reference}, client)).json()


async def test_software_without_a_browser_signs_a_professional_in(
    nation: Nation, desktop: Registered, clock: FixedClock
) -> None:
    begun = await asked(nation, desktop)
    assert begun["expires_in"] == 120
    assert begun["interval"] == 5
    assert (await poll(nation, desktop, begun["auth_req_id"]))["error"] == "authorization_pending"
    phone = await nation.browser().get(f"/ecps/8{RPPS}")
    await phone.press("Valider", nombre="42", situation="1")
    clock.move(timedelta(seconds=5))
    tokens = await poll(nation, desktop, begun["auth_req_id"])
    assert {"access_token", "refresh_token", "id_token"} <= tokens.keys()
    async with nation.http(authorization=f"Bearer {tokens['access_token']}") as http:
        told = (await http.get(f"{PROTOCOL}/userinfo")).json()
    assert told["SubjectNameID"] == "8" + RPPS
    assert told["SubjectOrganizationID"] == HOSPITAL
    events = [event for event, _, _ in await nation.traced()]
    assert events == ["approval_given", "signed_in", "situation_chosen", "client_entered"]
    clock.move(timedelta(seconds=5))
    assert (await poll(nation, desktop, begun["auth_req_id"]))["error"] == "invalid_grant", "given once"


async def test_the_number_of_the_software_is_the_one_to_type(nation: Nation, desktop: Registered) -> None:
    await asked(nation, desktop, binding_message="07")
    phone = await nation.browser().get(f"/ecps/8{RPPS}")
    await phone.press("Valider", nombre="42")
    assert "Ce nombre n’est pas celui de l’autre écran." in phone.words


async def test_the_card_is_another_means(nation: Nation, desktop: Registered) -> None:
    begun = await asked(nation, desktop, channel="CARD")
    await nation.approve()
    tokens = await poll(nation, desktop, begun["auth_req_id"])
    known = (await nation.ask({"token": tokens["access_token"]}, desktop, "/token/introspect")).json()
    assert known["authMode"] == "CARD"
    assert "sc" in known["amr"]


async def test_polling_too_fast_is_slowed_down(nation: Nation, desktop: Registered, clock: FixedClock) -> None:
    reference = (await asked(nation, desktop))["auth_req_id"]
    assert (await poll(nation, desktop, reference))["error"] == "authorization_pending"
    assert (await poll(nation, desktop, reference))["error"] == "slow_down"
    clock.move(timedelta(seconds=6))
    assert (await poll(nation, desktop, reference))["error"] == "slow_down", "five seconds more since then"
    clock.move(timedelta(seconds=16))
    assert (await poll(nation, desktop, reference))["error"] == "authorization_pending"


async def test_refused_late_and_stolen_requests_give_nothing(
    nation: Nation, desktop: Registered, clock: FixedClock
) -> None:
    refused = (await asked(nation, desktop))["auth_req_id"]
    await (await nation.browser().get(f"/ecps/8{RPPS}")).press("Refuser")
    assert (await poll(nation, desktop, refused))["error"] == "access_denied"
    late = (await asked(nation, desktop))["auth_req_id"]
    other = await nation.client(name="Autre", redirect_uris=(), grants=frozenset({Grant.CIBA}))
    assert (await poll(nation, other, late))["error"] == "invalid_grant"
    clock.move(timedelta(seconds=121))
    assert (await poll(nation, desktop, late))["error"] == "expired_token"
    assert (await poll(nation, desktop, "unknown"))["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"binding_message": None}, "invalid_binding_message"),
        ({"binding_message": "7"}, "invalid_binding_message"),
        ({"binding_message": "½½"}, "invalid_binding_message"),
        ({"binding_message": "123"}, "invalid_binding_message"),
        ({"login_hint": None}, "invalid_request"),
        ({"login_hint": "899999999999"}, "unknown_user_id"),
        ({"channel": "PIGEON"}, "invalid_request"),
        ({"acr_values": "eidas3"}, "invalid_request"),
        ({"scope": "scope_all"}, "invalid_scope"),
    ],
)
async def test_a_request_that_breaks_the_rules_says_which(
    nation: Nation, desktop: Registered, change: dict[str, Any], error: str
) -> None:
    fields = {name: value for name, value in {**ASKED, **change}.items() if value is not None}
    assert (await nation.ask(fields, desktop, CIBA)).json()["error"] == error


async def test_only_clients_registered_for_it_may_ask(nation: Nation, client: Registered) -> None:
    assert (await nation.ask(ASKED, client, CIBA)).json()["error"] == "unauthorized_client"
    assert (await nation.ask({**ASKED, "client_id": client.client.id}, None, CIBA)).status_code == 401
