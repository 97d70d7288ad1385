"""The measures of the profile: which codes, in which unit, within which bounds. Rules are `data/measures.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from ambroise.modules.profile.model import Code


class Figure(Struct, frozen=True):
    """One number of a measure. `code`: its own code when the measure has several numbers."""

    name: str
    least: Decimal
    most: Decimal
    code: str = ""


class Measure(Struct, frozen=True):
    """One measure. The first code is the one that we write, the others are understood."""

    name: str
    codes: tuple[Code, ...]
    unit: str
    figures: tuple[Figure, ...]
    factors: Mapping[str, Decimal]
    computed: bool = False

    def in_unit(self, value: Decimal, unit: str) -> Decimal | None:
        """The value in the unit of this measure; None for a unit that is not understood."""
        if unit in ("", self.unit):
            return value
        factor = self.factors.get(unit)
        return None if factor is None else (value * factor).normalize()


@cache
def measures() -> Mapping[str, Measure]:
    """All measures by name, in the order of the data."""
    raw = tomllib.loads((files("ambroise.modules.profile") / "data" / "measures.toml").read_text("utf-8"))
    return {name: _measure(name, row) for name, row in raw["measure"].items()}


def measure_of(name: str) -> Measure | None:
    """The measure of this name."""
    return measures().get(name)


@cache
def by_code() -> Mapping[tuple[str, str], Measure]:
    """The measures by every code that means them."""
    return {(code.system, code.code): one for one in measures().values() for code in one.codes}


def _measure(name: str, row: Mapping[str, Any]) -> Measure:
    pairs = (code.split("|") for code in row["codes"])
    figures = row.get("figures") or [{"name": "value", "least": row["least"], "most": row["most"]}]
    return Measure(
        name=name,
        codes=tuple(Code(system, code) for system, code in pairs),
        unit=row["unit"],
        figures=tuple(
            Figure(one["name"], Decimal(one["least"]), Decimal(one["most"]), one.get("code", "")) for one in figures
        ),
        factors={unit: Decimal(factor) for unit, factor in row.get("other_units", {}).items()},
        computed=bool(row.get("computed", False)),
    )
