"""The authorization code flow of a professional, from the request of the client to UserInfo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto import SigningKeys
from ambroise.modules.identity.provider.api import ClientAuthentication, Grant, Registered
from tests.integration.oauth.conftest import BACK, HOSPITAL, PROTOCOL, REALM, RPPS, Journey, Nation


@pytest.mark.parametrize("name", ["wallet-openid-configuration", "openid-configuration"])
async def test_discovery_is_published_under_both_names(nation: Nation, name: str) -> None:
    async with nation.http() as http:
        found = (await http.get(f"{REALM}/.well-known/{name}")).json()
    assert found["issuer"] == REALM
    assert found["authorization_endpoint"] == "http://test.example/auth"
    assert found["token_endpoint"] == f"{PROTOCOL}/token"
    assert found["code_challenge_methods_supported"] == ["S256"]


async def test_a_professional_signs_in_and_the_client_learns_who(nation: Nation, client: Registered) -> None:
    journey = Journey(client)
    tokens = await nation.tokens(nation.browser(), journey, situation="1")
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 120
    assert tokens["refresh_expires_in"] == 1800
    async with nation.http(authorization=f"Bearer {tokens['access_token']}") as http:
        keys = KeySet.import_key_set((await http.get(f"{PROTOCOL}/certs")).json())
        told = (await http.get(f"{PROTOCOL}/userinfo")).json()
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"]).claims
    assert claims["iss"] == REALM
    assert claims["aud"] == client.client.id
    assert claims["nonce"] == journey.nonce
    assert claims["acr"] == "eidas1"
    assert "mfa" in claims["amr"]
    assert claims["sub"] == told["sub"]
    assert told["sub"].endswith(":8" + RPPS)
    assert told["SubjectNameID"] == "8" + RPPS
    assert told["SubjectRole"] == ["10^1.2.250.1.213.1.1.5.5"]
    assert told["SubjectOrganizationID"] == HOSPITAL
    assert told["Secteur_Activite"] == "SA01^1.2.250.1.71.4.2.4"
    assert told["Palier_Authentification"] == "APPPRIP3^1.2.250.1.213.1.5.1.1.1"


async def test_user_info_has_the_shape_of_the_federation(nation: Nation, client: Registered) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    async with nation.http(authorization=f"Bearer {tokens['access_token']}") as http:
        told = (await http.get(f"{PROTOCOL}/userinfo")).json()
    assert list(told) == [
        "sub", "preferred_username", "SubjectNameID", "given_name", "family_name", "email_verified",
        "Secteur_Activite", "SubjectOrganization", "SubjectOrganizationID", "SubjectRole", "Mode_Acces_Raison",
        "Acces_Regulation_Medicale", "UITVersion", "Palier_Authentification", "PSI_Locale", "otherIds", "SubjectRefPro",
    ]  # fmt: skip
    assert told["otherIds"] == [{"identifiant": "8" + RPPS, "origine": "RPPS", "qualite": 1}]
    [exercise] = told["SubjectRefPro"]["exercices"]
    assert told["SubjectRefPro"]["codeCivilite"] == "MME"
    assert exercise["codeProfession"] == "10"
    assert exercise["codeSavoirFaire"] == "SM54"
    assert [one["raisonSocialeSite"] for one in exercise["activities"]] == ["Cabinet Inventé", "Hôpital Imaginaire"]
    assert exercise["activities"][0]["numeroFinessSite"] == "370000002"
    assert all(isinstance(value, str) for value in exercise["activities"][0].values())


async def test_openid_alone_tells_the_identifier_alone(nation: Nation, client: Registered) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client), scope="openid")
    async with nation.http(authorization=f"Bearer {tokens['access_token']}") as http:
        told = (await http.get(f"{PROTOCOL}/userinfo")).json()
    assert set(told) == {"sub", "preferred_username"}


async def test_one_sign_on_serves_every_client_and_consent_is_asked_once(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await nation.sign_in(browser, Journey(client), situation="1")
    await browser.get(Journey(client).address())
    assert "code" in browser.back, "signed on, situation chosen, agreed: nothing more is asked"
    other = await nation.client(name="Autre Logiciel")
    await browser.get(Journey(other).address())
    assert "Continuer vers Autre Logiciel" in browser.words
    chosen = browser.page.cssselect("input[name=situation][checked]")[0].get("value")
    assert chosen == "1"


async def test_the_walk_is_traced(nation: Nation, client: Registered) -> None:
    await nation.sign_in(nation.browser(), Journey(client), situation="1")
    events = [event for event, _, _ in await nation.traced()]
    assert events == ["approval_given", "signed_in", "situation_chosen", "client_entered"]


async def test_what_the_phone_refuses_is_refused_and_traced(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    phone = await nation.browser().get(f"/ecps/8{RPPS}")
    await phone.press("Refuser")
    await browser.click("J’ai répondu")
    assert "La demande a été refusée sur le téléphone." in browser.words
    assert ("approval_refused", "8" + RPPS, 4) in await nation.traced()


async def test_the_phone_takes_the_number_of_the_other_screen_alone(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    number = browser.page.cssselect("#nombre-affiche")[0].text_content()
    wrong = f"{(int(number) + 1) % 100:02}"
    phone = await nation.browser().get(f"/ecps/8{RPPS}")
    for _ in range(2):
        await phone.press("Valider", nombre=wrong)
        assert "Ce nombre n’est pas celui de l’autre écran." in phone.words
    await browser.click("J’ai répondu")
    assert "Validez sur votre téléphone" in browser.words
    await phone.press("Valider", nombre=number)
    assert "C’est validé." in phone.words
    await browser.click("J’ai répondu")
    assert "Continuer vers Logiciel Inventé" in browser.words


async def test_three_wrong_numbers_refuse(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    wrong = f"{(int(browser.page.cssselect('#nombre-affiche')[0].text_content()) + 1) % 100:02}"
    phone = await nation.browser().get(f"/ecps/8{RPPS}")
    for _ in range(3):
        await phone.press("Valider", nombre=wrong)
    assert "Aucune demande" in phone.words
    await browser.click("J’ai répondu")
    assert "La demande a été refusée sur le téléphone." in browser.words


async def test_an_approval_that_nobody_gives_ends(nation: Nation, client: Registered, clock: FixedClock) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    clock.move(timedelta(seconds=121))
    await browser.click("J’ai répondu")
    assert "Personne n’a répondu à temps" in browser.words


async def test_an_identifier_of_nobody_looks_like_any_other(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant="10000000099")
    assert "Validez sur votre téléphone" in browser.words


async def test_the_person_may_refuse_to_tell(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    journey = Journey(client)
    await browser.get(journey.address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    await nation.approve()
    await browser.click("J’ai répondu")
    await browser.press("Refuser")
    assert browser.address.startswith(BACK)
    assert browser.back["error"] == "access_denied"
    assert browser.back["state"] == journey.state
    assert browser.back["iss"] == REALM


async def test_the_page_that_sends_back_lets_its_form_go_there_alone(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    assert "form-action 'self';" in browser.headers["content-security-policy"]
    await browser.press("Recevoir une notification", identifiant=RPPS)
    await nation.approve()
    await browser.click("J’ai répondu")
    assert "form-action 'self' https://rp.example;" in browser.headers["content-security-policy"]


async def test_prompt_none_never_shows_a_page(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address(prompt="none"))
    assert browser.back["error"] == "login_required"
    await nation.sign_in(browser, Journey(client))
    await browser.get(Journey(client).address(prompt="none"))
    assert "code" in browser.back
    other = await nation.client(name="Autre")
    await browser.get(Journey(other).address(prompt="none"))
    assert browser.back["error"] == "consent_required"


async def test_a_client_may_ask_for_a_fresh_sign_in(nation: Nation, client: Registered, clock: FixedClock) -> None:
    browser = nation.browser()
    await nation.sign_in(browser, Journey(client))
    clock.move(timedelta(minutes=5))
    for asked in ({"prompt": "login"}, {"max_age": "60"}, {"acr_values": "eidas3"}):
        await browser.get(Journey(client).address(**asked))
        assert "Se connecter en tant que professionnel" in browser.words
    await browser.get(Journey(client).address(max_age="600"))
    assert "code" in browser.back


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"state": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "scope_all"}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"acr_values": "loa9"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ],
)
async def test_a_request_that_breaks_the_rules_goes_back_with_what_to_do(
    nation: Nation, client: Registered, change: dict[str, Any], error: str
) -> None:
    browser = await nation.browser().get(Journey(client).address(**change))
    assert browser.back["error"] == error
    assert len(browser.back["error_description"]) > 10
    assert browser.back["iss"] == REALM


async def test_a_public_client_must_use_a_challenge(nation: Nation) -> None:
    public = await nation.client(authentication=ClientAuthentication.NONE)
    assert public.secret is None
    refused = await nation.browser().get(Journey(public).address(code_challenge=None, code_challenge_method=None))
    assert refused.back["error"] == "invalid_request"
    tokens = await nation.tokens(nation.browser(), Journey(public))
    assert "id_token" in tokens


async def test_a_machine_gets_a_token_that_is_nobody(nation: Nation) -> None:
    machine = await nation.client(
        redirect_uris=(), grants=frozenset({Grant.CLIENT}), scopes=frozenset({"annuaire.lire"})
    )
    answer = await nation.ask({"grant_type": "client_credentials", "scope": "annuaire.lire"}, machine)
    assert answer.json()["scope"] == "annuaire.lire"
    assert "refresh_token" not in answer.json()
    known = await nation.ask({"token": answer.json()["access_token"]}, machine, "/token/introspect")
    assert known.json()["active"] is True
    assert known.json()["sub"] == machine.client.id


async def test_a_new_key_is_published_before_it_signs(nation: Nation, client: Registered, clock: FixedClock) -> None:
    folder = nation.house.services.settings.signing_keys
    first = jwt_header(await nation.tokens(nation.browser(), Journey(client)))
    SigningKeys.add_to(folder)
    async with nation.http() as http:
        published = (await http.get(f"{PROTOCOL}/certs")).json()["keys"]
    assert len(published) == 2
    assert all(key["alg"] == "ES256" and "d" not in key for key in published)
    assert jwt_header(await nation.tokens(nation.browser(), Journey(client))) == first


def jwt_header(tokens: dict[str, Any]) -> Any:
    import base64
    import json

    head = tokens["id_token"].split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
