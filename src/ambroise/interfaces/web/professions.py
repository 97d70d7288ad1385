"""Professions in words, and what the access matrix lets each one read, by category of documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from ambroise.interfaces.web import categories
from ambroise.interfaces.web.citizen.views import Profession, Readable
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.modules.record.api import category_of, tables
from ambroise.trust.access.matrix import Matrix, matrix

G15 = "1.2.250.1.71.1.2.7"
DOCTOR = (G15, "10")

# The professions that the page compares: key of its address, code, name.
SHOWN = (
    ("medecin", "10", N_("Médecin")),
    ("pharmacien", "21", N_("Pharmacien")),
    ("infirmier", "60", N_("Infirmier")),
    ("sage-femme", "50", N_("Sage-femme")),
    ("dentiste", "40", N_("Dentiste")),
    ("kine", "70", N_("Kinésithérapeute")),
    ("psychologue", "93", N_("Psychologue")),
)
_MOST_EXCEPTIONS = 6
# The signature of a submission is a document for machines: no page shows it to anybody.
_NOBODYS = frozenset({"E1762"})
_SUFFIX = re.compile(r"\s*\((SM|SCD|CM|DESC|PAC)\)$")


def role_of(key: str) -> tuple[str, str] | None:
    """The profession behind a key of the page, as (code system, code)."""
    return next(((G15, code) for one, code, _ in SHOWN if one == key), None)


def key_of(system: str, code: str) -> str:
    """The key of the page for a profession; nothing for one that it does not compare."""
    return next((key for key, shown, _ in SHOWN if (system, shown) == (G15, code)), "")


def professions(at: datetime) -> Sequence[Profession]:
    """The matrix in force at this instant, one profession at a time."""
    found: list[Profession] = []
    present = matrix(at)
    for key, code, name in SHOWN:
        role = present.role(G15, code)
        found.append(Profession(key, gettext(name), _lines(present, code), present.version, role.care_team_only))
    return found


@cache
def name_of(system: str, code: str, specialty: str | None = None) -> str:
    """« médecine générale », « infirmier »: how a professional's role is said after the name."""
    prefix = "G15_" if system == G15 else "R95_"
    full = tables.label("author_specialty", f"{prefix}{code}/{specialty}") if specialty else None
    plain = plain_label(full or tables.label("author_specialty", f"{prefix}{code}") or "")
    return plain[:1].lower() + plain[1:]


def plain_label(label: str) -> str:
    """« Médecin, gériatrie » for « Médecin - Gériatrie (SM) », as the national tables write it."""
    role, dash, specialty = _SUFFIX.sub("", label).partition(" - ")
    if not dash:
        return role
    return f"{role}, {specialty[:1].lower()}{specialty[1:].replace('Générale', 'générale')}"


def _lines(present: Matrix, code: str) -> Sequence[Readable]:
    by_category: dict[str, tuple[list[str], list[str]]] = {}
    for cell in present.cells(G15, code):
        if cell.code in _NOBODYS:
            continue
        yes, no = by_category.setdefault(category_of(cell.code).value, ([], []))
        (yes if cell.readable else no).append(cell.code)
    return [_line(category, *by_category[category]) for category in categories.CATEGORIES if category in by_category]


def _line(category: str, yes: list[str], no: list[str]) -> Readable:
    name = categories.category(category)
    if not no:
        return Readable(name, "yes")
    if not yes:
        return Readable(name, "no")
    few = no if len(no) <= len(yes) else yes
    labels = [_label(code) for code in few[:_MOST_EXCEPTIONS]] + (["…"] if len(few) > _MOST_EXCEPTIONS else [])
    if few is no:
        return Readable(name, "partly", exceptions=labels)
    return Readable(name, "partly", only=labels)


def _label(code: str) -> str:
    label = tables.label("document_type", code) or code
    return label[:1].lower() + label[1:] if label[1:2].islower() else label
