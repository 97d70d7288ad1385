"""DocumentEntry of XDS ↔ DocumentReference: the one place where both descriptions of a document meet.

`reference_of` reads what a sender wrote; what only the registry says (status, entryUUID, URI…) is passed over.
`entry_of` writes a document of the record for a reader.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any, Final

import pybase64

from ambroise.interfaces.xds import people
from ambroise.interfaces.xds.ebrim import Classification, RegistryObject, code
from ambroise.interfaces.xds.names import (
    APPROVED,
    ARCHIVED,
    DEPRECATED,
    ENTRY,
    ENTRY_AUTHOR,
    ENTRY_CLASS,
    ENTRY_CONFIDENTIALITY,
    ENTRY_EVENT,
    ENTRY_FACILITY,
    ENTRY_FORMAT,
    ENTRY_PATIENT,
    ENTRY_PRACTICE,
    ENTRY_TYPE,
    ENTRY_UNIQUE_ID,
    REFERENCE_IDS,
)
from ambroise.interfaces.xds.values import Cx, Pid, escaped, fhir_time, hl7_time
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Identifier, entry, tables

Json = dict[str, Any]
_URN: Final = "urn:oid:"
_URI: Final = "urn:ietf:rfc:3986"
_ONE_CODE: Final = {
    ENTRY_CLASS: "class",
    ENTRY_FACILITY: "healthcareFacilityType",
    ENTRY_FORMAT: "format",
    ENTRY_PRACTICE: "practiceSetting",
    ENTRY_TYPE: "type",
}
_SEXES: Final = {"F": "female", "M": "male"}


def reference_of(sent: RegistryObject) -> Json:
    """The DocumentReference that a DocumentEntry says, without its content. Refuses METADATA_INVALID."""
    for scheme, name in _ONE_CODE.items():
        if len(sent.under(scheme)) > 1:
            raise invalid(f"{name}Code is there twice")
    contained: list[Json] = []
    authors = [
        people.author(one.slots, f"author-{number}", contained)
        for number, one in enumerate(sent.under(ENTRY_AUTHOR), start=1)
    ]
    patient = patient_of(sent.external.get(ENTRY_PATIENT))
    legal = sent.slot("legalAuthenticator")
    resource: Json = {
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": _URI, "value": unique_id_of(sent.external.get(ENTRY_UNIQUE_ID))},
        "status": "current",
        "type": _concept(sent, ENTRY_TYPE),
        "category": [one for one in [_concept(sent, ENTRY_CLASS)] if one],
        "subject": {"identifier": {"system": _URN + patient.authority, "value": patient.value}},
        "date": _time(sent, "creationTime"),
        "author": authors,
        "authenticator": people.authenticator(legal, contained) if legal else None,
        "description": sent.description,
        "securityLabel": [_coded(one) for one in sent.under(ENTRY_CONFIDENTIALITY)],
        "content": [_content(sent)],
        "context": _context(sent, contained),
    }
    resource["contained"] = contained
    return _filled(resource)


def patient_of(written: str | None) -> Cx:
    """The patient that metadata names. Refuses METADATA_INVALID."""
    found = Cx.parse(written or "")
    if found is None:
        raise invalid("patientId is `INS^^^&OID&ISO^NH`")
    return found


def unique_id_of(written: str | None) -> str:
    """A unique id in the form of the record. Refuses METADATA_INVALID."""
    if not written:
        raise invalid("uniqueId is missing")
    return Identifier.parse(written).urn


def entry_of(resource: Mapping[str, Any], patient: Cx, repository: str) -> RegistryObject:
    """The DocumentEntry of a stored document, as its reader is shown it."""
    contained = {item.get("id"): item for item in resource.get("contained", ())}
    content = entry.first(resource.get("content"))
    attachment: Mapping[str, Any] = content.get("attachment", {})
    context: Mapping[str, Any] = resource.get("context", {})
    period: Mapping[str, Any] = context.get("period", {})
    legal = people.person_of(resource["authenticator"], contained) if resource.get("authenticator") else None
    local, info = _source_patient(context, contained, patient)
    slots = {
        "creationTime": _times(resource.get("date")),
        "hash": _hash(attachment.get("hash")),
        "languageCode": _texts(attachment.get("language")),
        "legalAuthenticator": _texts(legal),
        "repositoryUniqueId": (repository,),
        "serviceStartTime": _times(period.get("start")),
        "serviceStopTime": _times(period.get("end")),
        "size": _texts(attachment.get("size")),
        "sourcePatientId": local,
        "sourcePatientInfo": info,
        REFERENCE_IDS: tuple(_cxi(one) for one in context.get("related", ()) if one.get("identifier")),
    }
    return RegistryObject(
        id=entry_uuid_of(resource),
        name=attachment.get("title"),
        description=resource.get("description"),
        slots=slots,
        classifications=tuple(_classifications(resource, content, context, contained)),
        external={
            ENTRY_PATIENT: str(patient),
            ENTRY_UNIQUE_ID: Identifier.parse(entry.unique_id_of(resource) or "").xds,
        },
        object_type=ENTRY,
        mime_type=attachment.get("contentType", "application/octet-stream"),
        status=status_of(resource),
        logical_id=f"urn:uuid:{resource['id']}",
        version=str(resource["meta"]["versionId"]),
    )


def status_of(resource: Mapping[str, Any]) -> str:
    """The availabilityStatus: archived documents have one of their own in France (JDV_J52)."""
    if resource.get("status") == "superseded":
        return DEPRECATED
    return ARCHIVED if entry.is_archived(resource) else APPROVED


def entry_uuid_of(resource: Mapping[str, Any]) -> str:
    """The entryUUID of this version of the metadata."""
    for identifier in resource.get("identifier", ()):
        if entry.kind_of(identifier) == "entryUUID":
            return str(identifier["value"])
    return f"urn:uuid:{resource['id']}"


def invalid(what: str) -> Refusal:
    """The refusal of metadata that XDS itself does not allow."""
    return Refusal(Kind.UNPROCESSABLE, "METADATA_INVALID", f"The metadata are not those of XDS: {what}.")


def _content(sent: RegistryObject) -> Json:
    formats = sent.under(ENTRY_FORMAT)
    attachment = {
        "contentType": sent.mime_type,
        "language": sent.slot("languageCode"),
        "title": sent.name,
        "creation": _time(sent, "creationTime"),
        "size": _size(sent.slot("size")),
        "hash": _hash_bytes(sent.slot("hash")),
    }
    content: Json = {"attachment": _filled(attachment)}
    if formats:
        content["format"] = _coding(formats[0])
    return content


def _context(sent: RegistryObject, contained: list[Json]) -> Json:
    period = {"start": _time(sent, "serviceStartTime"), "end": _time(sent, "serviceStopTime")}
    context: Json = {
        "event": [_coded(one) for one in sent.under(ENTRY_EVENT)],
        "period": _filled(period),
        "facilityType": _concept(sent, ENTRY_FACILITY),
        "practiceSetting": _concept(sent, ENTRY_PRACTICE),
        "sourcePatientInfo": _read_source_patient(sent, contained),
        "related": [_related(one) for one in sent.slots.get(REFERENCE_IDS, ()) if one],
    }
    return _filled(context)


def _read_source_patient(sent: RegistryObject, contained: list[Json]) -> Json | None:
    """The patient as the sender knew them; never updated, never used to compute an id."""
    local = Cx.parse(sent.slot("sourcePatientId") or "")
    lines = sent.slots.get("sourcePatientInfo", ())
    if local is None and not lines:
        return None
    pid = Pid.parse(lines)
    name = _filled({"use": "official", "family": pid.family, "given": list(pid.given)})
    patient = {
        "resourceType": "Patient",
        "id": "source-patient",
        "identifier": [{"system": _URN + local.authority, "value": local.value}] if local else [],
        "name": [name] if len(name) > 1 else [],
        "gender": _SEXES.get(pid.sex),
        "birthDate": fhir_time(pid.birth_date[:8]) if pid.birth_date else None,
    }
    contained.append(_filled(patient))
    return {"reference": "#source-patient"}


def _source_patient(
    context: Mapping[str, Any], contained: Mapping[Any, Json], patient: Cx
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """sourcePatientId (the INS when the sender gave none of its own) and sourcePatientInfo."""
    named = str(context.get("sourcePatientInfo", {}).get("reference", "")).removeprefix("#")
    found = contained.get(named, {})
    identifier = entry.first(found.get("identifier"))
    authority = str(identifier.get("system", "")).removeprefix(_URN)
    is_ins = authority == patient.authority or not authority[:1].isdigit()
    local = patient if is_ins else Cx(str(identifier["value"]), authority, "PI")
    name = entry.first(found.get("name"))
    given = [escaped(str(one)) for one in name.get("given", ())]
    sex = {value: key for key, value in _SEXES.items()}.get(found.get("gender", ""))
    lines = {
        "PID-3": str(patient),
        "PID-5": "^".join([escaped(str(name.get("family", ""))), *given[:1], " ".join(given[1:]), "", "", "", "L"])
        if name
        else None,
        "PID-7": hl7_time(found["birthDate"]) if found.get("birthDate") else None,
        "PID-8": sex,
    }
    return (str(local),), tuple(f"{field}|{value}" for field, value in lines.items() if value)


def _classifications(
    resource: Mapping[str, Any], content: Mapping[str, Any], context: Mapping[str, Any], contained: Mapping[Any, Json]
) -> list[Classification]:
    authors = [
        people.classification(ENTRY_AUTHOR, people.author_slots(one, contained)) for one in resource.get("author", ())
    ]
    format_: Mapping[str, Any] = content.get("format", {})
    found = [
        *((ENTRY_CLASS, one) for one in resource.get("category", ())[:1]),
        *((ENTRY_CONFIDENTIALITY, one) for one in resource.get("securityLabel", ())),
        *((ENTRY_EVENT, one) for one in context.get("event", ())),
        *([(ENTRY_FORMAT, {"coding": [format_]})] if format_ else []),
        (ENTRY_FACILITY, context.get("facilityType")),
        (ENTRY_PRACTICE, context.get("practiceSetting")),
        (ENTRY_TYPE, resource.get("type")),
    ]
    return [*authors, *(_code_of(scheme, concept) for scheme, concept in found if concept)]


def _code_of(scheme: str, concept: Mapping[str, Any]) -> Classification:
    coding = entry.coding_of(concept)
    system = tables.system_oid(str(coding.get("system", "")))
    label = coding.get("display") or concept.get("text")
    return code(scheme, str(coding.get("code", "")), system, label or str(coding.get("code", "")))


def _concept(sent: RegistryObject, scheme: str) -> Json | None:
    found = sent.under(scheme)
    return _coded(found[0]) if found else None


def _coded(one: Classification) -> Json:
    return {"coding": [_coding(one)]}


def _coding(one: Classification) -> Json:
    return _filled({"system": tables.system_url(one.system), "code": one.code, "display": one.display})


def _related(written: str) -> Json:
    """A referenceIdList value (CXi): value^^^&authority&ISO^type."""
    found = Cx.parse(written)
    if found is None:
        raise invalid("referenceIdList holds `value^^^&authority&ISO^type`")
    identifier = {"system": _URN + found.authority, "value": found.value}
    return {"identifier": {**({"type": {"text": found.type}} if found.type else {}), **identifier}}


def _cxi(related: Mapping[str, Any]) -> str:
    identifier: Mapping[str, Any] = related["identifier"]
    authority = str(identifier.get("system", "")).removeprefix(_URN)
    return str(Cx(str(identifier.get("value", "")), authority, str(identifier.get("type", {}).get("text", ""))))


def _time(sent: RegistryObject, slot: str) -> str | None:
    written = sent.slot(slot)
    if not written:
        return None
    found = fhir_time(written)
    if found is None:
        raise invalid(f"{slot} is YYYY[MM[DD[hh[mm[ss]]]]]")
    return found


def _times(written: Any) -> tuple[str, ...]:
    return (hl7_time(str(written)),) if written else ()


def _texts(written: Any) -> tuple[str, ...]:
    return (str(written),) if written not in (None, "") else ()


def _size(written: str | None) -> int | None:
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 12):
        raise invalid("size is a number of bytes")
    return int(written)


def _hash_bytes(written: str | None) -> str | None:
    """The hash of FHIR (base64) from that of XDS (SHA-1 in hexadecimal)."""
    if not written:
        return None
    try:
        digest = binascii.unhexlify(written)
    except ValueError:
        raise invalid("hash is a SHA-1 in hexadecimal") from None
    return pybase64.b64encode(digest).decode()


def _hash(written: Any) -> tuple[str, ...]:
    return (pybase64.b64decode(str(written)).hex(),) if written else ()


def _filled(made: Json) -> Json:
    return {name: value for name, value in made.items() if value not in (None, "", [], {})}
