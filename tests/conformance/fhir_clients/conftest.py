"""A real server on a port of its own, for clients that others wrote."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
import uvicorn

from tests.support.database import TestDatabase
from tests.support.server import House, house_on


@dataclass(frozen=True)
class Served:
    """Where it answers, and its tokens."""

    url: str
    house: House


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        async with house_on(module_database, tmp_path_factory.mktemp("house"), roles={"api"}) as house:
            config = uvicorn.Config(house.app, lifespan="off", log_config=None, http="httptools")
            server = uvicorn.Server(config)
            running = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:  # noqa: ASYNC110 - the server offers no event to wait for.
                await asyncio.sleep(0.01)
            yield Served(f"http://127.0.0.1:{port}/fhir", house)
            server.should_exit = True
            await running
