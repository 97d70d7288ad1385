"""SubmissionSet of XDS ↔ the List of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ambroise.interfaces.xds import people
from ambroise.interfaces.xds.ebrim import RegistryObject, code
from ambroise.interfaces.xds.entries import entry_uuid_of, invalid, patient_of, unique_id_of
from ambroise.interfaces.xds.names import (
    APPROVED,
    SET_AUTHOR,
    SET_CONTENT_TYPE,
    SET_PATIENT,
    SET_SOURCE,
    SET_UNIQUE_ID,
    SUBMISSION_SET,
)
from ambroise.interfaces.xds.values import Cx, fhir_time, hl7_time
from ambroise.modules.record.api import Identifier, entry, tables

Json = dict[str, Any]
_URI: Final = "urn:ietf:rfc:3986"
_EXTENSIONS: Final = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
_DESIGNATION: Final = _EXTENSIONS + "ihe-designationType"
_SOURCE: Final = _EXTENSIONS + "ihe-sourceId"
_LIST_TYPES: Final = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"
_IDENTIFIER_TYPES: Final = "https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType"


def list_of(sent: RegistryObject) -> Json:
    """The List that a SubmissionSet says, without its documents. Refuses METADATA_INVALID."""
    contained: list[Json] = []
    authors = sent.under(SET_AUTHOR)
    source = people.author(authors[0].slots, "author", contained) if authors else None
    patient = patient_of(sent.external.get(SET_PATIENT))
    unique_id = unique_id_of(sent.external.get(SET_UNIQUE_ID))
    at = fhir_time(sent.slot("submissionTime") or "")
    if at is None:
        raise invalid("submissionTime is YYYY[MM[DD[hh[mm[ss]]]]]")
    resource: Json = {
        "resourceType": "List",
        "contained": contained,
        "extension": _extensions(sent),
        "identifier": [{"type": _kind("uniqueId"), "system": _URI, "value": unique_id}],
        "status": "current",
        "mode": "working",
        "title": sent.name,
        "code": {"coding": [{"system": _LIST_TYPES, "code": "submissionset"}]},
        "subject": {"identifier": {"system": f"urn:oid:{patient.authority}", "value": patient.value}},
        "date": at,
        "source": source,
        "note": [{"text": sent.description}] if sent.description else None,
    }
    return {name: value for name, value in resource.items() if value not in (None, [], {})}


def set_of(resource: Mapping[str, Any], patient: Cx) -> RegistryObject:
    """The SubmissionSet of a stored List."""
    contained = {item.get("id"): item for item in resource.get("contained", ())}
    extensions = {one.get("url"): one for one in resource.get("extension", ())}
    designation = entry.coding_of(extensions.get(_DESIGNATION, {}).get("valueCodeableConcept"))
    source: Mapping[str, Any] = extensions.get(_SOURCE, {}).get("valueIdentifier", {})
    classifications = [
        people.classification(SET_AUTHOR, people.author_slots(one, contained))
        for one in [resource.get("source")]
        if one
    ]
    if designation:
        system = tables.system_oid(str(designation.get("system", "")))
        label = str(designation.get("display") or designation["code"])
        classifications.append(code(SET_CONTENT_TYPE, str(designation["code"]), system, label))
    external = {SET_PATIENT: str(patient), SET_UNIQUE_ID: _unique_id(resource)}
    if source.get("value"):
        external[SET_SOURCE] = str(source["value"]).removeprefix("urn:oid:")
    return RegistryObject(
        id=entry_uuid_of(resource),
        name=resource.get("title"),
        description=entry.first(resource.get("note")).get("text"),
        slots={"submissionTime": (hl7_time(str(resource["date"])),)} if resource.get("date") else {},
        classifications=(*classifications, code(SUBMISSION_SET, "", "", None)),
        external=external,
        status=APPROVED,
        logical_id=f"urn:uuid:{resource['id']}",
    )


def _unique_id(resource: Mapping[str, Any]) -> str:
    written = entry.unique_id_of(resource) or f"urn:uuid:{resource['id']}"
    return Identifier.parse(written).xds


def _extensions(sent: RegistryObject) -> list[Json]:
    found: list[Json] = []
    content_types = sent.under(SET_CONTENT_TYPE)
    if content_types:
        one = content_types[0]
        coding = {"system": tables.system_url(one.system), "code": one.code, "display": one.display}
        kept = {name: value for name, value in coding.items() if value}
        found.append({"url": _DESIGNATION, "valueCodeableConcept": {"coding": [kept]}})
    source = sent.external.get(SET_SOURCE)
    if not source:
        raise invalid("sourceId is missing")
    value = {"system": _URI, "value": Identifier.parse(source).urn}
    found.append({"url": _SOURCE, "valueIdentifier": value})
    return found


def _kind(name: str) -> Json:
    return {"coding": [{"system": _IDENTIFIER_TYPES, "code": name}]}
