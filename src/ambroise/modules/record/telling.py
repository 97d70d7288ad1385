"""What filing a document tells its patient: the document, the measures that it brought, the first reimbursements.

A measure that a document states stands among the measures of the profile at once, and each kind of them is told under
the code that the national client has for it (glucose, HbA1c, height, weight, head circumference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ambroise.modules.notification.api import Code
from ambroise.modules.record.assessment import Assessed
from ambroise.trust.access.kinds import kinds
from ambroise.trust.gateway import Stored

_LOINC: Final = "http://loinc.org"
COPIED: Final[Mapping[tuple[str, str], Code]] = {
    (_LOINC, "2345-7"): Code.GLUCOSE_COPIED,
    (_LOINC, "2339-0"): Code.GLUCOSE_COPIED,
    ("urn:oid:1.2.250.1.213.1.1.4.322", "MED-969"): Code.GLUCOSE_COPIED,
    (_LOINC, "4548-4"): Code.HBA1C_COPIED,
    (_LOINC, "8302-2"): Code.HEIGHT_COPIED,
    (_LOINC, "8306-3"): Code.HEIGHT_COPIED,
    (_LOINC, "29463-7"): Code.WEIGHT_COPIED,
    (_LOINC, "3141-9"): Code.WEIGHT_COPIED,
    (_LOINC, "8339-4"): Code.WEIGHT_COPIED,
    (_LOINC, "9843-4"): Code.HEAD_COPIED,
    (_LOINC, "8287-5"): Code.HEAD_COPIED,
}
"""The codes of measures that are told, as the profile reads them (JDV_SignesVitaux, JDV_J154 of the CI-SIS)."""
_VACCINATIONS: Final = ("11369-6", "87273-9")
"""Document types of the CI-SIS: immunization history, and vaccination note."""
_REIMBURSEMENTS: Final = "REMB"
FIRST_REIMBURSEMENTS: Final = "history.fed"
"""The key under which a space is told once that its history of reimbursed care is fed."""


def told(assessed: Assessed, stored: Stored, facts: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Code, str | None]]:
    """The codes that filing a document is told under, each with its key where a space is told it once only."""
    yield _of_document(assessed, stored), None
    for code in dict.fromkeys(filter(None, map(_copied, facts))):
        yield code, None
    if stored.label.kind == kinds().number(_REIMBURSEMENTS) and not assessed.replaces:
        yield Code.HISTORY_FED, FIRST_REIMBURSEMENTS


def _of_document(assessed: Assessed, stored: Stored) -> Code:
    if any(one.document for one in assessed.replaces):
        return Code.DOCUMENT_CHANGED
    if stored.label.kind in {kinds().number(one) for one in _VACCINATIONS}:
        return Code.VACCINATION_ADDED
    return Code.DOCUMENT_ADDED


def _copied(fact: Mapping[str, Any]) -> Code | None:
    """What a fact is told as, when it is a measure with its value."""
    if fact["resourceType"] != "Observation" or "valueQuantity" not in fact:
        return None
    codings = fact.get("code", {}).get("coding", ())
    return next((found for one in codings if (found := COPIED.get((one.get("system"), one.get("code"))))), None)
