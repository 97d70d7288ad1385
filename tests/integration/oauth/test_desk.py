"""The desk registers software, shows a secret once, renews it, suspends it: for who is in charge of it only."""

from __future__ import annotations

import re

from ambroise.modules.identity.api import AccountKind, NewAccount
from ambroise.modules.identity.provider.api import Registered
from tests.integration.oauth.conftest import BACK, Browser, Journey, Nation


async def operator(nation: Nation, *duties: str) -> Browser:
    services = nation.house.services
    async with services.database.transaction() as tx:
        new = NewAccount(
            AccountKind.OPERATOR, "guichet", "Odile Inventée", duties=frozenset(duties), demonstration=True
        )
        await services.identity.create_account(tx, new)
    browser = nation.browser()
    await browser.get("/etre")
    await browser.press("Odile")
    return browser


def said(browser: Browser, name: str) -> str:
    found = re.search(rf"\({name}\)</dt><dd><code>([^<]*)</code>", browser.text)
    assert found is not None
    return found[1]


async def test_a_client_registered_at_the_desk_works_until_it_is_suspended(nation: Nation) -> None:
    desk = await operator(nation, "administration")
    await desk.get("/guichet/logiciels")
    await desk.press("Inscrire", nom="Logiciel du guichet", retours=BACK, usages="code")
    id, first = said(desk, "client_id"), said(desk, "client_secret")
    async with nation.house.services.database.reader() as reader:
        client = await nation.provider.clients.known(reader, id)
    journey, person = Journey(Registered(client, first)), nation.browser()
    tokens = await nation.tokens(person, journey)
    await desk.click("Revenir aux logiciels")
    assert first not in desk.text
    await desk.press("Changer le secret")
    second = said(desk, "client_secret")
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await nation.ask(refresh, Registered(client, first))).json()["error"] == "invalid_client"
    renewed = await nation.ask(refresh, Registered(client, second))
    assert renewed.status_code == 200
    await desk.get("/guichet/logiciels")
    await desk.press("Suspendre")
    async with nation.http(authorization=f"Bearer {renewed.json()['access_token']}") as http:
        answer = await http.get("/auth/realms/esante-wallet/protocol/openid-connect/userinfo")
    assert answer.status_code == 401
    await desk.press("Rétablir")
    refresh["refresh_token"] = renewed.json()["refresh_token"]
    assert (await nation.ask(refresh, Registered(client, second))).json()["error"] == "invalid_grant"
    async with nation.house.services.database.reader() as reader:
        rows = await reader.fetch_all("select event from trace where left(event, 6) = 'client' order by at, id")
    assert [row[0] for row in rows] == [
        "client_registered", "client_entered", "client_secret_renewed", "client_disabled", "client_enabled"
    ]  # fmt: skip


async def test_what_is_wrong_stands_beside_its_field(nation: Nation) -> None:
    desk = await operator(nation, "administration")
    await desk.get("/guichet/logiciels")
    await desk.press("Inscrire", nom="Sans adresse", retours="http://ailleurs.example/", usages="code")
    assert desk.status == 422
    assert "n’est pas acceptée" in desk.text
    await desk.press("Inscrire", nom="Public", retours="", preuve="none", usages="machine")
    assert "ne vont pas ensemble" in desk.text
    await desk.press("Inscrire", nom="Clé", retours=BACK, preuve="private_key_jwt", cles="pas du JSON", usages="code")
    assert desk.status == 422


async def test_an_operator_without_the_duty_sees_and_does_nothing(nation: Nation) -> None:
    desk = await operator(nation, "support")
    assert "/guichet/logiciels" not in desk.text
    assert (await desk.get("/guichet/logiciels")).status == 403
