"""The mTLS port: clients that show certificates, tokens bound to them, exchange, and what the FHIR base makes of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from joserfc import jwt

from ambroise.kernel.clock import SystemClock
from ambroise.kernel.crypto.authority import DemonstrationAuthority, Issued
from ambroise.kernel.settings import Settings
from ambroise.main.secure import open_front
from ambroise.modules.identity.provider.api import ClientAuthentication, Grant, Registered
from tests.integration.oauth.conftest import ADDRESS, PROTOCOL, RPPS, Journey, Nation, add_people
from tests.support.database import TestDatabase
from tests.support.server import house_on

TOKEN = "/auth/realms/esante-wallet/protocol/openid-connect/token"
USER_INFO = "/auth/realms/esante-wallet/protocol/openid-connect/userinfo"
EXCHANGE = Grant.EXCHANGE.value
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


@dataclass
class Secured(Nation):
    """A nation with its second port open."""

    authority: DemonstrationAuthority
    folder: Path
    port: int

    def certificate(self, service: str = "Proxy Inventé", days: int = 30) -> tuple[Path, str]:
        """A new certificate with its key in one file, and its subject."""
        issued = self.authority.issue(service, "Structure Fictive", "10B0000001", days=days)
        file = self.folder / f"{service}-{len(self.authority.everything())}.pem"
        file.write_bytes(issued.certificate + issued.key)
        return file, issued.subject

    def over_tls(self, certificate: Path | None = None, **headers: str) -> httpx.AsyncClient:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if certificate is not None:
            context.load_cert_chain(certificate)
        return httpx.AsyncClient(base_url=f"https://localhost:{self.port}", verify=context, headers=headers)

    async def exchanger(self, subject: str) -> Registered:
        return await self.client(
            name="Proxy",
            redirect_uris=(),
            authentication=ClientAuthentication.CERTIFICATE,
            grants=frozenset({Grant.EXCHANGE, Grant.CLIENT}),
            scopes=frozenset({"dossier.lire"}),
            tls_subject=subject,
        )


@pytest.fixture
async def secured(fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Secured]:
    clock: Any = SystemClock()
    front = open_front(Settings(data=tmp_path, port=0), demonstration=True)
    assert front is not None
    async with house_on(fresh_database, tmp_path, public_url=ADDRESS, mtls_port=front.port) as house:
        authority = DemonstrationAuthority.open(tmp_path / "secrets" / "pki")
        await add_people(house)
        options = front.options(clock)
        server = uvicorn.Server(uvicorn.Config(house.app, lifespan="off", log_config=None, **options))
        serving = asyncio.create_task(server.serve(sockets=front.sockets))
        yield Secured(house, clock, authority, tmp_path, front.port)
        server.should_exit = True
        await serving


async def by_certificate(
    secured: Secured, client: Registered, certificate: Path | None, **fields: Any
) -> httpx.Response:
    async with secured.over_tls(certificate) as http:
        return await http.post(TOKEN, data={"client_id": client.client.id, **fields})


@asynccontextmanager
async def exchanged(secured: Secured) -> AsyncIterator[tuple[Path, dict[str, Any], dict[str, Any]]]:
    """A certificate, the tokens of a sign-on, and the API token that they gave."""
    certificate, subject = secured.certificate()
    proxy = await secured.exchanger(subject)
    tokens = await secured.tokens(secured.browser(), Journey(await secured.client()), situation="1")
    answer = await by_certificate(
        secured, proxy, certificate, grant_type=EXCHANGE, subject_token=tokens["access_token"],
        subject_token_type=ACCESS, subject_issuer="psc", scope="dossier.lire",
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    yield certificate, tokens, answer.json()


async def test_discovery_says_where_certificates_are_shown(secured: Secured) -> None:
    async with secured.http() as http:
        found = (await http.get("/auth/realms/esante-wallet/.well-known/openid-configuration")).json()
    assert found["mtls_endpoint_aliases"]["token_endpoint"] == f"https://test.example:{secured.port}{TOKEN}"
    assert found["tls_client_certificate_bound_access_tokens"] is True
    assert "tls_client_auth" in found["token_endpoint_auth_methods_supported"]


async def test_a_client_proves_itself_by_its_certificate(secured: Secured) -> None:
    certificate, subject = secured.certificate()
    client = await secured.exchanger(subject)
    asked = {"grant_type": "client_credentials", "scope": "dossier.lire"}
    assert (await by_certificate(secured, client, certificate, **asked)).status_code == 200
    other, _ = secured.certificate("Autre Service")
    assert (await by_certificate(secured, client, other, **asked)).status_code == 401
    assert (await by_certificate(secured, client, None, **asked)).status_code == 401
    forged = {"x-client-cert": certificate.read_text().replace("\n", "%0A"), "x-ssl-client-verify": "SUCCESS"}
    async with secured.http(**forged) as http:
        answer = await http.post(f"{PROTOCOL}/token", data={"client_id": client.client.id, **asked})
    assert answer.status_code == 401, "no header stands for a handshake"


async def test_revoked_expired_and_foreign_certificates_are_refused(secured: Secured, tmp_path: Path) -> None:
    certificate, subject = secured.certificate()
    client = await secured.exchanger(subject)
    asked = {"client_id": client.client.id, "grant_type": "client_credentials", "scope": "dossier.lire"}
    async with secured.over_tls(certificate) as http:
        assert (await http.post(TOKEN, data=asked)).status_code == 200
        for known in secured.authority.everything():
            secured.authority.revoke(known.serial)
        assert (await http.post(TOKEN, data=asked)).status_code == 401, "on the very same connection"
    expired, _ = secured.certificate(days=0)
    foreign = DemonstrationAuthority.open(tmp_path / "elsewhere").issue(
        "Proxy Inventé", "Structure Fictive", "10B0000001"
    )
    strange = tmp_path / "strange.pem"
    strange.write_bytes(foreign.certificate + foreign.key)
    for wrong in (expired, strange):
        with pytest.raises(httpx.TransportError):
            await by_certificate(secured, client, wrong, **asked)


async def test_a_token_of_a_sign_on_is_exchanged_once_for_one_of_the_api(secured: Secured) -> None:
    async with exchanged(secured) as (certificate, tokens, api):
        assert api["issued_token_type"] == ACCESS
        assert api["expires_in"] == 3600
        assert "refresh_token" not in api
        assert "id_token" not in api
        again = await by_certificate(
            secured, await secured.exchanger("CN=Proxy Inventé,OU=10B0000001,O=Structure Fictive,C=FR"), certificate,
            grant_type=EXCHANGE, subject_token=tokens["access_token"], subject_token_type=ACCESS, scope="dossier.lire",
        )  # fmt: skip
        assert again.json()["error"] == "invalid_request"
        assert ("token_exchanged", "8" + RPPS, 0) in await secured.traced()


async def test_a_bound_token_works_with_its_certificate_alone(secured: Secured) -> None:
    async with exchanged(secured) as (certificate, _, api):
        bearer = {"authorization": f"Bearer {api['access_token']}"}
        other, _ = secured.certificate("Autre Service")
        path = "/fhir/Organization"
        async with secured.over_tls(certificate, **bearer) as http:
            found = await http.get(path)
            assert found.status_code == 200, found.text
            assert (await http.get(USER_INFO)).status_code == 401, "it is for the API, not for the provider"
        async with secured.over_tls(other, **bearer) as http:
            assert (await http.get(path)).status_code == 401
        async with secured.over_tls(**bearer) as http:
            assert (await http.get(path)).status_code == 401
        async with secured.http(**bearer) as http:
            assert (await http.get(path)).status_code == 401


@pytest.mark.parametrize("path", ["/insi/v1/traits", "/insi/soap", "/annuaire/fhir/v2/Organization"])
async def test_a_bound_token_opens_the_partner_interfaces_with_its_certificate_alone(
    secured: Secured, path: str
) -> None:
    async with exchanged(secured) as (certificate, _, api):
        bearer = {"authorization": f"Bearer {api['access_token']}"}

        async def status(http: httpx.AsyncClient) -> int:
            return (await (http.get(path) if "annuaire" in path else http.post(path, content=b"{}"))).status_code

        async with secured.over_tls(certificate, **bearer) as http:
            assert await status(http) != 401
        async with secured.http(**bearer) as http:
            assert await status(http) == 401


async def test_exchange_needs_a_certificate_a_scope_and_a_living_token(secured: Secured) -> None:
    certificate, subject = secured.certificate()
    proxy = await secured.exchanger(subject)
    client = await secured.client()
    tokens = await secured.tokens(secured.browser(), Journey(client))
    asked = {"grant_type": EXCHANGE, "subject_token": tokens["access_token"], "subject_token_type": ACCESS,
             "scope": "dossier.lire"}  # fmt: skip
    assert (await by_certificate(secured, proxy, None, **asked)).json()["error"] == "invalid_client"
    for change, error in (
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "autre"}, "invalid_scope"),
        ({"subject_token": tokens["id_token"]}, "invalid_request"),
        ({"subject_token": tokens["refresh_token"]}, "invalid_request"),
        ({"subject_token": "x.y.z"}, "invalid_request"),
        ({"subject_token_type": "urn:x"}, "invalid_request"),
        ({"subject_issuer": "other"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
    ):
        assert (await by_certificate(secured, proxy, certificate, **{**asked, **change})).json()["error"] == error, (
            change
        )
    await secured.ask({"token": tokens["refresh_token"]}, client, "/revoke")
    assert (await by_certificate(secured, proxy, certificate, **asked)).json()["error"] == "invalid_request"


async def test_what_a_sign_on_gave_opens_the_fhir_base_until_it_ends(secured: Secured) -> None:
    client = await secured.client()
    tokens = await secured.tokens(secured.browser(), Journey(client), situation="1")
    async with secured.http(authorization=f"Bearer {tokens['access_token']}") as http:
        assert (await http.get("/fhir/Organization")).status_code == 200
        await secured.ask({"token": tokens["refresh_token"]}, client, "/revoke")
        ended = await http.get("/fhir/Organization")
        assert ended.status_code == 401, "from the very next request"
    for wrong in (tokens["id_token"], tokens["refresh_token"]):
        async with secured.http(authorization=f"Bearer {wrong}") as http:
            assert (await http.get("/fhir/Organization")).status_code == 401


async def test_an_api_token_ends_with_the_session_it_comes_from(secured: Secured) -> None:
    async with exchanged(secured) as (certificate, tokens, api):
        assert timedelta(seconds=api["expires_in"]) <= timedelta(hours=1)
        asked = await secured.provider.leaving.read({"id_token_hint": tokens["id_token"]})
        await secured.provider.leaving.leave(asked.session, None)
        async with secured.over_tls(certificate, authorization=f"Bearer {api['access_token']}") as http:
            assert (await http.get("/fhir/Organization")).status_code == 401


async def shown(secured: Secured, certificate: Path | None, target: str) -> httpx.Response:
    """What the second port answers to a browser that shows this certificate."""
    address = urlsplit(target)
    async with secured.over_tls(certificate, host=address.netloc) as http:
        return await http.get(f"{address.path}?{address.query}")


async def test_a_professional_signs_on_with_a_software_certificate(secured: Secured) -> None:
    issued = secured.authority.issue_person("8" + RPPS, "FICTIF", "CAMILLE")
    certificate = secured.folder / "person.pem"
    certificate.write_bytes(issued.certificate + issued.key)
    journey, browser = Journey(await secured.client()), secured.browser()
    await browser.get(journey.address())
    await browser.click("Montrer mon certificat")
    assert browser.address.startswith(f"https://test.example:{secured.port}/connexion/pro/certificat?")
    back = (await shown(secured, certificate, browser.address)).headers["location"]
    assert back.startswith(f"{ADDRESS}/connexion/pro/certificat/retour?")
    stranger = await secured.browser().get(back.removeprefix(ADDRESS))
    assert "a commencé dans un autre navigateur" in stranger.text
    await browser.get(back.removeprefix(ADDRESS))
    await browser.press("Continuer", situation="1")
    tokens = (await secured.redeem(journey, browser.back["code"])).json()
    told = jwt.decode(tokens["id_token"], secured.house.services.signing_keys.all).claims
    assert (told["acr"], told["amr"]) == ("eidas1", ["swk"])
    again = await browser.get(back.removeprefix(ADDRESS))
    assert "est terminée" in again.text
    assert [event for event, _, _ in await secured.traced()][:2] == ["certificate_shown", "signed_in"]


async def test_only_a_good_certificate_of_somebody_known_signs_a_professional_on(secured: Secured) -> None:
    def of(name: str, issued: Issued) -> Path:
        file = secured.folder / f"{name}.pem"
        file.write_bytes(issued.certificate + issued.key)
        return file

    authority = secured.authority
    revoked = authority.issue_person("8" + RPPS, "FICTIF", "CAMILLE")
    authority.revoke(revoked.serial)
    cases = {
        "Aucun certificat valable": [None, of("revoked", revoked)],
        "pas celui d’un professionnel": [
            of("service", authority.issue("8" + RPPS, "Structure Fictive", "10B0000001")),
            of("other", authority.issue_person("3" + RPPS, "FICTIF", "CAMILLE")),
        ],
        "Personne ici": [of("nobody", authority.issue_person("810000099999", "PERSONNE", "AUCUNE"))],
    }
    browser = secured.browser()
    await browser.get(Journey(await secured.client()).address())
    await browser.click("Montrer mon certificat")
    for words, certificates in cases.items():
        for certificate in certificates:
            answer = await shown(secured, certificate, browser.address)
            assert answer.status_code == 403, certificate
            assert words in answer.text, certificate


async def test_a_certificate_expired_or_of_another_authority_ends_in_the_handshake(
    secured: Secured, tmp_path: Path
) -> None:
    browser = secured.browser()
    await browser.get(Journey(await secured.client()).address())
    await browser.click("Montrer mon certificat")
    foreign = DemonstrationAuthority.open(tmp_path / "foreign")
    for authority, days in ((secured.authority, 0), (foreign, 30)):
        issued = authority.issue_person("8" + RPPS, "FICTIF", "CAMILLE", days=days)
        certificate = tmp_path / "refused.pem"
        certificate.write_bytes(issued.certificate + issued.key)
        with pytest.raises((httpx.HTTPError, ssl.SSLError)):
            await shown(secured, certificate, browser.address)


async def test_a_proof_is_good_for_its_own_request_alone(secured: Secured) -> None:
    """A proof made for a request that a stranger began does not sign on in the stranger's other request."""
    issued = secured.authority.issue_person("8" + RPPS, "FICTIF", "CAMILLE")
    certificate = secured.folder / "person.pem"
    certificate.write_bytes(issued.certificate + issued.key)
    client = await secured.client()
    first, second = secured.browser(), secured.browser()
    for browser in (first, second):
        await browser.get(Journey(client).address())
        await browser.click("Montrer mon certificat")
    proof = parse_qs(urlsplit((await shown(secured, certificate, first.address)).headers["location"]).query)["preuve"][
        0
    ]
    theirs = parse_qs(urlsplit(second.address).query)["demande"][0]
    page = await second.get(f"/connexion/pro/certificat/retour?demande={theirs}&preuve={proof}")
    assert "est terminée" in page.text
