"""The same served instance as the FHIR clients have, with the test identities and a professional."""

from collections.abc import AsyncIterator

import pytest_asyncio

from ambroise.kernel.clock import SystemClock
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import add_insi_people
from ambroise.trust.context import Context, System
from tests.conformance.fhir_clients.conftest import Served, served

__all__ = ["served"]

RPPS = "99700218896"
BUSY = "99700000013"
"""Somebody who calls more than the others, so that the others are not made to wait."""
MANY = "99700000104"
"""Somebody who verifies many at once."""
FINESS = "750803447"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def insi(served: Served) -> AsyncIterator[Served]:
    services = served.house.services
    ctx = Context(System(), SystemClock(), channel="load", demonstration=True)
    async with services.database.transaction() as tx:
        add_insi_people(tx)
        place = directory.Structure(f"1{FINESS}", "Cabinet fictif", "SA07", city="Tours", test_identity=True)
        await directory.register_structure(tx, ctx, services.gateway, place)
        for rpps in (RPPS, BUSY, MANY):
            doctor = directory.ProfessionalEntry(rpps, "ESSAI", "Camille", "10", specialty="SM54", test_identity=True)
            await directory.register(tx, ctx, services.gateway, doctor, (directory.Situation(f"1{FINESS}"),))
    yield served
