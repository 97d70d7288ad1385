"""The parts of structured bodies that several reports of the corridors share: headings, observations, treatments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ambroise.interfaces.demonstration.products import ROUTES, Medicine
from ambroise.interfaces.demonstration.reports import Coded
from ambroise.modules.record.api import write

code, escape, templates, timestamp = write.code, write.escape, write.templates, write.timestamp
LOINC, FR, PCC = write.LOINC, write.FR, write.PCC
CCD = "2.16.840.1.113883.10.20.1"


def heading(models: str, ids: write.EntryIds, what: str, title: str) -> str:
    """How a section begins: its models, its identifier, its code, its title."""
    return f"{models}{ids()}{what}<title>{escape(title)}</title>"


def observation(
    ids: write.EntryIds, shown: Lines, at: datetime, what: Coded, value: str, kind: str, *models: str,
    system: str = write.TA_ASIP, site: str = "",
) -> str:  # fmt: skip
    """An entry that says one thing, and its line in the table; `kind` is ST, CD, or the attributes of the value."""
    anchor = shown.add(what.label, value)
    written = {
        "ST": f'<value xsi:type="ST">{escape(value)}</value>',
        "CD": f'<value xsi:type="CD">{write.original_text(anchor)}</value>',
    }.get(kind, f"<value {kind}/>")
    return (
        f'<entry><observation classCode="OBS" moodCode="EVN">{templates(f"{PCC}.4.13", f"{FR}.3.48", *models)}{ids()}'
        f"{code('code', what.code, what.label, system)}"
        f'<text><reference value="#{anchor}"/></text><statusCode code="completed"/>'
        f'<effectiveTime value="{timestamp(at)}"/>{written}{site}</observation></entry>'
    )


def treatments(
    models: str, what: Coded, title: str, medicines: Sequence[Medicine], during: tuple[datetime, datetime],
    ids: write.EntryIds,
) -> str:  # fmt: skip
    """A section of medicines, taken or to be taken during a time."""
    rows = "".join(
        f'<tr><td><content ID="t{what.code}-{n}">{escape(one.name)}</content></td><td>{escape(one.posology)}</td></tr>'
        for n, one in enumerate(medicines)
    )
    entries = "".join(_treatment(one, f"t{what.code}-{n}", during, ids) for n, one in enumerate(medicines))
    return write.section(
        heading(models, ids, code("code", what.code, what.label, LOINC), title)
        + write.table(("Médicament", "Posologie"), rows)
        + entries
    )


def _treatment(medicine: Medicine, at: str, during: tuple[datetime, datetime], ids: write.EntryIds) -> str:
    dose = f'value="{medicine.dose}" unit="{medicine.unit}"'
    return (
        '<entry><substanceAdministration classCode="SBADM" moodCode="EVN">'
        f"{templates(f'{CCD}.24', f'{PCC}.4.7', f'{FR}.3.42', f'{PCC}.4.7.1')}{ids()}"
        f"{code('code', 'DRUG', 'Médicament', '2.16.840.1.113883.5.4')}"
        f'<text><reference value="#{at}"/></text><statusCode code="completed"/>'
        f'<effectiveTime xsi:type="IVL_TS"><low value="{timestamp(during[0])}"/>'
        f'<high value="{timestamp(during[1])}"/></effectiveTime>'
        f'<effectiveTime xsi:type="PIVL_TS" operator="A"><period value="{medicine.hours}" unit="h"/></effectiveTime>'
        f"{code('routeCode', medicine.route, ROUTES[medicine.route], write.EDQM)}"
        f"<doseQuantity><low {dose}/><high {dose}/></doseQuantity>"
        f"<consumable><manufacturedProduct>{templates(*write.PRODUCT)}<manufacturedMaterial>{product(medicine, at)}"
        f"<name>{escape(medicine.name)}</name></manufacturedMaterial></manufacturedProduct></consumable>"
        "</substanceAdministration></entry>"
    )


def product(medicine: Medicine, at: str) -> str:
    """The code of a medicine: CIS where it is known, its class (ATC) always."""
    inside = write.original_text(at) + code("translation", medicine.atc, medicine.atc_label, write.ATC)
    if medicine.cis:
        return code("code", medicine.cis, medicine.name, write.CIS, inside)
    return f'<code nullFlavor="UNK">{inside}</code>'


class Lines:
    """The lines of the table of a section, which its entries point into."""

    def __init__(self) -> None:
        self._rows: list[str] = []
        self._count = 0

    def add(self, name: str, value: str) -> str:
        """Add a line; its anchor."""
        self._count += 1
        anchor = f"line{self._count}"
        self._rows.append(f'<tr><td>{escape(name)}</td><td><content ID="{anchor}">{escape(value)}</content></td></tr>')
        return anchor

    def taken(self) -> str:
        """The table of the lines added since the last time."""
        rows, self._rows = "".join(self._rows), []
        return write.table(("Élément", "Valeur"), rows)
