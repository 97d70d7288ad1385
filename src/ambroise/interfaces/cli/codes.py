"""`codes import`: official files of codes behind what people type in their medical profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    codes = typer.Typer(help="Code lists of the medical profile.", no_args_is_help=True)
    app.add_typer(codes, name="codes")

    @codes.callback()
    def group() -> None:
        """Code lists of the medical profile."""

    @codes.command("import")
    def import_(
        file: Annotated[Path, typer.Argument(help="The official file, as it was published.")],
        form: Annotated[
            str,
            typer.Option(
                "--format",
                help="bdpm: CIS_bdpm.txt, the public base of medicines. cip: CIS_CIP_bdpm.txt, its boxes, after it."
                " cim10: code and label, by tabs or semicolons.",
            ),
        ],
        data: Data = None,
    ) -> None:
        """Bring an official list of codes, in place of the one brought before."""
        if not file.is_file():
            fail(f"{file}: no such file.")
        count = toolbox.run(_import(toolbox, toolbox.settings(data), file, form))
        typer.echo(f"{count} codes of {file.name} are in.")


async def _import(toolbox: Toolbox, settings: Settings, file: Path, form: str) -> int:
    from ambroise.modules.profile.api import codes

    async with toolbox.builder.services(settings) as services, services.database.transaction() as tx:
        return await codes.bring(tx, file, form, services.clock.now())
