"""Reads one incoming document and runs the feed checks in their order, before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pybase64
from msgspec import Struct

from ambroise.kernel.db import Reader
from ambroise.kernel.digests import Digests
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.identity.api import PatientIdentity
from ambroise.modules.record import checks, entry, reference, replacement
from ambroise.modules.record.cda.metadata import DocumentMetadata, metadata
from ambroise.modules.record.cda.model import ClinicalDocument, Identifier
from ambroise.modules.record.cda.parse import read as read_cda
from ambroise.modules.record.content.check import check_content, check_document
from ambroise.modules.record.content.malware import Scanner
from ambroise.modules.record.content.sniff import Sort, sniff
from ambroise.modules.record.identification import Identified, identify
from ambroise.modules.record.model import MASKED, Incoming
from ambroise.trust.access.facts import Facts
from ambroise.trust.context import Citizen, Context

Json = dict[str, Any]

_LARGE = 1_000_000
CDA_MEDIA_TYPE = "application/xml"
_MEDIA_TYPES: Mapping[Sort, str] = {
    Sort.PDF: "application/pdf",
    Sort.JPEG: "image/jpeg",
    Sort.PNG: "image/png",
    Sort.TIFF: "image/tiff",
    Sort.RTF: "application/rtf",
    Sort.TEXT: "text/plain",
}


class Assessed(Struct, frozen=True):
    """A document that passed every check that reads: what will be written about it."""

    content: bytes
    digests: Digests
    identity: PatientIdentity
    document: UUID
    binary: UUID
    unique_id: str
    resource: Json
    visibility: frozenset[str]
    replaces: tuple[replacement.Replaced, ...]
    responsible: frozenset[str]
    clinical: ClinicalDocument | None


class Recognised(Struct, frozen=True):
    """A document whose author and patient are known: the checks that follow concern somebody."""

    incoming: Incoming
    digests: Digests
    document: UUID
    binary: UUID
    clinical: ClinicalDocument | None
    header: DocumentMetadata | None
    responsible: frozenset[str]
    identified: Identified


async def recognise(reader: Reader, ctx: Context, incoming: Incoming, limit: int) -> Recognised:
    """Run the first feed checks: size, form, author, identity. Raises the refusal of the first that fails."""
    check_size(incoming.content, limit)
    clinical, header = _read(incoming.content)
    said = incoming.metadata
    if header is None and said is None:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "CDA_EXPECTED",
            "Without metadata a document is a CDA, whose header gives them: send any other with its DocumentReference.",
        )
    responsible = checks.authors_said(said or {}) or (checks.said_by(header) if header else frozenset[str]())
    checks.check_author(ctx, responsible)
    identified = await identify(reader, ctx, said, header)
    shard = shard_of(identified.identity.patient)
    return Recognised(
        incoming=incoming,
        digests=await _digests(incoming.content),
        document=new_id(shard),
        binary=new_id(shard),
        clinical=clinical,
        header=header,
        responsible=responsible,
        identified=identified,
    )


def unique_id_of(recognised: Recognised) -> str | None:
    """The unique id of a document, when it has one that `assess` will not refuse."""
    found = _found_unique_id(recognised.incoming.metadata, recognised.header)
    return found.urn if found is not None and found.well_formed else None


async def assess(reader: Reader, ctx: Context, recognised: Recognised, space: Facts, scanner: Scanner) -> Assessed:
    """Run the other feed checks on a document for this space. Raises the refusal of the first that fails.

    The order: space, opposition, metadata, content, hash, replacement, labels. Whether the unique id is new is only
    sure when it is written.
    """
    incoming, clinical, header = recognised.incoming, recognised.clinical, recognised.header
    said, identified = incoming.metadata, recognised.identified
    patient = identified.identity.patient
    _check_open(space)
    check_opposition(space, ctx)
    if header is not None and said is not None:
        checks.check_agreement(said, header, identified.agreed)
    unique_id = _unique_id(said, header)
    visibility = entry.visibility_of(said or {})
    if space.masked_by_default and not isinstance(ctx.actor, Citizen):
        visibility |= {MASKED}
    document, binary, digests = recognised.document, recognised.binary, recognised.digests
    resource = reference.write(
        said,
        header,
        document=document,
        patient=patient,
        unique_id=unique_id,
        contents=reference.Contents(binary, _media_type(incoming, clinical), digests.size, digests.sha1),
        visibility=visibility,
    )
    checks.check_metadata(resource)
    await _check_bytes(incoming, clinical, scanner)
    _check_format(resource, header)
    _check_hash(said, digests)
    replaces = await replacement.replaced_by(reader, said, header, patient)
    if replaces:
        resource["relatesTo"] = [replacement.link(item) for item in replaces]
    checks.check_labels(ctx, (said or {}).get("securityLabel", ()), header)
    return Assessed(
        content=incoming.content,
        digests=digests,
        identity=identified.identity,
        document=document,
        binary=binary,
        unique_id=unique_id,
        resource=resource,
        visibility=visibility,
        replaces=tuple(replaces),
        responsible=recognised.responsible,
        clinical=clinical,
    )


async def _digests(content: bytes) -> Digests:
    # A large file takes long enough to be counted beside the event loop.
    return await asyncio.to_thread(Digests.of, content) if len(content) > _LARGE else Digests.of(content)


def check_size(content: bytes, limit: int) -> None:
    """Refuse (TOO_LARGE) a document of more than `limit` bytes, and (CONTENT_EMPTY) one of none."""
    if len(content) > limit:
        raise Refusal(Kind.TOO_LARGE, "TOO_LARGE", f"The document has {len(content)} bytes; at most {limit} are taken.")
    if not content:
        raise Refusal(Kind.UNPROCESSABLE, "CONTENT_EMPTY", "The document is empty: send its bytes.")


def check_opposition(space: Facts, ctx: Context) -> None:
    """Refuse (FEED_OPPOSED) what the patient opposes for a legitimate reason; the holder's own documents pass."""
    if isinstance(ctx.actor, Citizen):
        return
    if space.feed_opposed:
        raise Refusal(
            Kind.CONFLICT,
            "FEED_OPPOSED",
            "The patient opposes feeding for a legitimate reason: keep the document in your own system.",
        )


def _check_open(space: Facts) -> None:
    if space.state is None:
        raise Refusal(Kind.NOT_FOUND, "DMP_NOT_FOUND", "This person has no space: check the INS.")
    if not space.state.value.startswith("open"):
        raise Refusal(
            Kind.CONFLICT,
            "DMP_CLOSED",
            f"The space is not open (it is {space.state.value}): keep the document in your own system.",
            data={"state": space.state.value},
        )


def _read(content: bytes) -> tuple[ClinicalDocument | None, DocumentMetadata | None]:
    if sniff(content) is not Sort.XML:
        return None, None
    clinical = read_cda(content)
    return clinical, metadata(clinical)


def _unique_id(said: Mapping[str, Any] | None, header: DocumentMetadata | None) -> str:
    """The unique id in the one form that the record keeps: a URN, with `^extension` when there is one."""
    found = _found_unique_id(said, header)
    if found is None:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "METADATA_MISSING",
            "Give the document a unique id in masterIdentifier.",
            element="DocumentReference.masterIdentifier",
        )
    if not found.well_formed:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "UNIQUE_ID_INVALID",
            f"{found.root} is neither an OID nor a UUID: use urn:oid:… or urn:uuid:….",
            element="DocumentReference.masterIdentifier",
        )
    return found.urn


def _found_unique_id(said: Mapping[str, Any] | None, header: DocumentMetadata | None) -> Identifier | None:
    if header is not None:
        return header.identifier
    written = entry.unique_id_of(said or {})
    return Identifier.parse(written) if written else None


def _media_type(incoming: Incoming, clinical: ClinicalDocument | None) -> str:
    if clinical is not None:
        return incoming.media_type if incoming.media_type in ("text/xml", CDA_MEDIA_TYPE) else CDA_MEDIA_TYPE
    return _MEDIA_TYPES.get(sniff(incoming.content), incoming.media_type or "application/octet-stream")


async def _check_bytes(incoming: Incoming, clinical: ClinicalDocument | None, scanner: Scanner) -> None:
    if clinical is not None:
        await check_document(clinical, incoming.content, scanner=scanner)
        return
    sort = await check_content(incoming.content, scanner=scanner)
    if sort not in _MEDIA_TYPES:
        raise Refusal(
            Kind.UNSUPPORTED_MEDIA,
            "CONTENT_UNSUPPORTED",
            "This kind of file is not taken: send a CDA, a PDF, a JPEG, a PNG, a TIFF, an RTF or a plain text.",
        )
    declared = incoming.media_type
    if declared and declared.split(";")[0] != _MEDIA_TYPES[sort] and declared != "application/octet-stream":
        raise Refusal(
            Kind.UNPROCESSABLE,
            "MEDIA_TYPE_MISMATCH",
            f"The content is {_MEDIA_TYPES[sort]}, not {declared}: correct the content type.",
            element="DocumentReference.content.attachment.contentType",
        )


def _check_format(resource: Json, header: DocumentMetadata | None) -> None:
    """The format said must be the one that the document's templates make."""
    said = resource["content"][0].get("format", {}).get("code")
    if header is not None and header.format and said != header.format:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "FORMAT_MISMATCH",
            f"The document is of format {header.format}, not {said}: correct the format.",
            element="DocumentReference.content.format",
        )


def _check_hash(said: Mapping[str, Any] | None, digests: Digests) -> None:
    attachment: Mapping[str, Any] = entry.first((said or {}).get("content")).get("attachment", {})
    expected = attachment.get("hash")
    wrong_hash = bool(expected) and expected != pybase64.b64encode(digests.sha1).decode()
    wrong_size = attachment.get("size") is not None and int(attachment["size"]) != digests.size
    if wrong_hash or wrong_size:
        what = "hash" if wrong_hash else "size"
        raise Refusal(
            Kind.UNPROCESSABLE,
            "HASH_MISMATCH",
            f"The {what} is not that of the bytes received (SHA-1 in base64, size in bytes): send them again.",
            element=f"DocumentReference.content.attachment.{what}",
        )
