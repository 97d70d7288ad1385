"""An instance with one person of each portal, and browsers that do not follow what they are told."""

from __future__ import annotations

import importlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from lxml import html
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from ambroise.modules.identity.api import AccountKind, NewAccount, Situation, hash_password
from tests.integration.fhir_rest.people import patient
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

ADDRESS = "https://test.example"
PASSWORD = "quatre bateaux verts"
NAMES = {
    AccountKind.CITIZEN: "ana@exemple.fr",
    AccountKind.PROFESSIONAL: "810000000001",
    AccountKind.OPERATOR: "guichet@exemple.fr",
}


@dataclass(frozen=True)
class Page:
    """One route of the portals, with an address that it answers."""

    path: str
    methods: frozenset[str]

    @property
    def address(self) -> str:
        filled = re.sub(r"\{\w+:int\}", "1", self.path)
        for part in ("id", "patient", "name"):
            filled = filled.replace("{" + part + "}", str(uuid4()))
        return filled


@dataclass(frozen=True)
class Target:
    """The instance under attack."""

    house: House
    accounts: dict[AccountKind, UUID]
    space: UUID

    def browser(self, *, host: str = ADDRESS, **headers: str) -> httpx.AsyncClient:
        """A browser that never came before, and stops at each redirection."""
        transport = httpx.ASGITransport(app=self.house.app, client=("203.0.113.9", 40000))
        return httpx.AsyncClient(transport=transport, base_url=host, headers=headers)

    async def signed_in(self, kind: AccountKind) -> httpx.AsyncClient:
        """A browser in which one of the people is signed in."""
        browser = self.browser()
        answer = await browser.post(
            "/etre", data={"personne": str(self.accounts[kind]), "jeton": await form_token(browser, "/etre")}
        )
        assert answer.status_code == 303, answer.text
        return browser

    def pages(self) -> Iterator[Page]:
        """Every route that the portals have."""
        mount = importlib.import_module("ambroise.interfaces.web").routes(self.house.services)[0]
        assert isinstance(mount, Mount)
        assert isinstance(mount.app, Starlette)
        for route in mount.app.routes:
            assert isinstance(route, Route)
            yield Page(route.path, frozenset(route.methods or ()))


async def form_token(browser: httpx.AsyncClient, address: str) -> str:
    """The value that the forms of this page carry."""
    answer = await browser.get(address)
    page = html.document_fromstring(answer.text)
    return str(page.cssselect("input[name=jeton]")[0].get("value"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    async with house_on(module_database, tmp_path_factory.mktemp("target"), public_url=ADDRESS) as house:
        async with house.client() as system:
            made = await system.post("Patient", json=patient())
            assert made.status_code == 201, made.text
        space = UUID(made.json()["id"])
        yield Target(house, await _people(house, space), space)


async def _people(house: House, space: UUID) -> dict[AccountKind, UUID]:
    kept = hash_password(PASSWORD)
    new = (
        NewAccount(AccountKind.CITIZEN, NAMES[AccountKind.CITIZEN], "Ana Fictive", patient=space, password=kept),
        NewAccount(
            AccountKind.PROFESSIONAL,
            NAMES[AccountKind.PROFESSIONAL],
            "Dr Camille Fictif",
            professional="810000000001",
            situations=(Situation("10", specialty="SM54", organization="1370000002", organization_name="Cabinet"),),
            password=kept,
        ),
        NewAccount(
            AccountKind.OPERATOR,
            NAMES[AccountKind.OPERATOR],
            "Nadia Inventée",
            duties=frozenset({"support"}),
            password=kept,
        ),
    )
    accounts: dict[AccountKind, UUID] = {}
    async with house.services.database.transaction() as tx:
        for one in new:
            accounts[one.kind] = await house.services.identity.create_account(tx, replace(one, demonstration=True))
    return accounts
