"""`audit verify`, `audit seal`, `audit retire`: prove that the trace is whole, and end it when its time is over."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, explained, fail

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

    @audit.command()
    def retire(
        data: Data = None,
        remove: Annotated[bool, typer.Option("--remove", help="Remove them; without it, only count them.")] = False,
    ) -> None:
        """Retire what is older than AMBROISE_TRACE_YEARS and concerns nobody who still has a space. As the owner."""
        from ambroise.kernel.clock import SystemClock
        from ambroise.trust.audit.retiring import retire as retire_seals

        settings = toolbox.settings(data)
        now = SystemClock().now()
        with explained(), toolbox.builder.database(settings) as (owner, _):
            retired = retire_seals(owner, years_before(now, settings.trace_years), remove=remove)
        done = "were removed" if remove else "can be removed with --remove"
        typer.echo(f"{retired.lines} lines of {retired.seals} seals {done}; the chain keeps their digests.")


def years_before(now: datetime, years: int) -> datetime:
    """The same day so many years before; the 28th for a 29th of February that is not."""
    day = min(now.day, 28) if now.month == 2 else now.day
    return now.replace(year=now.year - years, day=day)


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
