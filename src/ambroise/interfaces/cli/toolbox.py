"""What commands share: the options, opening the services, saying what went wrong.

A command is a module of this folder with a function `register(app, toolbox)`. It imports what it needs inside its
functions, so that `ambroise --help` stays fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol, TypeVar

import typer
from msgspec import Struct

if TYPE_CHECKING:
    from ambroise.interfaces.authentication import People
    from ambroise.interfaces.services import Services
    from ambroise.kernel.backup import Manifest
    from ambroise.kernel.settings import Settings

T = TypeVar("T")

DEFAULT_DATA = Path("var/demo")

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Data folder of the installation. Default: AMBROISE_DATA, else var/demo.",
        show_default=False,
    ),
]


class Rotated(Struct, frozen=True):
    """What a rotation did: the new master key, data keys wrapped again, and documents sealed again for how many."""

    master_id: str
    wrapped: int
    citizens: int
    documents: int


class Builder(Protocol):
    """What the composition root lets commands open and start."""

    def services(self, settings: Settings) -> AbstractAsyncContextManager[Services]:
        """Everything an interface needs, beside a running instance or alone."""
        ...

    def people(self, settings: Settings) -> AbstractAsyncContextManager[People]:
        """Who may hold a token, without the rest of the services."""
        ...

    def database(self, settings: Settings) -> contextlib.AbstractContextManager[tuple[str, str]]:
        """The addresses of the database for the owner and for the application, with the server running."""
        ...

    def backup(self, settings: Settings, folder: Path, *, progress: Callable[[str], None]) -> Manifest:
        """Save the installation into a new folder."""
        ...

    def restore(
        self, settings: Settings, folder: Path, master_key: Path | None, *, progress: Callable[[str], None]
    ) -> Manifest:
        """Bring a backup back into an empty installation."""
        ...

    async def index_again(self, settings: Settings) -> int:
        """Have every document's words indexed again by the worker; how many documents."""
        ...

    async def rotate(self, settings: Settings, *, documents: bool, signing: bool) -> Rotated:
        """Make new keys."""
        ...

    def prepare(self, settings: Settings, *, demonstration: bool) -> list[str]:
        """Make keys, migrate, and declare what the installation is for; the migrations applied."""
        ...

    async def seed(self, settings: Settings, population: int) -> None:
        """Load the demonstration nation, or what an interrupted load left to do."""
        ...

    async def serve(self, settings: Settings, *, demonstration: bool, population: int | None = None) -> None:
        """Run an instance until it is told to stop."""
        ...


class Toolbox:
    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def settings(self, data: Path | None, **chosen: Any) -> Settings:
        """The settings of a command, from its options and the environment."""
        from ambroise.kernel.settings import load

        if data is None and not os.environ.get("AMBROISE_DATA") and not os.environ.get("AMBROISE_DATABASE_URL"):
            data = DEFAULT_DATA
        with explained():
            return load(data=data.absolute() if data else None, **chosen)

    async def present(self, settings: Settings) -> datetime:
        """The present instant by the clock of the installation, which a demonstration may have moved."""
        from ambroise.kernel.clock import ShiftedClock
        from ambroise.kernel.db import Database
        from ambroise.kernel.time_shift import catch_up

        with self.builder.database(settings) as (_, app):
            database = await Database.open(app, slots=1)
            try:
                return await catch_up(database, ShiftedClock())
            finally:
                await database.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end; a refusal becomes a sentence and exit code 1."""
        import uvloop

        with explained():
            return uvloop.run(coroutine)


@contextlib.contextmanager
def explained() -> Generator[None]:
    """Turn what can go wrong on an operator's side into one sentence."""
    try:
        yield
    except PermissionError as error:
        fail(f"{error.filename}: permission denied. Run as the user that owns the data folder.")
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(130) from None
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        fail(sentence)


def _sentence(error: Exception) -> str | None:
    """What to tell an operator about what went wrong; None for a fault of the program."""
    # Known only once something went wrong, so that what goes well does not wait for these modules.
    from ambroise.kernel.backup import BackupError
    from ambroise.kernel.crypto import UnknownMasterKey
    from ambroise.kernel.errors import Refusal
    from ambroise.kernel.migrations import MigrationError
    from ambroise.kernel.postgres import PostgresError
    from ambroise.kernel.postgres.account import AccountError
    from ambroise.kernel.postgres.binaries import BinariesMissing
    from ambroise.kernel.postgres.locks import FolderBusy

    if isinstance(error, Refusal):
        return error.diagnostics or error.code
    told = (MigrationError, PostgresError, AccountError, BinariesMissing, FolderBusy, BackupError, UnknownMasterKey)
    return str(error) if isinstance(error, told) else None


def fail(message: str) -> NoReturn:
    """Say why on standard error, and leave with 1."""
    typer.secho(message, err=True, fg=typer.colors.RED if os.isatty(2) else None)
    raise typer.Exit(1)
