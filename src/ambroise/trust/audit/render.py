"""AuditEvent (R4) made from a line of the trace. It is never stored: the trace is the only truth."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ambroise.fhir.json import encode
from ambroise.fhir.store.types import Label, Stored
from ambroise.trust.audit.history import TraceLine

EVENT_SYSTEM: Final = "urn:ambroise:trace-event"
RULE_PREFIX: Final = "urn:ambroise:access-rule:"

_REST: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
_SECURITY: Final = {
    "system": "http://dicom.nema.org/resources/ontology/DCM",
    "code": "110113",
    "display": "Security Alert",
}
_INTERACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "read": "read",
        "content_read": "read",
        "history": "history",
        "search": "search",
        "person_found": "search",
        "create": "create",
        "extracted": "create",
        "loaded": "create",
        "update": "update",
        "delete": "delete",
        "masked": "update",
        "unmasked": "update",
        "archived": "update",
        "unarchived": "update",
        "superseded": "update",
        "withdrawn": "update",
        "disclosed_to_patient": "update",
        "disclosed_to_representatives": "update",
    }
)
_PURPOSES: Final[Mapping[str, str]] = MappingProxyType({"bris_de_glace": "BTG", "centre_15": "ETREAT"})
_ACTORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "professional": "urn:oid:1.2.250.1.71.4.2.1",
        "citizen": "urn:ambroise:citizen",
        "operator": "urn:ambroise:operator",
    }
)


def audit_event(line: TraceLine) -> dict[str, Any]:
    """The AuditEvent of a line."""
    return {
        "resourceType": "AuditEvent",
        "id": str(line.id),
        "meta": {"versionId": "1", "lastUpdated": line.at.isoformat()},
        "type": _REST if line.event in _INTERACTIONS else _SECURITY,
        "subtype": _subtypes(line),
        "action": line.action,
        "recorded": line.at.isoformat(),
        "outcome": "4" if line.refused else "0",
        "purposeOfEvent": [{"coding": [_purpose(line)]}],
        "agent": _agents(line),
        "source": {
            "observer": {"display": "Ambroise"},
            "type": [
                {"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"},
            ],
        },
        **({"entity": entities} if (entities := _entities(line)) else {}),
    }


def stored_event(line: TraceLine) -> Stored:
    """The AuditEvent of a line as the store would give it."""
    body = encode(audit_event(line))
    return Stored("AuditEvent", str(line.id), line.id, 1, line.at, False, Label(patient=line.patient), body)


def _subtypes(line: TraceLine) -> list[dict[str, str]]:
    own = {"system": EVENT_SYSTEM, "code": line.event}
    interaction = _INTERACTIONS.get(line.event)
    if interaction is None:
        return [own]
    return [{"system": "http://hl7.org/fhir/restful-interaction", "code": interaction}, own]


def _purpose(line: TraceLine) -> dict[str, str]:
    code = _PURPOSES.get(line.purpose, "PATRQT" if line.actor_kind == "citizen" else "TREAT")
    if line.actor_kind in ("operator", "system"):
        code = "HOPERAT"
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code}
    return {**coding, "display": line.reason} if line.reason else coding


def _agents(line: TraceLine) -> list[dict[str, Any]]:
    system = _ACTORS.get(line.actor_kind)
    who: dict[str, Any] = {"display": line.actor_name or line.actor_kind}
    if system is not None:
        who["identifier"] = {"system": system, "value": line.actor_id}
    agent: dict[str, Any] = {"who": who, "name": line.actor_name or line.actor_kind, "requestor": True}
    if line.role is not None:
        agent["role"] = [{"coding": [{"system": f"urn:oid:{line.role[0]}", "code": line.role[1]}]}]
    if line.relation is not None:
        agent["role"] = [{"text": line.relation}]
    if line.rule is not None:
        agent["policy"] = [RULE_PREFIX + line.rule]
    if line.organization is None:
        return [agent]
    structure = {"system": "urn:oid:1.2.250.1.71.4.2.2", "value": line.organization}
    display = {"display": line.organization_name} if line.organization_name else {}
    return [agent, {"who": {"identifier": structure, **display}, "requestor": False}]


def _entities(line: TraceLine) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if line.patient is not None:
        entities.append(_entity({"reference": f"Patient/{line.patient}"}, "1", "1"))
    resource = line.resource
    if line.query is not None:
        entities.append({**_entity(None, "2", "24"), "query": base64.b64encode(line.query.encode()).decode()})
    elif resource is not None and resource.key is not None and resource.key != line.patient:
        entities.append(_entity({"reference": f"{resource.type}/{resource.key}"}, "2", "4"))
    if resource is not None and resource.kind is not None and entities:
        entities[-1]["detail"] = [{"type": "kind", "valueString": resource.kind}]
    return entities


def _entity(what: dict[str, str] | None, type: str, role: str) -> dict[str, Any]:
    return {
        **({"what": what} if what else {}),
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": type},
        "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": role},
    }
