"""`demo`, `serve`, `worker`, `seed`, `migrate`: start an instance, or make its database ready."""

from __future__ import annotations

from typing import Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, explained

_DEMONSTRATION_POPULATION = 2000
Processes = Annotated[int | None, typer.Option(min=1, help="Processes that answer requests.", show_default="1")]


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def demo(
        port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8080")] = None,
        data: Data = None,
        population: Annotated[
            int, typer.Option(min=0, help="Citizens to generate the first time; 0 starts with the directory alone.")
        ] = _DEMONSTRATION_POPULATION,
        processes: Processes = None,
    ) -> None:
        """Run a demonstration nation on this machine, until interrupted."""
        settings = toolbox.settings(data, port=port, processes=processes, log_format="human", log_level="warning")
        toolbox.run(toolbox.builder.serve(settings, demonstration=True, population=population))

    @app.command()
    def serve(
        data: Data = None,
        host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
        port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8080")] = None,
        roles: Annotated[str | None, typer.Option(help="What to do: web, api, worker, comma separated.")] = None,
        processes: Processes = None,
    ) -> None:
        """Run a real instance, until interrupted."""
        chosen = frozenset(role.strip() for role in roles.split(",")) if roles else None
        settings = toolbox.settings(data, host=host, port=port, roles=chosen, processes=processes)
        toolbox.run(toolbox.builder.serve(settings, demonstration=False))

    @app.command()
    def worker(data: Data = None) -> None:
        """Deliver events and run periodic jobs, beside instances that do not."""
        settings = toolbox.settings(data, roles=frozenset({"worker"}))
        toolbox.run(toolbox.builder.serve(settings, demonstration=False))

    @app.command()
    def seed(
        data: Data = None,
        population: Annotated[int, typer.Option(min=1, help="Citizens to generate.")] = _DEMONSTRATION_POPULATION,
    ) -> None:
        """Make a demonstration installation and load its nation, without serving it."""
        settings = toolbox.settings(data)
        with explained():
            toolbox.builder.prepare(settings, demonstration=True)
        toolbox.run(toolbox.builder.seed(settings, population))

    @app.command()
    def migrate(data: Data = None) -> None:
        """Create or upgrade the database of a real installation, and its keys when there are none."""
        settings = toolbox.settings(data)
        with explained():
            applied = toolbox.builder.prepare(settings, demonstration=False)
        for name in applied:
            typer.echo(name)
        typer.echo(f"{len(applied)} migrations applied." if applied else "The database is up to date.")
