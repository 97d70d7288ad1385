"""An installation that commands reach as an operator's machine would: a data folder and the address of a database."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import Result
from msgspec.structs import replace
from typer.testing import CliRunner

from ambroise.interfaces.cli import build
from ambroise.interfaces.hl7v2.doors import Door
from ambroise.interfaces.hl7v2.listener import Listener
from ambroise.interfaces.services import Services
from ambroise.kernel.settings import Settings
from ambroise.main import app as asgi
from ambroise.main.builder import InstanceBuilder
from ambroise.main.composition import compose
from ambroise.main.feeds import open_feeds
from ambroise.main.place import Addresses, prepare
from ambroise.main.sockets import listen
from ambroise.modules.directory import api as directory
from ambroise.trust.context import Context, System
from tests.support.database import TestDatabase

AUTHOR = "01234567897"
FINESS = "750803447"
MATRICULE = "279035121518989"
_OID = "1.2.250.1.213.1.4.10"


@dataclass(frozen=True)
class Installation:
    """Where it is, and how to run a command on it."""

    data: Path
    database: TestDatabase

    @property
    def settings(self) -> Settings:
        return Settings(
            data=self.data, database_url=self.database.app_dsn, database_owner_url=self.database.owner_dsn, port=0
        )

    def run(self, *arguments: str | Path) -> Result:
        """Run a command of `ambroise` on this installation."""
        command = [*map(str, arguments), "--data", str(self.data)]
        return CliRunner().invoke(build(InstanceBuilder()), command, env={**os.environ, "COLUMNS": "200"})


@pytest.fixture
def installation(fresh_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A demonstration instance with the author of the examples and the public test identity."""
    installed = Installation(tmp_path / "data", fresh_database)
    installed.data.mkdir()
    monkeypatch.setenv("AMBROISE_DATABASE_URL", fresh_database.app_dsn)
    monkeypatch.setenv("AMBROISE_DATABASE_OWNER_URL", fresh_database.owner_dsn)
    addresses = Addresses(fresh_database.app_dsn, fresh_database.owner_dsn)
    prepare(installed.settings, addresses, demonstration=True)
    asyncio.run(_fill(installed))
    return installed


@pytest.fixture
def doors(installation: Installation) -> list[Door]:
    """Its ports of HL7 v2."""
    return open_feeds(installation.settings, demonstration=True)


@pytest.fixture
def served(installation: Installation, doors: list[Door]) -> Iterator[str]:
    """The address of that instance, while it runs."""
    sockets = listen("127.0.0.1", 0)
    servers: list[uvicorn.Server] = []
    started = threading.Event()
    # What it says of itself (discovery) names the port that it has.
    settings = replace(installation.settings, port=sockets[0].getsockname()[1])

    async def serve() -> None:
        async with (
            compose(settings, installation.database.app_dsn) as application,
            Listener(application.services, doors),
        ):
            config = uvicorn.Config(asgi.build(application.services), lifespan="off", log_config=None)
            server = uvicorn.Server(config)
            server.install_signal_handlers = lambda: None  # pyright: ignore[reportAttributeAccessIssue]
            servers.append(server)
            started.set()
            await server.serve(sockets=sockets)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(30)
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    servers[0].should_exit = True
    thread.join()


async def _fill(installed: Installation) -> None:
    async with compose(installed.settings, installed.database.app_dsn) as application:
        services = application.services
        ctx = Context(System(), services.clock, channel="load", demonstration=True)
        await _author(services, ctx)
        async with services.database.transaction() as tx:
            await services.gateway.create(tx, ctx, _patient())


async def _author(services: Services, ctx: Context) -> None:
    structure = directory.Structure(f"1{FINESS}", "Cabinet d'exemple", "SA07", "AMBULATOIRE", test_identity=True)
    entry = directory.ProfessionalEntry(AUTHOR, "AUTEUR-EXEMPLE", "Charles", "10", specialty="SM54", test_identity=True)
    async with services.database.transaction() as tx:
        await directory.register_structure(tx, ctx, services.gateway, structure)
        await directory.register(tx, ctx, services.gateway, entry, (directory.Situation(f"1{FINESS}"),))


def _patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": f"urn:oid:{_OID}", "value": MATRICULE}],
        "name": [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
        "gender": "female",
        "birthDate": "1979-03-28",
    }


Rows = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def rows(installation: Installation) -> Rows:
    """Ask the database itself."""
    import psycopg

    def ask(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(installation.database.owner_dsn) as connection:
            return connection.execute(statement.encode()).fetchall()

    return ask
