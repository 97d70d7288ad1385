"""What the published directory can do, as a CapabilityStatement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ambroise.modules.directory.api import PUBLISHED_INCLUDES, PUBLISHED_PARAMETERS, PUBLISHED_REVINCLUDES


def capability(base: str, now: datetime) -> dict[str, Any]:
    """The CapabilityStatement of the interface at `base`."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.date().isoformat(),
        "kind": "instance",
        "implementation": {"description": "Ambroise: published directory (API FHIR Annuaire Santé v2)", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{"mode": "server", "resource": [_resource(type) for type in PUBLISHED_PARAMETERS]}],
    }


def _resource(type: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": type,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": name, "type": kind} for name, kind in PUBLISHED_PARAMETERS[type].items()],
    }
    if includes := PUBLISHED_INCLUDES.get(type):
        described["searchInclude"] = ["*", *(f"{type}:{name}" for name in includes)]
    if revincludes := PUBLISHED_REVINCLUDES.get(type):
        described["searchRevInclude"] = list(revincludes)
    return described
