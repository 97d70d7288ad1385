"""What a pharmacy handed over (eDISP-MED, CDA level 3), line by line of the prescription that it fulfils."""

from __future__ import annotations

from datetime import datetime, timedelta

from ambroise.interfaces.demonstration.cda_entries import CCD, heading, product
from ambroise.interfaces.demonstration.cda_sections import line_ids
from ambroise.interfaces.demonstration.products import ROUTES
from ambroise.interfaces.demonstration.reports import Dispensation, Dispensed
from ambroise.modules.record.api import write

code, escape, templates, timestamp = write.code, write.escape, write.templates, write.timestamp
LOINC, FR, PCC = write.LOINC, write.FR, write.PCC
PHARM = "1.3.6.1.4.1.19376.1.9.1"
MODELS = templates(f"{PCC}.1.1", f"{PHARM}.1.3", f"{FR}.1.54#2024.01")
_BOX = "30009000"


def fulfilled(report: Dispensation) -> str:
    """The prescription that the document fulfils, for its header."""
    return f'<inFulfillmentOf><order><id root="{report.prescription}"/></order></inFulfillmentOf>'


def dispensation_section(report: Dispensation, at: datetime, author: str, ids: write.EntryIds) -> str:
    """The medicines handed over; `author` is who prescribed, as the author of an entry."""
    rows = "".join(
        f'<tr><td><content ID="m{n}">{escape(one.medicine.name)}</content></td><td>{one.shown}</td>'
        f'<td><content ID="m{n}-dosage">{escape(one.medicine.posology)}</content>, pendant {one.days} jours</td>'
        f'<td><content ID="m{n}-note">{escape(one.note)}</content></td></tr>'
        for n, one in enumerate(report.lines)
    )
    items = line_ids(report.prescription, len(report.lines))
    entries = "".join(_line(report, n, items[n], at, author, ids) for n in range(len(report.lines)))
    return write.section(
        heading(templates(f"{PHARM}.2.3", f"{CCD}.8", f"{FR}.2.236"), ids,
                code("code", "60590-7", "Médicaments délivrés", LOINC), "Médicaments délivrés")
        + write.table(("Médicament", "Quantité", "Posologie", "Note"), rows)
        + entries
    )  # fmt: skip


def _line(report: Dispensation, n: int, item: str, at: datetime, author: str, ids: write.EntryIds) -> str:
    one = report.lines[n]
    medicine = one.medicine
    return (
        f'<entry><supply classCode="SPLY" moodCode="EVN">'
        f"{templates(f'{CCD}.34', f'{PCC}.4.7.3', f'{PHARM}.3.4', f'{FR}.3.204')}{ids()}"
        f'<text><reference value="#m{n}"/></text><effectiveTime value="{timestamp(at)}"/>'
        f'<quantity value="{one.boxes}" unit="{_BOX}"/>'
        f'<product><manufacturedProduct classCode="MANU">{templates(*write.PRODUCT)}'
        f'<manufacturedMaterial classCode="MMAT" determinerCode="KIND">{templates(f"{PHARM}.3.1")}'
        f"{product(medicine, f'm{n}')}<name>{escape(medicine.name)}</name></manufacturedMaterial>"
        f"</manufacturedProduct></product>{_prescribed(report, item, author)}{_noted(n)}"
        f"{_dosage(one, n, at, ids)}</supply></entry>"
    )


def _prescribed(report: Dispensation, item: str, author: str) -> str:
    """The line of the prescription."""
    return (
        '<entryRelationship typeCode="REFR" inversionInd="false"><substanceAdministration classCode="SBADM" '
        f'moodCode="INT">{templates(f"{PHARM}.3.11", f"{FR}.3.90")}{item}'
        f"{code('code', 'PREItem', 'Prescription Item', '1.3.6.1.4.1.19376.1.9.2.2')}"
        '<consumable><manufacturedProduct><manufacturedMaterial nullFlavor="NA"><name nullFlavor="NA"/>'
        "</manufacturedMaterial></manufacturedProduct></consumable>"
        f'<author><time value="{timestamp(report.prescribed_at)}"/>{author}</author>'
        f'<reference typeCode="XCRPT"><externalDocument><id root="{report.prescription}"/></externalDocument>'
        "</reference></substanceAdministration></entryRelationship>"
    )


def _noted(n: int) -> str:
    """What the pharmacist noted."""
    return (
        '<entryRelationship typeCode="SUBJ" inversionInd="true"><act classCode="ACT" moodCode="INT">'
        f"{templates(f'{CCD}.43', f'{PCC}.4.3.1', f'{FR}.3.207')}"
        '<code code="FINSTRUCT" codeSystem="1.3.6.1.4.1.19376.1.5.3.2"/>'
        f'<text><reference value="#m{n}-note"/></text><statusCode code="completed"/></act></entryRelationship>'
    )


def _dosage(one: Dispensed, n: int, at: datetime, ids: write.EntryIds) -> str:
    medicine, end = one.medicine, at + timedelta(days=one.days)
    dose = f'value="{medicine.dose}" unit="{medicine.unit}"'
    return (
        '<entryRelationship typeCode="COMP"><substanceAdministration classCode="SBADM" moodCode="INT">'
        f"{templates(f'{CCD}.24', f'{PCC}.4.7', f'{FR}.3.42', f'{PHARM}.3.6', f'{PCC}.4.7.1')}{ids()}"
        f'<text><reference value="#m{n}-dosage"/></text><statusCode code="completed"/>'
        f'<effectiveTime xsi:type="IVL_TS"><low value="{at:%Y%m%d}"/><high value="{end:%Y%m%d}"/></effectiveTime>'
        f'<effectiveTime xsi:type="SXPR_TS" operator="A"><comp xsi:type="IVL_TS" operator="A">'
        f'<low value="{at:%Y%m%d}"/><width value="{one.days}" unit="d"/></comp>'
        f'<comp xsi:type="PIVL_TS" operator="A"><period value="{medicine.hours}" unit="h"/></comp></effectiveTime>'
        f"{code('routeCode', medicine.route, ROUTES[medicine.route], write.EDQM)}"
        f"<doseQuantity><low {dose}/><high {dose}/></doseQuantity>"
        f"<consumable><manufacturedProduct>{templates(*write.PRODUCT)}"
        f'<manufacturedMaterial nullFlavor="NA">{templates(f"{PHARM}.3.1")}<code nullFlavor="NA"/>'
        '<name nullFlavor="NA"/></manufacturedMaterial></manufacturedProduct></consumable>'
        "</substanceAdministration></entryRelationship>"
    )
