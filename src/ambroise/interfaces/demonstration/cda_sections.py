"""Structured bodies of CDA documents (level 3): biology, vaccination, prescription, and the PDF copy."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import pybase64

from ambroise.interfaces.demonstration.analyses import Chapter, Result
from ambroise.interfaces.demonstration.cda_header import LOINC, Header, code, escape, timestamp
from ambroise.interfaces.demonstration.documents import Biology, Document, Prescription, Vaccination
from ambroise.interfaces.demonstration.products import ROUTES, Medicine

CIS, ATC, EDQM = "1.2.250.1.213.2.3.1", "2.16.840.1.113883.6.73", "0.4.0.127.0.16.1.1.2.1"
TA_ASIP = "1.2.250.1.213.1.1.4.322"
INTERPRETATION = "2.16.840.1.113883.5.83"
_SNOMED = "2.16.840.1.113883.6.96"
_FR = "1.2.250.1.213.1.1"
_PCC = "1.3.6.1.4.1.19376.1.5.3.1"


@cache
def templates(*roots: str) -> str:
    """Declarations of conformity."""
    return "".join(f'<templateId root="{root}"/>' for root in roots)


class EntryIds:
    """Gives the entries of a document identifiers of their own, always the same for the same document."""

    def __init__(self, uid: str) -> None:
        self._base = int(uid.rpartition(".")[2]) % (1 << 120) << 8
        self._next = 0

    def __call__(self) -> str:
        self._next += 1
        h = f"{self._base + self._next:032X}"
        return f'<id root="{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"/>'


def _component(section: str) -> str:
    return f"<component><section>{section}</section></component>"


# ---------------------------------------------------------------------------------------------------------- biology


def biology_body(document: Document, biology: Biology, pdf: bytes) -> str:
    """One chapter for each family of analyses, then the PDF copy."""
    ids = EntryIds(document.uid)
    chapters = dict.fromkeys(result.analysis.chapter for result in biology.results)
    written = "".join(
        _chapter(document, chapter, [r for r in biology.results if r.analysis.chapter is chapter], number)
        for number, chapter in enumerate(chapters)
    )
    return _structured(written + pdf_copy(pdf, ids))


def _chapter(document: Document, chapter: Chapter, results: list[Result], number: int) -> str:
    label = code("code", chapter.code, chapter.label, LOINC)
    sampled = timestamp(document.started)
    rows = "".join(
        f'<tr><td><content ID="r{number}-{n}">{escape(r.analysis.label)}</content></td>'
        f"<td>{escape(f'{r.shown} {r.analysis.shown}'.strip())}</td><td>{escape(r.range)}</td></tr>"
        for n, r in enumerate(results)
    )
    observations = "".join(_observation(r, f"r{number}-{n}", sampled) for n, r in enumerate(results))
    return _component(
        f"{templates('1.3.6.1.4.1.19376.1.3.3.2.1', f'{_FR}.2.70')}{label}<title>{escape(chapter.label)}</title>"
        f"<component><section>{templates('1.3.6.1.4.1.19376.1.3.3.2.2', f'{_FR}.2.71')}{label}"
        '<text><table border="0"><thead><tr><th>Analyse</th><th>Résultat</th><th>Valeurs usuelles</th></tr></thead>'
        f'<tbody>{rows}</tbody></table></text><entry typeCode="DRIV">'
        f'{templates("1.3.6.1.4.1.19376.1.3.1", f"{_FR}.3.21")}<act classCode="ACT" moodCode="EVN">{label}'
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
        f'<value xsi:type="IVL_PQ">{bounds}</value>{code("interpretationCode", "N", "Normal", INTERPRETATION)}'
        "</observationRange></referenceRange>"
        if bounds
        else ""
    )
    original = f'<originalText><reference value="#{anchor}"/></originalText>'
    return (
        '<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        f"{templates('1.3.6.1.4.1.19376.1.3.1.6', f'{_FR}.3.80')}"
        f"{code('code', analysis.loinc, analysis.label, LOINC, original)}"
        f'<statusCode code="completed"/><effectiveTime value="{sampled}"/>'
        f'<value xsi:type="PQ" value="{result.text}" unit="{analysis.unit}"/>'
        f"{code('interpretationCode', flag, flag_label, INTERPRETATION)}{reference}</observation></entryRelationship>"
    )


# ------------------------------------------------------------------------------------------------------ vaccination


def vaccination_body(document: Document, vaccination: Vaccination, header: Header) -> str:
    """The one injection of a vaccination note."""
    ids = EntryIds(document.uid)
    vaccine = vaccination.vaccine
    author = document.author
    if author is None:
        raise ValueError("a vaccination note has a professional as its author")
    oral = vaccine.route != "20035000"
    site = "" if oral else ("deltoïde gauche" if vaccination.left else "deltoïde droit")
    kind = ("BOOSTER", "Rappel de vaccin") if vaccination.booster else ("INITIMMUNIZ", "1ère série vaccinante")
    site_code = (
        ""
        if oral
        else code(
            "approachSiteCode",
            "16217701000119102" if vaccination.left else "16217661000119109",
            site,
            _SNOMED,
            '<originalText><reference value="#v-site"/></originalText>',
        )
    )
    day = f"{document.moment:%Y%m%d}"
    product = code(
        "code",
        vaccine.cis,
        vaccine.name,
        CIS,
        '<originalText><reference value="#v"/></originalText>'
        + code("translation", vaccine.atc, vaccine.protects, ATC),
    )
    text = (
        '<text><table border="0"><thead><tr><th>Date</th><th>Vaccin</th><th>Protège contre</th><th>Lot</th>'
        "<th>Rang</th><th>Voie</th><th>Région</th></tr></thead><tbody><tr>"
        f'<td>{document.moment:%d/%m/%Y}</td><td><content ID="v">{escape(vaccine.name)}</content></td>'
        f"<td>{escape(vaccine.protects)}</td><td>{vaccination.lot}</td><td>{vaccination.rank}</td>"
        f'<td>{ROUTES[vaccine.route]}</td><td><content ID="v-site">{site}</content></td></tr></tbody></table></text>'
    )
    return _structured(
        _component(
            f"{templates('2.16.840.1.113883.10.20.1.6', f'{_PCC}.3.23', f'{_FR}.2.147')}{ids()}"
            f"{code('code', '11369-6', 'Historique des vaccinations', LOINC)}<title>Note de vaccination</title>{text}"
            '<entry><substanceAdministration classCode="SBADM" moodCode="EVN" negationInd="false">'
            f"{templates('2.16.840.1.113883.10.20.1.24', f'{_PCC}.4.12', f'{_FR}.3.45')}{ids()}"
            f"{code('code', *kind, '2.16.840.1.113883.5.4')}"
            f'<text><reference value="#v"/></text><statusCode code="completed"/><effectiveTime value="{day}"/>'
            f"{code('routeCode', vaccine.route, ROUTES[vaccine.route], EDQM)}{site_code}"
            f'<consumable typeCode="CSM"><manufacturedProduct>{_PRODUCT_TEMPLATES}<manufacturedMaterial>{product}'
            f"<name>{escape(vaccine.name)}</name><lotNumberText>{vaccination.lot}</lotNumberText>"
            "</manufacturedMaterial></manufacturedProduct></consumable>"
            f'<performer typeCode="PRF">{header.named(author)}</performer>'
            f'<author typeCode="AUT" contextControlCode="OP"><time value="{timestamp(document.moment)}"/>'
            f"{header.author_body(document)}</author>"
            '<entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">'
            f"{templates('2.16.840.1.113883.10.20.1.46', f'{_FR}.3.82')}"
            f"{code('code', '30973-2', 'Rang de la vaccination', LOINC)}"
            f'<statusCode code="completed"/><value xsi:type="INT" value="{vaccination.rank}"/></observation>'
            "</entryRelationship></substanceAdministration></entry>"
        )
    )


_PRODUCT_TEMPLATES = templates("2.16.840.1.113883.10.20.1.53", f"{_PCC}.4.7.2", f"{_FR}.3.43")


# ----------------------------------------------------------------------------------------------------- prescription


def prescription_body(document: Document, prescription: Prescription, pdf: bytes) -> str:
    """The prescribed medicines, one line each, then the PDF copy."""
    ids = EntryIds(document.uid)
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
    section = _component(
        f"{templates('1.3.6.1.4.1.19376.1.9.1.2.1', f'{_FR}.2.171')}{ids()}"
        f"{code('code', '57828-6', 'Prescriptions', LOINC)}<title>Prescription de médicaments</title>"
        '<text><table border="0"><thead><tr><th>Médicament</th><th>Posologie</th><th>Durée</th><th>ALD</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></text>{entries}"
    )
    return _structured(section + pdf_copy(pdf, ids))


# The regulator's simple observations about a prescribed line: template suffix, code, label.
_FLAGS = (
    ("13", "MED-574", "En rapport avec une ALD"),
    ("14", "GEN-180", "En rapport avec un accident du travail ou une maladie professionnelle"),
    ("15", "GEN-181", "Non remboursable"),
    ("12", "GEN-179", "Hors Autorisation de Mise sur le Marché (AMM)"),
)


def _prescribed(medicine: Medicine, n: int, start: datetime, end: datetime, long_term: bool, ids: EntryIds) -> str:
    written = timestamp(start)
    original = f'<originalText><reference value="#m{n}"/></originalText>'
    translation = code("translation", medicine.atc, medicine.atc_label, ATC)
    product = (
        code("code", medicine.cis, medicine.name, CIS, original + translation)
        if medicine.cis
        else f'<code nullFlavor="UNK">{original}{translation}</code>'
    )
    flags = "".join(
        '<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{_PCC}.4.13', f'{_FR}.3.48', f'{_FR}.3.48.{suffix}')}{ids()}"
        f"{code('code', flag, label, TA_ASIP)}"
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
        f'<repeatNumber value="0"/>{code("routeCode", medicine.route, ROUTES[medicine.route], EDQM)}'
        f"<doseQuantity><low {dose}/><high {dose}/></doseQuantity>"
        f'<consumable><manufacturedProduct classCode="MANU">{_PRODUCT_TEMPLATES}'
        f'<manufacturedMaterial classCode="MMAT" determinerCode="KIND">'
        f"{templates('1.3.6.1.4.1.19376.1.9.1.3.1')}{product}<name>{escape(medicine.name)}</name>"
        "</manufacturedMaterial></manufacturedProduct></consumable>"
        '<entryRelationship typeCode="COMP"><supply classCode="SPLY" moodCode="RQO">'
        f"{templates('1.3.6.1.4.1.19376.1.9.1.3.8', f'{_FR}.3.86')}"
        '<independentInd value="false"/><quantity value="1" unit="30009000"/></supply></entryRelationship>'
        '<entryRelationship typeCode="COMP"><act classCode="ACT" moodCode="DEF">'
        f"{templates('1.3.6.1.4.1.19376.1.9.1.3.9.1', f'{_FR}.3.87')}"
        f"{code('code', 'G', 'Substitution autorisée par un produit générique', '2.16.840.1.113883.5.1070')}"
        f'<statusCode code="completed"/></act></entryRelationship>{flags}</substanceAdministration></entry>'
    )


_LINE_TEMPLATES = templates(
    "2.16.840.1.113883.10.20.1.24",
    f"{_PCC}.4.7",
    "1.3.6.1.4.1.19376.1.9.1.3.2",
    f"{_FR}.3.83",
    "1.3.6.1.4.1.19376.1.9.1.3.6",
    f"{_PCC}.4.7.1",
)


# --------------------------------------------------------------------------------------------------------- PDF copy


def pdf_copy(pdf: bytes, ids: EntryIds) -> str:
    """The section that carries the page as people read it."""
    return _component(
        f"{templates(f'{_FR}.2.243')}{ids()}{code('code', '55108-5', 'Copie du document', LOINC)}"
        "<title>Copie du document</title>"
        '<text><content ID="copy">Copie au format PDF</content><renderMultiMedia referencedObject="pdf"/></text>'
        f'<entry><organizer classCode="CLUSTER" moodCode="EVN">{templates(f"{_FR}.3.18")}{ids()}'
        f"{code('code', '55107-7', 'Document attaché', LOINC)}"
        '<statusCode code="completed"/><component><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{_PCC}.4.13', f'{_FR}.3.48', f'{_FR}.3.48.18')}{ids()}"
        f"{code('code', '69764-9', 'Type de document', LOINC)}"
        '<text><reference value="#copy"/></text><statusCode code="completed"/><effectiveTime nullFlavor="NA"/>'
        '<value xsi:type="CD" code="55108-5" displayName="Copie du document" codeSystem="2.16.840.1.113883.6.1"/>'
        '</observation></component><component><observationMedia classCode="OBS" moodCode="EVN" ID="pdf">'
        f'<value mediaType="application/pdf" representation="B64">{base64(pdf)}</value>'
        "</observationMedia></component></organizer></entry>"
    )


def base64(content: bytes) -> str:
    """Base64 without line breaks."""
    return pybase64.b64encode(content).decode("ascii")


def _structured(components: str) -> str:
    return f"<component><structuredBody>{components}</structuredBody></component>"
