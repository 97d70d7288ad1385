"""Articles of advice, chosen by age, sex and pregnancy: data in plain words, each with its public source."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from ambroise.modules.prevention.model import Person, Words
from ambroise.modules.prevention.spans import Span

_TABLE: Final = Path(__file__).parent / "data" / "advice.toml"


class Paragraphs(Struct, frozen=True, forbid_unknown_fields=True):
    """A text in each language."""

    fr: tuple[str, ...]
    en: tuple[str, ...]


class Advice(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """One article, and for whom it is useful."""

    id: str
    start: Span
    until: Span
    title: Words
    text: Paragraphs
    source: str
    url: str
    sex: Literal["F", "M"] | None = None
    pregnant: bool = False


@lru_cache(maxsize=1)
def library() -> tuple[Advice, ...]:
    """Every article."""
    raw = tomllib.loads(_TABLE.read_text())
    return tuple(msgspec.convert(one, Advice, dec_hook=_decode) for one in raw["advice"])


def chosen(person: Person, today: date) -> Sequence[Advice]:
    """The articles for this person, those of a pregnancy first, then those for the fewest years of life."""
    fitting = [
        one
        for one in library()
        if one.start.after(person.birth) <= today < one.until.after(person.birth)
        and one.sex in (None, person.sex)
        and (person.expected is not None or not one.pregnant)
    ]
    return sorted(fitting, key=lambda one: (not one.pregnant, one.until.after(today) - one.start.after(today)))


def _decode(type: type, value: Any) -> Any:
    if type is not Span or not isinstance(value, str):
        raise NotImplementedError
    return Span.of(value)
