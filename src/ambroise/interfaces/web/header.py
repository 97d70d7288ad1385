"""The header of a document in words: who wrote it, for whom, when, where, about which act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.views import Told
from ambroise.modules.record.api import Document, Fact, FactKey

_LABELS: Mapping[FactKey, str] = {
    FactKey.AUTHOR: N_("Écrit par"),
    FactKey.MADE: N_("Écrit le"),
    FactKey.PATIENT: N_("Au sujet de"),
    FactKey.BORN: N_("Date de naissance"),
    FactKey.SEX: N_("Sexe"),
    FactKey.INS: N_("Matricule INS"),
    FactKey.LEGAL_AUTHENTICATOR: N_("Validé par"),
    FactKey.CUSTODIAN: N_("Conservé par"),
    FactKey.ACT: N_("Acte"),
    FactKey.ACT_DATE: N_("Date de l’acte"),
    FactKey.PLACE: N_("Lieu"),
    FactKey.RECIPIENT: N_("Adressé à"),
    FactKey.REPLACES: N_("Remplace"),
}
_SEXES = {"F": N_("Féminin"), "M": N_("Masculin")}


def told(facts: Sequence[Fact]) -> Sequence[Told]:
    """The facts of a CDA header, one line for each sort; the same person is named once for one thing."""
    found: dict[FactKey, list[str]] = {}
    for fact in facts:
        if fact.key in _LABELS:
            words = _words(fact)
            known = found.setdefault(fact.key, [])
            if words not in known:
                known.append(words)
    return [Told(gettext(label), found[key]) for key, label in _LABELS.items() if key in found]


def described(document: Document) -> Sequence[Told]:
    """The same of a document that is no CDA, from what was said when it was filed."""
    authors = [", ".join(filter(None, (one.name, one.specialty, one.organization))) for one in document.authors]
    lines = [
        (FactKey.AUTHOR, [one for one in authors if one]),
        (FactKey.MADE, [dates.words(dates.as_day(document.date), "d MMMM y")] if document.date else []),
        (FactKey.PLACE, [document.place] if document.place else []),
    ]
    return [Told(gettext(_LABELS[key]), values) for key, values in lines if values]


def _words(fact: Fact) -> str:
    if not isinstance(fact.value, str):
        return dates.words(dates.as_day(fact.value.start), "d MMMM y")
    match fact.key:
        case FactKey.SEX:
            return gettext(_SEXES[fact.value]) if fact.value in _SEXES else fact.value
        case FactKey.BORN:
            return _day(fact.value)
        case FactKey.REPLACES:
            return gettext("Une version plus ancienne")
        case _:
            return fact.value


def _day(written: str) -> str:
    try:
        return dates.words(date.fromisoformat(written[:8]), "d MMMM y")
    except ValueError:
        return written
