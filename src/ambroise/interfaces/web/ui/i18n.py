"""Two languages. French is the source: it stands in the code; English is a catalogue that a test keeps complete.

Babel reads the catalogue when the server starts, so there is no compiled file to forget.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

LANGUAGES = ("fr", "en")
NAMES = {"fr": "Français", "en": "English"}
_CATALOGUES = Path(__file__).parent.parent / "locale"

# A non-breaking space where French typography wants one. U+00A0, since our typeface lacks the narrow one.
_BEFORE = re.compile(r"[ \u00a0](?=[:;?!»€]|%(?!\())")
_AFTER = re.compile(r"«[ \u00a0]")
_UNITS = re.compile(r"(?<=\d) (?=[A-Za-zéèµ°])")


class Language(Struct, frozen=True):
    """One language of the pages: its words, and its rule for plurals."""

    code: str
    messages: dict[str, str]
    plurals: dict[str, tuple[str, ...]]

    def gettext(self, message: str) -> str:
        found = self.messages.get(message, message)
        return typographic(found) if self.code == "fr" else found

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        # French says « 0 document » and « 1 document »; English says "0 documents".
        one = count < 2 if self.code == "fr" else count == 1
        forms = self.plurals.get(singular, (singular, plural))
        found = forms[0] if one else forms[1]
        return typographic(found) if self.code == "fr" else found


def typographic(text: str) -> str:
    """Set the non-breaking spaces of French typography."""
    return _UNITS.sub("\u00a0", _AFTER.sub("«\u00a0", _BEFORE.sub("\u00a0", text)))


@cache
def language(code: str) -> Language:
    """The language of this code; French when it is not one of ours."""
    if code not in LANGUAGES or code == "fr":
        return Language("fr", {}, {})
    # The reader of catalogues takes as long to load as thirty of our modules, and most starts never speak English.
    from babel.messages.pofile import read_po

    with (_CATALOGUES / code / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    messages: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        match message.id, message.string:
            case (tuple(ids), tuple(strings)) if all(strings):
                plurals[str(ids[0])] = tuple(str(one) for one in strings)
            case (str(id), str(string)) if id and string:
                messages[id] = string
            case _:
                pass
    return Language(code, messages, plurals)


_current: ContextVar[Language | None] = ContextVar("language", default=None)


def current() -> Language:
    """The language of the page being made."""
    return _current.get() or language("fr")


def speak(code: str) -> Language:
    """Make what follows in this task speak this language."""
    chosen = language(code)
    _current.set(chosen)
    return chosen


def gettext(message: str, **values: Any) -> str:
    """A sentence of the current language, its `%(name)s` filled."""
    text = current().gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, count: int, **values: Any) -> str:
    """A sentence about a number, `%(count)s` filled with it."""
    return current().ngettext(singular, plural, count) % {"count": count, **values}


_ = gettext


def N_(message: str) -> str:
    """Mark a sentence for the catalogue without translating it yet."""
    return message


class Lazy:
    """A sentence that becomes words of the current language when it is shown: labels of forms are made once."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make

    def __str__(self) -> str:
        return self._make()

    def __bool__(self) -> bool:
        return True


def lazy(message: str) -> Any:
    """A form's label or help, translated when it is rendered. Typed Any, since WTForms wants a string."""
    return Lazy(lambda: gettext(message))


def accepted(header: str) -> str | None:
    """The language that an Accept-Language header prefers among ours, None when it names none of them."""
    return next((code for code in _by_preference(header) if code in LANGUAGES), None)


def _by_preference(header: str) -> Iterable[str]:
    weighted: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")[:20]):
        tag, _, parameters = part.strip().partition(";")
        quality = 1.0
        if (found := re.fullmatch(r"\s*q=([01](?:\.\d{1,3})?)\s*", parameters)) is not None:
            quality = float(found[1])
        if quality:
            weighted.append((-quality, position, tag.split("-")[0].lower()))
    return [tag for _, _, tag in sorted(weighted)]
