"""`watch`: deposit what a laboratory, or anybody who has nothing else, puts into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.options import Author, Elsewhere, Facility, Organization, PracticeSetting, chosen_places
from ambroise.interfaces.cli.toolbox import Data, Toolbox

if TYPE_CHECKING:
    from ambroise.interfaces.cli.submission.caller import Caller
    from ambroise.interfaces.cli.submission.folder import Folder

_SOFTWARE = "ambroise-watch"


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def watch(
        folder: Annotated[Path, typer.Argument(help="Folder where files arrive.", file_okay=False, exists=True)],
        who: Author,
        organization: Organization = None,
        data: Data = None,
        url: Elsewhere = None,
        token_file: Annotated[
            Path | None,
            typer.Option(help="Token for --url, read again each time. Default: AMBROISE_TOKEN, else one signed here."),
        ] = None,
        facility: Facility = None,
        setting: PracticeSetting = None,
        settled: Annotated[
            float, typer.Option(min=0, metavar="S", help="Seconds without a change after which a file is whole.")
        ] = 3.0,
        patience: Annotated[
            float, typer.Option(min=0, metavar="S", help="Seconds to wait for what describes a PDF.")
        ] = 60.0,
        every: Annotated[float, typer.Option(min=0.1, metavar="S", help="Seconds between two looks.")] = 2.0,
        once: Annotated[bool, typer.Option("--once", help="Send what is whole now, and leave.")] = False,
    ) -> None:
        """Deposit the CDA, PDF and XDM files that arrive in a folder; each moves to `done/` or `refused/`."""
        from ambroise.interfaces.cli.submission.caller import Caller, professional
        from ambroise.interfaces.cli.submission.folder import Folder

        settings = toolbox.settings(data)
        chosen = chosen_places(facility, setting)
        caller = Caller(toolbox, settings, professional(who), organization, chosen, _SOFTWARE)
        watched = Folder(folder, settled=settled, patience=patience)
        toolbox.run(_watch(caller, watched, url, token_file, every=every, wait=settled if once else None))


async def _watch(
    caller: Caller, folder: Folder, url: str | None, token_file: Path | None, *, every: float, wait: float | None
) -> None:
    """Until a signal; with `wait`, once, after so many seconds for files to be whole."""
    import asyncio
    import signal

    from ambroise.interfaces.cli.submission.caller import usual_oid
    from ambroise.interfaces.cli.submission.watching import Watcher

    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    with folder.held():
        async with caller.way(url, token_file) as (way, sender):
            watcher = Watcher(folder, way, sender, usual_oid(caller.settings), typer.echo)
            if wait is not None:
                await watcher.once(wait)
            else:
                await watcher.run(every, stop)
