"""The command line. Each module of this folder that has a function `register` adds its commands; see `toolbox.py`."""

import importlib
import pkgutil
import sys

import typer

from ambroise.interfaces.cli.toolbox import Builder, Toolbox


def build(builder: Builder) -> typer.Typer:
    """The application, with every command found in this folder."""
    app = typer.Typer(
        name="ambroise",
        help="Ambroise, an open national digital health space.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    toolbox = Toolbox(builder)
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        register = getattr(importlib.import_module(f"{__name__}.{module.name}"), "register", None)
        if register is not None:
            register(app, toolbox)
    return app


def run(builder: Builder) -> None:
    """Run the command of this process."""
    build(builder)(args=sys.argv[1:] or ["--help"])
