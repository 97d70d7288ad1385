"""The medical synthesis of a patient (volet de synthèse médicale, VSM 1.4 of the CI-SIS).

A sub-section is there when it has lines; what is said of the others in words stands in the section around them, as
the model allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from ambroise.modules.record.cda.write import entries
from ambroise.modules.record.cda.write.entries import Line
from ambroise.modules.record.cda.write.header import Header
from ambroise.modules.record.cda.write.model import Coded, Head, Professional
from ambroise.modules.record.cda.write.pieces import (
    CCD,
    FR,
    LOINC,
    PCC,
    EntryIds,
    code,
    escape,
    paragraphs,
    section,
    shown_day,
    structured,
    table,
    templates,
)

SYNTHESIS = templates(f"{FR}.1.13#201310")
"""The model that a medical synthesis declares."""
SYNTHESIS_TYPE = Coded("SYNTH", "Synthèse", "1.2.250.1.213.1.1.4.12")
_ACT = f'<code code="34117-2" displayName="Historique et clinique" codeSystem="{LOINC}" codeSystemName="LOINC"/>'
_TREATING = (
    '<functionCode code="PCP" displayName="Médecin Traitant" codeSystem="2.16.840.1.113883.5.88" '
    'codeSystemName="ParticipationFunction"/>'
)


class Synthesis(Struct, frozen=True):
    """What goes into a synthesis. `alerts` is what to watch; `…_said` says in words what has no line.

    The model has no room for `history_said` beside problems, past, acts and allergies that all have lines.
    """

    problems: Sequence[Line] = ()
    past: Sequence[Line] = ()
    acts: Sequence[Line] = ()
    allergies: Sequence[Line] = ()
    history_said: Sequence[str] = ()
    habits: Sequence[Line] = ()
    family: Sequence[Line] = ()
    risks_said: Sequence[str] = ()
    alerts: Sequence[str] = ()
    results: Sequence[Line] = ()
    treatments: Sequence[Line] = ()
    treatments_said: Sequence[str] = ()


def medical_synthesis(header: Header, head: Head, treating: Professional, content: Synthesis) -> bytes:
    """The synthesis that a professional signs; `treating` is the treating doctor, whom the model asks for."""
    ids = EntryIds(head.uid)
    participants = header.participant(treating, "INF", None, function=_TREATING)
    act = header.act(head, _ACT, head.started, None)
    body = structured(_history(content, ids) + _results(content, ids) + _plan(content, ids))
    opening = header.open(head, SYNTHESIS)
    return f"{opening}{header.close(head, participants, act)}{body}</ClinicalDocument>\n".encode()


def _history(content: Synthesis, ids: EntryIds) -> str:
    parts = (
        _listed(_PROBLEMS, content.problems, ids)
        + _listed(_PAST, content.past, ids)
        + _listed(_ACTS, content.acts, ids)
        + _listed(_ALLERGIES, content.allergies, ids)
    )
    coded_habits, told_habits = _split(content.habits)
    risks = _listed(_HABITS, coded_habits, ids) + _listed(_RELATIVES, content.family, ids)
    return section(
        f"{templates(f'{FR}.2.29')}{ids()}{code('code', '46612-8', 'Conclusions de synthèse', LOINC)}"
        "<title>Pathologies, antécédents, allergies et facteurs de risque</title>"
        + _around(
            f"{templates(f'{FR}.2.30')}{ids()}{code('code', '34117-2', 'Historique et physique', LOINC)}"
            "<title>Pathologies en cours, antécédents et allergies</title>",
            content.history_said,
            parts,
        )
        + _around(
            f"{templates(f'{FR}.2.31')}{ids()}"
            f"{code('code', '57207-3', 'Facteurs de risque présents ou passés', LOINC)}"
            "<title>Facteurs de risque</title>",
            (*told_habits, *content.risks_said),
            risks,
        )
    )


def _results(content: Synthesis, ids: EntryIds) -> str:
    rows = "".join(
        f"<tr><td>{shown_day(line.start)}</td><td>{escape(line.name)}</td><td>{escape(line.about)}</td></tr>"
        for line in content.results
    )
    alerts = "".join(f"<paragraph>{escape(words)}</paragraph>" for words in content.alerts)
    said = table(("Date", "Résultat ou mesure", "Valeur"), rows).removeprefix("<text>") if rows else "</text>"
    text = f"<text>{alerts}{said}" if alerts or rows else paragraphs(_NOTHING)
    return section(
        f"{templates(f'{PCC}.3.27', f'{FR}.2.150')}{ids()}{code('code', '30954-2', _RESULTS_LABEL, LOINC)}"
        f"<title>Points de vigilance et derniers résultats</title>{text}"
    )


def _plan(content: Synthesis, ids: EntryIds) -> str:
    listed = _listed(_TREATMENTS, content.treatments, ids)
    said = "" if listed else paragraphs(*(content.treatments_said or (_NOTHING,)))
    return section(
        f"{templates(f'{FR}.2.32')}{ids()}{code('code', '18776-5', 'Plan de traitement', LOINC)}"
        f"<title>Traitement au long cours</title>{said}{listed}"
    )


_NOTHING = "Non renseigné."
_RESULTS_LABEL = "Résultats d'examens"


class _Kind(Struct, frozen=True):
    """A sub-section: how it opens, the columns of its table, the anchor of its lines, how a line is an entry."""

    opening: str
    code: str
    title: str
    columns: tuple[str, ...]
    anchor: str
    entry: Callable[[Line, str, EntryIds], str]


_PROBLEMS = _Kind(
    templates(f"{CCD}.11", f"{PCC}.3.6", f"{FR}.2.132"),
    code("code", "11450-4", "Liste des problèmes actifs", LOINC),
    "Pathologies en cours",
    ("Début", "Pathologie", "Précisions"),
    "pb",
    entries.problem,
)
_PAST = _Kind(
    templates(f"{PCC}.3.8", f"{FR}.2.134"),
    code("code", "11348-0", "Antécédents médicaux", LOINC),
    "Antécédents médicaux",
    ("Dates", "Antécédent", "Précisions"),
    "past",
    entries.past_problem,
)
_ACTS = _Kind(
    templates(f"{CCD}.12", f"{PCC}.3.11", f"{PCC}.3.12", f"{FR}.2.136"),
    code("code", "47519-4", "Historique des actes", LOINC),
    "Interventions et hospitalisations",
    ("Dates", "Acte ou séjour", "Précisions"),
    "act",
    entries.procedure,
)
_ALLERGIES = _Kind(
    templates(f"{CCD}.2", f"{PCC}.3.13", f"{FR}.2.137"),
    code("code", "48765-2", "Allergies et hypersensibilités", LOINC),
    "Allergies et hypersensibilités",
    ("Depuis", "Agent", "Réaction"),
    "all",
    entries.allergy,
)
_HABITS = _Kind(
    templates(f"{CCD}.15", f"{PCC}.3.16", f"{PCC}.3.16.1", f"{FR}.2.141"),
    code("code", "29762-2", "Habitus, Mode de vie", LOINC),
    "Mode de vie",
    ("Date", "Habitude", "Précisions"),
    "hab",
    entries.habit,
)
_RELATIVES = _Kind(
    templates(f"{CCD}.4", f"{PCC}.3.14", f"{PCC}.3.15", f"{FR}.2.139"),
    code("code", "10157-6", "Historique des pathologies familiales", LOINC),
    "Antécédents familiaux",
    ("Depuis", "Antécédent", "Lien de parenté"),
    "fam",
    entries.relative,
)
_TREATMENTS = _Kind(
    templates(f"{CCD}.8", f"{PCC}.3.19", f"{FR}.2.143"),
    code("code", "10160-0", "Traitements", LOINC),
    "Traitements",
    ("Dates", "Médicament", "Posologie et motif"),
    "med",
    entries.treatment,
)


def _around(opening: str, said: Sequence[str], parts: str) -> str:
    """A section around others: words of its own only for what has no sub-section."""
    words = paragraphs(*(said or (_NOTHING,))) if said or not parts else ""
    return section(f"{opening}{words}{parts}")


def _listed(kind: _Kind, lines: Sequence[Line], ids: EntryIds) -> str:
    """The sub-section of these lines; nothing without one."""
    if not lines:
        return ""
    anchor = kind.anchor
    rows = "".join(
        f'<tr><td>{_period(line)}</td><td><content ID="{anchor}{n}">{escape(line.name)}</content></td>'
        f'<td><content ID="{anchor}{n}-more">{escape(line.about)}</content></td></tr>'
        for n, line in enumerate(lines)
    )
    coded_lines = "".join(kind.entry(line, f"{anchor}{n}", ids) for n, line in enumerate(lines))
    opening = f"{kind.opening}{ids()}{kind.code}<title>{kind.title}</title>"
    return section(f"{opening}{table(kind.columns, rows)}{coded_lines}")


def _split(habits: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """The habits that have a code, and the others in words."""
    told = [f"{line.name} : {line.about}" if line.about else line.name for line in habits if line.kind is None]
    return [line for line in habits if line.kind is not None], told


def _period(line: Line) -> str:
    days = [shown_day(one) for one in (line.start, line.end) if one]
    return " – ".join(days)
