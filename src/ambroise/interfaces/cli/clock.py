"""`clock`: what time it is in a demonstration, and moving it forward."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def clock(
        forward: Annotated[
            str | None, typer.Option(metavar="STEP", help="How far to go forward: 12h, 42d, 6w, 10y.")
        ] = None,
        data: Data = None,
    ) -> None:
        """Say what time it is in a demonstration; with --forward, move its clock, and all that waits with it."""
        now, ahead = toolbox.run(_clock(toolbox, toolbox.settings(data), forward))
        typer.echo(f"{now.isoformat(timespec='seconds')} ({_words(ahead)})")


async def _clock(toolbox: Toolbox, settings: Settings, forward: str | None) -> tuple[datetime, timedelta]:
    from ambroise.interfaces.sandbox import move_clock
    from ambroise.kernel.clock import ShiftedClock
    from ambroise.kernel.db import Database
    from ambroise.kernel.time_shift import catch_up, parse_step

    step = parse_step(forward) if forward is not None else None
    with toolbox.builder.database(settings) as (_, app):
        database = await Database.open(app, slots=2)
        try:
            if step is not None:
                await move_clock(database, step)
            clock = ShiftedClock()
            return await catch_up(database, clock), clock.ahead
        finally:
            await database.close()


def _words(ahead: timedelta) -> str:
    return f"{ahead.days} days ahead" if ahead.days else "the true time" if not ahead else f"{ahead} ahead"
