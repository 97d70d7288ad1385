"""The letter of a patient who leaves a hospital (LDL-SES) and the sheet of a resident sent to the emergency department
(DLU-FLUDT), CDA level 3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ambroise.interfaces.demonstration.cda_entries import CCD, Lines, heading, observation, treatments
from ambroise.interfaces.demonstration.reports import Coded, Discharge, Transfer, Vital
from ambroise.modules.record.api import write

code, escape, templates, timestamp = write.code, write.escape, write.templates, write.timestamp
LOINC, FR, PCC = write.LOINC, write.FR, write.PCC
DISCHARGE = templates(f"{FR}.1.29#2022.01")
TRANSFER = templates(f"{FR}.1.23#2022.01")
STAY = code("code", "IMP", "Hospitalisation (établissement, y compris HAD)", "2.16.840.1.113883.5.4")
SENT = code("code", "28651-8", "Transfert du patient au service des urgences", LOINC)


def discharge_sections(report: Discharge, started: datetime, at: datetime, ids: write.EntryIds) -> str:
    """The stay, then what follows it."""
    end = at + timedelta(days=report.days)
    shown = Lines()
    status = observation(
        ids, shown, at, Coded("GEN-065", "Statut du document"), "Réalisé",
        'xsi:type="CD" code="398166005" displayName="réalisé" codeSystem="2.16.840.1.113883.6.96"',
        f"{FR}.3.48.16", f"{FR}.3.48.16.1",
    )  # fmt: skip
    first = write.section(
        heading(templates(f"{FR}.2.35", f"{FR}.2.35.1"), ids, code("code", "33557-0", "Etat d'achèvement", LOINC),
                 "Statut du document") + shown.taken() + status
    )  # fmt: skip
    why = write.section(
        f"{templates(f'{PCC}.3.1', f'{FR}.2.127')}{code('code', '42349-1', 'Raison de la recommandation', LOINC)}"
        f"<title>Motif de l'hospitalisation</title>{write.paragraphs(report.reason)}"
    )
    coded = 'xsi:type="CE" code="{0.code}" displayName="{0.label}" codeSystem="2.16.840.1.113883.6.96"'
    events = "".join(
        (
            observation(ids, shown, started, Coded("ORG-070", "Modalité d'entrée"), report.entered.label,
                         coded.format(report.entered), f"{FR}.3.48.6"),
            observation(ids, shown, at, Coded("ORG-074", "Modalité de sortie"), report.left.label,
                         coded.format(report.left), f"{FR}.3.48.7"),
            observation(ids, shown, at, Coded("MED-142", "Synthèse médicale"), report.course, "ST", f"{FR}.3.48.9"),
            observation(ids, shown, at, Coded("MED-309", "Recherche de microorganismes multi-résistants ou émergents "
                         "effectuée"), "Non", 'xsi:type="BL" value="false"', f"{FR}.3.48.8"),
            observation(ids, shown, at, Coded("MED-145", "Transfusion de produits sanguins"), "Non",
                         'xsi:type="BL" value="false"', f"{FR}.3.48.10"),
            observation(ids, shown, at, Coded("MED-147", "Administration de dérivés du sang"), "Non",
                         'xsi:type="BL" value="false"', f"{FR}.3.48.2"),
        )
    )  # fmt: skip
    stay = write.section(
        heading(templates(f"{PCC}.1.21.2.9", "1.3.6.1.4.1.19376.1.7.3.1.1.13.7", f"{FR}.2.163", f"{FR}.2.163.1"), ids,
                 code("code", "42545-4", "Evènements observés", LOINC), "Synthèse médicale du séjour")
        + shown.taken() + events
    )  # fmt: skip
    after = treatments(
        templates(f"{PCC}.3.22", f"{FR}.2.146"), Coded("10183-2", "Traitements à la sortie"),
        "Traitements à la sortie", report.medicines, (at, end), ids,
    )  # fmt: skip
    awaited = write.section(
        heading(templates(f"{PCC}.3.27", f"{FR}.2.150"), ids, code("code", "30954-2", "Résultats d'examens", LOINC),
                 "Résultats attendus") + write.paragraphs(report.awaited)
    )  # fmt: skip
    return first + why + stay + after + awaited + _follow_ups(report, ids)


def _follow_ups(report: Discharge, ids: write.EntryIds) -> str:
    rows = "".join(
        f'<tr><td><content ID="next{n}">{escape(what)}</content></td><td>{day:%d/%m/%Y}</td></tr>'
        for n, (what, day) in enumerate(report.follow_ups)
    )
    asked = code("code", "ORG-064", "Demande d'examen ou de suivi", write.TA_ASIP)
    entries = "".join(
        f'<entry><observation classCode="OBS" moodCode="INT">{templates(f"{CCD}.25", f"{PCC}.1.20.3.1", f"{FR}.3.27")}'
        f"{ids()}{asked}"
        f'<text><reference value="#next{n}"/></text><statusCode code="active"/><effectiveTime value="{day:%Y%m%d}"/>'
        f'<value xsi:type="ST">{escape(what)}</value></observation></entry>'
        for n, (what, day) in enumerate(report.follow_ups)
    )
    return write.section(
        heading(templates(f"{CCD}.10", f"{PCC}.3.36", f"{FR}.2.158"), ids,
                 code("code", "18776-5", "Plan de soins", LOINC), "Suites à donner")
        + write.table(("Suivi", "Date"), rows)
        + entries
    )  # fmt: skip


def transfer_sections(report: Transfer, at: datetime, ids: write.EntryIds) -> str:
    """Why the resident goes, how the person is, what was taken."""
    shown = Lines()
    reason = observation(
        ids, shown, at, Coded("57277-6", "Motif du transfert vers le service des urgences"), report.reason, "CD",
        system=LOINC,
    )  # fmt: skip
    moved = (
        f'<entry><act classCode="ACT" moodCode="EVN">{templates(f"{PCC}.1.25.1.4.1", f"{FR}.3.28")}{ids()}'
        f"{code('code', '80413-8', 'Transfert du patient', LOINC)}"
        f'<text><reference value="#{shown.add("Établissement", report.to)}"/></text><statusCode code="completed"/>'
        f'<effectiveTime><low value="{timestamp(at)}"/><high value="{timestamp(report.arrived)}"/></effectiveTime>'
        '<participant typeCode="DST"><participantRole classCode="SDLOC">'
        f"{ids()}{code('code', 'SA01', 'Etablissement public de santé', '1.2.250.1.71.4.2.4')}"
        f'<addr nullFlavor="NAV"/><telecom nullFlavor="NAV"/>'
        f'<playingEntity classCode="ENT"><name>{escape(report.to)}</name></playingEntity>'
        "</participantRole></participant></act></entry>"
    )
    left = write.section(
        heading(templates(f"{PCC}.1.21.2.9", "1.3.6.1.4.1.19376.1.7.3.1.1.13.7", f"{FR}.2.163"), ids,
                 code("code", "42545-4", "Evènements observés", LOINC), "Transfert vers le service des urgences")
        + shown.taken() + reason + moved
    )  # fmt: skip
    awake = observation(ids, shown, at, Coded("DLU_002", "Conscient et éveillé"), "Oui", 'xsi:type="BL" value="true"')
    none = _no_procedure(at, shown.add("Acte avant le transfert", "Aucun"), ids)
    seen = write.section(
        heading(templates(f"{PCC}.3.27", f"{PCC}.3.28", f"{FR}.2.151"), ids,
                 code("code", "30954-2", "Résultats d'examens", LOINC), "Observations")
        + shown.taken() + none + awake
    )  # fmt: skip
    taken = treatments(
        templates(f"{CCD}.8", f"{PCC}.3.19", f"{FR}.2.143"), Coded("10160-0", "Traitements"),
        "Dernière prise du traitement habituel", report.medicines, (report.meal, report.meal + timedelta(minutes=1)),
        ids,
    )  # fmt: skip
    meal = observation(
        ids, shown, report.meal, Coded("GEN-244", "Date et heure du dernier repas"),
        f"le {report.meal:%d/%m/%Y à %H h %M}", 'xsi:type="REAL" nullFlavor="NA"',
    )  # fmt: skip
    fed = write.section(
        heading(templates("1.3.6.1.4.1.19376.1.7.3.1.1.13.5", f"{FR}.2.162"), ids,
                 code("code", "47420-5", "Évaluation du statut fonctionnel", LOINC), "Dernier repas")
        + shown.taken() + meal
    )  # fmt: skip
    glasses = observation(
        ids, shown, at, Coded("Q021003", "LUNETTES PRÊTES À PORTER (OU LUNETTES MONTÉES)"), "Oui",
        'xsi:type="BL" value="true"', f"{FR}.3.12", system="1.2.250.1.213.2.68",
        site='<targetSiteCode nullFlavor="NASK"/>',
    )  # fmt: skip
    own = write.section(
        heading(templates(f"{FR}.2.53"), ids, code("code", "46264-8", "Dispositifs médicaux", LOINC),
                 "Prothèses et objets personnels") + shown.taken() + glasses
    )  # fmt: skip
    note = write.section(
        heading(templates("2.16.840.1.113883.10.12.201", "1.3.6.1.4.1.19376.1.4.1.2.16", f"{FR}.2.73"), ids,
                 code("code", "55112-7", "Commentaire", LOINC), "Commentaires") + write.paragraphs(report.comment)
    )  # fmt: skip
    return left + _vitals(report.vitals, at, ids) + seen + taken + fed + own + note


def _no_procedure(at: datetime, anchor: str, ids: write.EntryIds) -> str:
    """The model asks for an act here even when none was done."""
    return (
        '<entry><procedure classCode="PROC" moodCode="EVN">'
        f"{templates(f'{CCD}.29', f'{PCC}.4.19', f'{FR}.3.62')}{ids()}"
        f'<code nullFlavor="NA"/><text><reference value="#{anchor}"/></text><statusCode code="cancelled"/>'
        f'<effectiveTime value="{timestamp(at)}"/></procedure></entry>'
    )


def _vitals(vitals: Sequence[Vital], at: datetime, ids: write.EntryIds) -> str:
    rows = "".join(
        f'<tr><td><content ID="vital{n}">{escape(one.label)}</content></td>'
        f"<td>{one.value} {escape(one.shown)}</td></tr>"
        for n, one in enumerate(vitals)
    )
    own = ids()
    measured = "".join(
        '<component typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{CCD}.31', f'{PCC}.4.13', f'{PCC}.4.13.2', f'{FR}.3.50')}{ids()}"
        f"{code('code', one.loinc, one.label, LOINC)}"
        f'<text><reference value="#vital{n}"/></text><statusCode code="completed"/>'
        f'<effectiveTime value="{timestamp(at)}"/><value xsi:type="PQ" value="{one.value}" unit="{one.unit}"/>'
        "</observation></component>"
        for n, one in enumerate(vitals)
    )
    return write.section(
        f"{templates(f'{CCD}.16', f'{PCC}.3.25', f'{PCC}.1.5.3.2', f'{FR}.2.75')}"
        f"{code('code', '8716-3', 'Signes vitaux', LOINC)}<title>Constantes</title>"
        + write.table(("Constante", "Mesure"), rows)
        + '<entry><organizer classCode="CLUSTER" moodCode="EVN">'
        f"{templates(f'{CCD}.32', f'{CCD}.35', f'{PCC}.4.13.1', f'{FR}.3.49')}{own}"
        f'{code("code", "85353-1", "Signes vitaux", LOINC)}<statusCode code="completed"/>'
        f'<effectiveTime value="{timestamp(at)}"/>{measured}</organizer></entry>'
    )
