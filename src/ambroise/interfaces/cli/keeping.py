"""`backup`, `restore`, `keys rotate`: what an operator does to keep the installation safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, explained

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup.")]


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def backup(folder: Folder, data: Data = None) -> None:
        """Save everything as it is at one instant, encrypted, while the instance runs."""
        settings = toolbox.settings(data)
        with explained():
            saved = toolbox.builder.backup(settings, folder.absolute(), progress=_show)
        typer.echo(
            f"{saved.rows} rows of {len(saved.tables)} tables and {len(saved.objects)} large documents are saved.\n"
            f"They come back only with the master key {saved.master_id}: keep {settings.master_key} elsewhere too."
        )

    @app.command()
    def restore(
        folder: Folder,
        data: Data = None,
        master_key: Annotated[
            Path | None, typer.Option(metavar="FILE", help="The master key file of the saved installation.")
        ] = None,
    ) -> None:
        """Bring a backup back into a new data folder or an empty database."""
        settings = toolbox.settings(data)
        with explained():
            restored = toolbox.builder.restore(settings, folder.absolute(), master_key, progress=_show)
        typer.echo(f"{restored.rows} rows and {len(restored.objects)} large documents of {restored.created} are back.")

    @app.command()
    def reindex(data: Data = None) -> None:
        """Have the worker index every document again, and read again the facts of those that an older version read."""
        count = toolbox.run(toolbox.builder.index_again(toolbox.settings(data)))
        typer.echo(f"{count} documents will be read again by the worker, a few seconds in every half minute.")

    keys = typer.Typer(help="Keys of the installation.", no_args_is_help=True)
    app.add_typer(keys, name="keys")

    @keys.command()
    def rotate(
        data: Data = None,
        documents: Annotated[
            bool, typer.Option("--documents", help="Also give every citizen a new data key and seal documents again.")
        ] = False,
        signing: Annotated[bool, typer.Option("--signing", help="Also make a new key that signs tokens.")] = False,
    ) -> None:
        """Make a new master key and wrap every data key again, while the instance runs."""
        settings = toolbox.settings(data)
        done = toolbox.run(toolbox.builder.rotate(settings, documents=documents, signing=signing))
        typer.echo(f"The master key is now {done.master_id}; {done.wrapped} data keys were wrapped again.")
        typer.echo(f"Former master keys stay in {settings.master_key}, since older backups need them.")
        if documents:
            typer.echo(f"{done.documents} documents of {done.citizens} citizens were sealed again.")
        if signing:
            typer.echo("A new key signs tokens; those signed before stay good until they expire.")


def _show(what: str) -> None:
    from rich.console import Console

    Console(stderr=True).print(f"[dim]{what}[/dim]", highlight=False)
