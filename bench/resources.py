"""The resources that are written: like those of a laboratory's software, with what a real one says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from ambroise.interfaces.demonstration.analyses import ANALYSES, Analysis
from ambroise.interfaces.demonstration.model import Professional

Json = dict[str, Any]

_LATEST = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
_ANALYSES = tuple(ANALYSES.values())
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_PROFESSIONALS = "urn:oid:1.2.250.1.71.4.2.1"
_STRUCTURES = "urn:oid:1.2.250.1.71.4.2.2"


def observation(random: Random, patient: UUID, author: Professional, encounter: str | None = None) -> Json:
    """A result of a laboratory: about one kilobyte and a half."""
    analysis = random.choice(_ANALYSES)
    value = round(random.uniform(0.4, 1.6) * (analysis.high or analysis.low or 10), analysis.decimals)
    when = _LATEST - timedelta(minutes=random.randrange(3 * 365 * 24 * 60))
    resource: Json = {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.1.9", "value": f"R{random.getrandbits(48):012x}"}],
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "laboratory", "display": "Laboratory"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": analysis.loinc, "display": analysis.label}],
            "text": analysis.label,
        },
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": when.isoformat(),
        "issued": (when + timedelta(hours=4)).isoformat(),
        "performer": [
            {
                "identifier": {"system": _PROFESSIONALS, "value": author.id_nat},
                "display": f"{author.given} {author.family}",
            },
            {
                "identifier": {"system": _STRUCTURES, "value": author.organization.id_nat},
                "display": author.organization.name,
            },
        ],
        "valueQuantity": _quantity(value, analysis),
        "interpretation": [_interpretation(value, analysis)],
        "referenceRange": [_range(analysis)],
        "note": [{"text": "Résultat validé par le biologiste ; à confronter au contexte clinique."}],
    }
    if encounter:
        resource["encounter"] = {"reference": encounter}
    return resource


def encounter(patient: UUID, author: Professional) -> Json:
    """A consultation."""
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"},
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [{"individual": {"identifier": {"system": _PROFESSIONALS, "value": author.id_nat}}}],
        "period": {"start": "2026-01-15T09:00:00+01:00", "end": "2026-01-15T09:20:00+01:00"},
        "reasonCode": [{"text": "Suivi d'une maladie chronique"}],
        "serviceProvider": {"identifier": {"system": _STRUCTURES, "value": author.organization.id_nat}},
    }


def _quantity(value: float, analysis: Analysis) -> Json:
    system = {"system": "http://unitsofmeasure.org", "code": analysis.unit}
    return {"value": value, "unit": analysis.shown or analysis.unit, **system}


def _interpretation(value: float, analysis: Analysis) -> Json:
    low, high = analysis.low, analysis.high
    code, display = ("H", "High") if high and value > high else ("L", "Low") if low and value < low else ("N", "Normal")
    return {"coding": [{"system": _INTERPRETATION, "code": code, "display": display}]}


def _range(analysis: Analysis) -> Json:
    bounds = {"low": analysis.low, "high": analysis.high}
    return {name: _quantity(value, analysis) for name, value in bounds.items() if value is not None}
