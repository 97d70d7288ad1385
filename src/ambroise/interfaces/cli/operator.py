"""`operator create`: the people of the desk. After `migrate` nobody exists: the first operator is made here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings

DUTIES = ("support", "identity", "rectification", "administration", "matrix", "copies", "prevention")


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    operators = typer.Typer(help="The people of the desk.", no_args_is_help=True)
    app.add_typer(operators, name="operator")

    @operators.callback()
    def group() -> None:
        """The people of the desk."""

    @operators.command()
    def create(
        name: Annotated[str, typer.Argument(help="Name shown to colleagues and in the trace.")],
        sign_in: Annotated[str, typer.Option("--sign-in", metavar="NAME", help="E-mail address or identifier.")],
        duty: Annotated[
            list[str], typer.Option(metavar="DUTY", help=f"One of {', '.join(DUTIES)}; may be repeated.")
        ] = ["support"],  # noqa: B006 - typer copies it, and shows it in the help.
        password_file: Annotated[
            Path | None, typer.Option(metavar="FILE", help="File that holds the password; asked for otherwise.")
        ] = None,
        data: Data = None,
    ) -> None:
        """Create an operator. The second factor is set up at the first sign-in."""
        unknown = sorted(set(duty) - set(DUTIES))
        if unknown:
            fail(f"There is no duty {', '.join(unknown)}: choose among {', '.join(DUTIES)}.")
        password = _password(password_file)
        toolbox.run(_create(toolbox, toolbox.settings(data), name, sign_in, password, frozenset(duty)))
        typer.echo(f"{name} may sign in as {sign_in}, and sets a second factor up the first time.")


def _password(file: Path | None) -> str:
    if file is None:
        return str(typer.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True))
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        fail(f"{file}: {error.strerror}.")


async def _create(
    toolbox: Toolbox, settings: Settings, name: str, sign_in: str, password: str, duties: frozenset[str]
) -> None:
    async with toolbox.builder.services(settings) as services, services.database.transaction() as tx:
        await services.identity.create_operator(tx, name=name, sign_in_name=sign_in, password=password, duties=duties)
