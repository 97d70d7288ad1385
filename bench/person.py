"""One citizen in a database of their own, for the measures that look at one record only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import SystemClock
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs
from ambroise.modules.identity.api import on_patient_created
from ambroise.modules.record.api import Record, own_types
from ambroise.trust.context import Citizen, Context, System
from ambroise.trust.gateway import Gateway, PageSeal

_PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}],
    "name": [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
    "gender": "female",
    "birthDate": "1979-03-28",
}


class Person(Struct, frozen=True):
    """A citizen at their portal, and what their record stands on."""

    database: Database
    gateway: Gateway
    record: Record
    patient: UUID
    ctx: Context


@asynccontextmanager
async def person(dsn: str, blobs: Blobs | None = None) -> AsyncIterator[Person]:
    """A person made in the migrated database at `dsn`; `blobs`: where the files of the record go, if it gets any."""
    clock, database = SystemClock(), await Database.open(dsn, slots=4)
    gateway = Gateway(database, clock, blobs=blobs, pages=PageSeal(b"k" * 32))
    try:
        record = Record(gateway)
        own_types(record, gateway)
        gateway.on_patient_created = on_patient_created
        async with database.transaction() as tx:
            await gateway.prepare(tx)
            made = await gateway.create(tx, Context(System(), clock, demonstration=True), _PATIENT)
        ctx = Context(Citizen(made.key, "Dominique Pat-Trois"), clock, channel="web", demonstration=True)
        yield Person(database, gateway, record, made.key, ctx)
    finally:
        await gateway.close()
        await database.close()
