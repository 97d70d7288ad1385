"""A record behind its door, with people around it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs, open_store
from ambroise.modules.identity.api import on_patient_created, on_patient_updated
from ambroise.modules.record.api import Incoming, Record, Submission, Submitted, own_types
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context, Operator, Professional, System
from ambroise.trust.gateway import Gateway, PageSeal

TEST_OID = "1.2.250.1.213.1.4.10"
PAT_TROIS = "279035121518989"


@dataclass(frozen=True)
class World:
    """One instance: its door, its record, the contexts of the people in it."""

    database: Database
    gateway: Gateway
    record: Record
    clock: FixedClock
    patient: UUID

    def context(self, actor: Any, **details: Any) -> Context:
        return Context(actor, self.clock, demonstration=True, **details)

    @property
    def system(self) -> Context:
        return self.context(System())

    @property
    def citizen(self) -> Context:
        return self.context(Citizen(self.patient, "Dominique Pat-Trois"))

    @property
    def author(self) -> Context:
        return self.context(doctor("801234567897", "Charles Muller"))

    @property
    def operator(self) -> Context:
        return self.context(Operator("desk-1", "Guichet", frozenset({"rectification"})))

    def professional(self, number: int = 1, **details: Any) -> Context:
        return self.context(doctor(f"81000000000{number}", f"Dr {number}"), **details)

    async def authorise(self, ctx: Context) -> None:
        assert isinstance(ctx.actor, Professional)
        async with self.database.transaction() as tx:
            await self.gateway.rights.authorise(tx, self.citizen, self.patient, Party.of(ctx.actor))

    async def create_space(self, matricule: str) -> UUID:
        async with self.database.transaction() as tx:
            return (await self.gateway.create(tx, self.system, patient_resource(matricule))).key

    async def submit(self, ctx: Context, content: bytes, metadata: Any = None, **details: Any) -> Submitted:
        async with self.database.transaction() as tx:
            return await self.record.submit(tx, ctx, Submission((Incoming(content, None, metadata, **details),)))


def doctor(id: str, name: str, **details: Any) -> Professional:
    made = Professional(id, id[1:], name, "10", organization="1750803447", organization_name="Cabinet")
    return replace(made, **details)


def patient_resource(matricule: str = PAT_TROIS, **details: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": f"urn:oid:{TEST_OID}", "value": matricule}],
        "name": [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
        "gender": "female",
        "birthDate": "1979-03-28",
        **details,
    }


@pytest.fixture
async def world(database: Database, clock: FixedClock, tmp_path: Path) -> AsyncIterator[World]:
    keys = DataKeys(MasterKeys.open(tmp_path / "master.key", create=True))
    blobs = Blobs(keys, open_store(f"file://{tmp_path}/objects"))
    gateway = Gateway(database, clock, blobs=blobs, pages=PageSeal(b"k" * 32))
    record = Record(gateway)
    own_types(record, gateway)
    gateway.on_patient_created = on_patient_created
    gateway.on_patient_updated = on_patient_updated
    async with database.transaction() as tx:
        stored = await gateway.create(tx, Context(System(), clock, demonstration=True), patient_resource())
    yield World(database, gateway, record, clock, stored.key)
    await gateway.close()
