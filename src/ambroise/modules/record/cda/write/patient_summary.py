"""The synthesis of a patient after the international summary (volet IPS-FR 2024.01 of the CI-SIS).

Five sections are always there (problems, acts, allergies, treatments, devices). One without a line says whether none is
known or nothing is (value sets JDV_AbsentOrUnknown… of the CI-SIS, 21 December 2021). The others are there when they
have something to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ambroise.modules.record.cda.write.entries import Line
from ambroise.modules.record.cda.write.header import Header, coded
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
    Kind,
    listed,
    parted,
    results_table,
    stated,
)

PATIENT_SUMMARY = templates("2.16.840.1.113883.10.22.1.1", f"{FR}.1.51#2024.01")
"""The models that the summary declares: that of HL7, and the French one."""
PATIENT_SUMMARY_TYPE = Coded("60591-5", "Synthèse médicale", LOINC)
_DEVICES = (
    # The first root is written so in the published example and rules.
    f"{templates('2.16.840.1.11383.10.20.1.7', f'{PCC}.1.5.3.5', f'{FR}.2.1')}%s"
    f"{code('code', '46264-8', 'Dispositifs médicaux', LOINC)}<title>Dispositifs médicaux</title>"
)


_ABSENT = "2.16.840.1.113883.5.1150.1"
_NO_PROBLEM = (
    Coded("no-known-problems", "Pas de problème connu", _ABSENT),
    Coded("no-problem-info", "Pas d'information sur les problèmes", _ABSENT),
)
"""That none is known, and that nothing is said of it; so for the others."""
_NO_ACT = (
    Coded("no-known-procedures", "Pas d'acte ou intervention connu", _ABSENT),
    Coded("no-procedure-info", "Pas d'information sur les actes et interventions", _ABSENT),
)
_NO_ALLERGY = (
    Coded("no-known-allergies", "Pas d'allergie/hypersensibilité connue", _ABSENT),
    Coded("no-allergy-info", "Pas d’information sur les allergies/hypersensibilités", _ABSENT),
)
_NO_TREATMENT = (
    Coded("no-known-medications", "Pas de traitement médicamenteux connu", _ABSENT),
    Coded("no-medication-info", "Pas d'information sur les traitements médicamenteux", _ABSENT),
)


class PatientSummary(Struct, frozen=True):
    """What goes into a summary. `said` is, by the name of a part without a line, who said that there is none: of a part
    that is not in it nothing is known. `alerts` is what to watch, `devices` what the patient has, in words.
    """

    problems: Sequence[Line] = ()
    past: Sequence[Line] = ()
    acts: Sequence[Line] = ()
    allergies: Sequence[Line] = ()
    treatments: Sequence[Line] = ()
    habits: Sequence[Line] = ()
    family: Sequence[Line] = ()
    results: Sequence[Line] = ()
    alerts: Sequence[str] = ()
    devices: Sequence[str] = ()
    said: Mapping[str, str] = {}


def patient_summary(header: Header, head: Head, treating: Professional | None, content: PatientSummary) -> bytes:
    """The summary that a professional signs; `treating` is the treating doctor, when there is one."""
    ids = EntryIds(head.uid)
    participants = header.participant(treating, "INF", None, function=TREATING) if treating else ""
    act = header.act(head, coded("code", head.type), head.started, None)
    body = structured("".join(_sections(content, ids)))
    opening = header.open(head, PATIENT_SUMMARY)
    return f"{opening}{header.close(head, participants, act)}{body}</ClinicalDocument>\n".encode()


def _sections(content: PatientSummary, ids: EntryIds) -> list[str]:
    """In the order of the published example."""
    habits, told = parted(content.habits)
    return [
        _always(PROBLEMS, content.problems, content.said.get("problems", ""), _NO_PROBLEM, ids),
        listed(PAST, content.past, ids),
        _always(ACTS, content.acts, content.said.get("acts", ""), _NO_ACT, ids),
        _always(ALLERGIES, content.allergies, content.said.get("allergies", ""), _NO_ALLERGY, ids),
        _always(TREATMENTS, content.treatments, content.said.get("treatments", ""), _NO_TREATMENT, ids),
        section(_DEVICES % ids() + paragraphs(*(content.devices or (NOTHING,)))),
        _alerts([*content.alerts, *told], ids),
        listed(HABITS, habits, ids),
        listed(RELATIVES, content.family, ids),
        _results(content.results, ids),
    ]


def _always(kind: Kind, lines: Sequence[Line], said: str, absences: tuple[Coded, Coded], ids: EntryIds) -> str:
    """A section that the model asks for, with an entry: that there is none, or that nothing is known."""
    absence = absences[0] if said else absences[1]
    return listed(kind, lines, ids) if lines else stated(kind, Line(said or absence.label, absence), ids)


def _alerts(alerts: Sequence[str], ids: EntryIds) -> str:
    if not alerts:
        return ""
    return section(
        f"{templates(f'{FR}.2.245')}{ids()}{code('code', '44944-7', 'Autres alertes', LOINC)}"
        f"<title>Points de vigilance</title>{paragraphs(*alerts)}"
    )


def _results(results: Sequence[Line], ids: EntryIds) -> str:
    if not results:
        return ""
    return section(
        f"{templates(f'{FR}.2.244')}{ids()}{code('code', '30954-2', escape('Résultats d’examens'), LOINC)}"
        f"<title>Résultats</title>{results_table(results)}"
    )
