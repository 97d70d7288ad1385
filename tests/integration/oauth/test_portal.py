"""The portal signs professionals in by its own provider: one sign-on with other software, one end for all."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.provider.api import Registered
from ambroise.trust.context import Context, System
from tests.integration.oauth.conftest import ADDRESS, BACK, RPPS, Browser, Journey, Nation


async def back_from(nation: Nation, browser: Browser, address: str = "/connexion/pro/portail") -> str:
    """The walk of a professional, to the way back to the portal, not followed yet."""
    await browser.get(address)
    await browser.press("Recevoir une notification", identifiant=RPPS)
    await nation.approve()
    await browser.click("J’ai répondu")
    await browser.press("Continuer", situation="1")
    return browser.address.removeprefix(ADDRESS)


async def test_a_professional_enters_the_portal_then_other_software_without_proving_again(
    nation: Nation, client: Registered
) -> None:
    browser = nation.browser()
    await browser.get("/connexion?suite=/reglages")
    await browser.click("Professionnel : entrer avec ma e-CPS")
    await browser.get(await back_from(nation, browser, browser.address))
    assert browser.address == "/reglages"
    async with nation.house.services.database.reader() as reader:
        assert await reader.fetch_value("select situation from session where closed_at is null") == 1
    journey = Journey(client)
    await browser.get(journey.address())
    assert "Continuer vers" in browser.text
    await browser.press("Continuer", situation="1")
    tokens = (await nation.redeem(journey, browser.back["code"])).json()
    await browser.get("/reglages")
    await browser.press("Se déconnecter")
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await nation.ask(refresh, client)).json()["error"] == "invalid_grant"
    assert (await browser.get("/reglages")).address.startswith("/connexion")


async def test_leaving_other_software_leaves_the_portal(nation: Nation) -> None:
    client = await nation.client(post_logout_uris=("https://rp.example/left",))
    browser = nation.browser()
    await browser.get(await back_from(nation, browser))
    tokens = await nation.tokens(browser, Journey(client))
    realm = "/auth/realms/esante-wallet/protocol/openid-connect/logout"
    await browser.get(f"{realm}?id_token_hint={tokens['id_token']}&post_logout_redirect_uri=https://rp.example/left")
    assert (await browser.get("/pro/patients")).address.startswith("/connexion")


async def test_an_answer_to_the_portal_is_good_once_in_its_browser(nation: Nation) -> None:
    browser, stranger = nation.browser(), nation.browser()
    back = await back_from(nation, browser)
    await stranger.get("/connexion")
    assert "est terminée" in (await stranger.get(back)).text
    assert (await browser.get(back)).address == "/pro/patients"
    await browser.get(back)
    assert "est terminée" in browser.text


async def test_a_code_of_another_client_opens_no_portal(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    code = await nation.sign_in(browser, Journey(client))
    await browser.get("/connexion/pro/portail")
    state = parse_qs(urlsplit(browser.address).query)["state"][0]
    await browser.get(f"/connexion/pro/portail/retour?state={state}&code={code}")
    assert "est terminée" in browser.text
    assert (await browser.get("/pro/patients")).address.startswith("/connexion")


async def test_nobody_asks_in_the_name_of_the_portal_nor_suspends_it(nation: Nation) -> None:
    async with nation.house.services.database.reader() as reader:
        portal = await nation.provider.clients.known(reader, "portail")
    asked = Journey(Registered(portal, None)).address(redirect_uri=BACK, scope="openid")
    page = await nation.browser().get(asked)
    assert page.status == 400
    assert not page.back
    async with nation.house.services.database.reader() as reader:
        assert "portail" not in [one.client.id for one in await nation.provider.clients.listed(reader)]
    with pytest.raises(Refusal, match="CLIENT_UNKNOWN"):
        async with nation.house.services.database.transaction() as tx:
            await nation.provider.clients.disable(tx, Context(System(), nation.clock), "portail")
