"""Structured bodies of CDA documents (level 3): biology and prescription."""

from __future__ import annotations

from datetime import datetime, timedelta

from ambroise.interfaces.demonstration.analyses import Chapter, Result
from ambroise.interfaces.demonstration.documents import Biology, Document, Prescription
from ambroise.interfaces.demonstration.products import ROUTES, Medicine
from ambroise.modules.record.api import write

code, escape, templates, timestamp = write.code, write.escape, write.templates, write.timestamp
LOINC, FR, PCC = write.LOINC, write.FR, write.PCC

# ---------------------------------------------------------------------------------------------------------- biology


def biology_body(document: Document, biology: Biology, pdf: bytes) -> str:
    """One chapter for each family of analyses, then the PDF copy."""
    ids = write.EntryIds(document.uid)
    chapters = dict.fromkeys(result.analysis.chapter for result in biology.results)
    written = "".join(
        _chapter(document, chapter, [r for r in biology.results if r.analysis.chapter is chapter], number)
        for number, chapter in enumerate(chapters)
    )
    return write.structured(written + write.pdf_copy(pdf, ids))


def _chapter(document: Document, chapter: Chapter, results: list[Result], number: int) -> str:
    label = code("code", chapter.code, chapter.label, LOINC)
    sampled = timestamp(document.started)
    rows = "".join(
        f'<tr><td><content ID="r{number}-{n}">{escape(r.analysis.label)}</content></td>'
        f"<td>{escape(f'{r.shown} {r.analysis.shown}'.strip())}</td><td>{escape(r.range)}</td></tr>"
        for n, r in enumerate(results)
    )
    observations = "".join(_observation(r, f"r{number}-{n}", sampled) for n, r in enumerate(results))
    return write.section(
        f"{templates('1.3.6.1.4.1.19376.1.3.3.2.1', f'{FR}.2.70')}{label}<title>{escape(chapter.label)}</title>"
        f"<component><section>{templates('1.3.6.1.4.1.19376.1.3.3.2.2', f'{FR}.2.71')}{label}"
        '<text><table border="0"><thead><tr><th>Analyse</th><th>Résultat</th><th>Valeurs usuelles</th></tr></thead>'
        f'<tbody>{rows}</tbody></table></text><entry typeCode="DRIV">'
        f'{templates("1.3.6.1.4.1.19376.1.3.1", f"{FR}.3.21")}<act classCode="ACT" moodCode="EVN">{label}'
        f'<statusCode code="completed"/>{observations}</act></entry></section></component>'
    )


def _observation(result: Result, anchor: str, sampled: str) -> str:
    analysis = result.analysis
    flag, flag_label = result.interpretation
    bounds = "".join(
        f'<{tag} value="{bound:.{analysis.decimals}f}" unit="{analysis.unit}"/>'
        for tag, bound in (("low", analysis.low), ("high", analysis.high))
        if bound is not None
    )
    reference = (
        '<referenceRange typeCode="REFV"><observationRange classCode="OBS" moodCode="EVN.CRT">'
        f'<value xsi:type="IVL_PQ">{bounds}</value>{code("interpretationCode", "N", "Normal", write.INTERPRETATION)}'
        "</observationRange></referenceRange>"
        if bounds
        else ""
    )
    original = f'<originalText><reference value="#{anchor}"/></originalText>'
    return (
        '<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        f"{templates('1.3.6.1.4.1.19376.1.3.1.6', f'{FR}.3.80')}"
        f"{code('code', analysis.loinc, analysis.label, LOINC, original)}"
        f'<statusCode code="completed"/><effectiveTime value="{sampled}"/>'
        f'<value xsi:type="PQ" value="{result.text}" unit="{analysis.unit}"/>'
        f"{code('interpretationCode', flag, flag_label, write.INTERPRETATION)}{reference}"
        "</observation></entryRelationship>"
    )


# ----------------------------------------------------------------------------------------------------- prescription


def prescription_body(document: Document, prescription: Prescription, pdf: bytes) -> str:
    """The prescribed medicines, one line each, then the PDF copy."""
    ids = write.EntryIds(document.uid)
    end = document.moment + timedelta(days=prescription.days)
    rows = "".join(
        f'<tr><td><content ID="m{n}">{escape(m.name)}</content></td>'
        f'<td><content ID="m{n}-freq">{escape(m.posology)}</content></td>'
        f"<td>du {document.moment:%d/%m/%Y} au {end:%d/%m/%Y}</td>"
        f'<td><content ID="m{n}-ald">{"Oui" if prescription.long_term else "Non"}</content></td></tr>'
        for n, m in enumerate(prescription.medicines)
    )
    entries = "".join(
        _prescribed(medicine, n, document.moment, end, prescription.long_term, ids)
        for n, medicine in enumerate(prescription.medicines)
    )
    lines = write.section(
        f"{templates('1.3.6.1.4.1.19376.1.9.1.2.1', f'{FR}.2.171')}{ids()}"
        f"{code('code', '57828-6', 'Prescriptions', LOINC)}<title>Prescription de médicaments</title>"
        '<text><table border="0"><thead><tr><th>Médicament</th><th>Posologie</th><th>Durée</th><th>ALD</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></text>{entries}"
    )
    return write.structured(lines + write.pdf_copy(pdf, ids))


def line_ids(prescription: str, count: int) -> list[str]:
    """The identifiers of the lines of a prescription, which a dispensation repeats: each after those of its flags."""
    ids, found = write.EntryIds(prescription), list[str]()
    for _ in range(count):
        for _flag in _FLAGS:
            ids()
        found.append(ids())
    return found


# The regulator's simple observations about a prescribed line: template suffix, code, label.
_FLAGS = (
    ("13", "MED-574", "En rapport avec une ALD"),
    ("14", "GEN-180", "En rapport avec un accident du travail ou une maladie professionnelle"),
    ("15", "GEN-181", "Non remboursable"),
    ("12", "GEN-179", "Hors Autorisation de Mise sur le Marché (AMM)"),
)


def _prescribed(
    medicine: Medicine, n: int, start: datetime, end: datetime, long_term: bool, ids: write.EntryIds
) -> str:
    written = timestamp(start)
    original = f'<originalText><reference value="#m{n}"/></originalText>'
    translation = code("translation", medicine.atc, medicine.atc_label, write.ATC)
    product = (
        code("code", medicine.cis, medicine.name, write.CIS, original + translation)
        if medicine.cis
        else f'<code nullFlavor="UNK">{original}{translation}</code>'
    )
    flags = "".join(
        '<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{PCC}.4.13', f'{FR}.3.48', f'{FR}.3.48.{suffix}')}{ids()}"
        f"{code('code', flag, label, write.TA_ASIP)}"
        f'<text><reference value="#m{n}-ald"/></text><statusCode code="completed"/><effectiveTime value="{written}"/>'
        f'<value xsi:type="BL" value="{"true" if long_term and flag == "MED-574" else "false"}"/></observation>'
        "</entryRelationship>"
        for suffix, flag, label in _FLAGS
    )
    dose = f'value="{medicine.dose}" unit="{medicine.unit}"'
    return (
        '<entry><substanceAdministration classCode="SBADM" moodCode="INT">'
        f"{_LINE_TEMPLATES}{ids()}{code('code', 'DRUG', 'Médicament', '2.16.840.1.113883.5.4')}"
        f'<text><reference value="#m{n}"/></text><statusCode code="completed"/>'
        f'<effectiveTime xsi:type="IVL_TS"><low value="{start:%Y%m%d}"/><high value="{end:%Y%m%d}"/></effectiveTime>'
        f'<effectiveTime xsi:type="PIVL_TS" operator="A"><period value="{medicine.hours}" unit="h"/></effectiveTime>'
        f'<repeatNumber value="0"/>{code("routeCode", medicine.route, ROUTES[medicine.route], write.EDQM)}'
        f"<doseQuantity><low {dose}/><high {dose}/></doseQuantity>"
        f'<consumable><manufacturedProduct classCode="MANU">{_PRODUCT}'
        f'<manufacturedMaterial classCode="MMAT" determinerCode="KIND">'
        f"{templates('1.3.6.1.4.1.19376.1.9.1.3.1')}{product}<name>{escape(medicine.name)}</name>"
        "</manufacturedMaterial></manufacturedProduct></consumable>"
        '<entryRelationship typeCode="COMP"><supply classCode="SPLY" moodCode="RQO">'
        f"{templates('1.3.6.1.4.1.19376.1.9.1.3.8', f'{FR}.3.86')}"
        '<independentInd value="false"/><quantity value="1" unit="30009000"/></supply></entryRelationship>'
        '<entryRelationship typeCode="COMP"><act classCode="ACT" moodCode="DEF">'
        f"{templates('1.3.6.1.4.1.19376.1.9.1.3.9.1', f'{FR}.3.87')}"
        f"{code('code', 'G', 'Substitution autorisée par un produit générique', '2.16.840.1.113883.5.1070')}"
        f'<statusCode code="completed"/></act></entryRelationship>{flags}</substanceAdministration></entry>'
    )


_LINE_TEMPLATES = templates(
    "2.16.840.1.113883.10.20.1.24",
    f"{PCC}.4.7",
    "1.3.6.1.4.1.19376.1.9.1.3.2",
    f"{FR}.3.83",
    "1.3.6.1.4.1.19376.1.9.1.3.6",
    f"{PCC}.4.7.1",
)
_PRODUCT = templates(*write.PRODUCT)
