"""The CapabilityStatement, generated from what the code supports: definitions, routes, operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from ambroise.fhir.definitions import resource_types, search_parameters
from ambroise.interfaces.fhir_rest.negotiation import FHIR_JSON, JSON_PATCH, MERGE_PATCH

Json = dict[str, Any]
_READING: Final = ("read", "vread", "history-instance", "history-type", "search-type")
_WRITING: Final = ("create", "update", "patch", "delete")
_PROFILES: Final[Mapping[str, tuple[str, ...]]] = {
    "DocumentReference": (
        "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-comprehensive-document-reference",
        "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-simplified-publish",
    ),
    "List": (
        "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-submissionset-comprehensive",
        "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-folder-comprehensive",
    ),
}
_GUIDES: Final = (
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/ImplementationGuide/ans.fhir.fr.pdsm",
    "https://profiles.ihe.net/ITI/MHD/ImplementationGuide/ihe.iti.mhd",
)
_OPERATIONS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "DocumentReference": (
        ("generate-metadata", "https://profiles.ihe.net/ITI/MHD/OperationDefinition/generate-metadata"),
    ),
}
_VALIDATE: Final = ("validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate")
READ_ONLY: Final = frozenset({"AuditEvent"})
"""Types that no client writes: an AuditEvent is rendered from the trace."""
_SECURITY: Final = (
    "Every request but this one carries a bearer token (Authorization: Bearer …), an ES256 JWT. What its holder may "
    "see and do is decided at each request from the rights of the record, and leaves a trace that the citizen reads."
)


@dataclass(frozen=True)
class Capabilities:
    """What the statement must know of this installation."""

    base: str
    started: datetime
    read_only: frozenset[str] = field(default_factory=frozenset[str])
    """Types that no client writes."""


def capability_statement(capabilities: Capabilities) -> Json:
    """The CapabilityStatement of this server at this base."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": capabilities.started.isoformat(timespec="seconds"),
        "publisher": "Ambroise",
        "kind": "instance",
        "software": {"name": "Ambroise", "version": software_version()},
        "implementation": {"description": "Ambroise, an open national digital health space", "url": capabilities.base},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON, "json"],
        "patchFormat": [JSON_PATCH, FHIR_JSON, MERGE_PATCH],
        "implementationGuide": list(_GUIDES),
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "OAuth",
                                }
                            ]
                        }
                    ],
                    "description": _SECURITY,
                },
                "resource": [_resource(name, name in capabilities.read_only) for name in resource_types()],
                "interaction": [{"code": code} for code in ("transaction", "batch", "search-system", "history-system")],
            }
        ],
    }


def software_version() -> str:
    """The version of the installed package."""
    try:
        return version("ambroise")
    except PackageNotFoundError:
        return "0"


@cache
def _resource(name: str, read_only: bool) -> Json:
    interactions = _READING if read_only else _READING + _WRITING
    described: Json = {
        "type": name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{name}",
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": not read_only,
        "conditionalCreate": not read_only,
        "conditionalRead": "full-support",
        "conditionalUpdate": not read_only,
        "conditionalDelete": "not-supported" if read_only else "single",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": _includes(name),
        "searchRevInclude": list(_reverse_includes().get(name, ())),
        "searchParam": [
            {"name": parameter.code, "definition": parameter.url, "type": parameter.type}
            for parameter in search_parameters(name).values()
        ],
        "operation": [
            {"name": code, "definition": definition} for code, definition in (_VALIDATE, *_OPERATIONS.get(name, ()))
        ],
    }
    if name in _PROFILES:
        described["supportedProfile"] = list(_PROFILES[name])
    return {key: value for key, value in described.items() if value != []}


def _includes(name: str) -> list[str]:
    parameters = search_parameters(name).values()
    return ["*", *(f"{name}:{parameter.code}" for parameter in parameters if parameter.type == "reference")]


@cache
def _reverse_includes() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in resource_types():
        for parameter in search_parameters(name).values():
            if parameter.type == "reference":
                for target in parameter.targets:
                    found.setdefault(target, []).append(f"{name}:{parameter.code}")
    return {target: tuple(codes) for target, codes in found.items()}
