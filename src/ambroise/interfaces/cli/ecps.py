"""`ecps approve`: answer what waits on the simulated phone of a demonstration professional."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings
    from ambroise.modules.identity.api import Provider

_LOOK_AGAIN_SECONDS = 0.5


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    phones = typer.Typer(help="The simulated e-CPS of demonstration professionals.", no_args_is_help=True)
    app.add_typer(phones, name="ecps")

    @phones.callback()
    def group() -> None:
        """The simulated e-CPS of demonstration professionals."""

    @phones.command()
    def approve(
        who: Annotated[str, typer.Option("--as", metavar="WHO", help="`professional:<RPPS>`.")],
        deny: Annotated[bool, typer.Option("--deny", help="Refuse instead.")] = False,
        situation: Annotated[
            int, typer.Option(metavar="N", min=0, help="Situation of practice, when no page asks it afterwards.")
        ] = 0,
        wait: Annotated[float, typer.Option(metavar="S", min=0, help="Seconds to wait for a notification.")] = 10,
        data: Data = None,
    ) -> None:
        """Answer the newest notification; print the name of the software and the number that it shows."""
        role, _, rpps = who.partition(":")
        if role != "professional" or not rpps:
            fail("--as takes professional:<RPPS>.")
        typer.echo(toolbox.run(_answer(toolbox, toolbox.settings(data), rpps, situation, deny=deny, wait=wait)))


async def _answer(toolbox: Toolbox, settings: Settings, rpps: str, situation: int, *, deny: bool, wait: float) -> str:
    async with toolbox.builder.services(settings) as services:
        provider = services.provider
        professional = "8" + rpps if len(rpps) == 11 else rpps
        until = time.monotonic() + wait
        while (answered := await _newest(provider, professional, situation, deny=deny)) is None:
            if time.monotonic() >= until:
                fail("Nothing waits on this phone: start signing in first.")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return answered


async def _newest(provider: Provider, professional: str, situation: int, *, deny: bool) -> str | None:
    account, waiting = await provider.signing_on.on_the_phone(professional)
    if not waiting:
        return None
    newest = waiting[0]
    if deny:
        await provider.signing_on.deny(account, newest.id)
        return f"Refused: {newest.client_name}, number {newest.number}."
    await provider.signing_on.approve(account, newest.id, None, situation)
    return f"Approved: {newest.client_name}, number {newest.number}."
