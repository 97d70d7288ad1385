"""Pages of other sites: a registered application in a browser reads what its token opens, nobody else does."""

from __future__ import annotations

import httpx
import pytest

from ambroise.interfaces.crossing import origin_of
from ambroise.interfaces.oauth import crossed
from ambroise.interfaces.token_claims import Role
from ambroise.modules.identity.provider.api import ClientAuthentication, NewClient
from ambroise.trust.context import Context, Operator
from tests.integration.attacks.conftest import ADDRESS, Target

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP, SERVER = "https://app.example", "https://server.example"


async def register(target: Target) -> str:
    """A public application, and a confidential one whose secret no page holds."""
    services = target.house.services
    ctx = Context(Operator("1", "Guichet", frozenset({"administration"})), services.clock, demonstration=True)
    async with services.database.transaction() as tx:
        public = NewClient("App", (f"{APP}/retour",), authentication=ClientAuthentication.NONE)
        made = await services.provider.clients.register(tx, ctx, public)
        await services.provider.clients.register(tx, ctx, NewClient("Serveur", (f"{SERVER}/retour",)))
    return made.client.id


async def preflight(target: Target, path: str, origin: str) -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    return await target.browser().options(path, headers=asked)


async def test_only_registered_browser_applications_read_from_their_site_and_never_with_cookies(target: Target) -> None:
    client = await register(target)
    token = {"authorization": f"Bearer {target.house.token(Role.SYSTEM)}"}
    paths = ("/fhir/metadata", "/fhir/Patient?_count=1", *(path for path in crossed() if "token" not in path))
    for path in paths:
        answer = await target.browser().get(path, headers={**token, "origin": APP})
        assert answer.headers["access-control-allow-origin"] == APP, path
        assert "access-control-allow-credentials" not in answer.headers
        assert "origin" in answer.headers["vary"].lower(), "no cache gives one site's answer to another"
        asked = await preflight(target, path, APP)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, APP)
        assert "authorization" in asked.headers["access-control-allow-headers"]
        assert "cookie" not in asked.headers["access-control-allow-headers"]

    # Who is not registered, or nearly so, is told nothing; nor are the sites of confidential clients.
    for stranger in (
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "http://app.example",
        "https://app.example:8443",
        "https://APP.example",
        "https://user@app.example",
        f"{APP}/",
        f"{APP} https://evil.example",
        "null",
        "*",
        SERVER,
    ):
        answer = await target.browser().get("/fhir/metadata", headers={"origin": stranger})
        assert "access-control-allow-origin" not in answer.headers, stranger
        assert "origin" in answer.headers["vary"].lower()
        asked = await preflight(target, "/fhir/Patient", stranger)
        assert asked.status_code == 403, stranger
        assert "access-control-allow-origin" not in asked.headers

    # Pages, sessions and what confidential software calls are not opened to anybody.
    for path in ("/", "/accueil", "/connexion", "/mes-donnees", "/guichet", "/health", "/vitale/v1/verifications"):
        answer = await target.browser().get(path, headers={"origin": APP})
        assert "access-control-allow-origin" not in answer.headers, path
        assert "access-control-allow-origin" not in (await preflight(target, path, APP)).headers, path

    # Our own pages are as before, and a suspended application is out at once.
    assert (
        "access-control-allow-origin"
        not in (await target.browser().get("/fhir/metadata", headers={"origin": ADDRESS})).headers
    )
    services = target.house.services
    ctx = Context(Operator("1", "Guichet", frozenset({"administration"})), services.clock, demonstration=True)
    async with services.database.transaction() as tx:
        await services.provider.clients.disable(tx, ctx, client)
    answer = await target.browser().get("/fhir/metadata", headers={"origin": APP})
    assert "access-control-allow-origin" not in answer.headers


async def test_the_origin_of_an_address_is_written_as_browsers_write_it() -> None:
    assert origin_of("https://App.Example:443/retour?x=1") == "https://app.example"
    assert origin_of("http://localhost:3000/cb") == "http://localhost:3000"
    assert origin_of("http://[::1]:3000/cb") == "http://[::1]:3000"
    assert origin_of("com.example.app:/retour") is None
