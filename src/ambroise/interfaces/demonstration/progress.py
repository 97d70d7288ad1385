"""Shows how far the load of a demonstration is: bars on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

from ambroise.interfaces.demonstration.loader import Progress

_STAGES = {
    "directory": "Professionals and structures",
    "citizens": "Citizens and their spaces",
    "documents": "Documents",
}

Report = Callable[[Progress], None]


@contextmanager
def shown(stream: TextIO = sys.stderr) -> Generator[Report]:
    """Give a function that shows the progress it is told about."""
    if stream.isatty():
        with _bars(stream) as report:
            yield report
    else:
        yield _lines(stream)


@contextmanager
def _bars(stream: TextIO) -> Generator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(file=stream)) as bars:
        tasks = {stage: bars.add_task(title, total=None, start=False) for stage, title in _STAGES.items()}
        started: set[str] = set()

        def report(progress: Progress) -> None:
            task = tasks[progress.stage]
            if progress.stage not in started:
                started.add(progress.stage)
                bars.start_task(task)
            bars.update(task, total=progress.total, completed=progress.done)

        yield report


def _lines(stream: TextIO) -> Report:
    """A line when a stage begins, and one when it ends."""
    begun: set[str] = set()

    def report(progress: Progress) -> None:
        title = _STAGES[progress.stage]
        if progress.stage not in begun:
            begun.add(progress.stage)
            print(f"{title}: {progress.total} to load", file=stream, flush=True)
        if progress.done == progress.total:
            print(f"{title}: done", file=stream, flush=True)

    return report
