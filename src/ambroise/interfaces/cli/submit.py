"""`submit`: deposit CDA, PDF and XDM zip files from disk, say how far it is, and sum up what became of each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from ambroise.interfaces.cli.options import Author, Elsewhere, Facility, Organization, PracticeSetting, chosen_places
from ambroise.interfaces.cli.toolbox import Data, Toolbox, explained, fail

if TYPE_CHECKING:
    from ambroise.interfaces.cli.submission.papers import Described, Sender
    from ambroise.interfaces.cli.submission.ways import Sent, Way
    from ambroise.kernel.errors import Refusal

_SOFTWARE = "ambroise-submit"


class Result(Struct, frozen=True):
    """What became of one file, or of one submission inside a zip."""

    name: str
    sent: Sequence[Sent] = ()
    refusal: Refusal | None = None


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def submit(
        files: Annotated[
            list[Path], typer.Argument(metavar="FILE…", help="CDA, PDF or XDM files, or folders of them.")
        ],
        who: Author,
        organization: Organization = None,
        data: Data = None,
        url: Elsewhere = None,
        token_file: Annotated[
            Path | None,
            typer.Option(help="Token for --url. Default: AMBROISE_TOKEN, else one signed with the keys of --data."),
        ] = None,
        type_: Annotated[str | None, typer.Option("--type", metavar="CODE", help="PDF: type, such as 11488-4.")] = None,
        title: Annotated[str | None, typer.Option(help="PDF: title. Default: the file's name.")] = None,
        date: Annotated[str | None, typer.Option(help="PDF: day of the act. Default: the file's last change.")] = None,
        patient: Annotated[
            str | None, typer.Option(metavar="INS", help="PDF: whose it is; `OID|INS` for another OID than the usual.")
        ] = None,
        facility: Facility = None,
        setting: PracticeSetting = None,
    ) -> None:
        """Deposit documents. Sending them again is harmless; exits with 1 when one was refused."""
        settings = toolbox.settings(data)
        from ambroise.interfaces.cli.submission.caller import Caller, ins_of, professional
        from ambroise.interfaces.cli.submission.papers import Described, day, find

        rpps = professional(who)

        with explained():
            described = Described(type_, title, day(date) if date else None, ins_of(patient, settings))
        paths = list(find(files))
        if not paths:
            fail("No XML, PDF or ZIP file there.")
        chosen = chosen_places(facility, setting)
        caller = Caller(toolbox, settings, rpps, organization, chosen, _SOFTWARE)
        results = toolbox.run(_send_all(caller.way(url, token_file), paths, described))
        _sum_up(results)
        if any(result.refusal for result in results):
            raise typer.Exit(1)


async def _send_all(
    opened: AbstractAsyncContextManager[tuple[Way, Sender]], paths: Sequence[Path], described: Described
) -> list[Result]:
    """Send every file, one after the other, with a bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("Documents"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    results: list[Result] = []
    async with opened as (way, sender):
        with Progress(*columns, TextColumn("{task.fields[name]}"), console=Console(stderr=True)) as bars:
            task = bars.add_task("", total=len(paths), name="")
            for path in paths:
                bars.update(task, name=path.name)
                results += await _send(way, path, sender, described)
                bars.advance(task)
    return results


async def _send(way: Way, path: Path, sender: Sender, described: Described) -> list[Result]:
    from ambroise.interfaces.cli.submission.papers import read
    from ambroise.kernel.errors import Refusal

    try:
        became = await way.send(read(path, sender, described))
    except Refusal as refusal:
        return [Result(str(path), refusal=refusal)]
    return [Result(f"{path}: {one.part}" if one.part else str(path), one.sent, one.refusal) for one in became]


def _sum_up(results: Sequence[Result]) -> None:
    """The table of what was refused and what to do, then how many went which way."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Piped, the table keeps whole sentences: what a person must read is not cut at eighty columns.
    console = Console() if os.isatty(1) else Console(width=200)
    refused = [(result.name, result.refusal) for result in results if result.refusal]
    if refused:
        table = Table("File", "Refused because", "What to do", title="Refused", title_justify="left")
        for name, refusal in refused:
            table.add_row(Text(name), Text(refusal.code, style="red"), Text(refusal.diagnostics))
        console.print(table)
    counts = Counter(sent.state.value for result in results for sent in result.sent)
    summary = Table("Documents", title="Summary", title_justify="left")
    summary.add_column("", justify="right")
    for state in ("filed", "already there"):
        summary.add_row(state, str(counts[state]))
    summary.add_row("refused", str(len(refused)))
    console.print(summary)
