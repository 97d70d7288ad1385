"""`directory import`: the public extraction files of the national directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings
    from ambroise.modules.directory.api import FileKind, Import


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    directory = typer.Typer(help="The directory of professionals and structures.", no_args_is_help=True)
    app.add_typer(directory, name="directory")

    @directory.callback()
    def group() -> None:
        """The directory of professionals and structures."""

    @directory.command("import")
    def import_(
        file: Annotated[
            Path, typer.Argument(help="An extraction: columns apart by `|`, their names on the first line.")
        ],
        kind: Annotated[
            str | None,
            typer.Option(help="activity, skill, mailbox, service or device; told by the file's name otherwise."),
        ] = None,
        mapping: Annotated[
            Path | None, typer.Option(help="Which column says what (TOML); see `data/extractions.toml`.")
        ] = None,
        partial: Annotated[bool, typer.Option("--partial", help="A part of the register: nobody leaves.")] = False,
        many_departures: Annotated[
            bool, typer.Option("--many-departures", help="Let more than one professional in twenty leave.")
        ] = False,
        data: Data = None,
    ) -> None:
        """Import an extraction, or finish an import that was interrupted; prints a report of bad lines."""
        if not file.is_file():
            fail(f"{file}: no such file.")
        settings = toolbox.settings(data)
        done, bad = toolbox.run(
            _import(toolbox, settings, file, kind, mapping, partial=partial, many_departures=many_departures)
        )
        typer.echo(
            f"{done.kind}: {done.accepted} lines taken, {done.refused} refused, {done.departed} professionals left, "
            f"{done.returned} came back."
        )
        for line, code, about in bad:
            typer.echo(f"  line {line}: {code}{f' ({about})' if about else ''}")
        if done.refused > len(bad):
            typer.echo(f"  … and {done.refused - len(bad)} more.")


async def _import(
    toolbox: Toolbox,
    settings: Settings,
    file: Path,
    kind: str | None,
    mapping: Path | None,
    *,
    partial: bool,
    many_departures: bool,
) -> tuple[Import, list[tuple[int, str, str | None]]]:
    from ambroise.interfaces.departures import follow
    from ambroise.modules.directory import api as directory
    from ambroise.trust.context import Context, System

    chosen = _kind(kind)
    columns = directory.mapping_of(mapping.read_text("utf-8")) if mapping else None
    async with toolbox.builder.services(settings) as services:
        ctx = Context(System("directory import"), services.clock, channel="cli", demonstration=services.demonstration)
        done = await directory.import_file(
            services.database,
            ctx,
            file,
            follow=follow,
            kind=chosen,
            mapping=columns,
            partial=partial,
            many_departures=many_departures,
        )
        async with services.database.reader() as reader:
            return done, await directory.refusals(reader, done.number)


def _kind(name: str | None) -> FileKind | None:
    from ambroise.modules.directory.api import FileKind

    if name is None:
        return None
    try:
        return FileKind(name)
    except ValueError:
        fail(f"--kind takes one of {', '.join(FileKind)}.")
