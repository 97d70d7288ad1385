"""The registry of identities behind its door."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs, open_store
from ambroise.modules.identity.api import IdentityDesk, on_patient_created, on_patient_updated
from ambroise.trust.context import Context, Operator, Professional, System
from ambroise.trust.gateway import Gateway, PageSeal

TEST_OID = "1.2.250.1.213.1.4.10"
PAT_TROIS = "279035121518989"


@dataclass(frozen=True)
class Registry:
    """One instance: its door, the desk of identities, and one person who has a space."""

    database: Database
    gateway: Gateway
    desk: IdentityDesk
    clock: FixedClock
    patient: UUID

    def context(self, actor: Any) -> Context:
        return Context(actor, self.clock, demonstration=True)

    @property
    def system(self) -> Context:
        return self.context(System())

    @property
    def operator(self) -> Context:
        return self.context(Operator("desk-1", "Guichet des identités", frozenset({"identity"})))

    @property
    def doctor(self) -> Context:
        return self.context(Professional("899700218896", "99700218896", "Dr Essai", "10", organization="1750803447"))

    async def open(self, matricule: str, **details: Any) -> UUID:
        async with self.database.transaction() as tx:
            return (await self.gateway.create(tx, self.system, person(matricule, **details))).key


def person(matricule: str = PAT_TROIS, **details: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": f"urn:oid:{TEST_OID}", "value": matricule}],
        "name": [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
        "gender": "female",
        "birthDate": "1979-03-28",
        **details,
    }


@pytest.fixture
async def registry(database: Database, clock: FixedClock, tmp_path: Path) -> AsyncIterator[Registry]:
    keys = DataKeys(MasterKeys.open(tmp_path / "master.key", create=True))
    blobs = Blobs(keys, open_store(f"file://{tmp_path}/objects"))
    gateway = Gateway(database, clock, blobs=blobs, pages=PageSeal(b"k" * 32))
    gateway.on_patient_created = on_patient_created
    gateway.on_patient_updated = on_patient_updated
    async with database.transaction() as tx:
        stored = await gateway.create(tx, Context(System(), clock, demonstration=True), person())
    yield Registry(database, gateway, IdentityDesk(gateway), clock, stored.key)
    await gateway.close()
