"""The demonstration nation at start-up: load it with a bar, then say what one can do."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from ambroise.interfaces.demonstration import repository
from ambroise.interfaces.services import Services
from ambroise.kernel.settings import Settings
from ambroise.main.composition import compose
from ambroise.modules.identity.api import AccountKind

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ambroise.interfaces.demonstration import loader

_STAGES = {"directory": "Professionals", "citizens": "Citizens", "documents": "Documents"}
_PEOPLE_OF_A_KIND = 6
# Drawing the bars ten times a second, as they do by themselves, is nearly a tenth of what this process can do.
_REFRESH_PER_SECOND = 2


async def load(services: Services, population: int | None) -> None:
    """Load the nation the first time, or what an interrupted load left to do. Of no citizens, it is a directory."""
    async with services.database.reader() as reader:
        known = await repository.nation(reader)
    if known is None or not known.finished:
        await _load(services, population)


async def _load(services: Services, population: int | None) -> None:
    # Every later start does without the loader and the bars.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ambroise.interfaces.demonstration import loader

    columns = TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=_REFRESH_PER_SECOND) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: loader.Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(_STAGES.get(progress.stage, progress.stage), total=progress.total)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total)

        again = partial(_open_doors, services.settings, services.database.dsn)
        wanted = loader.DEFAULT_POPULATION if population is None else population
        await loader.load(_doors(services), wanted, report=show, open_doors=again)


def _doors(services: Services) -> loader.Doors:
    from ambroise.interfaces.demonstration.filing import Doors

    return Doors(services.database, services.gateway, services.record, services.identity, services.clock)


@asynccontextmanager
async def _open_doors(settings: Settings, dsn: str) -> AsyncGenerator[loader.Doors]:
    """The same doors in a process that helps with the load."""
    async with compose(settings, dsn) as application:
        yield _doors(application.services)


def _feeds(services: Services) -> list[str]:
    """Where HL7 v2 is taken."""
    settings = services.settings
    ports = {"mllps": settings.hl7_port, "mllp": settings.hl7_plain_port}
    return [f"  HL7 v2   {scheme}://localhost:{port}" for scheme, port in ports.items() if port is not None]


async def welcome(services: Services) -> str:
    """What a person who just started a demonstration wants to know."""
    lines = [
        "",
        "Ambroise is running, with people who do not exist.",
        "",
        f"  Portals  {services.public_url}/",
        f"  FHIR R4  {services.public_url}/fhir",
        f"  OpenID   {services.provider.ground.issuer}",
        *_feeds(services),
        "",
        "You can be any of its people: choose one on the sign-in page. Among them:",
    ]
    async with services.database.reader() as reader:
        for kind in AccountKind:
            for person in await services.identity.demonstration_people(reader, kind, count=_PEOPLE_OF_A_KIND):
                lines.append(f"  {person.display_name:28} {person.demonstration_note or kind.value}".rstrip())
    data = services.settings.data
    lines += [
        "",
        "Send a document as the author of the examples, from another terminal:",
        f"  TOKEN=$(.venv/bin/ambroise token --data {data} --as professional:01234567897)",
        '  curl -X POST -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/fhir+json" \\',
        f"       --data-binary @examples/fhir/iti-65-bundle.json {services.public_url}/fhir",
        "",
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)
