"""Carrying a context from one tool to another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.provider.api import Registered
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context, System
from tests.integration.oauth.conftest import RPPS, Journey, Nation
from tests.integration.record.conftest import PAT_TROIS, patient_resource

API = "/psc-context-sharing/api"


def bag(ins: str | None = PAT_TROIS, **ps: str) -> dict[str, Any]:
    patient = {"patient": {"patientINS": ins, "patientLastName": "PAT-TROIS"}} if ins else {}
    return {"ps": {"nationalId": "8" + RPPS, "professionCode": "10", **ps}, **patient}


@pytest.fixture
async def patient(nation: Nation) -> UUID:
    services = nation.house.services
    async with services.database.transaction() as tx:
        made = await services.gateway.create(
            tx, Context(System(), nation.clock, demonstration=True), patient_resource()
        )
    return made.key


async def authorise(nation: Nation, patient: UUID) -> None:
    citizen = Context(Citizen(patient, "Dominique Pat-Trois"), nation.clock, demonstration=True)
    async with nation.house.services.database.transaction() as tx:
        await nation.house.services.gateway.rights.authorise(tx, citizen, patient, Party("8" + RPPS, "Camille Fictif"))


async def put(nation: Nation, token: str, content: Any, schema: str = "patient-info") -> httpx.Response:
    async with nation.http(authorization=f"Bearer {token}") as http:
        return await http.put(f"{API}/share", json={"schemaId": schema, "bag": content})


async def get(nation: Nation, token: str, path: str = "/share") -> httpx.Response:
    async with nation.http(authorization=f"Bearer {token}") as http:
        return await http.get(API + path)


async def signed_in(nation: Nation, client: Registered, name: str = "Autre outil") -> tuple[str, str]:
    """Access tokens of one professional in two tools."""
    browser = nation.browser()
    one = await nation.tokens(browser, Journey(client))
    other = await nation.tokens(browser, Journey(await nation.client(name=name)))
    return one["access_token"], other["access_token"]


async def test_what_one_tool_shares_another_takes(nation: Nation, client: Registered, patient: UUID) -> None:
    await authorise(nation, patient)
    one, other = await signed_in(nation, client)
    assert (await get(nation, other)).status_code == 404
    kept = await put(nation, one, bag())
    assert kept.json() == {"psId": "8" + RPPS, "schemaId": "patient-info", "bag": bag()}
    assert (await get(nation, other)).json() == kept.json()
    structure = {"ps": {"nationalId": "8" + RPPS, "health_structure": {"structureTechnicalId": "1"}}}
    await put(nation, other, structure, "alt")
    assert (await get(nation, one)).json()["bag"] == structure, "one context each: the last one"
    events = [event for event, _, _ in await nation.traced()]
    assert events.count("context_shared") == 2
    assert events.count("context_read") == 2


async def test_a_patient_is_told_to_who_may_open_that_record_alone(
    nation: Nation, client: Registered, patient: UUID
) -> None:
    one, other = await signed_in(nation, client)
    assert (await put(nation, one, bag())).status_code == 200
    assert (await get(nation, other)).status_code == 403
    assert ("context_read", "8" + RPPS, 4) in await nation.traced()
    await authorise(nation, patient)
    assert (await get(nation, other)).status_code == 200


async def test_nobody_reads_or_writes_the_context_of_another(nation: Nation, client: Registered) -> None:
    one, _ = await signed_in(nation, client)
    await put(nation, one, bag(ins=None))
    browser = nation.browser()
    journey = Journey(client)
    await browser.get(journey.address())
    await browser.press("Recevoir une notification", identifiant="10000000020")
    await nation.approve("10000000020")
    await browser.click("J’ai répondu")
    await browser.press("Continuer")
    nurse = (await nation.redeem(journey, browser.back["code"])).json()["access_token"]
    assert (await get(nation, nurse)).status_code == 404
    assert (await put(nation, nurse, bag(ins=None))).status_code == 400, "ps.nationalId is somebody else"


async def test_a_context_ends_with_its_time_and_with_the_session(
    nation: Nation, client: Registered, clock: FixedClock
) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    await put(nation, tokens["access_token"], bag(ins=None))
    clock.move(timedelta(minutes=29))
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    tokens = (await nation.ask(fields, client)).json()
    assert (await get(nation, tokens["access_token"])).status_code == 200
    clock.move(timedelta(minutes=1))
    assert (await get(nation, tokens["access_token"])).status_code == 404
    await put(nation, tokens["access_token"], bag(ins=None))
    asked = await nation.provider.leaving.read({"id_token_hint": tokens["id_token"]})
    await nation.provider.leaving.leave(asked.session, None)
    async with nation.house.services.database.reader() as reader:
        assert await reader.fetch_value("select count(*) from shared_context") == 0
    assert (await get(nation, tokens["access_token"])).status_code == 401


@pytest.mark.parametrize(
    ("content", "schema"),
    [
        ({}, "patient-info"),
        ({"ps": {}}, "patient-info"),
        ({"ps": {"nationalId": "8" + RPPS, "extra": "x"}}, "patient-info"),
        ({"ps": {"nationalId": 8}}, "patient-info"),
        (bag(), "unknown"),
        (bag(), "alt"),
        ("text", "patient-info"),
        (bag(companyName="x" * 20_000), "patient-info"),
    ],
)
async def test_a_context_follows_its_schema(nation: Nation, client: Registered, content: Any, schema: str) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    assert (await put(nation, tokens["access_token"], content, schema)).status_code == 400


async def test_the_schemas_are_published_to_who_signed_in(nation: Nation, client: Registered) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    known = (await get(nation, tokens["access_token"], "/discovery")).json()
    assert [one["schemaId"] for one in known] == ["alt", "patient-info"]
    one = await get(nation, tokens["access_token"], "/discovery/patient-info")
    assert one.json()["schema"]["required"] == ["ps"]
    assert (await get(nation, tokens["access_token"], "/discovery/none")).status_code == 404
    assert (await get(nation, "x.y.z", "/discovery")).status_code == 401
    async with nation.http() as http:
        assert (await http.get(f"{API}/share")).status_code == 403


async def test_the_database_holds_no_ins_of_a_context(nation: Nation, client: Registered) -> None:
    tokens = await nation.tokens(nation.browser(), Journey(client))
    await put(nation, tokens["access_token"], bag())
    async with nation.house.services.database.reader() as reader:
        sealed = bytes(await reader.fetch_value("select bag from shared_context"))
    assert PAT_TROIS.encode() not in sealed
