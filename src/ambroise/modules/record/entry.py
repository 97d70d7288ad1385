"""Reads a DocumentReference as it stands in the store into a `Document` for pages, lists and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record import tables
from ambroise.modules.record.model import (
    ARCHIVED_EXTENSION,
    VISIBILITY_CODES,
    Author,
    Document,
)

Json = Mapping[str, Any]


def read(resource: Json) -> Document:
    """The document that a stored DocumentReference describes."""
    content = first(resource.get("content"))
    attachment: Json = content.get("attachment", {})
    context: Json = resource.get("context", {})
    period: Json = context.get("period", {})
    type_code = code_of(resource.get("type"))
    authors = tuple(authors_of(resource))
    return Document(
        id=resource["id"],
        version=int(resource["meta"]["versionId"]),
        unique_id=unique_id_of(resource) or "",
        patient=UUID(str(resource["subject"]["reference"]).removeprefix("Patient/")),
        type_code=type_code,
        type_label=_label_of(resource.get("type"), "document_type", type_code),
        class_code=code_of(first(resource.get("category"))),
        title=attachment.get("title") or _label_of(resource.get("type"), "document_type", type_code),
        status=resource.get("status", ""),
        date=instant(resource.get("date")),
        act_start=instant(period.get("start")),
        act_end=instant(period.get("end")),
        filed=instant(resource["meta"].get("lastUpdated")) or datetime.min,
        authors=authors,
        place=next((author.organization for author in authors if author.organization), None),
        media_type=attachment.get("contentType", ""),
        format_code=content.get("format", {}).get("code"),
        size=int(attachment.get("size", 0)),
        binary=_binary_of(attachment),
        visibility=visibility_of(resource),
        archived=is_archived(resource),
        comment=resource.get("description"),
        replaces=tuple(replaced_by(resource)),
        by_patient=any(
            str(author.get("reference", "")).startswith("Patient/") for author in resource.get("author", ())
        ),
        acts=tuple(
            (str(coding.get("code", "")), str(coding.get("display", "")))
            for coding in codings_of(context.get("event", ()))
        ),
    )


def code_of(concept: Any) -> str:
    """The first code of a CodeableConcept, or nothing."""
    return str(coding_of(concept).get("code", ""))


def coding_of(concept: Any) -> Json:
    """The first coding of a CodeableConcept, or an empty one."""
    return first(concept.get("coding")) if concept else {}


def codings_of(concepts: Iterable[Any]) -> list[Json]:
    """Every coding of several CodeableConcepts."""
    return [coding for concept in concepts for coding in concept.get("coding", ())]


def unique_id_of(resource: Json) -> str | None:
    """The producer's unique id, as `masterIdentifier` or an `identifier` that is a URI gives it."""
    master: Json = resource.get("masterIdentifier", {})
    if master.get("value"):
        return str(master["value"])
    for identifier in resource.get("identifier", ()):
        if identifier.get("system") == "urn:ietf:rfc:3986" and kind_of(identifier) in ("", "uniqueId"):
            return str(identifier.get("value"))
    return None


def visibility_of(resource: Json) -> frozenset[str]:
    """The visibility flags of TRE_A07 that stand in the security labels."""
    codes = {str(coding.get("code")) for coding in codings_of(resource.get("securityLabel", ()))}
    return frozenset(codes & VISIBILITY_CODES)


def is_archived(resource: Json) -> bool:
    """Whether the archive extension says so."""
    return any(
        extension.get("url") == ARCHIVED_EXTENSION and extension.get("valueBoolean") is True
        for extension in resource.get("extension", ())
    )


def replaced_by(resource: Json) -> Iterable[str]:
    """The references (or unique ids) of the documents that this one replaces."""
    for link in resource.get("relatesTo", ()):
        if link.get("code") == "replaces":
            target: Json = link.get("target", {})
            found = target.get("reference") or target.get("identifier", {}).get("value")
            if found:
                yield str(found)


def authors_of(resource: Json) -> Iterable[Author]:
    """Who wrote it, from contained actors or logical references."""
    contained = {item.get("id"): item for item in resource.get("contained", ())}
    for reference in resource.get("author", ()):
        yield _author(reference, contained)


def instant(text: Any) -> datetime | None:
    """An aware instant from a FHIR date, dateTime or instant; None when absent or partial beyond a day."""
    if not text or len(str(text)) < 10:
        return None
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.astimezone()


def _author(reference: Json, contained: Mapping[Any, Json]) -> Author:
    actor = contained.get(str(reference.get("reference", "")).removeprefix("#"), {})
    display = reference.get("display")
    if actor.get("resourceType") == "PractitionerRole":
        person = contained.get(str(actor.get("practitioner", {}).get("reference", "")).removeprefix("#"), {})
        place = contained.get(str(actor.get("organization", {}).get("reference", "")).removeprefix("#"), {})
        specialty = first(first(actor.get("specialty")).get("coding")).get("display")
        name = display or person_name(person) or actor.get("practitioner", {}).get("display") or ""
        organization = place.get("name") or actor.get("organization", {}).get("display")
        return Author(name, organization, specialty, _identifier(person) or _identifier(actor))
    if actor.get("resourceType") == "Organization":
        return Author(display or actor.get("name", ""), actor.get("name"), None, _identifier(actor))
    if actor.get("resourceType") == "Device":
        return Author(display or first(actor.get("deviceName")).get("name", ""), None, None, _identifier(actor))
    return Author(
        display or person_name(actor), None, None, _identifier(actor) or reference.get("identifier", {}).get("value")
    )


def person_name(actor: Json) -> str:
    """Title, first names and family name of a person resource."""
    name = first(actor.get("name"))
    if name.get("text"):
        return str(name["text"])
    parts = (*name.get("prefix", ()), *name.get("suffix", ()), *name.get("given", ()), name.get("family"))
    return " ".join(str(part) for part in parts if part)


def _identifier(actor: Json) -> str | None:
    value = first(actor.get("identifier")).get("value")
    return str(value) if value else None


def _binary_of(attachment: Json) -> UUID | None:
    _, found, id = str(attachment.get("url", "")).rpartition("Binary/")
    if not found:
        return None
    try:
        return UUID(id)
    except ValueError:
        return None


def _label_of(concept: Any, table: str, code: str) -> str:
    text: str | None = concept.get("text") if concept else None
    return tables.label(table, code) or coding_of(concept).get("display") or text or code


def kind_of(identifier: Json) -> str:
    """What sort of identifier it is (uniqueId, entryUUID…), or nothing."""
    return code_of(identifier.get("type"))


def is_former(identifier: Json) -> bool:
    """Whether it is the entryUUID of a former version of the metadata."""
    return identifier.get("use") == "old" and str(identifier.get("value", "")).startswith("urn:uuid:")


def first(items: Any) -> Json:
    """The first of a list of objects, or an empty one."""
    return items[0] if items else {}


def unknown() -> Refusal:
    """The one answer about a unique id that nobody has, and about one that the caller may not know of."""
    return Refusal(Kind.NOT_FOUND, "NOT_FOUND", "No document has this unique id, or you may not see it.")
