"""Fictitious resources for the tests over HTTP."""

from typing import Any

TEST_INS = "urn:oid:1.2.250.1.213.1.4.10"


def patient(number: int = 1, **more: Any) -> dict[str, Any]:
    """A fictitious Patient without an INS: a resource like another."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "http://hopital.example/ipp", "value": str(number)}],
        "name": [{"use": "official", "family": f"Fictif{number}", "given": ["Alix"]}],
        "gender": "female",
        "birthDate": "1980-02-29",
        **more,
    }


def observation(subject: str, code: str = "4548-4", **more: Any) -> dict[str, Any]:
    """A fictitious laboratory result whose decimal must keep its text."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-01-15T10:00:00+01:00",
        **more,
    }


def organization(name: str = "Cabinet fictif", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Organization", "name": name, **more}
