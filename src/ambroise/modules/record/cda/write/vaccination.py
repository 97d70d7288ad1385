"""Vaccinations: the note of one injection (VAC-NOTE) and the history of all of them (VAC), models of 2023.01."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from ambroise.modules.record.cda.write.header import Header, coded
from ambroise.modules.record.cda.write.model import Coded, Head, Professional
from ambroise.modules.record.cda.write.pieces import (
    ACT_CODE,
    ATC,
    CCD,
    CIP,
    CIS,
    FR,
    LOINC,
    PCC,
    PRODUCT,
    EntryIds,
    code,
    escape,
    original_text,
    section,
    shown_day,
    structured,
    table,
    templates,
    timestamp,
)

_FRAME = "1.3.6.1.4.1.19376.1.5.3.1.1.18.1.2"
NOTE = templates(_FRAME, f"{FR}.1.46#2023.01")
"""The models that a vaccination note declares."""
HISTORY = templates(_FRAME, f"{FR}.1.37#2023.01")
"""The models that a history of vaccinations declares."""
PRIMARY = Coded("INITIMMUNIZ", "1ère série vaccinante", ACT_CODE)
BOOSTER = Coded("BOOSTER", "Rappel de vaccin", ACT_CODE)
_COLUMNS = ("Date", "Vaccin", "Protège contre", "Lot", "Rang", "Voie", "Région")
_RANK = templates(f"{CCD}.46", f"{FR}.3.82")
_INJECTION = templates(f"{CCD}.24", f"{PCC}.4.12", f"{FR}.3.45")
_SECTION = templates(f"{CCD}.6", f"{PCC}.3.23", f"{FR}.2.147")
_PRODUCT = templates(*PRODUCT)


class Vaccine(Struct, frozen=True):
    """A vaccine by its name, with its codes; `protects` is what it protects from, in words (the label of the ATC)."""

    name: str
    cis: str | None = None
    cip: str | None = None
    atc: str | None = None
    protects: str | None = None


class Injection(Struct, frozen=True):
    """One act of vaccination. `day` may be only a year or a month, written `1975` or `1975-03`; `route` is of EDQM,
    `site` of SNOMED CT. `seen` is on what ground the author states an injection that somebody else gave.
    """

    vaccine: Vaccine
    day: date | str
    kind: Coded | None = None
    rank: int | None = None
    lot: str | None = None
    route: Coded | None = None
    site: Coded | None = None
    performer: Professional | None = None
    written: datetime | None = None
    seen: str | None = None


def vaccination_note(header: Header, head: Head, injection: Injection) -> bytes:
    """The note that a vaccinator files after one injection."""
    return _written(header, head, NOTE, "Note de vaccination", (injection,))


def vaccination_history(header: Header, head: Head, injections: tuple[Injection, ...]) -> bytes:
    """Every vaccination of a person, the first first; at least one."""
    return _written(header, head, HISTORY, "Historique des vaccinations", injections)


def _written(header: Header, head: Head, models: str, title: str, injections: tuple[Injection, ...]) -> bytes:
    ids = EntryIds(head.uid)
    opening = (
        f"{_SECTION}{ids()}{code('code', '11369-6', 'Historique des vaccinations', LOINC)}"
        f"<title>{title}</title>{table(_COLUMNS, ''.join(_row(one, n) for n, one in enumerate(injections)))}"
    )
    entries = "".join(_entry(header, head, one, n, ids) for n, one in enumerate(injections))
    body = structured(section(opening + entries))
    return f"{header.open(head, models)}{header.close(head)}{body}</ClinicalDocument>\n".encode()


def _row(injection: Injection, n: int) -> str:
    day = injection.day
    vaccine = injection.vaccine
    site = injection.site.label if injection.site else ""
    return (
        f"<tr><td>{shown_day(day) if isinstance(day, str) else f'{day:%d/%m/%Y}'}</td>"
        f'<td><content ID="v{n}">{escape(vaccine.name)}</content>{_ground(injection)}</td>'
        f"<td>{escape(vaccine.protects or '')}</td>"
        f"<td>{escape(injection.lot or '')}</td><td>{injection.rank or ''}</td>"
        f"<td>{escape(injection.route.label if injection.route else '')}</td>"
        f'<td><content ID="v{n}-site">{escape(site)}</content></td></tr>'
    )


def _ground(injection: Injection) -> str:
    return f" ({escape(injection.seen)})" if injection.seen else ""


def _entry(header: Header, head: Head, injection: Injection, n: int, ids: EntryIds) -> str:
    day = injection.day.replace("-", "") if isinstance(injection.day, str) else f"{injection.day:%Y%m%d}"
    lot = f"<lotNumberText>{escape(injection.lot)}</lotNumberText>" if injection.lot else ""
    performer = injection.performer or (None if injection.seen else head.author)
    who = f'<performer typeCode="PRF">{header.named(performer)}</performer>' if performer else ""
    author = header.author_of(injection.performer) if injection.performer else header.author_body(head)
    written = injection.written or head.moment
    rank = (
        f'<entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">{_RANK}'
        f"{code('code', '30973-2', 'Rang de la vaccination', LOINC)}"
        f'<statusCode code="completed"/><value xsi:type="INT" value="{injection.rank}"/></observation>'
        "</entryRelationship>"
        if injection.rank
        else ""
    )
    return (
        '<entry><substanceAdministration classCode="SBADM" moodCode="EVN" negationInd="false">'
        f"{_INJECTION}{ids()}{coded('code', injection.kind) if injection.kind else _IMMUNIZED}"
        f'<text><reference value="#v{n}"/></text><statusCode code="completed"/><effectiveTime value="{escape(day)}"/>'
        f"{coded('routeCode', injection.route) if injection.route else ''}"
        f"{coded('approachSiteCode', injection.site, original_text(f'v{n}-site')) if injection.site else ''}"
        f'<consumable typeCode="CSM"><manufacturedProduct>{_PRODUCT}<manufacturedMaterial>'
        f"{_product(injection.vaccine, n)}<name>{escape(injection.vaccine.name)}</name>{lot}"
        f"</manufacturedMaterial></manufacturedProduct></consumable>{who}"
        f'<author typeCode="AUT" contextControlCode="OP"><time value="{timestamp(written)}"/>{author}</author>'
        f"{rank}</substanceAdministration></entry>"
    )


_IMMUNIZED = code("code", "IMMUNIZ", "Vaccination", ACT_CODE)


def _product(vaccine: Vaccine, n: int) -> str:
    inner = original_text(f"v{n}")
    if vaccine.atc:
        inner += code("translation", vaccine.atc, vaccine.protects or vaccine.name, ATC)
    if vaccine.cip:
        inner += code("translation", vaccine.cip, vaccine.name, CIP)
    if vaccine.cis:
        return code("code", vaccine.cis, vaccine.name, CIS, inner)
    return f'<code nullFlavor="UNK">{inner}</code>'
