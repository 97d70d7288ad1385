"""What people have tried against providers like this one (RFC 9700, OpenID Connect Core §16)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.provider.api import ClientAuthentication, Registered
from tests.integration.oauth.conftest import BACK, PROTOCOL, RPPS, Journey, Nation


def b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def user_info(nation: Nation, token: str) -> int:
    async with nation.http(authorization=f"Bearer {token}") as http:
        return (await http.get(f"{PROTOCOL}/userinfo")).status_code


async def introspected(nation: Nation, client: Registered, token: str) -> dict[str, Any]:
    return (await nation.ask({"token": token}, client, "/token/introspect")).json()


# Codes


async def test_a_code_is_good_once_and_its_replay_ends_what_it_gave(nation: Nation, client: Registered) -> None:
    journey = Journey(client)
    code = await nation.sign_in(nation.browser(), journey)
    tokens = (await nation.redeem(journey, code)).json()
    assert await user_info(nation, tokens["access_token"]) == 200
    replay = await nation.redeem(journey, code)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert await user_info(nation, tokens["access_token"]) == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await nation.ask(refresh, client)).json()["error"] == "invalid_grant"
    assert ("tokens_revoked", "8" + RPPS, 4) in await nation.traced()


async def test_a_code_ends_after_a_minute(nation: Nation, client: Registered, clock: FixedClock) -> None:
    journey = Journey(client)
    code = await nation.sign_in(nation.browser(), journey)
    clock.move(timedelta(seconds=61))
    assert (await nation.redeem(journey, code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "w" * 50},
        {"code_verifier": None},
        {"redirect_uri": BACK + "/"},
        {"redirect_uri": None},
    ],
)
async def test_a_code_is_for_who_began(nation: Nation, client: Registered, change: dict[str, Any]) -> None:
    journey = Journey(client)
    code = await nation.sign_in(nation.browser(), journey)
    assert (await nation.redeem(journey, code, **change)).json()["error"] == "invalid_grant"


async def test_a_verifier_without_challenge_is_a_downgrade(nation: Nation, client: Registered) -> None:
    journey = Journey(client)
    code = await nation.sign_in(nation.browser(), journey, code_challenge=None, code_challenge_method=None)
    assert (await nation.redeem(journey, code)).json()["error"] == "invalid_grant"


async def test_a_code_is_worth_nothing_to_another_client(nation: Nation, client: Registered) -> None:
    other = await nation.client(name="Voleur")
    journey = Journey(client)
    code = await nation.sign_in(nation.browser(), journey)
    stolen = Journey(other, verifier=journey.verifier)
    assert (await nation.redeem(stolen, code)).json()["error"] == "invalid_grant"
    assert (await nation.redeem(journey, code)).json()["error"] == "invalid_grant"


# Refresh tokens


async def test_a_refresh_token_is_replaced_each_time(nation: Nation, client: Registered, clock: FixedClock) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    seen = {tokens["refresh_token"]}
    for _ in range(3):
        clock.move(timedelta(minutes=20))
        answer = await nation.ask({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, client)
        assert answer.status_code == 200, "30 minutes from the last one: the session stays alive"
        tokens = answer.json()
        assert await user_info(nation, tokens["access_token"]) == 200
        seen.add(tokens["refresh_token"])
    assert len(seen) == 4


async def test_a_refresh_token_used_twice_ends_the_family(nation: Nation, client: Registered) -> None:
    first = await nation.tokens(nation.browser(), Journey(client))
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await nation.ask(fields, client)).json()
    assert (await nation.ask(fields, client)).json()["error"] == "invalid_grant"
    assert await user_info(nation, second["access_token"]) == 401
    again = await nation.ask({**fields, "refresh_token": second["refresh_token"]}, client)
    assert again.json()["error"] == "invalid_grant"


async def test_a_refresh_never_widens_and_never_outlives_the_session(
    nation: Nation, client: Registered, clock: FixedClock
) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client), scope="openid")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await nation.ask({**fields, "scope": "openid scope_all"}, client)).json()["error"] == "invalid_scope"
    for _ in range(9):
        clock.move(timedelta(minutes=29))
        answer = await nation.ask(fields, client)
        if answer.status_code != 200:
            break
        fields["refresh_token"] = answer.json()["refresh_token"]
    assert answer.json()["error"] == "invalid_grant", "4 hours after the sign-in nothing is refreshed"


async def test_another_client_cannot_refresh(nation: Nation, client: Registered) -> None:
    other = await nation.client(name="Voleur")
    tokens = await nation.tokens(nation.browser(), Journey(client))
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await nation.ask(fields, other)).json()["error"] == "invalid_grant"
    assert (await nation.ask(fields, client)).status_code == 200


# Access tokens


async def test_tokens_that_we_did_not_sign_for_this_use_are_refused(nation: Nation, client: Registered) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    head, body, signature = tokens["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    public = nation.house.services.signing_keys.all.keys[0]
    confused = f"{b64({'alg': 'HS256', 'typ': 'at+jwt', 'kid': public.kid})}.{body}"
    mac = hmac.new(public.as_pem(private=False), confused.encode(), hashlib.sha256).digest()
    forged = f"{confused}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    attempts = {
        "no algorithm": f"{b64({'alg': 'none', 'typ': 'at+jwt'})}.{body}.",
        "the public key as a secret": forged,
        "another body": f"{head}.{b64({**claims, 'amb_rpps': '1'})}.{signature}",
        "an id_token": tokens["id_token"],
        "words": "not.a.token",
    }
    for what, token in attempts.items():
        assert await user_info(nation, token) == 401, what
        assert await introspected(nation, client, token) == {"active": False}, what
    assert await user_info(nation, tokens["refresh_token"]) == 401
    assert await user_info(nation, "-") == 401
    async with nation.http() as http:
        missing = await http.get(f"{PROTOCOL}/userinfo")
    assert missing.status_code == 401
    assert missing.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_an_access_token_lasts_two_minutes(nation: Nation, client: Registered, clock: FixedClock) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    known = await introspected(nation, client, tokens["access_token"])
    assert known["active"] is True
    assert known["authMode"] == "MOBILE"
    assert known["SubjectNameID"] == "8" + RPPS
    clock.move(timedelta(seconds=121))
    assert await user_info(nation, tokens["access_token"]) == 401
    assert await introspected(nation, client, tokens["access_token"]) == {"active": False}


async def test_a_revoked_token_ends_its_family_for_its_client_alone(nation: Nation, client: Registered) -> None:
    other = await nation.client(name="Autre")
    tokens = await nation.tokens(nation.browser(), Journey(client))
    assert (await nation.ask({"token": tokens["refresh_token"]}, other, "/revoke")).status_code == 200
    assert await user_info(nation, tokens["access_token"]) == 200
    assert (await nation.ask({"token": tokens["refresh_token"]}, client, "/revoke")).status_code == 200
    assert await user_info(nation, tokens["access_token"]) == 401
    assert await introspected(nation, client, tokens["refresh_token"]) == {"active": False}


async def test_an_access_token_of_another_audience_opens_nothing(nation: Nation) -> None:
    """A token of the FHIR base is not one of the provider, though the same key signed it."""
    house = nation.house
    assert await user_info(nation, house.token()) == 401


# Clients


async def test_a_client_proves_itself_in_one_way(nation: Nation, client: Registered) -> None:
    form = {"grant_type": "client_credentials", "client_id": client.client.id}
    assert (await nation.ask({**form, "client_secret": "wrong"})).json()["error"] == "invalid_client"
    assert (await nation.ask(form)).json()["error"] == "invalid_client"
    assert (await nation.ask({**form, "client_secret": client.secret})).json()["error"] == "unauthorized_client"
    both = await nation.ask({**form, "client_secret": client.secret}, client)
    assert both.json()["error"] == "invalid_request"
    public = await nation.client(authentication=ClientAuthentication.NONE)
    assert (await nation.ask({"token": "x"}, public, "/token/introspect")).status_code == 401


async def test_guessing_secrets_is_slowed_down(nation: Nation, client: Registered, clock: FixedClock) -> None:
    guess = {"grant_type": "client_credentials", "client_id": client.client.id, "client_secret": "guess"}
    statuses = [(await nation.ask(guess)).status_code for _ in range(7)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    answer = await nation.ask(guess)
    assert int(answer.headers["retry-after"]) > 0
    assert (await nation.ask({"token": "x"}, client, "/revoke")).status_code == 200, "who knows the secret never waits"


@pytest.mark.parametrize("fields", ["grant_type=a&grant_type=b", "", "grant_type=password&username=a&password=b"])
async def test_a_form_that_is_not_one_is_refused(nation: Nation, client: Registered, fields: str) -> None:
    async with nation.http() as http:
        answer = await http.post(
            f"{PROTOCOL}/token",
            content=fields,
            headers={"content-type": "application/x-www-form-urlencoded"},
            auth=(client.client.id, client.secret or ""),
        )
        assert answer.json()["error"] in ("invalid_request", "unsupported_grant_type")
        assert answer.headers["cache-control"] == "no-store"
        text = await http.post(f"{PROTOCOL}/token", json={"grant_type": "client_credentials"})
        assert text.json()["error"] == "invalid_request"


# Addresses


@pytest.mark.parametrize(
    "uri",
    [
        BACK + "/",
        BACK + "?next=1",
        BACK.upper(),
        "https://rp.example.evil.example/back",
        "https://rp.example/back/../evil",
        "https://evil.example/back",
        "//rp.example/back",
        "javascript:alert(1)",
        "",
        None,
    ],
)
async def test_an_address_that_is_not_registered_is_never_followed(
    nation: Nation, client: Registered, uri: str | None
) -> None:
    browser = await nation.browser().get(Journey(client).address(redirect_uri=uri))
    assert browser.status == 400
    assert browser.back == {}
    assert "n’a pas déclaré son adresse" in browser.words


async def test_an_address_given_twice_is_never_followed(nation: Nation, client: Registered) -> None:
    browser = await nation.browser().get(Journey(client).address() + "&redirect_uri=https%3A%2F%2Fevil.example%2F")
    assert browser.status == 400


async def test_an_unknown_client_is_told_to_the_person(nation: Nation, client: Registered) -> None:
    browser = await nation.browser().get(Journey(client).address(client_id="nobody"))
    assert browser.status == 400
    assert "n’est pas connu" in browser.words


@pytest.mark.parametrize(
    "uri",
    ["http://rp.example/", "https://rp.example/#x", "https://*.example/", "https://u@rp.example/", "javascript:x",
     "data:text/html,x", "https://rp.example/ x", "ftp://rp.example/", "https:///x", "file:///etc/passwd"],
)  # fmt: skip
async def test_nobody_registers_a_dangerous_address(nation: Nation, uri: str) -> None:
    from ambroise.kernel.errors import Refusal

    with pytest.raises(Refusal) as refused:
        await nation.client(redirect_uris=(uri,))
    assert refused.value.code == "INVALID_REDIRECT_URI"


# Browsers


async def test_who_did_not_begin_a_sign_in_cannot_finish_it(nation: Nation, client: Registered) -> None:
    victim, thief = nation.browser(), nation.browser()
    await victim.get(Journey(client).address())
    await victim.press("Recevoir une notification", identifiant=RPPS)
    page = victim.address
    await nation.approve()
    await thief.get(page)
    assert thief.status == 410
    assert "a commencé dans un autre navigateur" in thief.words
    await victim.get(page)
    assert "Continuer vers Logiciel Inventé" in victim.words


async def test_a_session_chosen_by_somebody_else_is_never_taken(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    browser.http.cookies.set("ambroise-signon", "chosen-by-the-thief", domain="test.example")
    await nation.sign_in(browser, Journey(client))
    values = [cookie.value for cookie in browser.http.cookies.jar if cookie.name.endswith("signon")]
    assert values
    thief = nation.browser()
    thief.http.cookies.set("ambroise-signon", "chosen-by-the-thief", domain="test.example")
    await thief.get(Journey(client).address())
    assert "Se connecter en tant que professionnel" in thief.words


async def test_an_agreement_cannot_be_forged_from_elsewhere(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    await nation.approve()
    await browser.click("J’ai répondu")
    here = browser.address
    forged = await browser.http.post(here, data={"geste": "accepter", "situation": "0"})
    assert forged.status_code == 403
    token = browser.page.cssselect("input[name=jeton]")[0].get("value")
    cross = await browser.http.post(
        here, data={"geste": "accepter", "situation": "0", "jeton": token}, headers={"sec-fetch-site": "cross-site"}
    )
    assert cross.status_code == 403


async def test_an_approval_on_the_phone_cannot_be_forged(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    await browser.get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    forged = await nation.browser().http.post(f"/ecps/8{RPPS}", data={"geste": "valider", "nombre": "00"})
    assert forged.status_code == 403


async def test_nobody_is_worn_down_by_notifications(nation: Nation, client: Registered) -> None:
    for _ in range(10):
        browser = await nation.browser().get(Journey(client).address())
        await browser.press("Recevoir une notification", identifiant=RPPS)
    browser = await nation.browser().get(Journey(client).address())
    await browser.press("Recevoir une notification", identifiant=RPPS)
    assert browser.status == 422
    assert "Trop d’essais" in browser.words


async def test_a_request_to_sign_in_is_answered_once(nation: Nation, client: Registered) -> None:
    browser = nation.browser()
    journey = Journey(client)
    await browser.get(journey.address())
    begun = browser.address
    await browser.press("Recevoir une notification", identifiant=RPPS)
    await nation.approve()
    await browser.click("J’ai répondu")
    await browser.press("Continuer", situation="0")
    assert (await browser.get(begun)).status == 410


async def test_the_issuer_never_comes_from_the_host_that_somebody_wrote(nation: Nation) -> None:
    async with nation.http(host="evil.example") as http:
        found = (await http.get("/auth/realms/esante-wallet/.well-known/openid-configuration")).json()
    assert found["issuer"].startswith("http://test.example/")


async def test_the_database_holds_no_secret_that_opens_anything(nation: Nation, client: Registered) -> None:
    journey = Journey(client)
    tokens = await nation.tokens(nation.browser(), journey)
    secrets = [client.secret or "", tokens["refresh_token"], tokens["access_token"]]
    async with nation.house.services.database.reader() as reader:
        for table in ("oauth_client", "oauth_refresh", "oauth_code", "oauth_family", "sign_on"):
            rows = await reader.fetch_all(f"select t::text from {table} t")
            assert rows, table
            for (row,) in rows:
                assert not any(secret in row for secret in secrets), table


async def test_the_sign_nul_is_refused_wherever_it_is_sent(nation: Nation) -> None:
    nul = {"client_id": "\x00", "client_secret": "\x00", "token": "\x00", "grant_type": "authorization_code"}
    basic = base64.b64encode(b"%00:secret").decode()
    async with nation.http() as http:
        for path in ("token", "revoke", "token/introspect", "ext/par/request", "ext/ciba/auth"):
            for answer in (
                await http.post(f"{PROTOCOL}/{path}", data=nul),
                await http.post(f"{PROTOCOL}/{path}", data={"token": "x"}, headers={"authorization": f"Basic {basic}"}),
            ):
                assert answer.status_code in (400, 401), (path, answer.text)
        for address in ("/auth?client_id=%00", f"{PROTOCOL}/logout?client_id=%00"):
            assert (await http.get(address)).status_code < 500, address
