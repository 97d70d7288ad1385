"""`export`: a copy of somebody's whole record, for an operator who answers a request for it off line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.interfaces.services import Services
    from ambroise.kernel.settings import Settings
    from ambroise.modules.portability.api import Export
    from ambroise.trust.context import Context


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def export(
        file: Annotated[Path, typer.Argument(metavar="OUT.zip", help="Where to write the copy; it must not exist.")],
        ins: Annotated[str, typer.Option("--for", metavar="INS", help="Whose record.")],
        who: Annotated[
            str,
            typer.Option("--as", metavar="WHO", help="`operator:<sign-in name>`, who must have the duty `copies`."),
        ],
        language: Annotated[str, typer.Option(metavar="LANGUAGE", help="`fr` or `en`.")] = "fr",
        data: Data = None,
    ) -> None:
        """Write a copy of a record: what its holder may see of it, and nothing else. The trace says who took it."""
        role, _, name = who.partition(":")
        if role != "operator" or not name:
            fail("--as takes operator:<sign-in name>.")
        if language not in ("fr", "en"):
            fail("--language takes fr or en.")
        if file.exists():
            fail(f"{file} exists already.")
        made = toolbox.run(_export(toolbox, toolbox.settings(data), file, ins, name, language))
        typer.echo(f"{file}: {made.files} files, {made.size} bytes.")


async def _export(toolbox: Toolbox, settings: Settings, file: Path, ins: str, name: str, language: str) -> Export:
    async with toolbox.builder.people(settings) as people:
        space = await people.space(ins)
    if space is None:
        fail(f"There is no space for the INS {ins}.")
    patient = space.patient
    async with toolbox.builder.services(settings) as services:
        ctx = await _operator(services, name)
        async with services.database.transaction() as tx:
            begun = await services.exports.ask(tx, ctx, patient, language=language)
        made = await services.exports.finish(begun.id)
        try:
            taken = await services.exports.take(ctx, patient, begun.id)
            # What is written here is clear: only who runs the command reads it.
            out = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            with out:
                async for chunk in taken.chunks:
                    out.write(chunk)
        finally:
            await services.exports.drop(ctx, patient, begun.id)
    return made


async def _operator(services: Services, name: str) -> Context:
    from ambroise.modules.identity.api import operator_named
    from ambroise.trust.context import Context

    async with services.database.reader() as reader:
        operator = await operator_named(reader, name)
    if operator is None:
        fail(f"There is no operator {name}.")
    return Context(operator, services.clock, channel="cli", demonstration=services.demonstration)
