"""What the measures of one thing share: a database of their own, and a page of results beside the others."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from ambroise.kernel.migrations import migrate
from ambroise.kernel.postgres.cluster import EmbeddedPostgres
from bench import machine


class Alone(Struct, frozen=True):
    """A PostgreSQL for one measure, its schema made, and a folder that goes with it."""

    server: EmbeddedPostgres
    folder: Path

    def ended(self) -> list[str]:
        """The last lines of a page: how busy the machine was, and what it is."""
        facts = [f"- {name}: {of}" for name, of in machine.facts(self.server.owner_dsn).items()]
        return ["", f"Busy at the end: load {machine.load()}.", "", *facts, ""]


@contextmanager
def alone(name: str) -> Iterator[Alone]:
    """Start it, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix=f"ambroise-{name}-"))
    server = EmbeddedPostgres(folder / "instance")
    server.start()
    try:
        migrate(server.owner_dsn)
        yield Alone(server, folder)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def options(name: str, description: str | None) -> argparse.ArgumentParser:
    """The options of `python -m bench.<name>`; a measure adds its sizes."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=description)
    parser.add_argument("--quietly", action="store_true", help="print, write no page")
    return parser


def publish(name: str, lines: Sequence[str], *, quietly: bool) -> None:
    """Print a page, and write it beside the others unless `quietly`."""
    page = "\n".join(lines)
    if not quietly:
        (Path(__file__).parent / f"{name}.md").write_text(page, encoding="utf-8")
    print(page)
