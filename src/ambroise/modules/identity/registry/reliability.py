"""The trust of an identity in its Patient resource: identifiers, and the identity reliability of fr-core 2.2.0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from ambroise.modules.identity.ins import NIA_OID, Ins
from ambroise.modules.identity.registry.trust import Attribute, Trust

_FR_CORE: Final = "https://hl7.fr/ig/fhir/core"
RELIABILITY: Final = f"{_FR_CORE}/StructureDefinition/fr-core-identity-reliability"
_STATUS: Final = f"{_FR_CORE}/CodeSystem/fr-core-cs-identity-status"
_COMMENT: Final = f"{_FR_CORE}/CodeSystem/fr-core-cs-identity-status-comment"
_TYPES: Final = f"{_FR_CORE}/CodeSystem/fr-core-cs-v2-0203"
_INS_ROOT: Final = "urn:oid:1.2.250.1.213.1.4."
# The codes that the value set gives; an homonym is said in words.
_CODES: Final[Mapping[Attribute, str]] = {Attribute.DOUBTFUL: "DOUT", Attribute.FICTITIOUS: "FICT"}


def with_trust(patient: Mapping[str, Any], trust: Trust, at: datetime, asked: date | None = None) -> dict[str, Any]:
    """The same Patient saying this trust: its INS is there or not, and its reliability has one more line."""
    identifiers = [one for one in patient.get("identifier", ()) if not _is_ins(one)]
    if trust.ins is not None:
        identifiers.insert(0, _identifier(trust.ins))
    changed = {key: value for key, value in patient.items() if key != "identifier"}
    if identifiers:
        changed["identifier"] = identifiers
    changed["extension"] = [_reliability(trust, at, asked), *patient.get("extension", ())]
    return changed


def _reliability(trust: Trust, at: datetime, asked: date | None) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "lastUpdated", "valueDateTime": at.isoformat()},
        {"url": "identityStatus", "valueCoding": {"system": _STATUS, "code": trust.status.value}},
    ]
    if asked is not None:
        parts.append({"url": "dateInterrogationINSi", "valueDate": asked.isoformat()})
    for attribute in sorted(trust.attributes):
        code = _CODES.get(attribute)
        coded = {"coding": [{"system": _COMMENT, "code": code}]} if code else {"text": attribute.value}
        parts.append({"url": "comment", "valueCodeableConcept": coded})
    return {"url": RELIABILITY, "extension": parts}


def _identifier(ins: Ins) -> dict[str, Any]:
    waiting = ins.oid == NIA_OID
    coding = {"system": _TYPES, "code": "INS-NIA" if waiting else "INS-NIR"}
    return {
        "use": "temp" if waiting else "official",
        "type": {"coding": [coding]},
        "system": ins.system,
        "value": ins.matricule,
    }


def _is_ins(identifier: Mapping[str, Any]) -> bool:
    return str(identifier.get("system", "")).startswith(_INS_ROOT)
