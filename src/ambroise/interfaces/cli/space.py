"""`space open-population`: open the spaces of everybody in an insurer's file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox

if TYPE_CHECKING:
    from datetime import date

    from ambroise.interfaces.services import Services
    from ambroise.kernel.settings import Settings
    from ambroise.modules.space.api import Population

_PAGE = 10_000


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    spaces = typer.Typer(help="The spaces of people.", no_args_is_help=True)
    app.add_typer(spaces, name="space")

    @spaces.callback()
    def group() -> None:
        """The spaces of people."""

    @spaces.command("open-population")
    def open_population(
        file: Annotated[
            Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV of an insurer; see the manual.")
        ],
        notified_on: Annotated[
            datetime | None,
            typer.Option(formats=["%Y-%m-%d"], help="The day the notices were sent. Default: today."),
        ] = None,
        report: Annotated[
            Path | None, typer.Option(metavar="FILE", help="Where to write the refused lines, as CSV.")
        ] = None,
        data: Data = None,
    ) -> None:
        """Note that these people were told of their space; it opens after six weeks, unless they object.

        Interrupted, the same command goes on where it stopped.
        """
        day = notified_on.date() if notified_on else None
        done = toolbox.run(_load(toolbox, toolbox.settings(data), file, day, report))
        typer.echo(
            f"{done.entered} people are notified ({done.by_mail} by e-mail), {done.known} had a space already,"
            f" {done.refused} lines were refused."
        )


async def _load(
    toolbox: Toolbox, settings: Settings, file: Path, notified_on: date | None, report: Path | None
) -> Population:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from ambroise.modules.space.api import Populations
    from ambroise.trust.context import Context, System

    async with toolbox.builder.services(settings) as services:
        ctx = Context(System("space"), services.clock, channel="load", demonstration=services.demonstration)
        columns = TextColumn("People"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
        with Progress(*columns, console=Console(stderr=True)) as bars:
            bar = bars.add_task("", total=file.stat().st_size)
            done = await Populations(services.database, services.gateway).open_file(
                ctx, file, notified_on=notified_on, progress=lambda one: bars.update(bar, completed=one.position)
            )
        if report is not None:
            await _write_report(services, done, report)
    return done


async def _write_report(services: Services, done: Population, report: Path) -> None:
    from ambroise.modules.space.api import populations

    after = 0
    with report.open("w", encoding="utf-8") as out:
        out.write("line;code;column\n")
        async with services.database.reader() as reader:
            while page := await populations.refusals(reader, done.id, _PAGE, after):
                out.writelines(f"{one.line};{one.code};{one.element}\n" for one in page)
                after = page[-1].line
