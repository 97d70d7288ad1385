"""Extraction files of people who do not exist."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from ambroise.modules.directory.extraction.mapping import FileKind, shipped
from ambroise.modules.directory.keys import luhn_digit

Write = Callable[..., Path]


def rpps(number: int) -> str:
    prefix = f"1000{number:06}"
    return prefix + luhn_digit(prefix)


def finess(number: int) -> str:
    prefix = f"37{number:06}"
    return prefix + luhn_digit(prefix)


def activity(number: int, **said: str) -> dict[str, str]:
    """One line of activities, by field."""
    return {
        "id_type": "8",
        "id": rpps(number),
        "id_nat": f"8{rpps(number)}",
        "civility": "MME",
        "title": "DR",
        "family": f"Numéro{number}",
        "given": "Zoé",
        "profession": "10",
        "profession_label": "Médecin",
        "category": "C",
        "skill_kind": "S",
        "skill": "SM04",
        "skill_label": "Cardiologie",
        "mode": "L",
        "finess": finess(1),
        "structure": "Cabinet des Halles",
        "sector": "SA07",
        "street": "rue Haute",
        "number": "3",
        "postal_code": "37000",
        "city": "Tours",
        "genre": "GENR01",
        "function": "FON-01",
        "email": "contact@cabinet.example",
        **said,
    }


def written_to(
    folder: Path, kind: FileKind, lines: Sequence[dict[str, str] | str], name: str | None = None, end: str = "|\n"
) -> Path:
    """Write an extraction of a kind from lines by field; a string is a line as it stands."""
    columns = shipped()[kind]
    fields = list(columns.names)
    text = "|".join(columns.names[field] for field in fields) + end
    for line in lines:
        text += (line if isinstance(line, str) else "|".join(line.get(field, "") for field in fields)) + end
    path = folder / (name or f"{columns.begins[0]}_202601010800.txt")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return partial(written_to, tmp_path)
