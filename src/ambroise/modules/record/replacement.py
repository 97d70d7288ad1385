"""Which document a new one replaces (RPLC), and what that does to the old one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record import repository
from ambroise.modules.record.cda.metadata import DocumentMetadata
from ambroise.modules.record.cda.model import Identifier
from ambroise.modules.record.cda.parse import read as read_cda
from ambroise.modules.record.cda.write import Former
from ambroise.modules.record.content.sniff import Sort, sniff

Json = dict[str, Any]


class Replaced(Struct, frozen=True):
    """A document that the new one replaces; `document` is None when it is unknown here."""

    unique_id: str | None
    document: UUID | None


async def replaced_by(
    reader: Reader, metadata: Mapping[str, Any] | None, header: DocumentMetadata | None, patient: UUID
) -> list[Replaced]:
    """The documents that the metadata or the header say are replaced, each once.

    Refuses (REPLACEMENT_OTHER_PATIENT) a known document of somebody else.
    """
    found: dict[str, Replaced] = {}
    for reference, unique_id in _said(metadata):
        one = await _find(reader, reference, unique_id, patient)
        found[str(one.document or one.unique_id)] = one
    for identifier in header.replaces if header else ():
        one = await _find(reader, None, identifier.urn, patient)
        found.setdefault(str(one.document or one.unique_id), one)
    return list(found.values())


def former(unique_id: str, content: bytes) -> Former:
    """What the next version of a document says of it: by its own header, or by its unique id when it has none."""
    if sniff(content) is Sort.XML:
        return Former.of(read_cda(content))
    return Former.first(Identifier.parse(unique_id))


def link(replaced: Replaced) -> Json:
    """The relatesTo of the new document: by reference when the old one is here, by its unique id otherwise."""
    target: Json = {}
    if replaced.document:
        target["reference"] = f"DocumentReference/{replaced.document}"
    if replaced.unique_id:
        target["identifier"] = {"system": "urn:ietf:rfc:3986", "value": replaced.unique_id}
    return {"code": "replaces", "target": target}


def other_patient() -> Refusal:
    """The refusal of a document that would replace somebody else's."""
    return Refusal(
        Kind.CONFLICT,
        "REPLACEMENT_OTHER_PATIENT",
        "The document to replace belongs to another patient: check the unique id.",
        element="DocumentReference.relatesTo",
    )


def _said(metadata: Mapping[str, Any] | None) -> list[tuple[str | None, str | None]]:
    links = (metadata or {}).get("relatesTo", ())
    targets = [item.get("target", {}) for item in links if item.get("code") == "replaces"]
    return [(target.get("reference"), target.get("identifier", {}).get("value")) for target in targets]


async def _find(reader: Reader, reference: str | None, unique_id: str | None, patient: UUID) -> Replaced:
    if reference and reference.startswith("DocumentReference/"):
        return Replaced(unique_id, _uuid(reference.removeprefix("DocumentReference/")))
    normal = Identifier.parse(unique_id).urn if unique_id else None
    known = await repository.known_unique_id(reader, normal) if normal else None
    if known is None:
        return Replaced(normal, None)
    if known.patient != patient:
        raise other_patient()
    return Replaced(normal, known.document)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
