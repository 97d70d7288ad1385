"""`passkey code`: a one-time code that lets a professional or an operator add a first passkey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail
from ambroise.trust.context import Context, System

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    passkeys = typer.Typer(help="Passkeys of professionals and operators.", no_args_is_help=True)
    app.add_typer(passkeys, name="passkey")

    @passkeys.callback()
    def group() -> None:
        """Passkeys of professionals and operators."""

    @passkeys.command()
    def code(
        who: Annotated[
            str, typer.Option("--as", metavar="WHO", help="`professional:<RPPS>` or `operator:<sign-in name>`.")
        ],
        data: Data = None,
    ) -> None:
        """Print a code, good once and for a day, to hand over in person; it is typed at /cle/premiere."""
        role, _, name = who.partition(":")
        if role not in ("professional", "operator") or not name:
            fail("--as takes professional:<RPPS> or operator:<sign-in name>.")
        typer.echo(toolbox.run(_give(toolbox, toolbox.settings(data), name)))


async def _give(toolbox: Toolbox, settings: Settings, name: str) -> str:
    from ambroise.modules.identity.api import Invitations

    async with toolbox.builder.services(settings) as services:
        ctx = Context(System("cli"), services.clock, channel="cli", demonstration=services.demonstration)
        account, code = await Invitations(services.passkeys).give(ctx, name)
        return f"{code}  (for {account.display_name}, at {services.public_url}/cle/premiere)"
