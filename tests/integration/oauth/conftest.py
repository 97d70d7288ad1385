"""An instance with a professional of two practices, a client, and a browser to walk between them."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import AccountKind, NewAccount, Situation
from ambroise.modules.identity.provider.api import NewClient, Registered
from ambroise.trust.context import Context, System
from tests.journeys.support.strict import StrictClient
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

ADDRESS = "http://test.example"
REALM = f"{ADDRESS}/auth/realms/esante-wallet"
PROTOCOL = f"{REALM}/protocol/openid-connect"
BACK = "https://rp.example/back"
RPPS = "10000000012"
CABINET, HOSPITAL = "1370000002", "1370000010"


@dataclass
class Journey:
    """One sign-in of a person in a browser, as the client sees it."""

    client: Registered
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_hex(32))
    nonce: str = field(default_factory=lambda: secrets.token_hex(32))

    def address(self, **changes: Any) -> str:
        """The authorization request; a change to None leaves the parameter out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": self.client.client.id,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid scope_all",
            "state": self.state,
            "nonce": self.nonce,
            "acr_values": "eidas1",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return "/auth?" + urlencode({name: value for name, value in asked.items() if value is not None})


class Browser(StrictClient):
    """A browser that stops when it is sent to a client, and remembers with what."""

    back: dict[str, str]

    async def get(self, address: str) -> Browser:
        return await self._follow(await self.http.get(address))

    async def post(self, address: str, data: dict[str, Any], files: Any = None) -> Browser:
        return await self._follow(await self.http.post(address, data=data, files=files))

    async def _follow(self, response: httpx.Response) -> Browser:
        self.back = {}
        while response.is_redirect:
            target = response.headers["location"]
            if not target.startswith("/"):
                self.address = target
                self.back = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
                return self
            response = await self.http.get(target)
        self._took(response)
        return self


@dataclass
class Nation:
    """The instance, its people, and what tests do with them."""

    house: House
    clock: FixedClock

    @property
    def provider(self) -> Any:
        return self.house.services.provider

    async def client(self, **more: Any) -> Registered:
        async with self.house.services.database.transaction() as tx:
            new = NewClient(**{"name": "Logiciel Inventé", "redirect_uris": (BACK,), **more})
            return await self.provider.clients.register(tx, Context(System(), self.clock), new)

    def browser(self) -> Browser:
        transport = httpx.ASGITransport(app=self.house.app, client=("203.0.113.9", 40000))
        return Browser(httpx.AsyncClient(transport=transport, base_url=ADDRESS))

    def http(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.house.app, client=("203.0.113.10", 40000))
        return httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers)

    async def approve(self, rpps: str = RPPS) -> None:
        """Answer the newest notification, from a script."""
        account, waiting = await self.provider.signing_on.on_the_phone("8" + rpps)
        await self.provider.signing_on.approve(account, waiting[0].id, waiting[0].number)

    async def sign_in(self, browser: Browser, journey: Journey, *, situation: str = "0", **changes: Any) -> str:
        """The whole walk of a person, to the code."""
        await browser.get(journey.address(**changes))
        if "connexion/pro?" in browser.address:
            await browser.press("Recevoir une notification", identifiant=RPPS)
            await self.approve()
            await browser.click("J’ai répondu")
        if not browser.back:
            await browser.press("Continuer", situation=situation)
        return browser.back["code"]

    async def ask(
        self, fields: dict[str, Any], client: Registered | None = None, path: str = "/token"
    ) -> httpx.Response:
        """Call an endpoint of the provider as a client."""
        sent = dict(fields)
        auth = None
        if client is not None:
            if client.secret is None:
                sent.setdefault("client_id", client.client.id)
            else:
                auth = (client.client.id, client.secret)
        async with self.http() as http:
            return await http.post(PROTOCOL + path, data=sent, auth=auth)

    async def tokens(self, browser: Browser, journey: Journey, **changes: Any) -> dict[str, Any]:
        """Tokens, at the end of the whole walk."""
        code = await self.sign_in(browser, journey, **changes)
        answer = await self.redeem(journey, code)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def redeem(self, journey: Journey, code: str, **changes: Any) -> httpx.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": journey.verifier,
            **changes,
        }
        return await self.ask({name: value for name, value in fields.items() if value is not None}, journey.client)

    async def traced(self) -> list[tuple[str, str, int]]:
        """What the trace says of signing on: event, actor, outcome."""
        async with self.house.services.database.reader() as reader:
            rows = await reader.fetch_all(
                "select event, actor_id, outcome from trace where actor_kind = 'professional' order by at, id"
            )
        return [tuple(row) for row in rows]  # type: ignore[misc]


@pytest.fixture
async def nation(fresh_database: TestDatabase, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Nation]:
    async with house_on(fresh_database, tmp_path, clock=clock, public_url=ADDRESS) as house:
        made = Nation(house, clock)
        await add_people(house)
        yield made


@pytest.fixture
async def client(nation: Nation) -> Registered:
    return await nation.client()


async def add_people(house: House) -> None:
    """A doctor of two practices and a nurse of one."""
    services = house.services
    ctx = Context(System(), services.clock, demonstration=True)
    async with services.database.transaction() as tx:
        for id, name, sector in ((CABINET, "Cabinet Inventé", "SA07"), (HOSPITAL, "Hôpital Imaginaire", "SA01")):
            place = directory.Structure(id, name, sector, postal_code="37000", city="Tours", test_identity=True)
            await directory.register_structure(tx, ctx, services.gateway, place)
        entry = directory.ProfessionalEntry(
            RPPS, "FICTIF", "CAMILLE", "10", specialty="SM54", sex="female", title="DR", test_identity=True
        )
        places = [directory.Situation(CABINET), directory.Situation(HOSPITAL)]
        await directory.register(tx, ctx, services.gateway, entry, places)
        for rpps, situations in (
            (RPPS, (Situation("10", specialty="SM54", organization=CABINET, organization_name="Cabinet Inventé"),
                    Situation("10", specialty="SM54", organization=HOSPITAL, organization_name="Hôpital Imaginaire"))),
            ("10000000020", (Situation("60", organization=HOSPITAL, organization_name="Hôpital Imaginaire"),)),
        ):  # fmt: skip
            await services.identity.create_account(
                tx,
                NewAccount(
                    AccountKind.PROFESSIONAL,
                    rpps,
                    "CAMILLE FICTIF" if rpps == RPPS else "INES FICTIVE",
                    professional="8" + rpps,
                    situations=situations,
                    demonstration=True,
                ),
            )
