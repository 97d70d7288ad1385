"""Test identities of the INSi service: each return code and each failure, on demand, on a demonstration instance only.

The people are those of public test fixtures of the national service, and a few of ours; nobody real. The first ones are
rows of the base of reference like any other; the last ones make the service fail.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.modules.identity.ins import TEST_OID, Ins, Sex, comparable, nir_key
from ambroise.modules.identity.insi import repository
from ambroise.modules.identity.insi.failures import THROTTLED, UNAVAILABLE, Failure
from ambroise.modules.identity.insi.model import Former, Individual, TraitsQuery


def _ins(number: str) -> Ins:
    return Ins(f"{number}{nir_key(number):02}", TEST_OID)


def _person(
    number: str,
    name: str,
    given: str,
    sex: Sex,
    born: str,
    place: str | None,
    *former: Former,
    holder: str | None = None,
    rank: int = 1,
) -> Individual:
    return Individual(_ins(number), name, given, sex, date.fromisoformat(born), place, former, holder, rank)


FAMILY: Final = "1840275056101"
"""The holder of a card with three children born on one day: twins by their rank, and one of another name."""

PEOPLE: Final = (
    _person("297022A020778", "ADRTROIS", "DOMINIQUE", Sex.FEMALE, "1997-02-26", "2A020"),
    _person("160012B020777", "ADRTROIS", "TOUSSAINT", Sex.MALE, "1960-01-01", "2B020"),
    _person("2360663220836", "TCHITCHI", "CATARINA BELLA", Sex.FEMALE, "1936-06-21", "63220"),
    _person(
        "1090763220834", "ECETINSI", "PIERRE-ALAIN MURIEL FLORIANT", Sex.MALE, "2009-07-14", "63220",
        Former(_ins("2090763220834"), None, date(2019, 2, 28)), Former(_ins("2090663220123")),
        holder="2360663220836",
    ),
    _person("1140299350001", "DE VINCI", "LEONARDO PIERO", Sex.MALE, "2014-02-01", "99127"),
    _person("1140275056002", "DE VINCI", "LEONARDO PAOLO", Sex.MALE, "2014-02-01", "75056"),
    _person("1840275056101", "FAMILLE", "CAMILLE", Sex.MALE, "1984-02-11", "75056", holder=FAMILY),
    _person("2120575056102", "FAMILLE", "ANNA", Sex.FEMALE, "2012-05-20", "75056", holder=FAMILY),
    _person("1120575056103", "FAMILLE", "NOE", Sex.MALE, "2012-05-20", "75056", holder=FAMILY, rank=2),
    _person("2120569123104", "RECOMPOSEE", "LINA", Sex.FEMALE, "2012-05-20", "69123", holder=FAMILY),
)  # fmt: skip


class Trap(Struct, frozen=True):
    """Traits that make the service fail."""

    birth_name: str
    given_name: str
    sex: Sex
    birth_date: str
    failure: Failure


TRAPS: Final = (
    Trap("DE VINCI", "RUTH", Sex.FEMALE, "1976-07-14", UNAVAILABLE),
    Trap("COEUR", "AEION", Sex.MALE, "1987-01-25", UNAVAILABLE),
    Trap("TROPDAPPELS", "ALIX", Sex.FEMALE, "1990-01-01", THROTTLED),
)


def add_people(tx: Transaction) -> None:
    """Put the test identities into the base of reference; those already there are written over."""
    for individual in PEOPLE:
        repository.put(tx, individual)


def spring(query: TraitsQuery) -> None:
    """Fail as the test identity asked for says; pass over any other one."""
    for trap in TRAPS:
        same = comparable(query.birth_name) == trap.birth_name and query.birth_date == trap.birth_date
        if same and query.sex == trap.sex and trap.given_name in map(comparable, query.given_names):
            trap.failure.raised()
