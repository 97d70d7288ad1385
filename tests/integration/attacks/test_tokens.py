"""Access tokens whose header tells the verifier which key to use, and what is never written down."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from ambroise.interfaces.token_claims import Role
from ambroise.kernel.ids import new_id
from ambroise.kernel.log import logger
from tests.integration.attacks.conftest import Target

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORGER = ECKey.generate_key("P-256")
INS = "279035121518989"
INS_TEST = "urn:oid:1.2.250.1.213.1.4.10"


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def signed(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token that the forger signed, with a header of his choice."""
    head, body = (base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (header, claims))
    mark = jwt.encode({"alg": "ES256"}, claims, FORGER).rpartition(".")[2]
    return f"{head}.{body}.{mark}"


async def ask(target: Target, token: str, path: str = "/fhir/Patient?_count=1") -> httpx.Response:
    return await target.browser().get(path, headers={"authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    "trick",
    [
        {"jwk": FORGER.as_dict(private=False)},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"kid": "../../../../dev/null"},
        {"kid": "' or 1=1 --"},
        {"kid": "https://evil.example/key"},
        {"kid": 0},
        {"kid": None},
        {"crit": ["unknown"], "unknown": True},
        {"b64": False, "crit": ["b64"]},
        {"alg": "NONE"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": ["ES256"]},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
    ],
)
async def test_a_header_never_chooses_the_key(target: Target, trick: dict[str, Any]) -> None:
    good = target.house.token(Role.SYSTEM)
    forged = signed({"alg": "ES256", "typ": "at+jwt", **trick}, claims_of(good))
    answer = await ask(target, forged)
    assert answer.status_code == 401
    assert "evil.example" not in answer.text
    assert (await ask(target, good)).status_code == 200, "the control"


@pytest.mark.parametrize("place", ["access_token", "token"])
async def test_a_token_in_an_address_is_no_token(target: Target, place: str) -> None:
    answer = await target.browser().get("/fhir/Patient", params={place: target.house.token(Role.SYSTEM)})
    assert answer.status_code == 401


async def test_what_names_a_person_is_in_no_log_and_in_no_refusal(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    """SEC-1: requests of every sort that carry an INS; none comes back in a refusal, none is logged."""
    system = target.house.token(Role.SYSTEM)
    stranger = target.house.token(Role.CITIZEN, ins=INS)
    asked = f"identifier={INS_TEST}|{INS}"
    bad_patient = {"resourceType": "Patient", "identifier": [{"system": INS_TEST, "value": INS}], "gender": INS}
    browser = target.browser()
    answers = [
        await ask(target, stranger),
        await ask(target, "not-a-token", f"/fhir/Patient?{asked}"),
        await ask(target, stranger, f"/fhir/Patient?{asked}"),
        await ask(target, system, f"/fhir/Patient/{INS}"),
        await ask(target, system, f"/fhir/Nothing/{INS}"),
        await browser.post("/fhir/Patient", json=bad_patient),
        await browser.get(f"/pro/patients/{INS}"),
        await browser.get(f"/{INS}"),
        await browser.post(f"/auth?login_hint={INS}"),
        await ask(target, system, f"/fhir/Patient/{new_id()}"),
    ]
    assert all(400 <= answer.status_code < 500 or answer.status_code == 303 for answer in answers), [
        answer.status_code for answer in answers
    ]
    logger(__name__).error("a_person_was_logged_by_mistake", ins=INS)
    written = capsys.readouterr()
    assert "a_person_was_logged_by_mistake" in written.err, "the control: what is logged is seen here"
    assert INS not in written.out + written.err
    for answer in answers:
        # The form of the languages leads back to the address that the visitor wrote, and a printed page bears it.
        address = answer.request.url.raw_path.decode()
        unrepeated = answer.text.replace(f'value="{address}"', "").replace(f"<br>{address}</p>", "")
        assert INS not in unrepeated, answer.url
