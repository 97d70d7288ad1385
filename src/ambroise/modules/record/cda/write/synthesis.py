"""The medical synthesis of a patient (volet de synthèse médicale, VSM 1.4 of the CI-SIS).

A sub-section is there when it has lines; what is said of the others in words stands in the section around them, as
the model allows.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ambroise.modules.record.cda.write.entries import Line
from ambroise.modules.record.cda.write.header import Header
from ambroise.modules.record.cda.write.model import Coded, Head, Professional
from ambroise.modules.record.cda.write.pieces import (
    FR,
    LOINC,
    PCC,
    EntryIds,
    code,
    escape,
    paragraphs,
    section,
    structured,
    templates,
)
from ambroise.modules.record.cda.write.sections import (
    ACTS,
    ALLERGIES,
    HABITS,
    NOTHING,
    PAST,
    PROBLEMS,
    RELATIVES,
    TREATING,
    TREATMENTS,
    around,
    listed,
    parted,
    results_table,
)

SYNTHESIS = templates(f"{FR}.1.13#201310")
"""The model that a medical synthesis declares."""
SYNTHESIS_TYPE = Coded("SYNTH", "Synthèse", "1.2.250.1.213.1.1.4.12")
_ACT = f'<code code="34117-2" displayName="Historique et clinique" codeSystem="{LOINC}" codeSystemName="LOINC"/>'


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
    participants = header.participant(treating, "INF", None, function=TREATING)
    act = header.act(head, _ACT, head.started, None)
    body = structured(_history(content, ids) + _results(content, ids) + _plan(content, ids))
    opening = header.open(head, SYNTHESIS)
    return f"{opening}{header.close(head, participants, act)}{body}</ClinicalDocument>\n".encode()


def _history(content: Synthesis, ids: EntryIds) -> str:
    parts = (
        listed(PROBLEMS, content.problems, ids)
        + listed(PAST, content.past, ids)
        + listed(ACTS, content.acts, ids)
        + listed(ALLERGIES, content.allergies, ids)
    )
    coded_habits, told_habits = parted(content.habits)
    risks = listed(HABITS, coded_habits, ids) + listed(RELATIVES, content.family, ids)
    return section(
        f"{templates(f'{FR}.2.29')}{ids()}{code('code', '46612-8', 'Conclusions de synthèse', LOINC)}"
        "<title>Pathologies, antécédents, allergies et facteurs de risque</title>"
        + around(
            f"{templates(f'{FR}.2.30')}{ids()}{code('code', '34117-2', 'Historique et physique', LOINC)}"
            "<title>Pathologies en cours, antécédents et allergies</title>",
            content.history_said,
            parts,
        )
        + around(
            f"{templates(f'{FR}.2.31')}{ids()}"
            f"{code('code', '57207-3', 'Facteurs de risque présents ou passés', LOINC)}"
            "<title>Facteurs de risque</title>",
            (*told_habits, *content.risks_said),
            risks,
        )
    )


def _results(content: Synthesis, ids: EntryIds) -> str:
    alerts = "".join(f"<paragraph>{escape(words)}</paragraph>" for words in content.alerts)
    said = results_table(content.results).removeprefix("<text>") if content.results else "</text>"
    text = f"<text>{alerts}{said}" if alerts or content.results else paragraphs(NOTHING)
    return section(
        f"{templates(f'{PCC}.3.27', f'{FR}.2.150')}{ids()}{code('code', '30954-2', _RESULTS_LABEL, LOINC)}"
        f"<title>Points de vigilance et derniers résultats</title>{text}"
    )


def _plan(content: Synthesis, ids: EntryIds) -> str:
    taken = listed(TREATMENTS, content.treatments, ids)
    said = "" if taken else paragraphs(*(content.treatments_said or (NOTHING,)))
    return section(
        f"{templates(f'{FR}.2.32')}{ids()}{code('code', '18776-5', 'Plan de traitement', LOINC)}"
        f"<title>Traitement au long cours</title>{said}{taken}"
    )


_RESULTS_LABEL = "Résultats d'examens"
