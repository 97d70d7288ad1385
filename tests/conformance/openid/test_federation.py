"""We are the client: oidc-provider, written by others, plays Pro Santé Connect, a hospital and FranceConnect."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
import uvicorn
from joserfc.jwk import ECKey

from ambroise.modules.identity.api import AccountKind, NewAccount
from ambroise.modules.identity.provider.api import NewClient
from ambroise.trust.context import Context, System
from tests.conformance.openid.conftest import Talk
from tests.integration.identity.conftest import PAT_TROIS, person
from tests.integration.oauth.conftest import RPPS, Journey, add_people
from tests.journeys.support.strict import StrictClient
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

SECRET = "a secret of tests, long enough"
NURSE = "10000000020"
_COG = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"
TRAITS = {
    "family_name": "PAT-TROIS",
    "given_name": "Dominique Anne",
    "given_name_array": ["Dominique", "Anne"],
    "birthdate": "1979-03-28",
    "gender": "female",
    "birthplace": "51215",
    "birthcountry": "99100",
}


@dataclass
class Partners:
    """Our instance, theirs, and a browser between the two."""

    house: House
    address: str
    talk: Talk
    theirs: str
    browser: StrictClient
    abroad: httpx.AsyncClient
    patient: str
    folder: Path

    async def set(self, **what: Any) -> None:
        await self.talk.say(set=what)
        await self.talk.hear()

    async def who(self, sub: str, **claims: Any) -> None:
        await self.set(person={"sub": sub, "claims": claims})

    async def leave(self, partner: str, **query: str) -> str:
        """Press the button of a partner, and come to the way back; the browser has not followed it yet."""
        answer = await self.browser.http.get(f"/connexion/par/{partner}", params=query)
        assert answer.status_code == 303, answer.text
        return await self.through(answer.headers["location"])

    async def through(self, target: str) -> str:
        while not target.startswith(self.address):
            answer = await self.abroad.get(target)
            assert answer.is_redirect, answer.text
            target = urljoin(target, answer.headers["location"])
        return target

    async def enter(self, partner: str, **query: str) -> StrictClient:
        return await self.browser.get((await self.leave(partner, **query)).removeprefix(self.address))

    @property
    def entered(self) -> bool:
        return "ambroise-session" in self.browser.http.cookies

    async def traced(self, event: str) -> list[dict[str, Any]]:
        async with self.house.services.database.reader() as reader:
            rows = await reader.fetch_all("select details from trace where event = %s order by at, id", (event,))
        return [row[0] for row in rows]


@pytest.fixture
async def partners(node: Path, fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Partners]:
    key = ECKey.generate_key("P-256")
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "key.pem").write_bytes(key.as_pem(private=True))
    opening = ECKey.generate_key("P-256")
    (tmp_path / "opening.pem").write_bytes(opening.as_pem(private=True))
    with socket.socket() as listener, socket.socket() as other:
        listener.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        address, port = f"http://127.0.0.1:{listener.getsockname()[1]}", other.getsockname()[1]
        other.close()
        common = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET}
        signed = {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [{**key.as_dict(private=False), "kid": key.thumbprint()}]},
            "userinfo_signed_response_alg": "ES256",
        }
        sealed = {"kid": "opening", "use": "enc", "alg": "ECDH-ES"}
        encrypted = {
            **common,
            "jwks": {"keys": [{**opening.as_dict(private=False), **sealed}]},
            "userinfo_signed_response_alg": "ES256",
            **{f"{each}_encrypted_response_alg": "ECDH-ES" for each in ("id_token", "userinfo")},
            **{f"{each}_encrypted_response_enc": "A256GCM" for each in ("id_token", "userinfo")},
        }
        special = {"fc": signed, "fcplus": encrypted}
        clients = [
            {
                "client_id": name,
                "redirect_uris": [f"{address}/connexion/par/{name}/retour"],
                "post_logout_redirect_uris": [f"{address}/connexion/par/{name}/sortie"],
                "backchannel_logout_uri": f"{address}/connexion/par/{name}/fin",
                "id_token_signed_response_alg": "ES256",
                **special.get(name, common),
            }
            for name in ("psc", "chu", "fc", "fcplus")
        ]
        process = await asyncio.create_subprocess_exec(
            "node", str(node / "partner.mjs"), json.dumps({"port": port, "clients": clients}),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            talk = Talk(process)
            issuer = (await talk.hear())["issuer"]
            (tmp_path / "federation.toml").write_text(_file(issuer))
            async with house_on(
                fresh_database, tmp_path, public_url=address, federation_file=tmp_path / "federation.toml"
            ) as house:
                await add_people(house)
                patient = await _citizen(house)
                server = uvicorn.Server(uvicorn.Config(house.app, lifespan="off", log_config=None, access_log=False))
                serving = asyncio.create_task(server.serve(sockets=[listener]))
                async with httpx.AsyncClient(base_url=address) as http, httpx.AsyncClient() as abroad:
                    try:
                        yield Partners(house, address, talk, issuer, StrictClient(http), abroad, patient, tmp_path)
                    finally:
                        server.should_exit = True
                        await serving
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


def _file(issuer: str) -> str:
    return f"""
[partner.psc]
name = "Pro Santé Connect"
kind = "psc"
issuer = "{issuer}"
client_id = "psc"
secret_file = "secret"

[partner.chu]
name = "Hôpital Imaginaire"
kind = "hospital"
issuer = "{issuer}"
client_id = "chu"
secret_file = "secret"
acr_asked = ["eidas2"]
acr_accepted = ["eidas2"]

[partner.fc]
name = "FranceConnect+"
kind = "franceconnect"
issuer = "{issuer}"
client_id = "fc"
proof = "private_key_jwt"
key_file = "key.pem"

[partner.fcplus]
name = "FranceConnect+ qui chiffre"
kind = "franceconnect"
issuer = "{issuer}"
client_id = "fcplus"
secret_file = "secret"
decryption_key_file = "opening.pem"
"""


async def _citizen(house: House) -> str:
    """A person with a qualified identity and an account."""
    services = house.services
    place = {"extension": [{"url": _COG, "valueCoding": {"code": "51215"}}]}
    born = {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": place}
    async with services.database.transaction() as tx:
        ctx = Context(System(), services.clock, demonstration=True)
        stored = await services.gateway.create(tx, ctx, person(PAT_TROIS, extension=[born]))
        new = NewAccount(AccountKind.CITIZEN, "dominique", "Dominique Pat-Trois", patient=stored.key)
        await services.identity.create_account(tx, new)
    return str(stored.key)


async def test_a_professional_enters_by_pro_sante_connect_as_the_account_of_the_national_identifier(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    await partners.browser.get("/connexion?suite=/pro/patients")
    assert "Entrer avec Pro Santé Connect" in partners.browser.text
    page = await partners.enter("psc", suite="/reglages")
    assert page.address == "/reglages"
    assert "Camille" in page.text
    assert (await partners.traced("partner_signed_in"))[0]["acr"] == "eidas2"


async def test_an_account_is_made_for_who_the_directory_knows_and_for_nobody_else(partners: Partners):
    async with partners.house.services.database.transaction() as tx:
        await tx.execute("delete from account where professional = %s", ("8" + RPPS,))
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    assert (await partners.enter("psc")).address.startswith("/pro/patients")
    await partners.browser.press("Se déconnecter")
    await partners.who("f:x:2", SubjectNameID="810000099999")
    page = await partners.enter("psc")
    assert "L’annuaire ne vous connaît pas" in page.text
    assert not partners.entered


async def test_a_hospital_names_its_people_by_rpps_and_must_name_them(partners: Partners):
    await partners.who("oid-1", rpps=NURSE)
    assert (await partners.enter("chu")).address.startswith("/pro/patients")
    partners.browser.http.cookies.clear()
    partners.abroad.cookies.clear()
    await partners.who("oid-2")
    assert "Votre identifiant national manque" in (await partners.enter("chu")).text


async def test_a_citizen_is_found_by_exact_traits_once_then_by_the_subject(partners: Partners):
    await partners.who("pairwise-1", **TRAITS)
    assert (await partners.enter("fc")).address == "/accueil"
    partners.browser.http.cookies.clear()
    await partners.who("pairwise-1", **{**TRAITS, "family_name": "AUTRE NOM"})
    assert (await partners.enter("fc")).address == "/accueil"
    assert len(await partners.traced("partner_linked")) == 1


async def test_what_a_partner_encrypts_for_us_is_opened_and_judged_as_the_rest(partners: Partners):
    await partners.who("pairwise-9", **TRAITS)
    assert (await partners.enter("fcplus")).address == "/accueil"
    page = await partners.browser.press("Se déconnecter")
    end = re.search(r'href="(/connexion/par/fcplus/quitter[^"]*)"', page.text)
    assert end is not None
    hint = parse_qs(urlsplit((await partners.browser.http.get(end[1])).headers["location"]).query)["id_token_hint"][0]
    assert hint.count(".") == 2, "what it signed, not what it encrypted"
    (partners.folder / "opening.pem").write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    assert "La réponse reçue n’est pas sûre" in (await partners.enter("fcplus")).text
    assert (await partners.traced("partner_refused"))[-1]["rule"] == "encryption"
    assert not partners.entered


async def _another(partners: Partners, matricule: str, called: str, **traits: Any) -> str:
    """Somebody else of a qualified identity, with an account; the Patient."""
    place = {"extension": [{"url": _COG, "valueCoding": {"code": "51215"}}]}
    born = {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": place}
    services = partners.house.services
    async with services.database.transaction() as tx:
        ctx = Context(System(), services.clock, demonstration=True)
        stored = await services.gateway.create(tx, ctx, person(matricule, extension=[born], **traits))
        new = NewAccount(AccountKind.CITIZEN, called, called, patient=stored.key)
        await services.identity.create_account(tx, new)
    return str(stored.key)


async def _opened(partners: Partners) -> list[str]:
    """Whose spaces the open sessions open; they are then closed."""
    async with partners.house.services.database.transaction() as tx:
        rows = await tx.fetch_all(
            """
            select a.patient from session n join account a on a.id = n.account
            where n.closed_at is null order by n.opened_at
            """
        )
        await tx.execute("update session set closed_at = now() where closed_at is null")
    partners.browser.http.cookies.clear()
    partners.abroad.cookies.clear()
    return [str(row[0]) for row in rows]


async def test_a_federated_sign_in_never_opens_the_record_of_another(partners: Partners):
    """A case of the leak pack: each time, the control is that the record is there for its owner."""
    others = {**TRAITS, "family_name": "PAT-AUTRE", "given_name": "Claude", "given_name_array": ["Claude"]}
    own = partners.patient
    name = [{"use": "official", "family": "PAT-AUTRE", "given": ["CLAUDE"]}]
    other = await _another(partners, "279035121518890", "claude", name=name)
    for sub, traits, opened in (
        ("mine", TRAITS, [own]),
        ("theirs", others, [other]),
        ("mine", others, [own]),
        ("theirs", TRAITS, [other]),
        ("new", TRAITS, []),
        ("new", {**TRAITS, "given_name_array": ["Claude"]}, []),
    ):
        await partners.who(sub, **traits)
        await partners.enter("fc")
        assert await _opened(partners) == opened, (sub, traits)
    # Two people of one identity: whom the subject is cannot be told, so nobody; the one who was linked stays himself.
    await _another(partners, "279035121518791", "jumelle")
    await partners.who("twin", **TRAITS)
    await partners.enter("fc")
    assert await _opened(partners) == []
    await partners.who("mine", **TRAITS)
    await partners.enter("fc")
    assert await _opened(partners) == [own]


async def test_the_owner_of_an_account_unlinks_it_and_what_came_in_that_way_ends(partners: Partners):
    await partners.who("mine", **TRAITS)
    await partners.enter("fc")
    elsewhere = dict(partners.browser.http.cookies)
    partners.browser.http.cookies.delete("ambroise-session")
    page = await partners.enter("fc")
    await page.get("/reglages")
    await page.click("Services qui ouvrent mon compte")
    assert "FranceConnect+" in page.words
    await page.press("Retirer ce lien : FranceConnect+, FranceConnect+ qui chiffre")
    assert "Aucun service lié" in page.words
    assert (await page.get("/accueil")).address == "/accueil", "this session goes on"
    async with httpx.AsyncClient(base_url=partners.address, cookies=elsewhere) as other:
        assert (await other.get("/accueil")).status_code == 303
    assert len(await partners.traced("partner_unlinked")) == 1
    refused = await page.http.post("/reglages/services", data={"service": partners.theirs})
    assert refused.status_code in (403, 404)
    page.http.cookies.delete("ambroise-session")
    await partners.who("mine", **{**TRAITS, "family_name": "AUTRE NOM"})
    assert "Nous ne vous avons pas retrouvé" in (await partners.enter("fc")).text, "it is compared again"


async def test_one_trait_that_differs_finds_nobody(partners: Partners):
    others = {
        "family_name": "PAT-QUATRE",
        "given_name_array": ["Claude"],
        "birthdate": "1979-03-29",
        "gender": "male",
        "birthplace": "51216",
    }
    for trait, value in others.items():
        await partners.who("pairwise-2", **{**TRAITS, trait: value})
        page = await partners.enter("fc")
        assert "Nous ne vous avons pas retrouvé" in page.text, trait
        assert not partners.entered


async def test_a_citizen_without_account_goes_on_to_open_one_with_contacts_left_to_prove(partners: Partners):
    async with partners.house.services.database.transaction() as tx:
        await tx.execute("delete from account where patient = %s", (partners.patient,))
    await partners.who("pairwise-3", **TRAITS)
    page = await partners.enter("fc")
    assert page.address == "/inscription/contacts"


SPOILT: list[tuple[str, dict[str, Any]]] = [
    ("nonce", {"claims": {"nonce": "another"}}),
    ("aud", {"claims": {"aud": "another"}}),
    ("azp", {"claims": {"aud": ["psc", "another"], "azp": "another"}}),
    ("azp", {"claims": {"aud": ["psc", "another"]}}),
    ("iss", {"claims": {"iss": "https://elsewhere.example"}}),
    ("exp", {"claims": {"exp": int(time.time()) - 120}}),
    ("iat", {"claims": {"iat": int(time.time()) - 3600}}),
    ("at_hash", {"claims": {"at_hash": "another"}}),
    ("alg", {"how": "hmac"}),
    ("alg", {"how": "none"}),
    ("signature", {"how": "stranger"}),
    ("kid", {"header": {"kid": "unknown"}}),
]


async def test_an_id_token_that_breaks_a_rule_opens_nothing_and_leaves_a_trace(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    for _, spoil in SPOILT:
        await partners.set(spoil=spoil)
        page = await partners.enter("psc")
        assert "La réponse reçue n’est pas sûre" in page.text, spoil
        assert not partners.entered
    refused = [one["rule"] for one in await partners.traced("partner_refused")]
    assert refused == [rule for rule, _ in SPOILT]


async def test_a_level_too_low_says_what_to_do(partners: Partners):
    await partners.who("pairwise-1", **TRAITS)
    await partners.set(spoil={"claims": {"acr": "eidas1"}})
    page = await partners.enter("fc")
    assert "Il faut une identification plus sûre" in page.text
    assert not partners.entered


async def test_a_new_key_is_found_without_restart(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    assert (await partners.enter("psc")).address.startswith("/pro/patients")
    await partners.talk.say(rotate="second")
    await partners.talk.hear()
    partners.browser.http.cookies.clear()
    assert (await partners.enter("psc")).address.startswith("/pro/patients")


async def test_an_answer_is_good_once_in_its_browser_for_its_partner(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS, rpps=RPPS)
    back = (await partners.leave("psc")).removeprefix(partners.address)
    async with httpx.AsyncClient(base_url=partners.address) as stranger:
        assert (await stranger.get(back)).status_code == 410
    mixed = await partners.browser.get(back.replace("/par/psc/", "/par/chu/"))
    assert "n’est plus valable" in mixed.text
    assert (await partners.browser.get(back)).address.startswith("/pro/patients")
    partners.browser.http.cookies.delete("ambroise-session")
    assert "n’est plus valable" in (await partners.browser.get(back)).text


async def test_an_answer_that_names_another_issuer_is_refused(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    back = (await partners.leave("psc")).removeprefix(partners.address)
    mixed = re.sub(r"iss=[^&]*", "iss=https%3A%2F%2Felsewhere.example", back)
    assert mixed != back
    assert "n’est pas sûre" in (await partners.browser.get(mixed)).text
    again = (await partners.leave("psc")).removeprefix(partners.address)
    assert "n’est pas sûre" in (await partners.browser.get(re.sub(r"&?iss=[^&]*", "", again))).text


async def test_a_person_who_gives_up_there_is_told_what_to_do_here(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    await partners.set(refuse=True)
    page = await partners.enter("psc")
    assert "Vous n’êtes pas entré" in page.text
    assert "Entrer autrement" in page.text


async def test_the_way_on_never_leads_elsewhere(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    assert (await partners.enter("psc", suite="https://evil.example/")).address.startswith("/pro/patients")


async def test_a_subject_stays_with_its_account(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    assert (await partners.enter("psc")).address.startswith("/pro/patients")
    partners.browser.http.cookies.clear()
    await partners.who("f:x:1", SubjectNameID="8" + NURSE)
    assert "lié à une autre identité" in (await partners.enter("psc")).text
    assert not partners.entered


async def test_leaving_offers_to_leave_the_partner_too_and_comes_back(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    await partners.enter("psc")
    page = await partners.browser.press("Se déconnecter")
    assert "Vous êtes déconnecté d’ici" in page.text
    end = re.search(r'href="(/connexion/par/psc/quitter[^"]*)"', page.text)
    assert end is not None
    sent = await partners.browser.http.get(end[1])
    asked = await partners.abroad.get(sent.headers["location"])
    fields = dict(re.findall(r'name="(xsrf)" value="([^"]*)"', asked.text)) | {"logout": "yes"}
    left = await partners.abroad.post(f"{partners.theirs}/session/end/confirm", data=fields)
    assert urlsplit(left.headers["location"]).path == "/connexion/par/psc/sortie"
    assert (await partners.browser.get("/connexion/par/psc/sortie")).address.startswith("/connexion")


async def test_a_hospital_signs_its_people_on_to_other_software_and_ends_it(partners: Partners):
    provider, back = partners.house.services.provider, "http://localhost/back"
    async with partners.house.services.database.transaction() as tx:
        ctx = Context(System(), partners.house.services.clock)
        client = await provider.clients.register(tx, ctx, NewClient("Logiciel Inventé", (back,)))
    await partners.who("oid-1", rpps=NURSE)
    journey = Journey(client)
    await partners.browser.get(journey.address(redirect_uri=back))
    link = re.search(r'href="(/connexion/par/chu\?demande=[^"]*)"', partners.browser.text)
    assert link is not None
    sent = await partners.browser.http.get(link[1])
    returned = (await partners.through(sent.headers["location"])).removeprefix(partners.address)
    await partners.browser.get(returned)
    assert partners.browser.address.startswith("/connexion/pro/accord")
    assert not partners.entered
    token = _field(partners.browser.text, "jeton")
    fields = {"jeton": token, "situation": "0", "geste": "accepter"}
    answer = await partners.browser.http.post(partners.browser.address, data=fields)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    issuer = f"{partners.address}/auth/realms/esante-wallet/protocol/openid-connect"
    asked = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": journey.verifier
    }  # fmt: skip
    async with httpx.AsyncClient(auth=(client.client.id, client.secret or "")) as http:
        tokens = (await http.post(f"{issuer}/token", data=asked)).json()
        now = int(time.time())
        ended = {"iss": partners.theirs, "aud": "chu", "iat": now, "exp": now + 60, "sub": "oid-1", "jti": "one"}
        await partners.talk.say(logout=ended)
        over = {"logout_token": (await partners.talk.hear())["token"]}
        assert (await http.post(f"{partners.address}/connexion/par/chu/fin", data=over)).status_code == 200
        known = await http.post(f"{issuer}/token/introspect", data={"token": tokens["access_token"]})
    assert known.json() == {"active": False}


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


async def test_the_partner_ends_the_session_that_came_from_it(partners: Partners):
    """oidc-provider itself calls us when somebody leaves it."""
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    await partners.enter("psc")
    assert (await partners.browser.get("/reglages")).address == "/reglages"
    asked = await partners.abroad.get(f"{partners.theirs}/session/end")
    fields = dict(re.findall(r'name="(xsrf)" value="([^"]*)"', asked.text)) | {"logout": "yes"}
    await partners.abroad.post(f"{partners.theirs}/session/end/confirm", data=fields)
    assert (await partners.browser.get("/reglages")).address.startswith("/connexion")
    assert len(await partners.traced("partner_signed_out")) == 1


async def test_a_logout_token_is_checked_and_heard_once(partners: Partners):
    await partners.who("f:x:1", SubjectNameID="8" + RPPS)
    await partners.enter("psc")
    now = int(time.time())
    good = {"iss": partners.theirs, "aud": "psc", "iat": now, "exp": now + 60, "sub": "f:x:1"}

    async def told(claims: dict[str, Any], typ: str = "logout+jwt") -> int:
        await partners.talk.say(logout={**good, "jti": f"{typ} {claims}", **claims}, typ=typ)
        token = (await partners.talk.hear())["token"]
        async with httpx.AsyncClient() as http:
            return (
                await http.post(f"{partners.address}/connexion/par/psc/fin", data={"logout_token": token})
            ).status_code

    for wrong in (
        {"iss": "https://elsewhere.example"}, {"aud": "chu"}, {"exp": now - 60}, {"iat": now - 3600}, {"nonce": "n"},
        {"events": {}}, {"sub": ""}, {"jti": ""},
    ):  # fmt: skip
        assert await told(wrong) == 400, wrong
    assert await told({}, "at+jwt") == 400
    assert (await partners.browser.get("/reglages")).address == "/reglages"
    assert await told({}) == 200
    assert await told({}) == 400
    assert (await partners.browser.get("/reglages")).address.startswith("/connexion")


async def test_a_partner_that_does_not_answer_has_its_page_and_buttons_stand_for_configured_ones_only(
    partners: Partners,
):
    with suppress(ProcessLookupError):
        partners.talk._process.kill()
    page = await partners.browser.get("/connexion/par/chu")
    assert "Ce service ne répond pas" in page.text
    assert (await partners.browser.http.get("/connexion/par/inconnu")).status_code == 404
