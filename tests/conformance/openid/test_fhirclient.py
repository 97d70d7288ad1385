"""A SMART application on fhirclient, written by others, is opened on a patient and reads that one alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from ambroise.modules.identity.provider.api import ClientAuthentication
from ambroise.trust.context import Context, System
from tests.conformance.openid.conftest import Served, Talk
from tests.integration.oauth.conftest import PROTOCOL, Journey
from tests.integration.oauth.test_sharing import authorise
from tests.integration.record.conftest import patient_resource

SCOPES = "openid fhirUser launch patient/Patient.r patient/Condition.rs"


async def test_fhirclient_runs_the_ehr_launch_and_reads_the_patient(served: Served, node: Path) -> None:
    services, ctx = served.house.services, Context(System(), served.clock, demonstration=True)
    async with services.database.transaction() as tx:
        people = [
            (await services.gateway.create(tx, ctx, patient_resource(*ins))).key for ins in ((), ("124018852493334",))
        ]
        asthma = {"subject": {"reference": f"Patient/{people[0]}"}, "code": {"text": "Asthme"}}
        await services.gateway.create(tx, ctx, {"resourceType": "Condition", **asthma})
    for person in people:
        await authorise(served, person)
    tool = await served.client()
    token = (await served.tokens(served.browser(), Journey(tool)))["access_token"]
    given = {"scope": SCOPES, "other": str(people[1])}
    process = await asyncio.create_subprocess_exec(
        "node", str(node / "fhir.mjs"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        talk = Talk(process)
        home = f"http://127.0.0.1:{(await talk.hear())['port']}"
        app = await served.client(
            name="Courbes", launch_uri=f"{home}/launch", redirect_uris=(f"{home}/back",),
            authentication=ClientAuthentication.NONE, scopes=frozenset(SCOPES.split()),
        )  # fmt: skip
        await talk.say(client_id=app.client.id, **given)
        async with served.http(authorization=f"Bearer {token}") as http:
            asked = {"client_id": app.client.id, "patient": str(people[0])}
            made = (await http.post(PROTOCOL + "/ext/smart/launch", json=asked)).json()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as outside:
            sent = await outside.get(made["launch_url"])
            assert sent.status_code in (302, 303), sent.text
            assert urlsplit(sent.headers["location"]).netloc == urlsplit(served.address).netloc
            told = await outside.get(await served.walk(sent.headers["location"]))
        assert told.status_code == 200, told.text
    finally:
        process.kill()
        await process.communicate()
    heard = json.loads(told.text)
    assert heard["patient"]["id"] == str(people[0])
    assert [one["code"]["text"] for one in heard["conditions"]] == ["Asthme"]
    assert heard["user"].startswith("Practitioner/")
    assert heard["elsewhere"] == 404, "the other patient, whom the professional opens and the token does not"
