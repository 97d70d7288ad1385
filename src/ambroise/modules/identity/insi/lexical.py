"""The lexical rules of the INSi service: what it does not accept is refused, never trimmed (guide SEL-MP-043)."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from ambroise.modules.identity.ins import Sex, comparable, normal_name
from ambroise.modules.identity.insi.failures import FIELD_MISSING, LEXICAL, NAME_MISSING, VALUE
from ambroise.modules.identity.insi.model import TraitsQuery

_LONGEST: Final = 100
_MOST_NAMES: Final = 20
# Letters in groups; between two groups one space, one apostrophe, one hyphen, or two hyphens in a family name.
_FAMILY: Final = re.compile(r"'?[A-Z]+(?:(?:--|[ '-])[A-Z]+)*")
_GIVEN: Final = re.compile(r"'?[A-Z]+(?:[ '-][A-Z]+)*")
_PLACE: Final = re.compile(r"\d{5}|2[AB]\d{3}", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def normal_query(query: TraitsQuery) -> TraitsQuery:
    """The same traits written as the service wants them (capitals, no accents); refuses what has no equivalent."""
    try:
        return TraitsQuery(
            normal_name(query.birth_name),
            tuple(normal_name(name) for name in query.given_names),
            query.sex.strip().upper(),
            query.birth_date.strip(),
            query.birth_place.strip().upper() if query.birth_place else None,
        )
    except ValueError:
        LEXICAL.raised()


def check_traits_query(query: TraitsQuery, today: date) -> None:
    """Refuse traits that the service does not accept: INSI_NAME_MISSING, …FIELD_MISSING, …LEXICAL, …VALUE."""
    if not query.birth_name:
        NAME_MISSING.raised(field="birth_name")
    if not query.given_names or not all(query.given_names) or not query.sex or not query.birth_date:
        FIELD_MISSING.raised()
    check_family(query.birth_name)
    if len(query.given_names) > _MOST_NAMES:
        LEXICAL.raised(field="given_names")
    for name in query.given_names:
        check_given(name)
    if query.sex not in (Sex.MALE, Sex.FEMALE):
        VALUE.raised(field="sex")
    check_date(query.birth_date, today)
    if query.birth_place is not None and not _PLACE.fullmatch(query.birth_place):
        VALUE.raised(field="birth_place")


def check_family(name: str) -> None:
    """Refuse (INSI_LEXICAL) what is no family name."""
    if len(name) > _LONGEST or not _FAMILY.fullmatch(name):
        LEXICAL.raised(field="birth_name")


def check_given(name: str) -> None:
    """Refuse (INSI_LEXICAL) what is no first name: single hyphens, none at either end, no apostrophe at the end."""
    if len(name) > _LONGEST or not _GIVEN.fullmatch(name):
        LEXICAL.raised(field="given_names")


def check_date(text: str, today: date) -> date:
    """The birth date of a text. Refuses INSI_VALUE for what is none, or is to come."""
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day > today:
        VALUE.raised(field="birth_date")
    return day


def holds_names(given_names: str, asked: tuple[str, ...]) -> bool:
    """Whether a list of birth holds every first name asked; hyphen, apostrophe and space are equivalent."""
    listed = f" {comparable(given_names)} "
    return all(f" {comparable(name)} " in listed for name in asked)
