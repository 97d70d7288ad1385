"""The metadata of a document that a citizen files (expression personnelle du patient)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.interfaces.web.ui import dates
from ambroise.modules.record.api import CITIZEN_TYPES, MASKED, Category, tables

_VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
_FORMATS = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
_CLASSES = "urn:oid:1.2.250.1.213.1.1.4.1"
_PATIENTS_CLASS = "90"
_EXPRESSION = {"system": "urn:oid:1.2.250.1.213.1.1.4.6", "code": "EXP_PATIENT"}


def metadata(space: UUID, name: str, new: NewDocument, media_type: str) -> Mapping[str, Any]:
    """Describe a document filed in `space` by the citizen of this name."""
    patient = {"reference": f"Patient/{space}"}
    code = CITIZEN_TYPES[Category(new.category)]
    entry = tables.type_code(code)
    when = datetime.combine(new.day, time(12), dates.PARIS).isoformat()
    place = {"coding": [_EXPRESSION]}
    described: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "status": "current",
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid4()}"},
        "type": {"coding": [{"system": f"urn:oid:{entry.system}" if entry else "", "code": code}]},
        "category": [{"coding": [{"system": _CLASSES, "code": _PATIENTS_CLASS}]}],
        "subject": patient,
        "date": when,
        "author": [{**patient, "display": name}],
        "content": [
            {
                "attachment": {"language": "fr-FR", "title": new.title},
                "format": {"system": _FORMATS, "code": tables.format_of_media(media_type)},
            }
        ],
        "context": {"period": {"start": when}, "facilityType": place, "practiceSetting": dict(place)},
    }
    if new.masked:
        described["securityLabel"] = [{"coding": [{"system": _VISIBILITY, "code": MASKED}]}]
    return described
