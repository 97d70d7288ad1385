"""What commands may open and start; everything heavy is imported when it is first needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ambroise.interfaces.authentication import People
    from ambroise.interfaces.cli.toolbox import Rotated
    from ambroise.interfaces.services import Services
    from ambroise.kernel.backup import Manifest
    from ambroise.kernel.settings import Settings


class InstanceBuilder:
    """Implements what `ambroise.interfaces.cli.toolbox.Builder` asks for."""

    @contextmanager
    def database(self, settings: Settings) -> Generator[tuple[str, str]]:
        from ambroise.main.place import database

        with database(settings) as addresses:
            yield addresses.owner, addresses.app

    def backup(self, settings: Settings, folder: Path, *, progress: Callable[[str], None]) -> Manifest:
        from ambroise.main.keeping import backup

        return backup(settings, folder, progress)

    def restore(
        self, settings: Settings, folder: Path, master_key: Path | None, *, progress: Callable[[str], None]
    ) -> Manifest:
        from ambroise.main.keeping import bring_back

        return bring_back(settings, folder, master_key, progress)

    async def index_again(self, settings: Settings) -> int:
        from ambroise.main.keeping import index_again

        return await index_again(settings)

    async def rotate(self, settings: Settings, *, documents: bool, signing: bool) -> Rotated:
        from ambroise.main.keeping import rotate

        return await rotate(settings, documents=documents, signing=signing)

    def prepare(self, settings: Settings, *, demonstration: bool) -> list[str]:
        from ambroise.main.place import database, prepare

        with database(settings, create=True) as addresses:
            return prepare(settings, addresses, demonstration=demonstration)

    @asynccontextmanager
    async def services(self, settings: Settings) -> AsyncGenerator[Services]:
        from ambroise.main.composition import compose
        from ambroise.main.place import database

        with database(settings) as addresses:
            async with compose(settings, addresses.app) as application:
                yield application.services

    @asynccontextmanager
    async def people(self, settings: Settings) -> AsyncGenerator[People]:
        from ambroise.kernel.db import Database
        from ambroise.main.people import KnownPeople
        from ambroise.main.place import database

        with database(settings) as addresses:
            opened = await Database.open(addresses.app, slots=1)
            try:
                yield KnownPeople(opened, settings)
            finally:
                await opened.close()

    async def seed(self, settings: Settings, population: int) -> None:
        from ambroise.main.demonstration import load

        async with self.services(settings) as services:
            await load(services, population)

    async def serve(self, settings: Settings, *, demonstration: bool, population: int | None = None) -> None:
        from ambroise.main.instance import serve

        await serve(settings, demonstration=demonstration, population=population)
