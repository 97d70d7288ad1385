"""The lines of a synthesis as entries of a CDA: a problem, an act, an allergy, a habit, a relative, a treatment.

An entry points at the words of its line: `at` is the anchor of its name, `at-more` that of the rest.
"""

from __future__ import annotations

from msgspec import Struct

from ambroise.modules.record.cda.write.header import coded
from ambroise.modules.record.cda.write.model import Coded
from ambroise.modules.record.cda.write.pieces import (
    ACT_CODE,
    CCD,
    CIS,
    FR,
    PCC,
    PRODUCT,
    SNOMED,
    EntryIds,
    code,
    escape,
    original_text,
    templates,
)

_DIAGNOSIS = code("code", "282291009", "interprétation diagnostique", SNOMED)
_ALLERGY = code("code", "419199007", "allergie à une substance", SNOMED)
_PROBLEM = templates(f"{CCD}.27", f"{PCC}.4.5.1", f"{PCC}.4.5.2", f"{FR}.3.39")
_INTOLERANCE = templates(f"{CCD}.27", f"{PCC}.4.5.1", f"{PCC}.4.5.3", f"{FR}.3.40")
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


def problem(line: Line, at: str, ids: EntryIds) -> str:
    """An illness that lasts."""
    when = _interval(line)
    return _concern(_PROBLEM, ids(), "active", when, _illness(line, at, ids(), when))


def past_problem(line: Line, at: str, ids: EntryIds) -> str:
    """An illness that is over."""
    when = _course(line)
    return _concern(_PROBLEM, ids(), "completed", when, _illness(line, at, ids(), when))


def procedure(line: Line, at: str, ids: EntryIds) -> str:
    """An act, or a stay."""
    return (
        '<entry><procedure classCode="PROC" moodCode="EVN">'
        f"{templates(f'{PCC}.4.19', f'{CCD}.29', f'{FR}.3.62')}{ids()}{_named(line, at)}"
        f'{_text(at)}<statusCode code="completed"/>{_interval(line)}'
        "</procedure></entry>"
    )


def allergy(line: Line, at: str, ids: EntryIds) -> str:
    """An allergy: its agent is the name of the line, its reaction the rest."""
    when = _interval(line)
    return _concern(_INTOLERANCE, ids(), "active", when, _reaction(line, at, ids(), when))


def habit(line: Line, at: str, ids: EntryIds) -> str:
    """A way of life: its sort is coded, its words are the rest."""
    day = f' value="{_compact(line.start)}"' if line.start else ' nullFlavor="NA"'
    return (
        '<entry><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{CCD}.33', f'{PCC}.4.13', f'{PCC}.4.13.4', f'{FR}.3.52')}{ids()}"
        f"{coded('code', line.kind) if line.kind else ''}"
        f'{_text(at)}<statusCode code="completed"/><effectiveTime{day}/>'
        f'<value xsi:type="ST">{escape(line.about)}</value></observation></entry>'
    )


def relative(line: Line, at: str, ids: EntryIds) -> str:
    """An illness of somebody of the family."""
    kin = line.kind or Coded("FAMMEMB", "Membre de la famille", _FAMILY)
    return (
        '<entry><organizer classCode="CLUSTER" moodCode="EVN">'
        f'{templates(f"{CCD}.23", f"{PCC}.4.15", f"{FR}.3.59")}<statusCode code="completed"/>'
        f'<subject typeCode="SBJ">{templates(f"{PCC}.4.15.2", f"{FR}.3.60")}'
        f'<relatedSubject classCode="PRS">{coded("code", kin, original_text(f"{at}-more"))}'
        '<subject><administrativeGenderCode nullFlavor="UNK"/></subject></relatedSubject></subject>'
        '<component typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{CCD}.22', f'{PCC}.4.13', f'{PCC}.4.13.3', f'{FR}.3.51')}{ids()}{_DIAGNOSIS}"
        f'{_text(at)}<statusCode code="completed"/><effectiveTime nullFlavor="UNK"/>'
        f"{_value(line.code, at)}</observation></component></organizer></entry>"
    )


def treatment(line: Line, at: str, ids: EntryIds) -> str:
    """A treatment that is taken for long."""
    return (
        '<entry typeCode="DRIV"><substanceAdministration classCode="SBADM" moodCode="EVN">'
        f"{templates(f'{CCD}.24', f'{PCC}.4.7', f'{FR}.3.42', f'{PCC}.4.7.1')}{ids()}"
        f"{code('code', 'DRUG', 'Médicament', ACT_CODE)}"
        f'<text><reference value="#{at}-more"/></text><statusCode code="completed"/>{_course(line)}'
        '<rateQuantity nullFlavor="NAV"/>'
        f"<consumable><manufacturedProduct>{templates(*PRODUCT)}<manufacturedMaterial>{_medicine(line, at)}"
        f"<name>{escape(line.name)}</name></manufacturedMaterial></manufacturedProduct></consumable>"
        "</substanceAdministration></entry>"
    )


def _concern(models: str, own: str, status: str, when: str, observation: str) -> str:
    """What somebody is followed for, around what was observed of it."""
    return (
        '<entry><act classCode="ACT" moodCode="EVN">'
        f"{models}{own}"
        f'<code nullFlavor="NA"/><statusCode code="{status}"/>{when}'
        '<entryRelationship typeCode="SUBJ" inversionInd="false">'
        '<observation classCode="OBS" moodCode="EVN" negationInd="false">'
        f"{observation}</observation></entryRelationship></act></entry>"
    )


def _illness(line: Line, at: str, own: str, when: str) -> str:
    return (
        f"{templates(f'{CCD}.28', f'{PCC}.4.5', f'{FR}.3.37')}{own}{_DIAGNOSIS}"
        f'{_text(at)}<statusCode code="completed"/>{when}{_value(line.code, at)}'
    )


def _reaction(line: Line, at: str, own: str, when: str) -> str:
    return (
        f"{templates(f'{CCD}.18', f'{CCD}.28', f'{PCC}.4.5', f'{PCC}.4.6', f'{FR}.3.41')}{own}{_ALLERGY}"
        f'{_text(at)}<statusCode code="completed"/>{when}'
        f'<value xsi:type="CD">{original_text(f"{at}-more" if line.about else at)}</value>'
        '<participant typeCode="CSM"><participantRole classCode="MANU"><playingEntity classCode="MMAT">'
        f"{_named(line, at)}<name>{escape(line.name)}</name></playingEntity></participantRole></participant>"
    )


def _text(at: str) -> str:
    return f'<text><reference value="#{at}"/></text>'


def _named(line: Line, at: str) -> str:
    """The code of what the line names, or that it is not known."""
    return coded("code", line.code, original_text(at)) if line.code else _unknown("code", at)


def _medicine(line: Line, at: str) -> str:
    """A medicine is coded in CIS; its class alone (ATC), or that there is none, translates a code that is not known."""
    if line.code and line.code.system != CIS:
        return f'<code nullFlavor="UNK">{original_text(at)}{coded("translation", line.code)}</code>'
    return _named(line, at)


def _value(what: Coded | None, at: str) -> str:
    if what is None:
        return f'<value xsi:type="CD" nullFlavor="UNK">{original_text(at)}</value>'
    attributes = f'code="{escape(what.code)}" displayName="{escape(what.label)}" codeSystem="{what.system}"'
    return f'<value xsi:type="CD" {attributes}>{original_text(at)}</value>'


def _unknown(tag: str, at: str) -> str:
    return f'<{tag} nullFlavor="UNK">{original_text(at)}</{tag}>'


def _bound(tag: str, day: str) -> str:
    return f'<{tag} value="{_compact(day)}"/>' if day else f'<{tag} nullFlavor="UNK"/>'


def _interval(line: Line) -> str:
    """A time that goes on."""
    return f'<effectiveTime xsi:type="IVL_TS">{_bound("low", line.start)}</effectiveTime>'


def _course(line: Line) -> str:
    """A time that ended, or may have."""
    return f'<effectiveTime xsi:type="IVL_TS">{_bound("low", line.start)}{_bound("high", line.end)}</effectiveTime>'


def _compact(day: str) -> str:
    return escape(day.replace("-", ""))
