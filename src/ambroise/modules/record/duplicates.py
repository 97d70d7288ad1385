"""What was done, or filed, already: the same examination a short while before, the same file in the same record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from uuid import UUID

from ambroise.kernel.db import Reader
from ambroise.modules.record import repository

_ANY = "*"


def done_already(code: str, day: date, before: Sequence[date]) -> date | None:
    """The last day on which this examination (LOINC) was done within its window before `day`, if it was."""
    windows = _windows()
    first = day - timedelta(days=windows.get(code, windows[_ANY]))
    return max((one for one in before if first <= one < day), default=None)


async def same_files(reader: Reader, patient: UUID, document: str) -> Sequence[str]:
    """The other documents of the record that have the very same bytes, by id; who may see them is the door's to say."""
    return [str(one) for one in await repository.with_same_bytes(reader, patient, UUID(document))]


@cache
def _windows() -> Mapping[str, int]:
    text = files("ambroise.modules.record").joinpath("data/exam_window.tsv").read_text("utf-8")
    lines = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {code: int(days) for code, days in lines}
