"""A certified relying party, written by others, runs the whole of what a client does."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey

from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.modules.identity.provider.api import ClientAuthentication, Grant
from tests.conformance.openid.conftest import Served, relying_party
from tests.integration.oauth.conftest import RPPS

LEFT = "https://rp.example/left"


@pytest.mark.parametrize("authentication", [ClientAuthentication.SECRET, ClientAuthentication.NONE])
async def test_openid_client_signs_in_refreshes_introspects_revokes_and_leaves(
    served: Served, node: Path, authentication: ClientAuthentication
) -> None:
    client = await served.client(post_logout_uris=(LEFT,), authentication=authentication)
    async with relying_party(node, served, client, "code") as talk:
        await talk.say(back=await served.walk((await talk.hear())["address"]))
        heard = await talk.hear()
    assert heard["claims"]["acr"] == "eidas1"
    assert heard["told"]["SubjectNameID"] == "8" + RPPS
    assert heard["renewed"]["sub"] == heard["claims"]["sub"]
    if authentication is ClientAuthentication.SECRET:
        assert heard["known"]["active"] is True
        assert heard["ended"] == {"active": False}
    browser = await served.browser().get(heard["leave"].removeprefix(served.address))
    assert browser.address == LEFT + "?state=left"


async def test_openid_client_acts_by_itself(served: Served, node: Path) -> None:
    client = await served.client(
        redirect_uris=(), grants=frozenset({Grant.CLIENT}), scopes=frozenset({"annuaire.lire"})
    )
    async with relying_party(node, served, client, "machine", scope="annuaire.lire") as talk:
        heard = await talk.hear()
    assert heard["tokens"]["scope"] == "annuaire.lire"
    assert heard["known"]["active"] is True


async def test_openid_client_understands_that_a_replay_is_refused(served: Served, node: Path) -> None:
    client = await served.client()
    async with relying_party(node, served, client, "replay") as talk:
        await talk.say(back=await served.walk((await talk.hear())["address"]))
        heard = await talk.hear()
    assert heard["error"] == "invalid_grant"
    assert "authorization endpoint" in heard["description"]


async def test_openid_client_pushes_its_request_and_signs_who_it_is(served: Served, node: Path) -> None:
    key = ECKey.generate_key("P-256")
    client = await served.client(
        authentication=ClientAuthentication.ASSERTION,
        jwks={"keys": [key.as_dict(private=False)]},
        post_logout_uris=(LEFT,),
    )
    async with relying_party(node, served, client, "code", pushed=True, key=key.as_dict(private=True)) as talk:
        address = (await talk.hear())["address"]
        assert "request_uri=" in address
        assert "nonce=" not in address
        await talk.say(back=await served.walk(address))
        heard = await talk.hear()
    assert heard["told"]["SubjectNameID"] == "8" + RPPS


async def test_openid_client_signs_in_without_a_browser(served: Served, node: Path) -> None:
    client = await served.client(redirect_uris=(), grants=frozenset({Grant.CIBA, Grant.REFRESH}))
    asked = {"login_hint": "8" + RPPS, "binding_message": "31"}
    async with relying_party(node, served, client, "ciba", **asked) as talk:
        assert (await talk.hear())["interval"] == 5
        phone = await served.browser().get(f"/ecps/8{RPPS}")
        await phone.press("Valider", nombre="31", situation="0")
        heard = await talk.hear()
    assert heard["told"]["SubjectNameID"] == "8" + RPPS


async def test_openid_client_proves_itself_by_a_certificate_to_which_its_tokens_are_bound(
    secured: Served, node: Path, tmp_path: Path
) -> None:
    authority = DemonstrationAuthority.open(tmp_path / "secrets" / "pki")
    issued = authority.issue("Logiciel Inventé", "Structure Fictive", "10B0000001")
    certificate = tmp_path / "client.pem"
    certificate.write_bytes(issued.certificate + issued.key)
    client = await secured.client(authentication=ClientAuthentication.CERTIFICATE, tls_subject=issued.subject)
    fhir = f"{secured.provider.ground.secure_address(secured.issuer)}/fhir/Practitioner"
    shown = {"certificate": str(certificate), "authority": str(authority.certificate), "fhir": fhir}
    async with relying_party(node, secured, client, "bound", **shown) as talk:
        await talk.say(back=await secured.walk((await talk.hear())["address"]))
        heard = await talk.hear()
    der = x509.load_pem_x509_certificate(issued.certificate).public_bytes(Encoding.DER)
    thumbprint = urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    assert heard["known"]["cnf"] == {"x5t#S256": thumbprint}
    assert heard["told"]["SubjectNameID"] == "8" + RPPS
    assert (heard["open"], heard["bare"]) == (200, 401), "with its certificate, and without"
