"""The medical synthesis of a patient (volet de synthèse médicale, VSM 1.4 of the CI-SIS).

A sub-section is there when it has lines; what is said of the others in words stands in the section around them, as
the model allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from ambroise.modules.record.cda.write.header import Header, coded
from ambroise.modules.record.cda.write.model import Coded, Head, Professional
from ambroise.modules.record.cda.write.pieces import (
    ACT_CODE,
    ATC,
    FR,
    LOINC,
    PCC,
    PRODUCT,
    SNOMED,
    EntryIds,
    code,
    escape,
    original_text,
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
_DIAGNOSIS = code("code", "282291009", "interprétation diagnostique", SNOMED)
_ALLERGY = code("code", "419199007", "allergie à une substance", SNOMED)
_FAMILY = "2.16.840.1.113883.5.111"


class Line(Struct, frozen=True):
    """One line of a synthesis. Dates are as precise as they are known: `2019`, `2019-05` or `2019-05-03`.

    `about` is the rest in words: a reaction, a dosage, a value; `kind` the relative, or the sort of habit.
    """

    name: str
    code: Coded | None = None
    start: str = ""
    end: str = ""
    about: str = ""
    kind: Coded | None = None


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
        _listed(_PROBLEMS, content.problems, "pb", ids, lambda line, at: _problem(line, at, ids, over=False))
        + _listed(_PAST, content.past, "past", ids, lambda line, at: _problem(line, at, ids, over=True))
        + _listed(_ACTS, content.acts, "act", ids, lambda line, at: _procedure(line, at, ids))
        + _listed(_ALLERGIES, content.allergies, "all", ids, lambda line, at: _allergy(line, at, ids))
    )
    coded_habits, told_habits = _split(content.habits)
    risks = _listed(_HABITS, coded_habits, "hab", ids, lambda line, at: _habit(line, at, ids)) + _listed(
        _RELATIVES, content.family, "fam", ids, lambda line, at: _relative(line, at, ids)
    )
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
    listed = _listed(_TREATMENTS, content.treatments, "med", ids, lambda line, at: _treatment(line, at, ids))
    said = "" if listed else paragraphs(*(content.treatments_said or (_NOTHING,)))
    return section(
        f"{templates(f'{FR}.2.32')}{ids()}{code('code', '18776-5', 'Plan de traitement', LOINC)}"
        f"<title>Traitement au long cours</title>{said}{listed}"
    )


_NOTHING = "Non renseigné."
_RESULTS_LABEL = "Résultats d'examens"


class _Kind(Struct, frozen=True):
    """A sub-section: how it opens, the columns of its table."""

    opening: str
    code: str
    title: str
    columns: tuple[str, ...]


_CCD = "2.16.840.1.113883.10.20.1"
_PROBLEMS = _Kind(
    templates(f"{_CCD}.11", f"{PCC}.3.6", f"{FR}.2.132"),
    code("code", "11450-4", "Liste des problèmes actifs", LOINC),
    "Pathologies en cours",
    ("Début", "Pathologie", "Précisions"),
)
_PAST = _Kind(
    templates(f"{PCC}.3.8", f"{FR}.2.134"),
    code("code", "11348-0", "Antécédents médicaux", LOINC),
    "Antécédents médicaux",
    ("Dates", "Antécédent", "Précisions"),
)
_ACTS = _Kind(
    templates(f"{_CCD}.12", f"{PCC}.3.11", f"{PCC}.3.12", f"{FR}.2.136"),
    code("code", "47519-4", "Historique des actes", LOINC),
    "Interventions et hospitalisations",
    ("Dates", "Acte ou séjour", "Précisions"),
)
_ALLERGIES = _Kind(
    templates(f"{_CCD}.2", f"{PCC}.3.13", f"{FR}.2.137"),
    code("code", "48765-2", "Allergies et hypersensibilités", LOINC),
    "Allergies et hypersensibilités",
    ("Depuis", "Agent", "Réaction"),
)
_HABITS = _Kind(
    templates(f"{_CCD}.15", f"{PCC}.3.16", f"{PCC}.3.16.1", f"{FR}.2.141"),
    code("code", "29762-2", "Habitus, Mode de vie", LOINC),
    "Mode de vie",
    ("Date", "Habitude", "Précisions"),
)
_RELATIVES = _Kind(
    templates(f"{_CCD}.4", f"{PCC}.3.14", f"{PCC}.3.15", f"{FR}.2.139"),
    code("code", "10157-6", "Historique des pathologies familiales", LOINC),
    "Antécédents familiaux",
    ("Depuis", "Antécédent", "Lien de parenté"),
)
_TREATMENTS = _Kind(
    templates(f"{_CCD}.8", f"{PCC}.3.19", f"{FR}.2.143"),
    code("code", "10160-0", "Traitements", LOINC),
    "Traitements",
    ("Dates", "Médicament", "Posologie et motif"),
)


def _around(opening: str, said: Sequence[str], parts: str) -> str:
    """A section around others: words of its own only for what has no sub-section."""
    words = paragraphs(*(said or (_NOTHING,))) if said or not parts else ""
    return section(f"{opening}{words}{parts}")


def _listed(kind: _Kind, lines: Sequence[Line], anchor: str, ids: EntryIds, entry: Callable[[Line, str], str]) -> str:
    if not lines:
        return ""
    rows = "".join(
        f'<tr><td>{_period(line)}</td><td><content ID="{anchor}{n}">{escape(line.name)}</content></td>'
        f'<td><content ID="{anchor}{n}-more">{escape(line.about)}</content></td></tr>'
        for n, line in enumerate(lines)
    )
    entries = "".join(entry(line, f"{anchor}{n}") for n, line in enumerate(lines))
    opening = f"{kind.opening}{ids()}{kind.code}<title>{kind.title}</title>"
    return section(f"{opening}{table(kind.columns, rows)}{entries}")


def _problem(line: Line, at: str, ids: EntryIds, *, over: bool) -> str:
    status = "completed" if over else "active"
    when = _interval(line, closed=over)
    return (
        '<entry><act classCode="ACT" moodCode="EVN">'
        f"{templates(f'{_CCD}.27', f'{PCC}.4.5.1', f'{PCC}.4.5.2', f'{FR}.3.39')}{ids()}"
        f'<code nullFlavor="NA"/><statusCode code="{status}"/>{when}'
        '<entryRelationship typeCode="SUBJ" inversionInd="false">'
        '<observation classCode="OBS" moodCode="EVN" negationInd="false">'
        f"{templates(f'{_CCD}.28', f'{PCC}.4.5', f'{FR}.3.37')}{ids()}{_DIAGNOSIS}"
        f'<text><reference value="#{at}"/></text><statusCode code="completed"/>{when}'
        f"{_value(line.code, at)}</observation></entryRelationship></act></entry>"
    )


def _procedure(line: Line, at: str, ids: EntryIds) -> str:
    what = coded("code", line.code, original_text(at)) if line.code else _unknown("code", at)
    return (
        '<entry><procedure classCode="PROC" moodCode="EVN">'
        f"{templates(f'{PCC}.4.19', f'{_CCD}.29', f'{FR}.3.62')}{ids()}{what}"
        f'<text><reference value="#{at}"/></text><statusCode code="completed"/>{_interval(line, closed=False)}'
        "</procedure></entry>"
    )


def _allergy(line: Line, at: str, ids: EntryIds) -> str:
    agent = coded("code", line.code, original_text(at)) if line.code else _unknown("code", at)
    when = _interval(line, closed=False)
    return (
        '<entry><act classCode="ACT" moodCode="EVN">'
        f"{templates(f'{_CCD}.27', f'{PCC}.4.5.1', f'{PCC}.4.5.3', f'{FR}.3.40')}{ids()}"
        f'<code nullFlavor="NA"/><statusCode code="active"/>{when}'
        '<entryRelationship typeCode="SUBJ" inversionInd="false">'
        '<observation classCode="OBS" moodCode="EVN" negationInd="false">'
        f"{templates(f'{_CCD}.18', f'{_CCD}.28', f'{PCC}.4.5', f'{PCC}.4.6', f'{FR}.3.41')}{ids()}{_ALLERGY}"
        f'<text><reference value="#{at}"/></text><statusCode code="completed"/>{when}'
        f'<value xsi:type="CD">{original_text(f"{at}-more" if line.about else at)}</value>'
        '<participant typeCode="CSM"><participantRole classCode="MANU"><playingEntity classCode="MMAT">'
        f"{agent}<name>{escape(line.name)}</name></playingEntity></participantRole></participant>"
        "</observation></entryRelationship></act></entry>"
    )


def _split(habits: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """The habits that have a code, and the others in words."""
    told = [f"{line.name} : {line.about}" if line.about else line.name for line in habits if line.kind is None]
    return [line for line in habits if line.kind is not None], told


def _habit(line: Line, at: str, ids: EntryIds) -> str:
    day = f' value="{_compact(line.start)}"' if line.start else ' nullFlavor="NA"'
    return (
        '<entry><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{_CCD}.33', f'{PCC}.4.13', f'{PCC}.4.13.4', f'{FR}.3.52')}{ids()}"
        f"{coded('code', line.kind) if line.kind else ''}"
        f'<text><reference value="#{at}"/></text><statusCode code="completed"/><effectiveTime{day}/>'
        f'<value xsi:type="ST">{escape(line.about)}</value></observation></entry>'
    )


def _relative(line: Line, at: str, ids: EntryIds) -> str:
    kin = line.kind or Coded("FAMMEMB", "Membre de la famille", _FAMILY)
    return (
        '<entry><organizer classCode="CLUSTER" moodCode="EVN">'
        f'{templates(f"{_CCD}.23", f"{PCC}.4.15", f"{FR}.3.59")}<statusCode code="completed"/>'
        f'<subject typeCode="SBJ">{templates(f"{PCC}.4.15.2", f"{FR}.3.60")}'
        f'<relatedSubject classCode="PRS">{coded("code", kin, original_text(f"{at}-more"))}'
        '<subject><administrativeGenderCode nullFlavor="UNK"/></subject></relatedSubject></subject>'
        '<component typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{_CCD}.22', f'{PCC}.4.13', f'{PCC}.4.13.3', f'{FR}.3.51')}{ids()}{_DIAGNOSIS}"
        f'<text><reference value="#{at}"/></text><statusCode code="completed"/><effectiveTime nullFlavor="UNK"/>'
        f"{_value(line.code, at)}</observation></component></organizer></entry>"
    )


def _treatment(line: Line, at: str, ids: EntryIds) -> str:
    return (
        '<entry typeCode="DRIV"><substanceAdministration classCode="SBADM" moodCode="EVN">'
        f"{templates(f'{_CCD}.24', f'{PCC}.4.7', f'{FR}.3.42', f'{PCC}.4.7.1')}{ids()}"
        f"{code('code', 'DRUG', 'Médicament', ACT_CODE)}"
        f'<text><reference value="#{at}-more"/></text><statusCode code="completed"/>{_course(line)}'
        '<rateQuantity nullFlavor="NAV"/>'
        f"<consumable><manufacturedProduct>{templates(*PRODUCT)}<manufacturedMaterial>{_medicine(line, at)}"
        f"<name>{escape(line.name)}</name></manufacturedMaterial></manufacturedProduct></consumable>"
        "</substanceAdministration></entry>"
    )


def _medicine(line: Line, at: str) -> str:
    """A medicine is coded in CIS; its class alone (ATC) translates a code that is not known."""
    if line.code is None:
        return _unknown("code", at)
    if line.code.system == ATC:
        return f'<code nullFlavor="UNK">{original_text(at)}{coded("translation", line.code)}</code>'
    return coded("code", line.code, original_text(at))


def _value(what: Coded | None, at: str) -> str:
    if what is None:
        return f'<value xsi:type="CD" nullFlavor="UNK">{original_text(at)}</value>'
    attributes = f'code="{escape(what.code)}" displayName="{escape(what.label)}" codeSystem="{what.system}"'
    return f'<value xsi:type="CD" {attributes}>{original_text(at)}</value>'


def _unknown(tag: str, at: str) -> str:
    return f'<{tag} nullFlavor="UNK">{original_text(at)}</{tag}>'


def _bound(tag: str, day: str) -> str:
    return f'<{tag} value="{_compact(day)}"/>' if day else f'<{tag} nullFlavor="UNK"/>'


def _interval(line: Line, *, closed: bool) -> str:
    end = _bound("high", line.end) if closed else ""
    return f'<effectiveTime xsi:type="IVL_TS">{_bound("low", line.start)}{end}</effectiveTime>'


def _course(line: Line) -> str:
    return f'<effectiveTime xsi:type="IVL_TS">{_bound("low", line.start)}{_bound("high", line.end)}</effectiveTime>'


def _compact(day: str) -> str:
    return escape(day.replace("-", ""))


def _period(line: Line) -> str:
    days = [shown_day(one) for one in (line.start, line.end) if one]
    return " – ".join(days)
