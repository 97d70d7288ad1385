"""The CapabilityStatement, generated from what the code supports: definitions, routes, operations."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from msgspec import Struct

from ambroise.fhir.definitions import SearchParameter, resource_types, search_parameters
from ambroise.fhir.search import parse
from ambroise.interfaces.fhir_rest.negotiation import FHIR_JSON, JSON_PATCH, MERGE_PATCH
from ambroise.kernel.errors import Refusal

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
    "Patient": (
        ("summary", "http://hl7.org/fhir/uv/ips/OperationDefinition/summary"),
        ("record-consent", "https://ambroise.example/fhir/OperationDefinition/record-consent"),
    ),
    "DocumentReference": (
        ("generate-metadata", "https://profiles.ihe.net/ITI/MHD/OperationDefinition/generate-metadata"),
        ("import-xdm", "https://ambroise.example/fhir/OperationDefinition/import-xdm"),
        ("export-xdm", "https://ambroise.example/fhir/OperationDefinition/export-xdm"),
    ),
}
_VALIDATE: Final = ("validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate")
READ_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "AuditEvent": ("_id", "action", "date", "entity", "outcome", "patient"),
}
"""Types that no client writes, with what they are searched by: an AuditEvent is rendered from the trace."""
_SAMPLES: Final[Mapping[str, str]] = {
    "token": "a",
    "string": "a",
    "reference": "Patient/1",
    "date": "2026",
    "number": "1",
    "quantity": "1",
    "uri": "urn:x",
}
_SECURITY: Final = (
    "Every request but this one carries a bearer token (Authorization: Bearer …), an ES256 JWT. What its holder may "
    "see and do is decided at each request from the rights of the record, and leaves a trace that the citizen reads."
)


class Capabilities(Struct, frozen=True):
    """What the statement must know of this installation."""

    base: str
    started: datetime


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
                "resource": [_resource(name) for name in resource_types()],
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
def _resource(name: str) -> Json:
    read_only = name in READ_ONLY
    interactions = ("read", "search-type") if read_only else _READING + _WRITING
    described: Json = {
        "type": name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{name}",
        "interaction": [{"code": code} for code in interactions],
        "versioning": "no-version" if read_only else "versioned-update",
        "readHistory": not read_only,
        "updateCreate": not read_only,
        "conditionalCreate": not read_only,
        "conditionalRead": "full-support",
        "conditionalUpdate": not read_only,
        "conditionalDelete": "not-supported" if read_only else "single",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": [] if read_only else _includes(name),
        "searchRevInclude": list(_reverse_includes().get(name, ())),
        "searchParam": [
            {"name": parameter.code, "definition": parameter.url, "type": parameter.type}
            for parameter in search_parameters(name).values()
            if supported(name, parameter)
        ],
        "operation": [
            {"name": code, "definition": definition} for code, definition in (_VALIDATE, *_OPERATIONS.get(name, ()))
        ],
    }
    if name in _PROFILES:
        described["supportedProfile"] = list(_PROFILES[name])
    return {key: value for key, value in described.items() if value != []}


def supported(name: str, parameter: SearchParameter) -> bool:
    """Whether the search engine takes this parameter: it is asked, so that the statement cannot say otherwise."""
    if name in READ_ONLY:
        return parameter.code in READ_ONLY[name]
    try:
        parse(name, [(parameter.code, _SAMPLES.get(parameter.type, "a$1"))])
    except Refusal as refusal:
        return refusal.code != "SEARCH_PARAMETER_UNSUPPORTED"
    return True


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
