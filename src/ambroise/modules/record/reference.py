"""Writes the DocumentReference of a filed document: what its sender said, completed by what its header says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID, uuid4

import pybase64
from msgspec import Struct

from ambroise.modules.record import entry, tables
from ambroise.modules.record.cda.metadata import DocumentMetadata, ReferenceType
from ambroise.modules.record.cda.model import Actor, Author, Code, Identifier, Organization
from ambroise.modules.record.model import ARCHIVED_EXTENSION, CONFIDENTIALITY_SYSTEM, VISIBILITY_SYSTEM

Json = dict[str, Any]
_Actors = dict[str, list[Json]]
"""What the header says of somebody, by the reference to them: the resource of that id first, then those it names."""

IDENTIFIER_TYPES = "https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType"
URI = "urn:ietf:rfc:3986"
# How many former entryUUIDs a document keeps.
_FORMER = 20
STRUCTURES = "urn:oid:1.2.250.1.71.4.2.2"
PROFESSIONALS = "urn:oid:1.2.250.1.71.4.2.1"


class Contents(Struct, frozen=True):
    """The bytes of a document as facts: where they are, how many, their SHA-1 (20 bytes)."""

    binary: UUID
    media_type: str
    size: int
    sha1: bytes


def write(
    said: Mapping[str, Any] | None,
    header: DocumentMetadata | None,
    *,
    document: UUID,
    patient: UUID,
    unique_id: str,
    contents: Contents,
    visibility: Iterable[str],
) -> Json:
    """The whole DocumentReference of a document now filed in the space of `patient`.

    `said` wins where it speaks; `header` gives what it lacks. Ids, links to the space, hash and size are ours. Not
    being archived is written too: PDSm searches for it (`isArchived=false`).
    """
    resource: Json = {"resourceType": "DocumentReference", "id": str(document)}
    sent: Json = dict(said or {})
    derived = _from_header(header) if header else {}
    if sent.get("meta", {}).get("profile"):
        resource["meta"] = {"profile": sent["meta"]["profile"]}
    contained, people = _people(sent, derived)
    if contained:
        resource["contained"] = contained
    others = [item for item in sent.get("extension", ()) if item.get("url") != ARCHIVED_EXTENSION]
    resource["extension"] = [*others, {"url": ARCHIVED_EXTENSION, "valueBoolean": False}]
    resource["masterIdentifier"] = _typed("uniqueId", URI, unique_id)
    resource["identifier"] = _identifiers(sent, unique_id)
    resource["status"] = "current"
    for element in ("type", "category"):
        resource[element] = sent.get(element) or derived.get(element)
    resource["subject"] = {"reference": f"Patient/{patient}"}
    resource["date"] = sent.get("date") or derived.get("date")
    resource |= people
    if sent.get("description"):
        resource["description"] = sent["description"]
    resource["securityLabel"] = labels(visibility)
    resource["content"] = [_content(sent, derived, contents)]
    resource["context"] = _context(sent, derived)
    return {name: value for name, value in resource.items() if value not in (None, [], {})}


def labels(visibility: Iterable[str]) -> list[Json]:
    """The security labels: N always, then each visibility flag."""
    normal = {"coding": [{"system": CONFIDENTIALITY_SYSTEM, "code": "N", "display": "normal"}]}
    flags = (
        {"coding": [{"system": VISIBILITY_SYSTEM, "code": code, "display": _flag_label(code)}]}
        for code in sorted(visibility)
    )
    return [normal, *flags]


def new_entry_uuid(resource: Json) -> None:
    """Give the metadata a new entryUUID: each version of a document's metadata has its own.

    The last former ones stay as old identifiers: who replaces the document may know it by one of them.
    """
    known: list[Json] = list(resource.get("identifier", ()))
    own = [item for item in known if entry.kind_of(item) == "entryUUID"]
    old = [{"use": "old", "system": URI, "value": item["value"]} for item in own]
    former = [*old, *(item for item in known if entry.is_former(item))][:_FORMER]
    others = [item for item in known if item not in own and not entry.is_former(item)]
    resource["identifier"] = [*others, _typed("entryUUID", URI, f"urn:uuid:{uuid4()}"), *former]


def concept(code: Code) -> Json:
    """A CodeableConcept of a coded value of a CDA header."""
    if not code.code:
        return {"text": code.label}
    coding: Json = {"system": tables.system_url(code.system)} if code.system else {}
    coding["code"] = code.code
    if code.display:
        coding["display"] = code.display
    return {"coding": [coding]}


def _from_header(header: DocumentMetadata) -> Json:
    actors: _Actors = {}
    derived: Json = {
        "type": concept(header.type),
        "category": [concept(header.class_)] if header.class_ else [],
        "date": header.creation.fhir,
        "author": [_author(actors, author, number) for number, author in enumerate(header.authors, start=1)],
        "authenticator": _actor(actors, header.legal_authenticator.actor, "authenticator"),
        "custodian": _custodian(header.custodian),
        "title": header.title,
        "language": header.language,
        "creation": header.creation.fhir,
        "format": header.format,
        "event": [concept(code) for code in header.events],
        "period": {"start": header.service_start.fhir},
        "facilityType": concept(header.facility),
        "practiceSetting": concept(header.practice_setting) if header.practice_setting else None,
        "related": [_related(item.type, item.identifier) for item in header.references],
        "sourcePatientInfo": _source_patient(actors, header),
    }
    if header.service_stop:
        derived["period"]["end"] = header.service_stop.fhir
    derived["actors"] = actors
    return derived


def _people(sent: Json, derived: Json) -> tuple[list[Json], Json]:
    """The people of the resource and the contained actors they need, from each side only what is used."""
    people: Json = {}
    contained: dict[str, Json] = {}
    for element in ("author", "authenticator", "custodian"):
        if sent.get(element):
            people[element] = sent[element]
            _keep(contained, sent, sent[element])
        elif derived.get(element):
            people[element] = derived[element]
            _adopt(contained, derived["actors"], derived[element])
    info = sent.get("context", {}).get("sourcePatientInfo")
    if info:
        _keep(contained, sent, info)
    elif derived.get("sourcePatientInfo"):
        _adopt(contained, derived["actors"], derived["sourcePatientInfo"])
    return list(contained.values()), people


def _adopt(contained: dict[str, Json], actors: _Actors, holder: Json | list[Json]) -> None:
    """Keep what the header says of those that `holder` names."""
    for reference in holder if isinstance(holder, list) else [holder]:
        found = actors.get(reference.get("reference", ""), ())
        if found and found[0]["id"] not in contained:
            for item in found:
                contained.setdefault(item["id"], item)


def _keep(contained: dict[str, Json], source: Json, holder: Any) -> None:
    """Keep the contained resources that `holder` names, and those that these name in turn."""
    if isinstance(holder, list):
        for item in cast("list[Any]", holder):
            _keep(contained, source, item)
    elif isinstance(holder, dict):
        fields = cast("Json", holder)
        reference = str(fields.get("reference", ""))
        if reference.startswith("#") and reference[1:] not in contained:
            found = next((item for item in source.get("contained", ()) if item.get("id") == reference[1:]), None)
            if found is not None:
                contained[reference[1:]] = found
                _keep(contained, source, found)
        for value in fields.values():
            if isinstance(value, dict | list):
                _keep(contained, source, value)


def _author(actors: _Actors, author: Author, number: int) -> Json:
    return _actor(actors, author.actor, f"author-{number}")


def _actor(actors: _Actors, actor: Actor, name: str) -> Json:
    """A reference to an actor of the header, who is put among `actors`."""
    identifiers = [_identifier(item) for item in actor.identifiers]
    if actor.device is not None:
        model = " ".join(part for part in (actor.device.model, actor.device.software) if part and part != ".")
        device: Json = {"resourceType": "Device", "id": name, "identifier": identifiers}
        if model:
            device["deviceName"] = [{"name": model, "type": "user-friendly-name"}]
        actors[f"#{name}"] = [device]
        return {"reference": f"#{name}", "display": model} if model else {"reference": f"#{name}"}
    person: Json = {"resourceType": "Practitioner", "id": f"{name}-person", "identifier": identifiers}
    if actor.person:
        person["name"] = [_human_name(actor)]
    role: Json = {"resourceType": "PractitionerRole", "id": name, "practitioner": {"reference": f"#{name}-person"}}
    actors[f"#{name}"] = [role, person]
    if actor.organization:
        actors[f"#{name}"].append(_organization(actor.organization, f"{name}-structure"))
        role["organization"] = {"reference": f"#{name}-structure"}
    if actor.code:
        role["specialty"] = [concept(actor.code)]
    reference: Json = {"reference": f"#{name}"}
    if actor.person:
        reference["display"] = actor.person.display
    return reference


def _human_name(actor: Actor) -> Json:
    assert actor.person is not None  # noqa: S101
    person = actor.person
    parts: Json = {
        "family": person.family,
        "given": list(person.given),
        "prefix": [person.prefix] if person.prefix else [],
        "suffix": [person.suffix] if person.suffix else [],
    }
    return {name: value for name, value in parts.items() if value}


def _organization(organization: Organization, name: str) -> Json:
    resource: Json = {"resourceType": "Organization", "id": name}
    if organization.identifiers:
        resource["identifier"] = [_identifier(item) for item in organization.identifiers]
    # An Organization has a name or an identifier (invariant org-1).
    if organization.name or not organization.identifiers:
        resource["name"] = organization.name or "Structure non nommée"
    return resource


def _custodian(organization: Organization | None) -> Json | None:
    if organization is None:
        return None
    reference: Json = {}
    if organization.identifiers:
        reference["identifier"] = _identifier(organization.identifiers[0])
    if organization.name:
        reference["display"] = organization.name
    return reference or None


def _source_patient(actors: _Actors, header: DocumentMetadata) -> Json | None:
    """The patient as the sender knew them; never updated, never used to compute an id."""
    if header.source_patient_id is None:
        return None
    patient = header.source_patient
    name: Json = {"use": "official", "family": patient.birth_name}
    given = (patient.given_names or patient.first_given or "").split()
    if given:
        name["given"] = given
    actors["#source-patient"] = [
        {
            "resourceType": "Patient",
            "id": "source-patient",
            "identifier": [_identifier(header.source_patient_id)],
            "name": [name],
        }
    ]
    return {"reference": "#source-patient"}


def _content(sent: Json, derived: Json, contents: Contents) -> Json:
    first: Json = dict(entry.first(sent.get("content")))
    attachment: Json = first.get("attachment", {})
    written: Json = {
        "contentType": contents.media_type,
        "language": attachment.get("language") or derived.get("language"),
        "url": f"Binary/{contents.binary}",
        "size": contents.size,
        "hash": pybase64.b64encode(contents.sha1).decode(),
        "title": attachment.get("title") or derived.get("title"),
        "creation": attachment.get("creation") or derived.get("creation") or sent.get("date"),
    }
    content: Json = {"attachment": {name: value for name, value in written.items() if value is not None}}
    if first.get("format"):
        content["format"] = first["format"]
    elif derived.get("format"):
        content["format"] = {"system": _format_system(), "code": derived["format"]}
    return content


def _context(sent: Json, derived: Json) -> Json:
    given: Json = sent.get("context", {})
    elements = ("event", "period", "facilityType", "practiceSetting", "sourcePatientInfo", "related")
    merged = {name: given.get(name) or derived.get(name) for name in elements}
    return {name: value for name, value in merged.items() if value}


def _identifiers(sent: Json, unique_id: str) -> list[Json]:
    """What the document is known by besides its unique id: the sender's other ids, the split form, the entryUUID."""
    others = [
        item
        for item in sent.get("identifier", ())
        if entry.kind_of(item) not in ("entryUUID", "uniqueId") and item.get("value") != unique_id
    ]
    root, found, extension = unique_id.removeprefix("urn:oid:").partition("^")
    split = [{"system": f"urn:oid:{root}", "value": extension}] if found else []
    return [*others, *split, _typed("entryUUID", URI, f"urn:uuid:{uuid4()}")]


def _typed(kind: str, system: str, value: str) -> Json:
    return {"type": {"coding": [{"system": IDENTIFIER_TYPES, "code": kind}]}, "system": system, "value": value}


def _identifier(identifier: Identifier) -> Json:
    if identifier.extension:
        return {"system": f"urn:oid:{identifier.root}", "value": identifier.extension}
    return {"system": URI, "value": identifier.urn}


def _related(kind: ReferenceType, identifier: Identifier) -> Json:
    return {"identifier": {"type": {"text": kind.value}, **_identifier(identifier)}}


def _format_system() -> str:
    return "https://mos.esante.gouv.fr/NOS/TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode"


def _flag_label(code: str) -> str:
    return tables.label("confidentiality", code) or code
