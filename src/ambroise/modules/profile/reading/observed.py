"""What was observed, measured or aimed at: measures, targets, habits, blood group, disabilities, organ donation."""

from __future__ import annotations

from decimal import Decimal

from ambroise.modules.profile.fhir import (
    HOUSE,
    LOINC,
    Json,
    child,
    children,
    code_in,
    coding_of,
    day_of,
    first_of,
    words_of,
)
from ambroise.modules.profile.limits import CHOICES
from ambroise.modules.profile.measures import Measure, by_code
from ambroise.modules.profile.model import Section
from ambroise.modules.profile.reading.told import Told
from ambroise.modules.profile.writing import BLOOD_GROUP, DISABILITY, HABITS, MOMENT

_HABIT_OF = {pair: name for name, pair in HABITS.items()}


def observation(resource: Json) -> Told | None:
    """A measure, a habit, a blood group, a disability, or whether one is informed about organ donation."""
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return None
    pairs = {(str(one.get("system", "")), str(one.get("code", ""))) for one in _codings(resource)}
    day = day_of(resource.get("effectiveDateTime") or child(resource, "effectivePeriod").get("start"))
    if DISABILITY in pairs:
        return _disability(resource)
    if BLOOD_GROUP in pairs:
        value: Json = child(resource, "valueCodeableConcept")
        return Told(Section.BLOOD, words_of(value), coding_of(value), start=day)
    if (HOUSE, "informedAboutOrganDonation") in pairs:
        informed = "yes" if resource.get("valueBoolean") is True else "no"
        return Told(Section.DONATION, "informed", start=day, details={"informed": informed})
    habit = next((_HABIT_OF[pair] for pair in pairs if pair in _HABIT_OF), None)
    if habit is not None:
        return Told(Section.HABITS, _said(resource), start=day, details={"habit": habit})
    measure = next((by_code()[pair] for pair in pairs if pair in by_code()), None)
    return _measured(resource, measure, day) if measure is not None else None


def goal(resource: Json) -> Told | None:
    """The value of a measure to reach."""
    target: Json = first_of(resource.get("target"))
    wanted: Json = child(target, "detailRange")
    code = coding_of(target.get("measure"))
    measure = by_code().get((code.system, code.code)) if code else None
    if measure is None or resource.get("lifecycleStatus") not in ("active", "accepted", "proposed"):
        return None
    details = {"measure": measure.name, "unit": measure.unit}
    for bound in ("low", "high"):
        value = _figure(wanted.get(bound), measure)
        if value is not None:
            details[bound] = value
    return Told(Section.TARGETS, measure.name, code, details=details)


def _disability(resource: Json) -> Told:
    details: dict[str, str] = {}
    kinds: list[str] = []
    for part in children(resource, "component"):
        name = code_in(part.get("code"), HOUSE)
        value = code_in(part.get("valueCodeableConcept"), HOUSE) or str(part.get("valueString", ""))
        if name == "type":
            kinds.append(value)
        elif name and value:
            details[name] = value
    if kinds:
        details["disability"] = ",".join(kinds)
    return Told(Section.DISABILITIES, _said(resource), details=details)


def _measured(resource: Json, measure: Measure, day: str) -> Told | None:
    details = {"measure": measure.name, "unit": measure.unit, **_moment(resource)}
    if len(measure.figures) == 1:
        value = _figure(resource.get("valueQuantity"), measure)
        if value is None:
            return None
        details["value"] = value
    else:
        no_part: Json = {}
        for figure in measure.figures:
            code = figure.code
            parts = (one for one in children(resource, "component") if code_in(one.get("code"), LOINC) == code)
            part = next(parts, no_part)
            value = _figure(part.get("valueQuantity"), measure)
            if value is None:
                return None
            details[figure.name] = value
    return Told(Section.MEASURES, measure.name, measure.codes[0], start=day, details=details)


def _moment(resource: Json) -> dict[str, str]:
    """When a glucose was measured, by JDV_J157; nothing when it does not say or says something else."""
    said = next((one for one in children(resource, "extension") if one.get("url") == MOMENT), None)
    code = coding_of(said.get("valueCodeableConcept")) if said else None
    return {"moment": code.code} if code and code.code in CHOICES["moment"] else {}


def _figure(quantity: Json | None, measure: Measure) -> str | None:
    given = quantity or {}
    if given.get("value") is None:
        return None
    value = measure.in_unit(Decimal(str(given["value"])), str(given.get("code") or given.get("unit") or ""))
    return None if value is None else format(value, "f")


def _codings(resource: Json) -> list[Json]:
    return list(children(child(resource, "code"), "coding"))


def _said(resource: Json) -> str:
    """The value of an observation in words."""
    if resource.get("valueString"):
        return str(resource["valueString"])
    if resource.get("valueCodeableConcept"):
        return words_of(resource["valueCodeableConcept"])
    quantity: Json = child(resource, "valueQuantity")
    return f"{quantity.get('value', '')} {quantity.get('unit') or quantity.get('code') or ''}".strip()
