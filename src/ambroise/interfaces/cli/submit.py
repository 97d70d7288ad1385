"""`submit`: deposit CDA and PDF files from disk, say how far it is, and sum up what became of each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces.cli.toolbox import Data, Toolbox, explained, fail

if TYPE_CHECKING:
    from ambroise.interfaces.cli.submission.papers import Described, Sender
    from ambroise.interfaces.cli.submission.ways import Sent, Way
    from ambroise.interfaces.services import Services
    from ambroise.kernel.errors import Refusal
    from ambroise.kernel.settings import Settings

_SOFTWARE = "ambroise-submit"


class Result(Struct, frozen=True):
    """What became of one file."""

    path: Path
    sent: Sent | None = None
    refusal: Refusal | None = None


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def submit(
        files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CDA or PDF files, or folders of them.")],
        who: Annotated[str, typer.Option("--as", metavar="WHO", help="`professional:<RPPS>`, the author.")],
        organization: Annotated[
            str | None, typer.Option(metavar="FINESS", help="Structure for which the professional acts.")
        ] = None,
        data: Data = None,
        url: Annotated[
            str | None, typer.Option(help="Send over HTTP to this instance, instead of to the one of the data folder.")
        ] = None,
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
        facility: Annotated[
            str | None, typer.Option(metavar="CODE", help="PDF: kind of facility. Default: the directory's.")
        ] = None,
        setting: Annotated[
            str | None, typer.Option(metavar="CODE", help="PDF: practice setting. Default: the directory's.")
        ] = None,
    ) -> None:
        """Deposit documents. Sending them again is harmless; exits with 1 when one was refused."""
        settings = toolbox.settings(data)
        role, _, rpps = who.partition(":")
        if role != "professional" or not rpps:
            fail("--as takes professional:<RPPS>.")
        from ambroise.interfaces.cli.submission.papers import Described, day, find

        with explained():
            described = Described(type_, title, day(date) if date else None, _ins(patient, settings))
        paths = list(find(files))
        if not paths:
            fail("No XML or PDF file there.")
        places = {"facility": facility, "setting": setting}
        chosen = {name: code for name, code in places.items() if code is not None}
        caller = Caller(toolbox, settings, rpps, organization, chosen)
        way = caller.remote(url, token_file) if url else caller.local()
        results = toolbox.run(_send_all(way, paths, described))
        _sum_up(results)
        if any(result.refusal for result in results):
            raise typer.Exit(1)


class Caller(Struct, frozen=True):
    """Who deposits, and how that person reaches the record."""

    toolbox: Toolbox
    settings: Settings
    rpps: str
    organization: str | None
    places: dict[str, str]

    @asynccontextmanager
    async def local(self) -> AsyncGenerator[tuple[Way, Sender]]:
        """Straight to the record of the data folder."""
        from ambroise.interfaces.cli.submission.ways import LocalWay
        from ambroise.modules.directory import api as directory
        from ambroise.trust.context import Context

        async with self.toolbox.builder.services(self.settings) as services:
            async with services.database.reader() as reader:
                actor = await directory.professional(reader, self.rpps, self.organization)
            ctx = Context(
                actor, services.clock, channel="cli", software=_SOFTWARE, demonstration=services.demonstration
            )
            sender = await self._sender(services, actor.id, actor.name, actor.organization, actor.organization_name)
            yield LocalWay(services, ctx), sender

    @asynccontextmanager
    async def remote(self, url: str, token_file: Path | None) -> AsyncGenerator[tuple[Way, Sender]]:
        """Over HTTP, to any instance."""
        from ambroise.interfaces.cli.submission.papers import Sender
        from ambroise.interfaces.cli.submission.ways import RemoteWay

        token = token_file.read_text().strip() if token_file else os.environ.get("AMBROISE_TOKEN") or self._signed()
        structure = f"1{self.organization}" if self.organization else None
        yield RemoteWay(url, token), Sender(f"8{self.rpps}", organization=structure, **self.places)

    async def _sender(
        self, services: Services, id: str, name: str, structure: str | None, structure_name: str | None
    ) -> Sender:
        from ambroise.interfaces.cli.submission.papers import Sender
        from ambroise.modules.directory import api as directory

        known = None
        if structure is not None:
            async with services.database.reader() as reader:
                known = await directory.structure(reader, structure)
        sender = Sender(id, name, structure, structure_name)
        if known is not None:
            sender = replace(sender, facility=known.facility, setting=known.setting)
        return replace(sender, **self.places)

    def _signed(self) -> str:
        from datetime import timedelta

        from ambroise.interfaces.token_claims import Role, claims_for, sign
        from ambroise.kernel.clock import SystemClock
        from ambroise.kernel.crypto.signing import SigningKeys

        settings = self.settings
        if not any(settings.signing_keys.glob("*.pem")):
            fail("Give the token of the professional with --token-file or in AMBROISE_TOKEN.")
        claims = claims_for(
            Role.PROFESSIONAL,
            f"professional:{self.rpps}",
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            issued_at=SystemClock().now(),
            lifetime=timedelta(hours=8),
            rpps=self.rpps,
            organization=self.organization,
            software=_SOFTWARE,
        )
        return sign(claims, SigningKeys.load(settings.signing_keys).signer)


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
                results.append(await _send(way, path, sender, described))
                bars.advance(task)
    return results


async def _send(way: Way, path: Path, sender: Sender, described: Described) -> Result:
    from ambroise.interfaces.cli.submission.papers import read
    from ambroise.kernel.errors import Refusal

    try:
        return Result(path, sent=await way.send(read(path, sender, described)))
    except Refusal as refusal:
        return Result(path, refusal=refusal)


def _sum_up(results: Sequence[Result]) -> None:
    """The table of what was refused and what to do, then how many went which way."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Piped, the table keeps whole sentences: what a person must read is not cut at eighty columns.
    console = Console() if os.isatty(1) else Console(width=200)
    refused = [(result.path, result.refusal) for result in results if result.refusal]
    if refused:
        table = Table("File", "Refused because", "What to do", title="Refused", title_justify="left")
        for path, refusal in refused:
            table.add_row(Text(str(path)), Text(refusal.code, style="red"), Text(refusal.diagnostics))
        console.print(table)
    counts = Counter(result.sent.state.value for result in results if result.sent)
    summary = Table("Documents", title="Summary", title_justify="left")
    summary.add_column("", justify="right")
    for state in ("filed", "already there"):
        summary.add_row(state, str(counts[state]))
    summary.add_row("refused", str(len(refused)))
    console.print(summary)


# Where numbers come from (NIR), for people of tests and for real ones; others are said with --patient OID|INS.
_USUAL_OID = {"test": "1.2.250.1.213.1.4.10", "production": "1.2.250.1.213.1.4.8"}


def _ins(patient: str | None, settings: Settings) -> str | None:
    """The INS with its OID, which the installation implies unless another is given."""
    if patient is None or "|" in patient:
        return patient.removeprefix("urn:oid:") if patient else None
    return f"{_USUAL_OID[settings.identity_mode]}|{patient}"
