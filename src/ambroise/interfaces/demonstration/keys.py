"""Makes identifiers with right keys, for people and places that do not exist."""

from __future__ import annotations

from datetime import date

from ambroise.interfaces.demonstration.geography import Commune
from ambroise.modules.directory.api import luhn_digit

_CORSICA = {"2A": "19", "2B": "18"}
# From 1976 on, births in Corsica are numbered in 2A or 2B; before, the whole island was department 20.
_CORSICA_SPLIT = date(1976, 1, 1)


def nir_key(first13: str) -> str:
    """Two-digit key of the thirteen characters of a NIR: 97 minus the remainder by 97, Corsican letters replaced."""
    department = first13[5:7]
    number = first13[:5] + _CORSICA.get(department, department) + first13[7:]
    return f"{97 - int(number) % 97:02}"


def matricule(sex: str, born: date, place: Commune, order: int) -> str:
    """INS matricule (NIR) of somebody born at a place; `order` (1 to 999) tells apart those born there that month."""
    cog = place.cog
    if cog[:2] in _CORSICA and born < _CORSICA_SPLIT:
        cog = "20" + cog[2:]
    first13 = f"{'1' if sex == 'M' else '2'}{born.year % 100:02}{born.month:02}{cog}{order:03}"
    return first13 + nir_key(first13)


def rpps(number: int) -> str:
    """RPPS number of the test range 997, with its key."""
    prefix = f"997{number:07}"
    return prefix + luhn_digit(prefix)


def finess(number: int) -> str:
    """FINESS number of department 99, which does not exist, with its key."""
    prefix = f"99{number:06}"
    return prefix + luhn_digit(prefix)


def siren(number: int) -> str:
    """SIREN number beginning with 999, with its key."""
    prefix = f"999{number:05}"
    return prefix + luhn_digit(prefix)
