"""Software opened on a patient: SMART App Launch, and how far its tokens go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.provider.api import Registered
from ambroise.trust.context import Context, System
from tests.integration.oauth.conftest import ADDRESS, PROTOCOL, REALM, Journey, Nation
from tests.integration.oauth.test_portal import back_from
from tests.integration.oauth.test_sharing import authorise, bag, put
from tests.integration.record.conftest import patient_resource

BASE = f"{ADDRESS}/fhir"
OTHER_INS = "124018852493334"
SCOPES = "openid fhirUser launch patient/Patient.r patient/Condition.rs"


@dataclass
class Ward:
    """Two patients whose records the professional opens, a tool that he works with, and another to open."""

    nation: Nation
    tool: Registered
    app: Registered
    patient: UUID
    other: UUID
    conditions: dict[UUID, str]

    async def token(self) -> str:
        return (await self.nation.tokens(self.nation.browser(), Journey(self.tool)))["access_token"]

    async def launch(self, token: str, patient: UUID | None = None, **more: Any) -> httpx.Response:
        async with self.nation.http(authorization=f"Bearer {token}") as http:
            sent = {"client_id": self.app.client.id, "patient": str(patient or self.patient), **more}
            return await http.post(PROTOCOL + "/ext/smart/launch", json=sent)

    async def opened(self, **changes: Any) -> dict[str, Any]:
        """The token answer of the app, opened on the patient."""
        launch = (await self.launch(await self.token())).json()["launch"]
        asked = {"scope": SCOPES, "aud": BASE, "launch": launch, "nonce": None, "acr_values": None, **changes}
        return await self.nation.tokens(self.nation.browser(), Journey(self.app), **asked)

    async def fhir(self, token: str, path: str) -> httpx.Response:
        async with self.nation.http(authorization=f"Bearer {token}") as http:
            return await http.get(f"/fhir/{path}")


@pytest.fixture
async def ward(nation: Nation, client: Registered) -> Ward:
    services, conditions = nation.house.services, dict[UUID, str]()
    ctx = Context(System(), nation.clock, demonstration=True)
    async with services.database.transaction() as tx:
        people = [(await services.gateway.create(tx, ctx, patient_resource(*ins))).key for ins in ((), (OTHER_INS,))]
        for person in people:
            condition = {
                "resourceType": "Condition",
                "subject": {"reference": f"Patient/{person}"},
                "code": {"text": "Asthme"},
            }
            conditions[person] = (await services.gateway.create(tx, ctx, condition)).id
    for person in people:
        await authorise(nation, person)
    app = await nation.client(
        name="Courbes", launch_uri="https://app.example/launch",
        scopes=frozenset({"openid", "fhirUser", "launch", "launch/patient", "patient/*.rs", "user/Practitioner.rs"}),
    )  # fmt: skip
    return Ward(nation, client, app, people[0], people[1], conditions)


async def test_what_is_published_of_smart_is_what_the_provider_does(nation: Nation) -> None:
    async with nation.http() as http:
        known = (await http.get("/fhir/.well-known/smart-configuration")).json()
        discovered = (await http.get(f"{REALM}/.well-known/openid-configuration")).json()
    assert known["issuer"] == REALM
    assert known["code_challenge_methods_supported"] == ["S256"]
    assert {"launch-ehr", "context-ehr-patient", "permission-v2"} <= set(known["capabilities"])
    assert all(discovered[name] == known[name] for name in ("token_endpoint", "jwks_uri", "scopes_supported"))


async def test_software_opened_on_a_patient_is_told_which_and_reads_that_one_alone(ward: Ward) -> None:
    answer = await ward.opened()
    assert answer["patient"] == str(ward.patient)
    assert answer["need_patient_banner"] is True
    assert answer["scope"] == SCOPES
    keys = ward.nation.provider.ground.jose.jwks()
    user = jwt.decode(answer["id_token"], KeySet.import_key_set(keys), algorithms=["ES256"]).claims["fhirUser"]
    assert user.startswith(f"{BASE}/Practitioner/")
    token = answer["access_token"]
    assert (await ward.fhir(token, f"Patient/{ward.patient}")).status_code == 200
    assert (await ward.fhir(token, f"Condition/{ward.conditions[ward.patient]}")).status_code == 200
    # The professional opens the other record; the token does not.
    assert (await ward.fhir(await ward.token(), f"Patient/{ward.other}")).status_code == 200
    for path in (f"Patient/{ward.other}", f"Condition/{ward.conditions[ward.other]}"):
        assert (await ward.fhir(token, path)).status_code == 404, path
    for path in ("Condition", f"Condition?patient={ward.other}", f"Condition?subject:Patient.identifier={OTHER_INS}"):
        found = await ward.fhir(token, path)
        ids = [one["resource"]["id"] for one in found.json().get("entry", []) if found.status_code == 200]
        assert ward.conditions[ward.other] not in ids, path
    assert len((await ward.fhir(token, "Condition")).json()["entry"]) == 1
    # Types that no scope names, by themselves or beside others; a letter that is missing.
    for path in ("Observation", "Patient?_id=x", f"Condition/{ward.conditions[ward.patient]}/_history/x", "_history"):
        found = await ward.fhir(token, path)
        assert found.status_code in (403, 404), path
    found = await ward.fhir(
        token, f"Condition?patient={ward.patient}&_revinclude=Provenance:target&_include=Condition:asserter"
    )
    assert found.status_code == 200, found.text
    traced = [event for event, _, _ in await ward.nation.traced()]
    assert "launch_issued" in traced


async def test_a_launch_is_good_once_for_one_professional_one_software_and_some_minutes(
    ward: Ward, clock: FixedClock
) -> None:
    nation, token = ward.nation, await ward.token()
    made = (await ward.launch(token)).json()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(made["launch_url"]).query).items()}
    assert made["launch_url"].startswith("https://app.example/launch?")
    assert asked == {"iss": BASE, "launch": made["launch"]}
    request = {"scope": SCOPES, "aud": BASE, "launch": made["launch"]}
    thief = await nation.client(name="Autre", scopes=ward.app.client.scopes)
    browser = nation.browser()
    with pytest.raises(KeyError):
        await nation.sign_in(browser, Journey(thief), **request)
    assert browser.back["error"] == "invalid_request"
    await nation.tokens(browser, Journey(ward.app), **request)
    with pytest.raises(KeyError):
        await nation.sign_in(browser, Journey(ward.app), **request)
    assert browser.back["error"] == "invalid_request", "used"
    late = (await ward.launch(token)).json()["launch"]
    clock.move(timedelta(minutes=6))
    with pytest.raises(KeyError):
        await nation.sign_in(browser, Journey(ward.app), **{**request, "launch": late})
    assert browser.back["error"] == "invalid_request", "late"
    stranger = await ward.launch(await ward.token(), UUID(int=7))
    assert stranger.status_code == 403
    assert stranger.json()["error_description"] == "This professional may not open that patient's record."


STANDALONE = {"scope": "openid launch/patient patient/Condition.rs", "aud": BASE}


async def test_software_that_starts_by_itself_follows_the_patient_who_is_carried(ward: Ward) -> None:
    browser = ward.nation.browser()
    tool = await ward.nation.tokens(browser, Journey(ward.tool))
    await put(ward.nation, tool["access_token"], bag())
    answer = await ward.nation.tokens(browser, Journey(ward.app), **STANDALONE)
    assert answer["patient"] == str(ward.patient)
    assert len((await ward.fhir(answer["access_token"], "Condition")).json()["entry"]) == 1


async def test_the_professional_chooses_on_whom_software_that_starts_by_itself_opens(ward: Ward) -> None:
    nation, browser, journey = ward.nation, ward.nation.browser(), Journey(ward.app)
    await nation.tokens(browser, Journey(ward.tool))
    await browser.get(journey.address(**STANDALONE))
    agreement = browser.address
    # Nobody chooses before having agreed.
    await browser.get(agreement.replace("/accord", "/patient"))
    assert browser.address == agreement
    await browser.press("Continuer", situation="0")
    assert "Pour quel patient ?" in browser.words
    assert "Patients qui vous ont donné leur accord" in browser.words
    await browser.press("Chercher", nom="PERSONNE")
    assert (browser.status, "Donnez l’INS, ou bien le nom" in browser.words) == (422, True)
    await browser.press("Chercher", nom="PERSONNE", prenom="AUCUNE", naissance="1990-01-01", sexe="female")
    assert "Aucun patient ne correspond" in browser.words
    # An exact search names anybody; the rules say on whom one may open.
    async with nation.house.services.database.transaction() as tx:
        await tx.execute("delete from access_grant where patient = %s", (ward.other,))
    await browser.press("Chercher", ins=OTHER_INS)
    await browser.press("Choisir")
    assert browser.status == 403
    assert "Cette personne n’a pas encore donné son accord." in browser.words
    async with nation.house.services.database.reader() as reader:
        refused = "select count(*) from trace where patient = %s and outcome <> 0 and actor_kind = 'professional'"
        assert await reader.fetch_value(refused, (ward.other,)) > 0, "the person sees the attempt"
    await browser.press("Choisir")
    answer = (await nation.redeem(journey, browser.back["code"])).json()
    assert answer["patient"] == str(ward.patient)
    assert len((await ward.fhir(answer["access_token"], "Condition")).json()["entry"]) == 1
    # The next time the agreement is known, the patient is asked again; without a page nobody can say.
    await browser.get(journey.address(**STANDALONE))
    await browser.press("Refuser")
    assert browser.back["error"] == "access_denied"
    await browser.get(journey.address(**STANDALONE, prompt="none"))
    assert browser.back["error"] == "interaction_required"


async def test_what_is_asked_is_checked(ward: Ward) -> None:
    for changes, error in (
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"scope": "openid launch patient/Condition.cruds"}, "invalid_scope"),
        ({"scope": "openid launch patient/Chose.rs"}, "invalid_scope"),
        ({"scope": "openid patient/Condition.rs"}, "invalid_scope"),
        ({"launch": None}, "invalid_request"),
    ):
        asked = {"scope": SCOPES, "aud": BASE, "launch": "x" * 43, **changes}
        browser = ward.nation.browser()
        with pytest.raises(KeyError):
            await ward.nation.sign_in(browser, Journey(ward.app), **asked)
        assert browser.back["error"] == error, changes


async def test_no_way_makes_more_of_a_token_of_a_launch(ward: Ward) -> None:
    answer = await ward.opened()
    fields = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "scope": "openid"}
    narrowed = (await ward.nation.ask(fields, ward.app)).json()
    assert narrowed["patient"] == str(ward.patient)
    for path in ("Condition", f"Patient/{ward.patient}", f"Condition/{ward.conditions[ward.patient]}"):
        assert (await ward.fhir(narrowed["access_token"], path)).status_code == 403, path
    for token in (answer["access_token"], narrowed["access_token"]):
        assert (await put(ward.nation, token, bag())).status_code == 403
        assert (await ward.launch(token)).status_code == 403
        async with ward.nation.http(authorization=f"Bearer {token}") as http:
            assert (await http.get("/annuaire/fhir/Practitioner")).status_code in (403, 404)
            created = await http.post("/fhir/Condition", json={"resourceType": "Condition"})
            assert created.status_code == 403
            sent = {"resourceType": "Bundle", "type": "batch", "entry": [
                {"request": {"method": "GET", "url": f"Patient/{ward.other}"}},
                {"request": {"method": "GET", "url": "Observation"}},
                {"request": {"method": "DELETE", "url": f"Condition/{ward.conditions[ward.patient]}"}},
            ]}  # fmt: skip
            batch = await http.post("/fhir", json=sent)
        assert {one["response"]["status"][:3] for one in batch.json()["entry"]} <= {"403", "404"}
    known = await ward.nation.ask({"token": answer["access_token"]}, ward.app, "/token/introspect")
    assert (known.json()["active"], known.json()["patient"]) == (True, str(ward.patient))


async def test_a_professional_opens_a_software_from_the_page_of_a_patient(ward: Ward) -> None:
    browser = ward.nation.browser()
    await browser.get(await back_from(ward.nation, browser))
    await browser.get(f"/pro/patients/{ward.patient}")
    await browser.click("Ouvrir dans un autre logiciel")
    assert "Courbes" in browser.words
    assert "Logiciel Inventé" not in browser.words, "it opens on nobody"
    await browser.press("Ouvrir : Courbes")
    assert browser.address.startswith("https://app.example/launch?")
    journey = Journey(ward.app)
    await browser.get(journey.address(scope=SCOPES, aud=BASE, launch=browser.back["launch"]))
    assert "Le patient dont vous ouvrez le dossier" in browser.words
    assert "Lire ce que vous pouvez lire de ce patient : Patient, Condition" in browser.words
    await browser.press("Continuer", situation="1")
    answer = (await ward.nation.redeem(journey, browser.back["code"])).json()
    assert answer["patient"] == str(ward.patient)
