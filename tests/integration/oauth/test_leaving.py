"""Leaving: asked by a client or by the person, told to every client; and sessions that end by themselves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.provider.api import CLIENT_TO_TELL, Registered
from tests.integration.oauth.conftest import PROTOCOL, REALM, Journey, Nation

LEFT = "https://rp.example/left"
LOGOUT = f"{REALM}/protocol/openid-connect/logout"


@pytest.fixture
async def leaver(nation: Nation) -> Registered:
    return await nation.client(post_logout_uris=(LEFT,))


async def user_info(nation: Nation, tokens: dict[str, Any]) -> int:
    async with nation.http(authorization=f"Bearer {tokens['access_token']}") as http:
        return (await http.get(f"{PROTOCOL}/userinfo")).status_code


async def test_a_client_ends_the_session_and_every_token_with_it(nation: Nation, leaver: Registered) -> None:
    browser = nation.browser()
    tokens = await nation.tokens(browser, Journey(leaver))
    other = await nation.client(name="Autre")
    others = await nation.tokens(browser, Journey(other))
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": LEFT, "state": "s-1"}
    await browser.get(f"{LOGOUT}?{urlencode(asked)}")
    assert browser.address == LEFT + "?state=s-1"
    assert await user_info(nation, tokens) == 401
    assert await user_info(nation, others) == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await nation.ask(refresh, leaver)).json()["error"] == "invalid_grant"
    await browser.get(Journey(leaver).address())
    assert "Se connecter en tant que professionnel" in browser.words
    assert "signed_out" in [event for event, _, _ in await nation.traced()]


async def test_without_proof_the_person_is_asked(nation: Nation, leaver: Registered) -> None:
    browser = nation.browser()
    tokens = await nation.tokens(browser, Journey(leaver))
    await browser.get(f"{LOGOUT}?{urlencode({'client_id': leaver.client.id, 'post_logout_redirect_uri': LEFT})}")
    assert "Vous quitterez tous les logiciels" in browser.words
    assert await user_info(nation, tokens) == 200
    await browser.press("Me déconnecter partout")
    assert browser.address.startswith(LEFT)
    assert await user_info(nation, tokens) == 401


async def test_leaving_without_a_way_back_says_so(nation: Nation, leaver: Registered) -> None:
    browser = nation.browser()
    tokens = await nation.tokens(browser, Journey(leaver))
    await browser.get(f"{LOGOUT}?{urlencode({'id_token_hint': tokens['id_token']})}")
    assert "Vous êtes déconnecté" in browser.words


@pytest.mark.parametrize(
    "change",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": LEFT + "/"},
        {"id_token_hint": "eyJhbGciOiJub25lIn0.e30."},
        {"client_id": "another"},
    ],
)
async def test_a_wrong_request_ends_nothing_and_leads_nowhere(
    nation: Nation, leaver: Registered, change: dict[str, str]
) -> None:
    browser = nation.browser()
    tokens = await nation.tokens(browser, Journey(leaver))
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": LEFT, **change}
    await browser.get(f"{LOGOUT}?{urlencode(asked)}")
    assert browser.status == 400
    assert browser.back == {}
    assert await user_info(nation, tokens) == 200


async def test_an_access_token_is_no_proof(nation: Nation, leaver: Registered) -> None:
    browser = nation.browser()
    tokens = await nation.tokens(browser, Journey(leaver))
    await browser.get(f"{LOGOUT}?{urlencode({'id_token_hint': tokens['access_token']})}")
    assert browser.status == 400


async def test_a_session_ends_after_30_idle_minutes_and_4_hours(
    nation: Nation, leaver: Registered, clock: FixedClock
) -> None:
    browser = nation.browser()
    await nation.sign_in(browser, Journey(leaver))
    for _ in range(8):
        clock.move(timedelta(minutes=29))
        await browser.get(Journey(leaver).address())
        assert "code" in browser.back
    clock.move(timedelta(minutes=9))
    await browser.get(Journey(leaver).address())
    assert "Se connecter en tant que professionnel" in browser.words, "4 hours went by"
    await nation.sign_in(browser, Journey(leaver))
    clock.move(timedelta(minutes=31))
    await browser.get(Journey(leaver).address())
    assert "Se connecter en tant que professionnel" in browser.words, "half an hour without use"


class Listener(BaseHTTPRequestHandler):
    """A client that hears that somebody left."""

    heard: list[str] = []  # noqa: RUF012 - cleared by the fixture.
    answers: list[int] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        Listener.heard.append(parse_qs(body)["logout_token"][0])
        self.send_response(Listener.answers.pop(0) if Listener.answers else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[str]:
    Listener.heard.clear()
    Listener.answers.clear()
    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/left"
    server.shutdown()
    server.server_close()


async def test_every_client_is_told_and_told_again_until_it_hears(
    nation: Nation, listener: str, clock: FixedClock
) -> None:
    hearing = await nation.client(backchannel_logout_uri=listener)
    browser = nation.browser()
    tokens = await nation.tokens(browser, Journey(hearing))
    await browser.get(f"{LOGOUT}?{urlencode({'id_token_hint': tokens['id_token']})}")
    subscriptions = Subscriptions()
    subscriptions.on(CLIENT_TO_TELL, nation.provider.leaving.tell)
    delivery = Delivery(nation.house.services.database, subscriptions, clock)
    Listener.answers.append(503)
    await delivery.deliver_all()
    clock.move(timedelta(seconds=6))
    await delivery.deliver_all()
    assert len(Listener.heard) == 2
    async with nation.http() as http:
        keys = KeySet.import_key_set((await http.get(f"{PROTOCOL}/certs")).json())
    token = jwt.decode(Listener.heard[1], keys, algorithms=["ES256"])
    assert token.header["typ"] == "logout+jwt"
    assert token.claims["aud"] == hearing.client.id
    assert token.claims["sid"] == tokens["session_state"]
    assert "nonce" not in token.claims
    assert token.claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert json.dumps(token.claims).count(REALM) == 1
