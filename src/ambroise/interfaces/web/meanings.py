"""What a word that people type in a search may mean: itself, and the types of documents whose name has it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from ambroise.interfaces.web.categories import CATEGORIES, category
from ambroise.modules.record.api import Category, tables, types_of

_SHORTEST = 3


def meanings(word: str) -> Sequence[str]:
    """The word, then the codes of the types that its name, or the name of its category, calls so.

    A document bears the code of its type; its name may be missing, or stand in another language than the reader's.
    """
    wanted = _folded(word)
    if len(wanted) < _SHORTEST:
        return [word]
    named = {one.code for one in tables.table("document_type").entries if wanted in _folded(one.label)}
    for code in CATEGORIES:
        if wanted in _folded(category(code)):
            named.update(types_of(Category(code)))
    return [word, *sorted(named)]


def escaped(text: str) -> str:
    """A value of a search in which commas and bars are mere letters."""
    return "".join(f"\\{one}" if one in "\\,|$" else one for one in text)


def _folded(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
