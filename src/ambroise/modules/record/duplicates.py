"""What was done, or filed, already: the same examination a short while before, the same file in the same record."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from uuid import UUID

from ambroise.kernel.db import Reader
from ambroise.modules.record import repository

_ANY = "*"

# A code of the CCAM says where (two letters), what is done (Q: to explore), and by which technique (one letter).
_CCAM_IMAGING = re.compile(r"([A-Z]{2})Q([HJKLMN])\d{3}")
_LOINC = re.compile(r"\d{1,5}-\d")


def done_already(code: str, day: date, before: Sequence[date]) -> date | None:
    """The last day on which this examination (LOINC) was done within its window before `day`, if it was."""
    first = day - window(code)
    return max((one for one in before if first <= one < day), default=None)


def window(code: str) -> timedelta:
    """For how long an examination (LOINC) is pointed out as done already."""
    windows = _days("exam_window")
    return timedelta(days=windows.get(code, windows[_ANY]))


def imaging_keys(codes: Iterable[str]) -> frozenset[str]:
    """What makes two acts of imaging the same: region and technique where the CCAM says them, else the code itself."""
    return frozenset(f"{act[1]}{act[2]}" if (act := _CCAM_IMAGING.fullmatch(code)) else code for code in codes if code)


def is_imaging(codes: Iterable[str]) -> bool:
    """Whether one of these codes is an act of imaging of the CCAM."""
    return any(_CCAM_IMAGING.fullmatch(code) for code in codes)


def imaging_window(keys: Collection[str]) -> timedelta:
    """For how long an act of imaging is pointed out as done already; the shortest of its techniques."""
    windows = _days("imaging_window")
    techniques = [key[2] for key in keys if len(key) == 3 and not _LOINC.fullmatch(key)]
    return timedelta(days=min((windows.get(one, windows[_ANY]) for one in techniques), default=windows[_ANY]))


async def same_files(reader: Reader, patient: UUID, document: str) -> Sequence[str]:
    """The other documents of the record that have the very same bytes, by id; who may see them is the door's to say."""
    return [str(one) for one in await repository.with_same_bytes(reader, patient, UUID(document))]


@cache
def _days(table: str) -> Mapping[str, int]:
    text = files("ambroise.modules.record").joinpath(f"data/{table}.tsv").read_text("utf-8")
    lines = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {line[0]: int(line[1]) for line in lines}
