"""What one asks of the INSi service, and what it answers."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct

from ambroise.modules.identity.ins import Ins, Sex


class Operation(StrEnum):
    """The operations of the service, by the names of its WSDL."""

    CARD = "rechercherInsAvecCarteVitale"
    TRAITS = "rechercherInsAvecTraitsIdentite"
    VERIFY = "verifierInsAvecTraitsIdentite"


class Outcome(StrEnum):
    """The functional return codes (CodeCR)."""

    FOUND = "00"
    NOBODY = "01"
    SEVERAL = "02"

    @property
    def label(self) -> str:
        """The published words (LibelleCR)."""
        return LABELS[self]


LABELS: Final = {
    Outcome.FOUND: "OK",
    Outcome.NOBODY: "Aucune identite trouvee",
    Outcome.SEVERAL: "Plusieurs identites trouvees",
}


class TraitsQuery(Struct, frozen=True):
    """The traits one asks with: one or more first names of the list of birth, the place when known."""

    birth_name: str
    given_names: tuple[str, ...]
    sex: str
    birth_date: str
    birth_place: str | None = None


class CardQuery(Struct, frozen=True):
    """What a carte Vitale says of one of its beneficiaries; numbers are the 13 characters without key."""

    holder: str
    birth_date: str
    birth_rank: int = 1
    person: str | None = None
    birth_name: str | None = None


class Former(Struct, frozen=True):
    """A matricule that a person had before."""

    ins: Ins
    since: date | None = None
    until: date | None = None


class Individual(Struct, frozen=True):
    """An identity of the base of reference: the INS, the strict traits, and the former matricules."""

    ins: Ins
    birth_name: str
    given_names: str
    sex: Sex
    birth_date: date
    birth_place: str | None
    former: tuple[Former, ...] = ()
    holder: str | None = None
    birth_rank: int = 1


class Answer(Struct, frozen=True):
    """The functional answer: a code, and the individual with the code 00 alone."""

    outcome: Outcome
    individual: Individual | None = None
