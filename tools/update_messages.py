"""Bring the English catalogue of the portals up to date with their French sentences.

New sentences come in without translation and are listed: a test refuses a catalogue that is not complete. What
no page says any more leaves.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "src" / "ambroise" / "interfaces" / "web"
ENGLISH = WEB / "locale" / "en" / "messages.po"

# What is written on top of the catalogue: the same at each run, so that only sentences make a difference.
_HEADER = """# English of the portals. Made by tools/update_messages.py from the French sentences of the pages.
msgid ""
msgstr ""
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""

_METHODS = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
_OPTIONS = {"**/templates/**.html": {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "trimmed": "true"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "lazy": None}


def extracted() -> Catalog:
    """Every sentence that a page or a view says."""
    found = Catalog(project="Ambroise", locale="en", charset="utf-8", fuzzy=False)
    for name, line, message, comments, _ in extract_from_dir(WEB, _METHODS, _OPTIONS, keywords=_KEYWORDS):
        found.add(message, None, [(name, line)], auto_comments=comments)
    return found


def missing(catalogue: Catalog) -> list[str]:
    """The sentences of the pages that a catalogue does not translate."""
    told = {_key(one.id): one.string for one in catalogue if one.id}
    return [_key(one.id) for one in extracted() if one.id and not _done(told.get(_key(one.id)))]


def update() -> None:
    """Rewrite the catalogue: present sentences with the translations known so far."""
    known = {_key(one.id): one.string for one in _read() if one.id}
    fresh = extracted()
    for one in fresh:
        if one.id and _key(one.id) in known:
            one.string = known[_key(one.id)]
    out = io.BytesIO()
    write_po(out, fresh, width=120, sort_output=True, no_location=True, omit_header=True, include_lineno=False)
    ENGLISH.write_text(_HEADER + out.getvalue().decode())
    for sentence in missing(_read()):
        print("to translate:", sentence)


def _read() -> Catalog:
    if not ENGLISH.is_file():
        return Catalog(locale="en")
    with ENGLISH.open("rb") as file:
        return read_po(file, locale="en")


def _key(id: str | tuple[str, ...] | list[str]) -> str:
    return id if isinstance(id, str) else id[0]


def _done(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(string) and (isinstance(string, str) or all(string or ()))


if __name__ == "__main__":
    update()
