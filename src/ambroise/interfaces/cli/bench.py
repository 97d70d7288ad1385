"""`bench`: measure this software on this machine, from a checkout of its sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from ambroise.interfaces.cli.toolbox import Toolbox, fail

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command(context_settings=_PASS_ON)
    def bench(ctx: typer.Context) -> None:
        """Measure on an instance of its own, and write bench/RESULTS.md; `--help` says the options."""
        import ambroise

        sources = Path(ambroise.__file__).parents[2]
        if not (sources / "bench" / "__main__.py").is_file():
            fail("The benchmark comes with the sources: run it from a checkout (`make bench`).")
        done = subprocess.run([sys.executable, "-m", "bench", *ctx.args], check=False, cwd=sources)
        raise typer.Exit(done.returncode)
