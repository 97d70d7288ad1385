"""Illnesses, treatments, allergies, vaccinations, stays and family history, whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ambroise.modules.profile.fhir import (
    HOUSE,
    ROLE_CODE,
    Json,
    child,
    children,
    code_in,
    coding_of,
    day_of,
    first_of,
    words_of,
)
from ambroise.modules.profile.model import Section
from ambroise.modules.profile.reading.told import Told
from ambroise.modules.profile.writing import DURATION, KINSHIP

_OVER = frozenset({"inactive", "resolved", "remission"})
_UNIT_OF = {"d": "DAY", "wk": "WEEK", "mo": "MONTH", "a": "YEAR"}
_KIN_OF = {code: name for name, code in KINSHIP.items()}


def condition(resource: Json) -> Told | None:
    """An illness."""
    status = code_in(resource.get("clinicalStatus"), "http://terminology.hl7.org/CodeSystem/condition-clinical")
    sure = code_in(resource.get("verificationStatus"), "http://terminology.hl7.org/CodeSystem/condition-ver-status")
    if sure == "entered-in-error":
        return None
    began = resource.get("onsetDateTime") or child(resource, "onsetPeriod").get("start")
    return Told(
        Section.ILLNESSES,
        words_of(resource.get("code")),
        coding_of(resource.get("code")),
        start=day_of(began),
        end=day_of(resource.get("abatementDateTime")),
        active=status not in _OVER,
        denied=sure == "refuted",
    )


def medication(resource: Json) -> Told | None:
    """A treatment."""
    status = str(resource.get("status", ""))
    if status == "entered-in-error":
        return None
    medicine: Json = resource.get("medicationCodeableConcept") or {"text": _display(resource, "medicationReference")}
    period: Json = child(resource, "effectivePeriod")
    dosages = [str(one.get("text", "")) for one in children(resource, "dosage") if one.get("text")]
    reasons = [words_of(one) for one in children(resource, "reasonCode")]
    details = {"dosage": "\n".join(dosages), "reason": ", ".join(filter(None, reasons))}
    return Told(
        Section.TREATMENTS,
        words_of(medicine),
        coding_of(medicine),
        start=day_of(period.get("start") or resource.get("effectiveDateTime")),
        end=day_of(period.get("end")),
        details={name: value for name, value in details.items() if value},
        active=status in ("active", "intended", "on-hold", "unknown"),
        denied=status == "not-taken",
    )


def allergy(resource: Json) -> Told | None:
    """An allergy."""
    status = code_in(
        resource.get("clinicalStatus"), "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
    )
    sure = code_in(
        resource.get("verificationStatus"), "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    )
    if sure == "entered-in-error":
        return None
    reactions = [
        words_of(one) for reaction in children(resource, "reaction") for one in children(reaction, "manifestation")
    ]
    details = {"reaction": ", ".join(filter(None, reactions)), "criticality": str(resource.get("criticality", ""))}
    return Told(
        Section.ALLERGIES,
        words_of(resource.get("code")),
        coding_of(resource.get("code")),
        start=day_of(resource.get("onsetDateTime")),
        details={name: value for name, value in details.items() if value},
        active=status not in _OVER,
        denied=sure == "refuted",
    )


def immunization(resource: Json) -> Told | None:
    """A vaccination."""
    if resource.get("status") == "entered-in-error":
        return None
    protocol: Json = first_of(resource.get("protocolApplied"))
    performers = [_display(one, "actor") for one in children(resource, "performer")]
    details = {
        "lot": str(resource.get("lotNumber", "")),
        "expires": day_of(resource.get("expirationDate")),
        "stage": str(protocol.get("series", "")),
        "rank": str(protocol.get("doseNumberPositiveInt") or protocol.get("doseNumberString") or ""),
        "performer": ", ".join(filter(None, performers)),
        "route": words_of(resource.get("route")),
        "site": words_of(resource.get("site")),
    }
    return Told(
        Section.VACCINATIONS,
        words_of(resource.get("vaccineCode")),
        coding_of(resource.get("vaccineCode")),
        start=day_of(resource.get("occurrenceDateTime")),
        details={name: value for name, value in details.items() if value},
        denied=resource.get("status") == "not-done",
    )


def procedure(resource: Json) -> Told | None:
    """A stay, or an act."""
    if resource.get("status") == "entered-in-error":
        return None
    period: Json = child(resource, "performedPeriod")
    details: dict[str, str] = {}
    for one in children(resource, "extension"):
        if one.get("url") == DURATION:
            lasting: Json = child(one, "valueDuration")
            details = {"duration": str(lasting.get("value", "")), "unit": _UNIT_OF.get(lasting.get("code", ""), "DAY")}
    return Told(
        Section.STAYS,
        words_of(resource.get("code")),
        coding_of(resource.get("code")),
        start=day_of(resource.get("performedDateTime") or period.get("start")),
        end=day_of(period.get("end")),
        details=details,
        denied=resource.get("status") == "not-done",
    )


def family(resource: Json) -> Told | None:
    """An illness of somebody of the family."""
    if resource.get("status") == "entered-in-error":
        return None
    found: Json = first_of(resource.get("condition"))
    relation = code_in(resource.get("relationship"), HOUSE) or _KIN_OF.get(
        code_in(resource.get("relationship"), ROLE_CODE), "OTHER"
    )
    return Told(
        Section.FAMILY,
        words_of(found.get("code")),
        coding_of(found.get("code")),
        details={"relation": relation},
    )


def _display(resource: Mapping[str, Any], element: str) -> str:
    return str(child(resource, element).get("display", ""))
