"""What may be told, and how long: the limits of the fields of the national service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NoReturn

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.profile.measures import measure_of
from ambroise.modules.profile.model import Draft, Section

MOST_NAME, MOST_COMMENT, MOST_TREATMENT, MOST_DOSAGE = 200, 3000, 50, 1000
MOST_LOT = 100
MOST_HELP = 50
MOST_MEASURE_COMMENT = 150

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

CHOICES: Mapping[str, tuple[str, ...]] = {
    "relation": (
        "MOTHER",
        "FATHER",
        "GRANDMOTHER",
        "GRANDFATHER",
        "SISTER",
        "BROTHER",
        "GREAT_GRANDMOTHER",
        "GREAT_GRANDFATHER",
        "AUNT",
        "UNCLE",
        "OTHER",
    ),
    "disability": (
        "SENSORY",
        "NEURO_DEVELOPMENTAL_DISORDER",
        "PSYCHIC",
        "ENGINE",
        "POLY_DISABILITY",
        "DISABLING_DISEASES",
        "OTHERS",
    ),
    "rate": ("LESS_THAN_50", "BETWEEN_50_AND_79", "BIGGER_THAN_80_OR_EQUAL", "UNKNOWN"),
    "help": ("YES", "NO", "NONE"),
    "stage": ("INITIMMUNIZ", "BOOSTER", "IMMUNIZ"),
    "unit": ("DAY", "WEEK", "MONTH", "YEAR"),
    "contact": ("EMERGENCY_CONTACT", "TRUSTED_CONTACT", "CAREGIVER_CONTACT", "HELP_CONTACT"),
    "kinship": ("MOTHER", "FATHER", "CHILD", "SPOUSE", "TUTEUR", "OTHER"),
    "habit": ("FOOD", "PHYSICAL_ACTIVITY", "SLEEP", "SCREEN", "ALCOHOL", "TOBACCO"),
    "moment": ("53049-3", "88365-2", "16915-1", "LA11865-5", "MED-1278", "LA46-8"),
    "role": ("MEDECIN_TRAITANT", "SAGE_FEMME_REFERENTE", "PHARMACIEN_CORRESPONDANT", "OTHER"),
}
"""The closed choices of the profile, under the codes of the national client; when a glucose was measured: JDV_J157."""

_CHOSEN: Mapping[Section, Mapping[str, str]] = {
    Section.VACCINATIONS: {"stage": "stage"},
    Section.STAYS: {"unit": "unit"},
    Section.FAMILY: {"relation": "relation"},
    Section.DISABILITIES: {"disability": "disability", "rate": "rate", "human": "help"},
    Section.MEASURES: {"moment": "moment"},
    Section.HABITS: {"habit": "habit"},
    Section.NETWORK: {"role": "role"},
    Section.CONTACTS: {"contact": "contact", "kinship": "kinship"},
}
"""Which details of a section are one of the closed choices, or several of them."""

_MANDATORY_START = frozenset(
    {Section.ILLNESSES, Section.TREATMENTS, Section.STAYS, Section.VACCINATIONS, Section.MEASURES}
)


def check(draft: Draft, born: date | None, today: date) -> None:
    """Refuse what cannot be: an empty name, words too long, a date before birth or after today, an odd figure."""
    if not draft.name.strip():
        _refuse("PROFILE_NAME_MISSING", "Say what it is.", "name")
    _bounded("name", draft.name, MOST_TREATMENT if draft.section is Section.TREATMENTS else MOST_NAME)
    _bounded("comment", draft.comment, MOST_MEASURE_COMMENT if draft.section is Section.MEASURES else MOST_COMMENT)
    for name, most in (("dosage", MOST_DOSAGE), ("lot", MOST_LOT), ("technical", MOST_HELP)):
        _bounded(name, draft.details.get(name, ""), most)
    for name, value in draft.details.items():
        _bounded(name, value, MOST_COMMENT)
    if draft.section in _MANDATORY_START and not draft.start:
        _refuse("PROFILE_DATE_MISSING", "Give a date; a year is enough.", "start")
    _dates(draft, born, today)
    _choices(draft)
    if draft.section is Section.MEASURES:
        _figures(draft)
    for name in ("duration", "low", "high"):
        if draft.details.get(name):
            _number(draft.details[name], name)


def shortened(name: str, comment: str) -> tuple[str, str]:
    """A treatment whose name is too long: what overflows goes to the comment."""
    if len(name) <= MOST_TREATMENT:
        return name, comment
    cut = name.rfind(" ", 0, MOST_TREATMENT + 1)
    cut = cut if cut > 0 else MOST_TREATMENT
    return name[:cut].rstrip(), "\n".join(filter(None, (name[cut:].strip(), comment)))


def _dates(draft: Draft, born: date | None, today: date) -> None:
    for name, value in (("start", draft.start), ("end", draft.end)):
        if not value:
            continue
        if not _DATE.fullmatch(value) or not _exists(value):
            _refuse("PROFILE_DATE_UNREADABLE", "A date is a year, a month or a day.", name)
        if born is not None and value < born.isoformat()[: len(value)]:
            _refuse("PROFILE_DATE_BEFORE_BIRTH", "This is before the birth.", name)
        if value > today.isoformat()[: len(value)] and (name == "start" or draft.section is not Section.TREATMENTS):
            _refuse("PROFILE_DATE_TO_COME", "This day has not come.", name)
    if draft.start and draft.end and draft.end < draft.start[: len(draft.end)]:
        _refuse("PROFILE_DATES_CROSSED", "It ends before it begins.", "end")


def _choices(draft: Draft) -> None:
    for name, kind in _CHOSEN.get(draft.section, {}).items():
        said = draft.details.get(name, "")
        if (said or name == "habit") and not set(said.split(",")) <= set(CHOICES[kind]):
            _refuse("PROFILE_CHOICE_UNKNOWN", "Choose one of the answers.", name)


def _exists(value: str) -> bool:
    try:
        date.fromisoformat(value + "-01-01"[len(value) - 4 :] if len(value) < 10 else value)
    except ValueError:
        return False
    return int(value[:4]) >= 1880


def _figures(draft: Draft) -> None:
    measure = measure_of(draft.details.get("measure", ""))
    if measure is None:
        _refuse("PROFILE_MEASURE_UNKNOWN", "There is no such measure.", "measure")
    for figure in measure.figures:
        value = _number(draft.details.get(figure.name, ""), figure.name)
        if not figure.least <= value <= figure.most:
            _refuse(
                "PROFILE_FIGURE_ODD", f"Between {figure.least} and {figure.most} {measure.unit}, please.", figure.name
            )


def _number(written: str, name: str) -> Decimal:
    """A plain number: neither NaN, nor an infinity, nor a power of ten that would fill a page."""
    if not _NUMBER.fullmatch(written):
        _refuse("PROFILE_FIGURE_UNREADABLE", "Write a number.", name)
    return Decimal(written)


def _bounded(name: str, value: str, most: int) -> None:
    if len(value) > most:
        _refuse("PROFILE_TOO_LONG", f"At most {most} characters.", name)


def _refuse(code: str, says: str, element: str) -> NoReturn:
    raise Refusal(Kind.UNPROCESSABLE, code, says, element=element)
