"""The card over HTTP, as software of a professional reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from ambroise.interfaces.demonstration import loader
from ambroise.interfaces.token_claims import Role
from ambroise.modules.identity.api import Ins, identity_under
from ambroise.modules.vitale.api import Vitale
from ambroise.trust.context import Citizen, Context, Operator
from tests.integration.vitale.conftest import CODE, PASSPORT
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

INS = Ins("279035121518989", "1.2.250.1.213.1.4.10")
# A doctor whom the person never let in.
_STRANGER = """
select d.rpps
from directory_professional d
join directory_situation s on s.professional = d.id_nat
where d.profession = '10' and not exists (
  select from access_grant g where g.patient = %s and g.actor_id in (d.id_nat, s.organization))
order by d.rpps
limit 1
"""


@dataclass(frozen=True)
class Counter:
    """An instance, somebody's active card, and the software at the counter."""

    house: House
    person: UUID
    rpps: str

    @property
    def vitale(self) -> Vitale:
        return self.house.services.vitale

    @property
    def holder(self) -> Context:
        return Context(Citizen(self.person, "Ana"), self.house.services.clock, channel="web", demonstration=True)

    async def token(self, **details: Any) -> str:
        unlocked = await self.vitale.showings.unlock(self.holder, CODE)
        return (await self.vitale.showings.show(self.holder, unlocked.secret, **details)).token

    async def asked(self, path: str, sent: Any = None, *, token: str | None = None) -> httpx.Response:
        bearer = token or self.house.token(Role.PROFESSIONAL, rpps=self.rpps)
        transport = httpx.ASGITransport(app=self.house.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://test.example") as client:
            headers = {"authorization": f"Bearer {bearer}"}
            return await client.post(f"/vitale/v1/{path}", json=sent, headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def counter(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    async with house_on(module_database, tmp_path_factory.mktemp("counter")) as house:
        services = house.services
        doors = loader.Doors(services.database, services.gateway, services.record, services.identity, services.clock)
        await loader.load(doors, 1)
        async with services.database.reader() as reader:
            found = await identity_under(reader, INS)
            rpps = await reader.fetch_value(_STRANGER, (found.patient if found else None,))
        assert found is not None
        one = Counter(house, found.patient, rpps)
        await one.vitale.cards.request(one.holder, PASSPORT)
        desk = Context(Operator("desk", "Guichet", frozenset({"identity"})), house.services.clock, demonstration=True)
        ((check, _),) = await one.vitale.cards.queue(desk)
        await one.vitale.cards.accept(desk, check.id, document_seen=True, person_seen=True)
        await one.vitale.cards.choose_code(one.holder, CODE)
        yield one


async def test_software_reads_a_card_and_gets_identity_ins_rights_and_a_receipt(counter: Counter) -> None:
    answer = await counter.asked("verifications", {"token": await counter.token()})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["ins"]["matricule"]
    assert said["identity"]["birthName"]
    assert said["rights"]["source"] == "demonstration"
    assert "access" not in said
    assert answer.headers["cache-control"] == "no-store"
    assert said["receipt"] in {str(one.id) for one in await counter.vitale.showings.receipts(counter.holder)}


async def test_software_gets_a_precise_refusal(counter: Counter) -> None:
    token = await counter.token()
    assert (await counter.asked("verifications", {"token": token})).status_code == 200
    again = await counter.asked("verifications", {"token": token})
    assert (again.status_code, again.json()["code"]) == (409, "VITALE_TOKEN_REPLAYED")
    for poor in ({}, {"token": 1}, {"token": token, "medium": "eyes"}, []):
        refused = await counter.asked("verifications", poor)
        assert (refused.status_code, refused.json()["code"]) == (400, "VITALE_REQUEST")


async def test_nobody_but_a_professional_reads_a_card(counter: Counter) -> None:
    token = await counter.token()
    for role, claims in ((Role.CITIZEN, {"patient": counter.person}), (Role.SYSTEM, {}), (Role.OPERATOR, {})):
        bearer = counter.house.token(role, **claims)
        refused = await counter.asked("verifications", {"token": token}, token=bearer)
        assert (refused.status_code, refused.json()["code"]) == (403, "VITALE_READER_UNKNOWN")
    assert (await counter.asked("verifications", {"token": token}, token="nothing")).status_code == 401
    assert (await counter.asked("verifications", {"token": token}, token=token)).status_code == 401


async def test_a_card_that_opens_the_record_opens_it_to_that_professional_alone(counter: Counter) -> None:
    async def seen() -> int:
        async with counter.house.client(Role.PROFESSIONAL, rpps=counter.rpps) as client:
            answer = await client.get("DocumentReference", params={"patient": f"Patient/{counter.person}"})
            return int(answer.json().get("total", 0)) if answer.status_code == 200 else 0

    assert await seen() == 0
    said = (await counter.asked("verifications", {"token": await counter.token(opens=True)})).json()
    assert said["access"]["patient"] == str(counter.person)
    assert await seen() > 0


async def test_a_contactless_reader_asks_a_challenge_first(counter: Counter) -> None:
    challenge = (await counter.asked("challenges")).json()["challenge"]
    token = await counter.token(reader=UUID(hex=challenge))
    wrong = await counter.asked("verifications", {"token": token})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "VITALE_WRONG_READER")
    assert (await counter.asked("verifications", {"token": token, "medium": "nfc"})).status_code == 200
