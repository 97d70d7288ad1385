"""Writes an insurer's file of fictitious people, to measure `ambroise space open-population`.

    python bench/population.py 1000000 people.csv

Matricules are those of nobody: in a demonstration the test authority assigns them. Two lines in a thousand are wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from ambroise.modules.identity.ins import nir_key

_NAMES = (
    "MARTIN",
    "BERNARD",
    "PETIT",
    "ROBERT",
    "RICHARD",
    "DURAND",
    "DUBOIS",
    "MOREAU",
    "LAURENT",
    "SIMON",
    "LEFEVRE",
)
_GIVEN = {"1": ("JEAN", "LOUIS", "PAUL", "HUGO", "LEO"), "2": ("MARIE", "JEANNE", "LOUISE", "EMMA", "ALICE")}
_HEADER = (
    "matricule;nom_naissance;premier_prenom;prenoms;date_naissance;sexe;lieu_naissance;courriel;telephone;adresse;"
    "code_postal;commune"
)


def line(number: int, random: Random) -> str:
    """One person; the number makes the matricule unique."""
    sex, year, month = random.choice("12"), random.randrange(1930, 2020), random.randrange(1, 13)
    department, rest = 10 + number // 1_000_000 % 85, number % 1_000_000
    digits = f"{sex}{year % 100:02}{month:02}{department:02}{rest:06}"
    key = nir_key(digits)
    if number % 1000 == 7:
        key = key % 97 + 1
    name, given = random.choice(_NAMES), random.choice(_GIVEN[sex])
    mail = f"p{number}@exemple.fr" if number % 5 else ""
    day = f"{year}-{month:02}-{random.randrange(1, 29):02}" if number % 1000 != 8 else "31/02/1990"
    return (
        f"{digits}{key:02};{name};{given};{given} {random.choice(_GIVEN[sex])};{day};{'MF'[int(sex) - 1]};"
        f"{department:02}{random.randrange(1, 400):03};{mail};0600000000;"
        f"{number % 90 + 1} rue Fictive;{department:02}000;Ville"
    )


def main() -> None:
    write(int(sys.argv[1]), Path(sys.argv[2]))


def write(count: int, path: Path) -> None:
    """A file of so many people, always the same."""
    random = Random(20260114)
    with path.open("w", encoding="utf-8") as out:
        out.write(_HEADER + "\n")
        for number in range(count):
            out.write(line(number, random) + "\n")


if __name__ == "__main__":
    main()
