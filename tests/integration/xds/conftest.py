"""One application with a small demonstration nation, and the software of its example author."""

import importlib.util
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from ambroise.modules.directory import api as directory
from ambroise.trust.context import Context, System
from tests.integration.record.conftest import patient_resource
from tests.support.database import TestDatabase
from tests.support.server import House, house_on
from tests.support.xds import Entry, Software

RPPS, FINESS = "01234567897", "750803447"
COLLEAGUE, OTHER_FINESS = "99700000013", "750803454"
STRANGER = "99700218896"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
LETTER = (EXAMPLES / "documents/letter.xml").read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house_on(module_database, tmp_path_factory.mktemp("house"), roles={"api"}) as house:
        await people(house)
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def author(house: House) -> Software:
    return await software(house, RPPS)


async def people(house: House) -> None:
    """The patient of the example documents, their author in his structure, and a colleague elsewhere."""
    services = house.services
    ctx = Context(System(), services.clock, channel="load", demonstration=True)
    async with services.database.transaction() as tx:
        await services.gateway.create(tx, ctx, patient_resource())
        for finess in (FINESS, OTHER_FINESS):
            place = directory.Structure(f"1{finess}", "Cabinet fictif", "SA07", city="Rennes", test_identity=True)
            await directory.register_structure(tx, ctx, services.gateway, place)
        for rpps, finess in ((RPPS, FINESS), (COLLEAGUE, OTHER_FINESS), (STRANGER, OTHER_FINESS)):
            entry = directory.ProfessionalEntry(rpps, "ESSAI", "Camille", "10", specialty="SM54", test_identity=True)
            await directory.register(tx, ctx, services.gateway, entry, (directory.Situation(f"1{finess}"),))


async def software(house: House, rpps: str) -> Software:
    """The software of a professional of the directory."""
    async with house.services.database.reader() as reader:
        return Software(house, await directory.professional(reader, rpps))


def letter(**changes: object) -> Entry:
    """The example letter under a new unique id, with the metadata that go with it."""
    oid = f"2.25.{uuid4().int}"
    pattern = re.compile(rb'(<ClinicalDocument.*?<id )root="[^"]+"', re.DOTALL)
    content = pattern.sub(rb'\1root="%s"' % oid.encode(), LETTER, count=1)
    return Entry(content, oid, **changes)  # type: ignore[arg-type]


def example_client(name: str, folder: str = "xds") -> Any:
    """A module of the examples."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{folder}/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
