"""An instance on a real port, and programs of others that talk to it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from ambroise.kernel.clock import SystemClock
from ambroise.kernel.settings import Settings
from ambroise.main.secure import open_front
from ambroise.modules.identity.provider.api import Registered
from tests.integration.oauth.conftest import RPPS, Browser, Nation, add_people
from tests.support.database import TestDatabase
from tests.support.server import house_on

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder of the node programs, with what they need installed as their lock file says."""
    if shutil.which("npm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("npm is needed to run the OpenID clients that others wrote")
        pytest.skip("npm is not installed")
    # Several workers may come here at once, and npm empties the folder before it fills it.
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = json.loads((HERE / "package.json").read_text())["devDependencies"]
        if not all((HERE / "node_modules" / name).is_dir() for name in wanted):
            subprocess.run(["npm", "ci", "--no-fund", "--no-audit"], cwd=HERE, check=True, capture_output=True)
    return HERE


@dataclass
class Served(Nation):
    """A nation that answers on a port."""

    address: str = ""

    @property
    def issuer(self) -> str:
        return f"{self.address}/auth/realms/esante-wallet"

    def browser(self) -> Browser:
        return Browser(httpx.AsyncClient(base_url=self.address))

    async def walk(self, address: str) -> str:
        """What a person does from the authorization request to the way back."""
        browser = await self.browser().get(address)
        await browser.press("Recevoir une notification", identifiant=RPPS)
        await self.approve()
        await browser.click("J’ai répondu")
        await browser.press("Continuer", situation="0")
        return browser.address


class Talk:
    """A node program that takes and gives lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        if not line:
            raise AssertionError((await self._process.stderr.read()).decode())
        return json.loads(line)

    async def say(self, **what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def relying_party(node: Path, served: Served, client: Registered, run: str, **more: Any) -> AsyncIterator[Talk]:
    """The openid-client program, doing one run for a client."""
    given = {
        "run": run,
        "issuer": served.issuer,
        "client_id": client.client.id,
        "client_secret": client.secret,
        "redirect_uri": next(iter(client.client.redirect_uris), None),
        "post_logout_redirect_uri": next(iter(client.client.post_logout_uris), None),
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        "node", str(node / "client.mjs"), json.dumps(given),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Talk(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@asynccontextmanager
async def answering(app: ASGIApp, sockets: list[socket.socket], **options: Any) -> AsyncIterator[None]:
    """An application that answers on sockets."""
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, **options))
    serving = asyncio.create_task(server.serve(sockets=sockets))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def served(fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Served]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with house_on(fresh_database, tmp_path, public_url=address) as house:
            nation = Served(house, SystemClock(), address=address)  # type: ignore[arg-type]
            await add_people(house)
            async with answering(house.app, [listener]):
                yield nation


@pytest.fixture
async def secured(fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Served]:
    """The same with the TLS port of a demonstration beside it, where certificates are shown."""
    front = open_front(Settings(data=tmp_path, port=0), demonstration=True)
    assert front is not None
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with house_on(fresh_database, tmp_path, public_url=address, mtls_port=front.port) as house:
            nation = Served(house, SystemClock(), address=address)  # type: ignore[arg-type]
            await add_people(house)
            options = front.options(SystemClock())
            async with answering(house.app, [listener]), answering(house.app, front.sockets, **options):
                yield nation
