"""`audit verify`, `audit seal`: prove that the trace is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings
    from ambroise.trust.audit.seal import Report, Seal


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    audit = typer.Typer(help="The trace of who did what.", no_args_is_help=True)
    app.add_typer(audit, name="audit")

    @audit.command()
    def verify(
        data: Data = None,
        head: Annotated[
            str | None,
            typer.Option(metavar="HEX", help="The head that an earlier run printed: the chain must contain it."),
        ] = None,
    ) -> None:
        """Recompute every seal of the trace and say what does not agree. Works while the instance runs."""
        report, contains = toolbox.run(_verify(toolbox, toolbox.settings(data), head))
        typer.echo(
            f"{report.seals} seals, {report.rows} rows verified, {report.unsealed} rows not sealed yet"
            + (f", {report.retired} seals past their retention" if report.retired else "")
        )
        typer.echo(f"head {report.head.hex()}")
        for problem in report.problems:
            typer.echo(f"seal {problem.seal or '-'}: {problem.code}: {problem.diagnostics}", err=True)
        if not contains:
            fail("The head that you gave is not in the chain: seals were replaced since then.")
        if not report.sound:
            fail("The trace does not verify.")
        typer.echo("The trace is whole.")

    @audit.command()
    def seal(data: Data = None) -> None:
        """Seal every line that no running transaction can still join; a job does it every minute."""
        made = toolbox.run(_seal(toolbox, toolbox.settings(data)))
        typer.echo(f"{sum(one.rows for one in made)} rows sealed in {len(made)} seals.")


async def _verify(toolbox: Toolbox, settings: Settings, head: str | None) -> tuple[Report, bool]:
    from ambroise.kernel.db import Database
    from ambroise.trust.audit.seal import contains, verify

    with toolbox.builder.database(settings) as (_, app):
        database = await Database.open(app, slots=1)
        try:
            async with database.transaction(begin="begin isolation level repeatable read, read only") as tx:
                report = await verify(tx)
                return report, head is None or await contains(tx, bytes.fromhex(head))
        finally:
            await database.close()


async def _seal(toolbox: Toolbox, settings: Settings) -> list[Seal]:
    from ambroise.kernel.clock import SystemClock
    from ambroise.kernel.db import Database
    from ambroise.trust.audit.seal import seal

    with toolbox.builder.database(settings) as (_, app):
        database = await Database.open(app, slots=1)
        try:
            return await seal(database, SystemClock())
        finally:
            await database.close()
