"""The sections that syntheses share: a table of lines with its entries, and words where there is no line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from ambroise.modules.record.cda.write import entries
from ambroise.modules.record.cda.write.entries import Line
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
    table,
    templates,
)

NOTHING = "Non renseigné."
TREATING = (
    '<functionCode code="PCP" displayName="Médecin Traitant" codeSystem="2.16.840.1.113883.5.88" '
    'codeSystemName="ParticipationFunction"/>'
)
"""How a participant of a header is said to be the treating doctor."""


class Kind(Struct, frozen=True):
    """A sub-section: how it opens, the columns of its table, the anchor of its lines, how a line is an entry."""

    opening: str
    code: str
    title: str
    columns: tuple[str, ...]
    anchor: str
    entry: Callable[[Line, str, EntryIds], str]


PROBLEMS = Kind(
    templates(f"{CCD}.11", f"{PCC}.3.6", f"{FR}.2.132"),
    code("code", "11450-4", "Liste des problèmes actifs", LOINC),
    "Pathologies en cours",
    ("Début", "Pathologie", "Précisions"),
    "pb",
    entries.problem,
)
PAST = Kind(
    templates(f"{PCC}.3.8", f"{FR}.2.134"),
    code("code", "11348-0", "Antécédents médicaux", LOINC),
    "Antécédents médicaux",
    ("Dates", "Antécédent", "Précisions"),
    "past",
    entries.past_problem,
)
ACTS = Kind(
    templates(f"{CCD}.12", f"{PCC}.3.11", f"{PCC}.3.12", f"{FR}.2.136"),
    code("code", "47519-4", "Historique des actes", LOINC),
    "Interventions et hospitalisations",
    ("Dates", "Acte ou séjour", "Précisions"),
    "act",
    entries.procedure,
)
ALLERGIES = Kind(
    templates(f"{CCD}.2", f"{PCC}.3.13", f"{FR}.2.137"),
    code("code", "48765-2", "Allergies et hypersensibilités", LOINC),
    "Allergies et hypersensibilités",
    ("Depuis", "Agent", "Réaction"),
    "all",
    entries.allergy,
)
HABITS = Kind(
    templates(f"{CCD}.15", f"{PCC}.3.16", f"{PCC}.3.16.1", f"{FR}.2.141"),
    code("code", "29762-2", "Habitus, Mode de vie", LOINC),
    "Mode de vie",
    ("Date", "Habitude", "Précisions"),
    "hab",
    entries.habit,
)
RELATIVES = Kind(
    templates(f"{CCD}.4", f"{PCC}.3.14", f"{PCC}.3.15", f"{FR}.2.139"),
    code("code", "10157-6", "Historique des pathologies familiales", LOINC),
    "Antécédents familiaux",
    ("Depuis", "Antécédent", "Lien de parenté"),
    "fam",
    entries.relative,
)
TREATMENTS = Kind(
    templates(f"{CCD}.8", f"{PCC}.3.19", f"{FR}.2.143"),
    code("code", "10160-0", "Traitements", LOINC),
    "Traitements",
    ("Dates", "Médicament", "Posologie et motif"),
    "med",
    entries.treatment,
)


def around(opening: str, said: Sequence[str], parts: str) -> str:
    """A section around others: words of its own only for what has no sub-section."""
    words = paragraphs(*(said or (NOTHING,))) if said or not parts else ""
    return section(f"{opening}{words}{parts}")


def listed(kind: Kind, lines: Sequence[Line], ids: EntryIds) -> str:
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


def _period(line: Line) -> str:
    days = [shown_day(one) for one in (line.start, line.end) if one]
    return " – ".join(days)


def stated(kind: Kind, line: Line, ids: EntryIds) -> str:
    """The sub-section whose only line is a sentence: that there is none, or that nothing is known."""
    words = f'<content ID="{kind.anchor}0">{escape(line.name)}</content><content ID="{kind.anchor}0-more"/>'
    opening = f"{kind.opening}{ids()}{kind.code}<title>{kind.title}</title>"
    entry = kind.entry(line, f"{kind.anchor}0", ids)
    return section(f"{opening}<text><paragraph>{words}</paragraph></text>{entry}")


def results_table(results: Sequence[Line]) -> str:
    """Results and measures as a narrative: the models ask for no entry."""
    rows = "".join(
        f"<tr><td>{shown_day(line.start)}</td><td>{escape(line.name)}</td><td>{escape(line.about)}</td></tr>"
        for line in results
    )
    return table(("Date", "Résultat ou mesure", "Valeur"), rows)


def parted(habits: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """The habits that have a code, and the others in words."""
    told = [f"{line.name} : {line.about}" if line.about else line.name for line in habits if line.kind is None]
    return [line for line in habits if line.kind is not None], told
