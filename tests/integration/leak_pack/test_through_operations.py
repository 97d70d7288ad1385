"""The leak pack through each operation of the FHIR interface: something hidden is answered as something that never was.

The control: the same request by who sees it is answered otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces.token_claims import Role
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.ids import new_id, shard_of
from ambroise.trust.access.people import Party
from ambroise.trust.context import Professional
from tests.integration.leak_pack.record import AUTHOR, NURSE_VIEWER, VIEWER, Secrets, helped, helper_of, write_secrets
from tests.integration.leak_pack.test_through_rest import register
from tests.integration.trust.people import World, professional
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/fhir+json"
NAMED = "urn:test:lab|WORD"
STRANGER = professional(4)
PATCH = [{"op": "replace", "path": "/status", "value": "final"}]


class Asked(Struct, frozen=True):
    """A request about something; `ID` and `WORD` stand for what names it, `PATIENT` for whose it is."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = {}


def observation(**more: Any) -> dict[str, Any]:
    """A result that the caller writes."""
    code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
    subject = {"reference": "Patient/PATIENT"}
    return {"resourceType": "Observation", "status": "final", "code": code, "subject": subject, **more}


def bundle(kind: str, method: str, url: str, resource: Any = None) -> dict[str, Any]:
    entry = {"request": {"method": method, "url": url}} | ({"resource": resource} if resource else {})
    return {"resourceType": "Bundle", "type": kind, "entry": [entry]}


ASKED: Mapping[str, Asked] = {
    "read": Asked("GET", "Observation/ID"),
    "head": Asked("HEAD", "Observation/ID"),
    "read if changed": Asked("GET", "Observation/ID", headers={"if-none-match": 'W/"1"'}),
    "vread": Asked("GET", "Observation/ID/_history/1"),
    "history": Asked("GET", "Observation/ID/_history"),
    "conditional create": Asked("POST", "Observation", observation(), {"if-none-exist": f"identifier={NAMED}"}),
    "conditional patch": Asked("PATCH", f"Observation?identifier={NAMED}", PATCH),
    "conditional delete": Asked("DELETE", f"Observation?identifier={NAMED}"),
    "a reference to it": Asked("POST", "Observation", observation(derivedFrom=[{"reference": "Observation/ID"}])),
    "a conditional reference": Asked(
        "POST",
        "",
        bundle(
            "transaction",
            "POST",
            "Observation",
            observation(derivedFrom=[{"reference": f"Observation?identifier={NAMED}"}]),
        ),
    ),
    "validate": Asked("POST", "Observation/ID/$validate", observation(id="ID")),
    "batch read": Asked("POST", "", bundle("batch", "GET", "Observation/ID")),
    "transaction read": Asked("POST", "", bundle("transaction", "GET", "Observation/ID")),
    "search of several types": Asked("GET", f"?_type=Observation,DocumentReference&identifier={NAMED}"),
    "count of several types": Asked("GET", f"?_type=Observation&identifier={NAMED}&_summary=count"),
    "count": Asked("GET", f"Observation?identifier={NAMED}&_summary=count"),
    "total": Asked("GET", f"Observation?identifier={NAMED}&_total=accurate&_count=0"),
    "search by post": Asked("POST", "Observation/_search", f"identifier={NAMED}"),
    "patch": Asked("PATCH", "Observation/ID", PATCH),
    "conditional update": Asked("PUT", f"Observation?identifier={NAMED}", observation()),
    "delete of a version": Asked("DELETE", "Observation/ID", headers={"if-match": 'W/"7"'}),
    "batch delete": Asked("POST", "", bundle("batch", "DELETE", "Observation/ID")),
    "update": Asked("PUT", "Observation/ID", observation(id="ID")),
    "update of a version": Asked("PUT", "Observation/ID", observation(id="ID"), {"if-match": 'W/"7"'}),
}
ALIKE = {"conditional delete", "a reference to it", "validate"}
"""What is answered the same whether it is there or not, to everybody."""
OPERATIONS = {"validate", "summary", "generate-metadata", "import-xdm", "export-xdm", "record-consent"}
"""What the capability statement offers: `$validate` is asked above, the two of XDM in `test_through_xds.py`, the
summary and the consents below; `$generate-metadata` writes and answers with what was written."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    clock = FixedClock(datetime(2026, 3, 14, 9, 30, tzinfo=UTC))
    folder = tmp_path_factory.mktemp("operations")
    async with house_on(module_database, folder, clock=clock, roles={"api"}) as house:
        for who in (AUTHOR, VIEWER, NURSE_VIEWER, STRANGER):
            await register(house, who)
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secrets(house: House) -> Secrets:
    clock = house.services.clock
    assert isinstance(clock, FixedClock)
    return await write_secrets(World(house.services.gateway, house.services.database, clock))


def caller(house: House, who: Professional) -> httpx.AsyncClient:
    return house.client(Role.PROFESSIONAL, rpps=who.rpps)


async def asked(client: httpx.AsyncClient, one: Asked, patient: str, id: str, word: str) -> tuple[int, str]:
    """What the answer says, but for ids, instants and what was asked."""

    def filled(text: str) -> str:
        return text.replace("PATIENT", patient).replace("ID", id).replace("WORD", word)

    content = one.body if isinstance(one.body, str) else json.dumps(one.body) if one.body else None
    sort = "application/x-www-form-urlencoded" if isinstance(one.body, str) else JSON
    if one.method == "PATCH":
        sort = "application/json-patch+json"
    answer = await client.request(
        one.method,
        filled(one.path),
        content=filled(content) if content else None,
        headers={"content-type": sort, **{name: filled(value) for name, value in one.headers.items()}},
    )
    text = answer.text.replace(id, "ID").replace(word, "WORD")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "KEY", text)
    return answer.status_code, re.sub(r"20\d\d-\d\d-\d\dT[^\"]+", "WHEN", text)


async def test_something_hidden_is_answered_as_nothing_and_nothing_is_done_to_it(
    house: House, secrets: Secrets
) -> None:
    hidden, patient = secrets.hidden_result.partition("/")[2], str(secrets.patient)
    nothing = str(new_id(shard_of(secrets.patient)))
    seen: dict[str, tuple[int, str]] = {}
    async with (
        caller(house, VIEWER) as viewer,
        caller(house, STRANGER) as stranger,
        caller(house, AUTHOR) as author,
    ):
        before = await author.get(f"Observation/{hidden}")
        for name, one in ASKED.items():
            seen[name] = await asked(viewer, one, patient, hidden, "SECRET-1")
            assert seen[name] == await asked(viewer, one, patient, nothing, "SECRET-2"), name
            shut = await asked(stranger, one, patient, hidden, "SECRET-1")
            assert shut == await asked(stranger, one, patient, nothing, "SECRET-2"), f"{name}, without authorisation"
        assert (await author.get(f"Observation/{hidden}")).content == before.content
        for name, one in ASKED.items():
            if name not in ALIKE:
                assert await asked(author, one, patient, hidden, "SECRET-1") != seen[name], f"the control of {name}"


async def test_a_summary_is_refused_to_who_may_not_see_the_record_as_to_who_asks_for_nobody(
    house: House, secrets: Secrets
) -> None:
    nobody, patient, rights = new_id(shard_of(secrets.patient)), secrets.patient, house.services.gateway.rights
    carer = await helped(secrets, "carer", "see")
    acting = {"patient": helper_of(carer), "acting_for": str(patient)}
    async with house.client(Role.CITIZEN, **acting) as helping, caller(house, NURSE_VIEWER) as nurse:
        for allowed in (helping, nurse):
            assert (await allowed.get(f"Patient/{patient}/$summary")).status_code == 200, "the control"
        async with house.services.database.transaction() as tx:
            await rights.end_relation(tx, secrets.knower, patient, helper_of(carer), "carer")
            await rights.block(tx, secrets.knower, patient, Party.of(NURSE_VIEWER))
        ended, blocked = [await one.get(f"Patient/{patient}/$summary") for one in (helping, nurse)]
        unknown = await helping.get(f"Patient/{nobody}/$summary")
        assert (ended.status_code, ended.json()) == (404, unknown.json())
        assert blocked.status_code in (403, 404)
        assert 'resourceType":"Bundle' not in blocked.text


async def test_each_operation_that_is_offered_is_in_the_leak_pack(house: House) -> None:
    async with house.client(None) as anybody:
        said = (await anybody.get("metadata")).json()["rest"][0]
    offered = {one["name"] for one in said.get("operation", ())}
    offered |= {one["name"] for each in said["resource"] for one in each.get("operation", ())}
    assert offered == OPERATIONS


def consent(sort: str, *others: Professional) -> dict[str, Any]:
    system = "urn:oid:1.2.250.1.71.4.2.1"
    named = [{"name": "professional", "valueIdentifier": {"system": system, "value": one.id}} for one in others]
    return {"resourceType": "Parameters", "parameter": [{"name": "for", "valueCode": sort}, *named]}


async def test_a_consent_recorded_for_another_opens_to_nobody_whom_the_patient_blocked_and_tells_nobody(
    house: House, secrets: Secrets
) -> None:
    patient, rights = secrets.other, house.services.gateway.rights
    holder = secrets.world.citizen(patient)
    async with caller(house, VIEWER) as viewer, caller(house, NURSE_VIEWER) as nurse:

        async def record(who: httpx.AsyncClient, sort: str, *others: Professional) -> httpx.Response:
            content, headers = json.dumps(consent(sort, *others)), {"content-type": JSON}
            return await who.post(f"Patient/{patient}/$record-consent", content=content, headers=headers)

        async def reads(who: httpx.AsyncClient) -> bool:
            return (await who.get(secrets.elsewhere)).status_code == 200

        assert (await record(viewer, "another", NURSE_VIEWER)).status_code == 403, (
            "who does not read vouches for nobody"
        )
        assert (await record(viewer, "own")).status_code == 200
        assert await reads(viewer)
        async with house.services.database.transaction() as tx:
            await rights.block(tx, holder, patient, Party.of(NURSE_VIEWER))
        told = await record(viewer, "another", NURSE_VIEWER)
        assert not await reads(nurse)
        async with house.services.database.transaction() as tx:
            await rights.unblock(tx, holder, patient, Party.of(NURSE_VIEWER))
        again = await record(viewer, "another", NURSE_VIEWER)
        assert (told.status_code, told.json()) == (200, again.json()), "a block is told to nobody"
        assert await reads(nurse), "the control"
        async with house.services.database.transaction() as tx:
            for one in (VIEWER, NURSE_VIEWER):
                await rights.revoke(tx, holder, patient, Party.of(one))
        assert (await record(viewer, "own")).status_code == 200
        assert (await record(viewer, "team", NURSE_VIEWER)).status_code == 200
        assert await reads(nurse)
        for sort, others, code in (
            ("own", [AUTHOR], "PARAMETER_MISSING"),
            ("another", [], "PARAMETER_MISSING"),
            ("tout", [], "PARAMETER_MALFORMED"),
            ("another", [replace(AUTHOR, id="899700009999")], "NO_SUCH_PERSON"),
            ("another", [VIEWER], "CONSENT_FOR_ONESELF"),
        ):
            refused = (await record(viewer, sort, *others)).json()
            assert refused["issue"][0]["details"]["coding"][0]["code"] == code
        async with house.client(Role.CITIZEN, patient=patient) as citizen:
            assert (await record(citizen, "own")).status_code == 403
        async with house.services.database.transaction() as tx:
            for one in (VIEWER, NURSE_VIEWER):
                await rights.revoke(tx, holder, patient, Party.of(one))
