"""The rules that come with the software: tables of `data/`, each with its edition, its source and its date."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from ambroise.modules.prevention.model import Rule, read_rule

_DATA: Final = Path(__file__).parent / "data"
_FAMILIES: Final = ("examinations", "vaccines", "screenings", "pregnancy")


class Shipped(Struct, frozen=True):
    """A rule as it came, and the edition of the table that brought it."""

    rule: Rule
    edition: str


@lru_cache(maxsize=1)
def shipped() -> tuple[Shipped, ...]:
    """Every rule of the tables."""
    return tuple(one for name in _FAMILIES for one in _family(tomllib.loads((_DATA / f"{name}.toml").read_text())))


@lru_cache(maxsize=1)
def antigens() -> Mapping[str, frozenset[str]]:
    """What each vaccine holds, by ATC class and by CIS code."""
    raw = tomllib.loads((_DATA / "antigens.toml").read_text())
    return {code: frozenset(held) for table in ("atc", "cis") for code, held in raw[table].items()}


def _family(raw: dict[str, Any]) -> list[Shipped]:
    """The rules of one table: what the family says holds where a rule says nothing else."""
    return [Shipped(read_rule(_typed({**raw["family"], **one})), raw["edition"]) for one in raw["rule"]]


def _typed(raw: dict[str, Any]) -> dict[str, Any]:
    """A plan that names its series is one of doses."""
    plan = raw["plan"]
    return {**raw, "plan": {"type": "doses", **plan}} if "series" in plan else raw
