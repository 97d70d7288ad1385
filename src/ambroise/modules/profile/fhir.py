"""Small pieces of FHIR that the profile writes and reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast
from uuid import UUID

from ambroise.modules.profile.model import Code

Json = dict[str, Any]

HOUSE = "urn:ambroise:profile"
"""The system of the codes of the national client that no published table holds."""
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SAYS = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
"""Who asserts something, as a security label: patient, substitute decision maker, acquaintance, professional."""
ASSERTED = {"patient": "PATAST", "representative": "SDMAST", "carer": "PACQAST", "professional": "HCPAST"}
_HL7 = "http://terminology.hl7.org/CodeSystem/"


def hl7(name: str, code: str) -> Json:
    """A concept of a terminology of HL7."""
    return {"coding": [{"system": _HL7 + name, "code": code}]}


def house(code: str, text: str = "") -> Json:
    """A concept of the national client."""
    return {"coding": [{"system": HOUSE, "code": code}], **({"text": text} if text else {})}


def concept(name: str, code: Code | None = None) -> Json:
    """What somebody called it, with its code when there is one."""
    if code is None:
        return {"text": name}
    coding = {"system": code.system, "code": code.code, **({"display": code.label} if code.label else {})}
    return {"coding": [coding], "text": name}


def subject(patient: UUID) -> Json:
    """The person it is about."""
    return {"reference": f"Patient/{patient}"}


def note(comment: str) -> list[Json]:
    """A comment."""
    return [{"text": comment}] if comment else []


def comment_of(resource: Mapping[str, Any]) -> str:
    """The comments of a resource, one a line."""
    return "\n".join(str(one.get("text", "")) for one in resource.get("note") or ())


def coding_of(value: Mapping[str, Any] | None) -> Code | None:
    """The first code of a concept."""
    for coding in (value or {}).get("coding") or ():
        if coding.get("code"):
            return Code(str(coding.get("system", "")), str(coding["code"]), str(coding.get("display", "")))
    return None


def words_of(value: Mapping[str, Any] | None) -> str:
    """What a concept says in words: its text, else a label, else a code."""
    given = value or {}
    if given.get("text"):
        return str(given["text"])
    code = coding_of(given)
    return (code.label or code.code) if code else ""


def code_in(value: Any, system: str) -> str:
    """The code of a system in a concept, or in a list of them."""
    concepts = cast("list[Json]", value if isinstance(value, list) else [value] if value else [])
    for one in concepts:
        for coding in one.get("coding") or ():
            if coding.get("system") == system:
                return str(coding.get("code", ""))
    return ""


def codes_in(value: Any, system: str) -> Iterator[str]:
    """Every code of a system in a list of concepts."""
    for one in cast("list[Json]", value or []):
        for coding in one.get("coding") or ():
            if coding.get("system") == system and coding.get("code"):
                yield str(coding["code"])


def day_of(value: Any) -> str:
    """A FHIR date or instant as a date."""
    return str(value or "")[:10]


def kept(resource: Json) -> Json:
    """A resource without what is empty."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}


def first_of(values: Any) -> Json:
    """The first of a list of objects; empty when there is none."""
    listed = cast("list[Json]", values or [])
    return listed[0] if listed else {}


def child(resource: Mapping[str, Any], name: str) -> Json:
    """An element that is an object; empty when it is not there."""
    return cast("Json", resource.get(name) or {})


def children(resource: Mapping[str, Any], name: str) -> list[Json]:
    """An element that is a list of objects."""
    return cast("list[Json]", resource.get(name) or [])
