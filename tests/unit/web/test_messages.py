"""The English catalogue is complete, and faithful in what it fills."""

import re
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from ambroise.interfaces.web.ui.i18n import accepted, gettext, language, ngettext, speak, typographic

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))
import update_messages

_FIELD = re.compile(r"%\((\w+)\)s")


def test_every_sentence_of_the_pages_has_its_english() -> None:
    with update_messages.ENGLISH.open("rb") as file:
        assert update_messages.missing(read_po(file, locale="en")) == []


def test_both_languages_fill_the_same_fields_and_markup() -> None:
    english = language("en")
    for french, translated in english.messages.items():
        assert sorted(_FIELD.findall(french)) == sorted(_FIELD.findall(translated)), french
        assert re.findall(r"</?\w+>", french) == re.findall(r"</?\w+>", translated), french


def test_french_sets_its_non_breaking_spaces() -> None:
    assert typographic("« Bilan » : 6,7 % !") == "«\u00a0Bilan\u00a0»\u00a0: 6,7\u00a0%\u00a0!"


@pytest.mark.parametrize(("count", "expected"), [(0, "0 document"), (1, "1 document"), (2, "2 documents")])
def test_french_counts_nothing_in_the_singular(count: int, expected: str) -> None:
    speak("fr")
    assert ngettext("%(count)s document", "%(count)s documents", count).replace("\u00a0", " ") == expected


def test_english_counts_nothing_in_the_plural() -> None:
    speak("en")
    try:
        assert ngettext("%(count)s document", "%(count)s documents", 0) == "0 documents"
        assert gettext("Réglages") == "Settings"
    finally:
        speak("fr")


@pytest.mark.parametrize(
    ("header", "expected"),
    [("en-GB,fr;q=0.5", "en"), ("fr;q=0.1, en;q=0.9", "en"), ("de, fr-FR;q=0.3", "fr"), ("de", None), ("en;q=0", None)],
)
def test_the_language_follows_the_browser(header: str, expected: str | None) -> None:
    assert accepted(header) == expected
