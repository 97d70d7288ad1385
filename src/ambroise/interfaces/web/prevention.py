"""How the calendar of prevention is said: states, sorts and sources in words, for every portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ambroise.interfaces.web.ui.i18n import N_, current, gettext, typographic
from ambroise.modules.prevention.api import Item, Kind, Source, Standing, State, Words, checkup_questions

STATES: Mapping[State, tuple[str, str, str]] = {
    State.DUE: ("due", "clock", N_("À faire")),
    State.OVERDUE: ("late", "triangle-alert", N_("À rattraper")),
    State.DONE: ("done", "check", N_("Fait")),
    State.NOT_DONE: ("off", "x", N_("Pas fait")),
    State.TO_COME: ("off", "calendar", N_("À venir")),
    State.UNKNOWN: ("off", "circle-question-mark", N_("À vérifier")),
    State.TO_DISCUSS: ("self", "stethoscope", N_("À voir avec un soignant")),
    State.NOT_CONCERNED: ("off", "x", N_("Suivi à part")),
}
"""How each state is shown: look, icon, words."""

KINDS: Mapping[Kind, tuple[str, str]] = {
    Kind.EXAMINATION: ("stethoscope", N_("Examen de l’enfant")),
    Kind.VACCINE: ("syringe", N_("Vaccin")),
    Kind.CHECKUP: ("clipboard-check", N_("Bilan prévention")),
    Kind.DENTAL: ("smile", N_("Dents")),
    Kind.SCREENING: ("search", N_("Dépistage")),
    Kind.PREGNANCY: ("baby", N_("Grossesse")),
}
_SOURCES: Mapping[str, str] = {
    "document": N_("Vu dans un document de votre dossier"),
    "record": N_("Noté par un professionnel"),
    "declared": N_("Noté par vous"),
}


def words_of(words: Words) -> str:
    """A text of a rule, in the language of the page."""
    return words.en if current().code == "en" else typographic(words.fr)


def title_of(item: Item) -> str:
    """What an item is called: the rule, and which dose."""
    title = words_of(item.rule.title)
    return f"{title} · {words_of(item.label)}" if item.label is not None else title


def source_of(source: Source) -> str:
    """How something is known."""
    return gettext(_SOURCES[source.kind])


def urgent_first(items: Sequence[Item]) -> list[Item]:
    """What is asked now: a result to talk about, then what is late, then what ends first."""
    asked = [one for one in items if one.waits or one.alarmed]
    return sorted(
        asked, key=lambda one: (not one.alarmed, one.state is not State.OVERDUE, one.until or date.max, one.due)
    )


def answers_of(band: str, answers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each question that was answered, and the answer in words."""
    found: list[tuple[str, str]] = []
    for one in checkup_questions(band, answers):
        told = answers.get(one.id)
        if told is not None:
            words = {code: words_of(text) for code, text in one.options}
            found.append((words_of(one.text), words.get(told, told)))
    return found


STANDINGS: Mapping[Standing, tuple[str, str, str]] = {
    Standing.DONE: ("done", "check", N_("Fait")),
    Standing.GOING: ("due", "clock", N_("En cours")),
    Standing.NOT_YET: ("off", "calendar", N_("Pas encore")),
    Standing.DROPPED: ("off", "x", N_("Abandonné")),
}
"""How each standing of a line of a plan is shown."""


def standings() -> dict[Standing, tuple[str, str, str]]:
    """The same in the language of the page."""
    return {one: (look, icon, gettext(words)) for one, (look, icon, words) in STANDINGS.items()}


def vocabulary() -> dict[str, Any]:
    """What templates about prevention say."""
    return {
        "states": {state: (look, icon, gettext(words)) for state, (look, icon, words) in STATES.items()},
        "sorts": {kind: (icon, gettext(words)) for kind, (icon, words) in KINDS.items()},
        "words_of": words_of,
        "title_of": title_of,
        "source_of": source_of,
    }
