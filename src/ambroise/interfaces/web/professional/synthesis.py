"""What a medical synthesis (VSM, IPS-FR) may say of a patient: the lines of the profile, part by part, in French."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import Struct

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.results import result, titled
from ambroise.interfaces.web.ui import plots
from ambroise.interfaces.web.ui.i18n import N_, current, gettext, speak
from ambroise.modules.profile.api import KINSHIP, Item, Section, Sheet
from ambroise.modules.record.api import write

_KIN = "2.16.840.1.113883.5.111"
_SYSTEMS: Mapping[str, str] = {
    "http://hl7.org/fhir/sid/icd-10": write.CIM_10,
    "http://www.whocc.no/atc": write.ATC,
    "http://snomed.info/sct": write.SNOMED,
    "http://loinc.org": write.LOINC,
}
_HABITS: Mapping[str, write.Coded] = {
    "TOBACCO": write.Coded("72166-2", "Statut tabagique", write.LOINC),
    "ALCOHOL": write.Coded("74013-4", "Consommation d'alcool", write.LOINC),
}
_MOST = 60
MOST_RESULTS = 12
"""Latest results of a laboratory in a synthesis."""


class Chosen(Struct, frozen=True):
    """One part of a synthesis: its lines, or what is said in words when there is none."""

    key: str
    title: str
    lines: Sequence[write.Line]
    said: str = ""


PARTS: Mapping[str, str] = {
    "problems": N_("Pathologies en cours"),
    "allergies": N_("Allergies"),
    "treatments": N_("Traitements"),
    "past": N_("Antécédents médicaux"),
    "acts": N_("Interventions et hospitalisations"),
    "family": N_("Antécédents familiaux"),
    "habits": N_("Habitudes de vie"),
    "disabilities": N_("Handicaps"),
    "results": N_("Derniers résultats et mesures"),
}
"""The parts that one chooses among, in the order of the page."""
_NONE: Mapping[str, tuple[Section, str]] = {
    "problems": (Section.ILLNESSES, N_("Pathologies : aucune, dit le patient le %(day)s.")),
    "allergies": (Section.ALLERGIES, N_("Allergies : aucune connue, dit le patient le %(day)s.")),
    "treatments": (Section.TREATMENTS, N_("Traitements : aucun, dit le patient le %(day)s.")),
    "acts": (Section.STAYS, N_("Hospitalisations : aucune, dit le patient le %(day)s.")),
    "family": (Section.FAMILY, N_("Antécédents familiaux : aucun connu, dit le patient le %(day)s.")),
    "disabilities": (Section.DISABILITIES, N_("Handicap : aucun, dit le patient le %(day)s.")),
}


@contextmanager
def _in_french() -> Iterator[None]:
    """The document is in French, whatever language the page is in."""
    before = current().code
    speak("fr")
    try:
        yield
    finally:
        speak(before)


def parts_of(sheet: Sheet, results: Sequence[Mapping[str, Any]]) -> list[Chosen]:
    """Every part with what would go into it."""
    with _in_french():
        lines: Mapping[str, list[write.Line]] = {
            "problems": _lines(sheet, Section.ILLNESSES, lambda one: one.active),
            "past": _lines(sheet, Section.ILLNESSES, lambda one: not one.active),
            "acts": _lines(sheet, Section.STAYS),
            "allergies": _lines(sheet, Section.ALLERGIES, lambda one: one.active),
            "treatments": _lines(sheet, Section.TREATMENTS, lambda one: one.active),
            "family": _lines(sheet, Section.FAMILY),
            "habits": _lines(sheet, Section.HABITS),
            "disabilities": _lines(sheet, Section.DISABILITIES),
            "results": [*_measured(sheet), *(_result(one) for one in results)],
        }
        said = {key: _none(sheet, key) for key in PARTS if not lines[key]}
        return [Chosen(key, gettext(title), lines[key], said.get(key, "")) for key, title in PARTS.items()]


def synthesis_of(parts: Sequence[Chosen], chosen: Sequence[str], alerts: str) -> write.Synthesis:
    """The synthesis of the chosen parts."""
    kept = {one.key: one for one in parts if one.key in chosen}

    def lines(key: str) -> Sequence[write.Line]:
        return kept[key].lines if key in kept else ()

    def said(*keys: str) -> list[str]:
        return [kept[key].said for key in keys if key in kept and kept[key].said]

    disabilities = [f"{one.name} : {one.about}" if one.about else one.name for one in lines("disabilities")]
    return write.Synthesis(
        problems=lines("problems"),
        past=lines("past"),
        acts=lines("acts"),
        allergies=lines("allergies"),
        history_said=said("problems", "acts", "allergies"),
        habits=lines("habits"),
        family=lines("family"),
        risks_said=[*said("family", "disabilities"), *(f"Handicap : {one}" for one in disabilities)],
        alerts=[one.strip() for one in alerts.splitlines() if one.strip()],
        results=lines("results"),
        treatments=lines("treatments"),
        treatments_said=said("treatments"),
    )


def summary_of(parts: Sequence[Chosen], chosen: Sequence[str], alerts: str) -> write.PatientSummary:
    """The summary (IPS-FR) of the chosen parts."""
    kept = {one.key: one for one in parts if one.key in chosen}

    def lines(key: str) -> Sequence[write.Line]:
        return kept[key].lines if key in kept else ()

    disabilities = [f"{one.name} : {one.about}" if one.about else one.name for one in lines("disabilities")]
    return write.PatientSummary(
        problems=lines("problems"),
        past=lines("past"),
        acts=lines("acts"),
        allergies=lines("allergies"),
        treatments=lines("treatments"),
        habits=lines("habits"),
        family=lines("family"),
        results=lines("results"),
        alerts=[
            *(one.strip() for one in alerts.splitlines() if one.strip()),
            *(f"Handicap : {one}" for one in disabilities),
            *(kept[key].said for key in ("family", "disabilities") if key in kept and kept[key].said),
        ],
        said={one.key: one.said for one in kept.values() if one.said},
    )


def mark_of(parts: Sequence[Chosen]) -> str:
    """What changes as soon as anything that the page showed does."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def _lines(sheet: Sheet, section: Section, wanted: Callable[[Item], bool] = lambda _: True) -> list[write.Line]:
    items = [one for one in sheet[section].items if not one.denied and wanted(one)]
    return [_line(one) for one in items[:_MOST]]


def _line(item: Item) -> write.Line:
    about = item.name if item.section is Section.HABITS else profiles.about(item)
    kind = _HABITS.get(item.details.get("habit", ""))
    relation = item.details.get("relation", "")
    if item.section is Section.FAMILY and relation in KINSHIP:
        kind = write.Coded(KINSHIP[relation], about or gettext("Membre de la famille"), _KIN)
    words = " · ".join(part for part in (about, item.comment) if part)
    return write.Line(profiles.name(item), _coded(item), item.start, item.end, words, kind)


def _coded(item: Item) -> write.Coded | None:
    if item.code is None:
        return None
    system = oid_of(item.code.system)
    return write.Coded(item.code.code, item.code.label or item.name, system) if system else None


def oid_of(system: str) -> str | None:
    """The OID of a system as FHIR writes it; None for one that no document names."""
    oid = _SYSTEMS.get(system) or system.removeprefix("urn:oid:")
    return oid if oid.replace(".", "").isdigit() else None


def _measured(sheet: Sheet) -> list[write.Line]:
    found = {item.details.get("measure", ""): item for item in reversed(sheet[Section.MEASURES].items)}
    blood = [
        write.Line(gettext("Groupe sanguin"), start=one.start, about=one.name) for one in sheet[Section.BLOOD].items
    ]
    return [
        *blood[:1],
        *(write.Line(profiles.name(one), start=one.start, about=profiles.value(one)) for one in found.values()),
    ]


def _result(one: Mapping[str, Any]) -> write.Line:
    told = result(one, ())
    value = told.value.replace("\u00a0", " ")
    normal = plots.range_words(told.low, told.high)
    about = f"{value} ({normal})" if normal else value
    return write.Line(titled(told), start=str(one.get("effectiveDateTime", ""))[:10], about=about)


def _none(sheet: Sheet, key: str) -> str:
    section, words = _NONE.get(key, (None, ""))
    since = sheet[section].none_since if section else ""
    return gettext(words, day=profiles.when(since)) if since else ""
