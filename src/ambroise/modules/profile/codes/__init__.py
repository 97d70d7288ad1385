"""The code lists behind what people type: those that come with the software, and those brought from official files.

The lists of the software are the codes that the value sets of the CI-SIS cite (`tools/compile_profile_codes.py`); no
whole national table of illnesses or medicines comes with it. `ambroise codes import` brings the official files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.profile import repository
from ambroise.modules.profile.boxes import CIP
from ambroise.modules.profile.grouping import folded
from ambroise.modules.profile.model import Code
from ambroise.modules.record.api import tables

List = Literal["illness", "medicine", "vaccine", "allergen", "blood_group"]
LISTS: tuple[List, ...] = ("illness", "medicine", "vaccine", "allergen", "blood_group")
MOST = 12
_DATA = files(__name__) / "data"
# Allergies are to substances, medicines included.
_ALSO: dict[str, tuple[List, ...]] = {"allergen": ("allergen", "medicine")}
_CIS = "urn:oid:1.2.250.1.213.2.3.1"
_CIM10 = "http://hl7.org/fhir/sid/icd-10"
_FORMATS = {"bdpm": ("medicine", _CIS), "cim10": ("illness", _CIM10), "cip": ("presentation", CIP)}


class _Row(Struct, frozen=True):
    code: Code
    folded: str


@cache
def published(name: List) -> tuple[Code, ...]:
    """A list that comes with the software."""
    return tuple(row.code for row in _rows(name))


async def search(reader: Reader, name: List, words: str, count: int = MOST) -> Sequence[Code]:
    """The codes whose label holds every word typed so far, those that begin with them first."""
    asked = folded(words)
    if len(asked) < 2:
        return ()
    parts = asked.split()
    found = [
        row for each in _ALSO.get(name, (name,)) for row in _rows(each) if all(part in row.folded for part in parts)
    ]
    lists = _ALSO.get(name, (name,))
    brought = await repository.codes_with(reader, lists, [f"%{_plain(part)}%" for part in parts], count)
    found += [_Row(Code(system, code, label), folded_label) for system, code, label, folded_label in brought]
    found.sort(key=lambda row: (not row.folded.startswith(asked), len(row.folded), row.folded))
    unique = {(row.code.system, row.code.code): row.code for row in found}
    return tuple(unique.values())[:count]


async def exactly(reader: Reader, name: List, label: str) -> Code | None:
    """The code whose label is what was typed, or chosen."""
    asked = folded(label)
    for each in _ALSO.get(name, (name,)):
        for row in _rows(each):
            if row.folded == asked:
                return row.code
    row = await repository.code_named(reader, _ALSO.get(name, (name,)), asked)
    return Code(*row) if row else None


async def bring(tx: Transaction, path: Path, form: str, at: datetime) -> int:
    """Bring an official file into the instance, in place of what its list had from before; how many codes.

    `bdpm`: CIS_bdpm.txt of the public base of medicines (Latin-1, tabulations; code CIS, name). `cip`: CIS_CIP_bdpm.txt
    of the same, once the first is in (a box is called by the medicine in it). `cim10`: any table of code and label
    apart by tabulations or semicolons, in UTF-8, as the ATIH publishes CIM-10.
    """
    if form not in _FORMATS:
        raise Refusal(Kind.INVALID, "CODES_FORMAT_UNKNOWN", f"Formats: {', '.join(sorted(_FORMATS))}.")
    name, system = _FORMATS[form]
    rows = await _presentations(tx, path) if form == "cip" else dict(_lines(path, form))
    if not rows:
        raise Refusal(Kind.INVALID, "CODES_FILE_EMPTY", f"{path.name} holds no code.")
    brought = [(code, label, folded(label)) for code, label in sorted(rows.items())]
    await repository.replace_codes(tx, name, system, brought, path.name, at)
    return len(rows)


async def named_by(reader: Reader, name: str, code: str) -> Code | None:
    """The code of a list that was brought in."""
    row = await repository.code_of(reader, name, code)
    return Code(*row) if row else None


async def _presentations(tx: Transaction, path: Path) -> dict[str, str]:
    """CIP of 13 digits → name of the medicine, of the boxes whose medicine is known."""
    names = dict(await repository.labels_of(tx, "medicine", _CIS))
    if not names:
        raise Refusal(Kind.INVALID, "CODES_MEDICINES_FIRST", "Bring CIS_bdpm.txt first: boxes are called by it.")
    with path.open(encoding="latin-1", newline="") as stream:
        rows = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        found = ((row[0].strip(), row[6].strip()) for row in rows if len(row) > 6)
        return {cip: names[cis] for cis, cip in found if cis in names and len(cip) == 13 and cip.isdecimal()}


def _lines(path: Path, form: str) -> Iterator[tuple[str, str]]:
    encoding, delimiter = ("latin-1", "\t") if form == "bdpm" else ("utf-8-sig", None)
    with path.open(encoding=encoding, newline="") as stream:
        if delimiter is None:
            delimiter = "\t" if "\t" in stream.readline() else ";"
            stream.seek(0)
        for row in csv.reader(
            stream, delimiter=delimiter, quoting=csv.QUOTE_NONE if form == "bdpm" else csv.QUOTE_MINIMAL
        ):
            if len(row) > 1 and row[0].strip() and row[1].strip() and row[0].strip()[-1:].isdigit():
                yield row[0].strip()[:32], " ".join(row[1].split())[:300]


@cache
def _rows(name: List) -> tuple[_Row, ...]:
    lines = (_DATA / f"{name}.tsv").read_text("utf-8").splitlines()
    cells = (line.split("\t") for line in lines if line and not line.startswith("#"))
    made = (Code(tables.system_url(system), code, label) for code, label, system, *_ in cells)
    return tuple(_Row(code, folded(code.label)) for code in made)


def _plain(part: str) -> str:
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
