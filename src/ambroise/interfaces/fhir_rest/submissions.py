"""The documents inside a transaction Bundle: which entries make up one submission (ITI-65), for the record to file."""

from collections.abc import Sequence
from typing import Any, Final, cast

import pybase64
from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces.fhir_rest.checking import require_valid
from ambroise.interfaces.fhir_rest.entries import Entry
from ambroise.interfaces.fhir_rest.references import Links
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Incoming, Submission

Json = Any
_LIST_TYPES: Final = frozenset(
    {
        "http://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes",
        "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes",
    }
)


class SubmissionEntries(Struct, frozen=True):
    """The entries that are one submission, in the order in which the record answers."""

    documents: tuple[Entry, ...]
    contents: tuple[Entry | None, ...]
    """For each document the Binary entry that holds its bytes; None when they are inline."""
    submission_set: Entry | None

    @property
    def numbers(self) -> frozenset[int]:
        """The places of these entries in the Bundle."""
        used = (*self.documents, *self.contents, self.submission_set)
        return frozenset(entry.number for entry in used if entry is not None)


def submission_entries(entries: Sequence[Entry]) -> SubmissionEntries | None:
    """The submission of a transaction: its new DocumentReferences, their Binaries and their SubmissionSet, if any."""
    created = [entry for entry in entries if entry.creates and entry.if_none_exist is None]
    documents = tuple(entry for entry in created if entry.target.type == "DocumentReference")
    if not documents:
        return None
    binaries = {entry.full_url: entry for entry in created if entry.target.type == "Binary" and entry.full_url}
    sets = [entry for entry in created if entry.target.type == "List" and _is_submission_set(entry.resource)]
    if len(sets) > 1:
        raise Refusal(
            Kind.INVALID, "BUNDLE_MALFORMED", "A submission has one SubmissionSet List.", element=sets[1].expression
        )
    contents = tuple(binaries.get(_url_of(entry) or "") for entry in documents)
    return SubmissionEntries(documents, contents, sets[0] if sets else None)


def submission_of(found: SubmissionEntries, limit: int) -> Submission:
    """The submission as the record takes it. Documents in base64 hold at most `limit` bytes."""
    for entry in (*found.documents, *([found.submission_set] if found.submission_set else [])):
        entry.links.as_logical()
    if found.submission_set is not None:
        require_valid(found.submission_set.resource or {}, f"{found.submission_set.expression}.resource")
    pairs = zip(found.documents, found.contents, strict=True)
    return Submission(
        documents=tuple(_incoming(document, binary, limit) for document, binary in pairs),
        submission_set=found.submission_set.resource if found.submission_set else None,
    )


def incoming_of(reference: dict[str, Json], limit: int) -> Incoming:
    """A DocumentReference that carries its document inline (ITI-105)."""
    Links(reference).as_logical()
    return _inline(reference, limit, "DocumentReference")


def _inline(reference: dict[str, Json], limit: int, expression: str) -> Incoming:
    attachment = _attachment(reference)
    data = attachment.pop("data", None)
    where = f"{expression}.content[0].attachment.data"
    if not isinstance(data, str):
        raise Refusal(
            Kind.UNPROCESSABLE,
            "CONTENT_MISSING",
            "Give the document in `content.attachment.data`, or in a Binary of the same transaction.",
            element=where,
        )
    media_type = attachment.get("contentType")
    content = decoded(data, limit, where)
    _check(reference, expression)
    return Incoming(content, media_type if isinstance(media_type, str) else None, reference)


def decoded(data: str, limit: int, expression: str) -> bytes:
    """The bytes of a base64 value; what is far past the limit is refused before it is decoded."""
    if len(data) // 4 * 3 > limit + limit // 16 + 3:
        raise _too_large(limit, expression)
    try:
        content = pybase64.b64decode(data, validate=True)
    except ValueError:
        content = _decoded_with_spaces(data, expression)
    if len(content) > limit:
        raise _too_large(limit, expression)
    return content


def _decoded_with_spaces(data: str, expression: str) -> bytes:
    # The standard lets base64Binary hold white space: a line break for every 64 or 76 characters, at most.
    try:
        return pybase64.b64decode("".join(data.split()), validate=True)
    except ValueError as error:
        raise Refusal(Kind.INVALID, "BASE64_MALFORMED", "This is not base64.", element=expression) from error


def _too_large(limit: int, expression: str) -> Refusal:
    text = f"In JSON a document holds at most {limit} bytes; send it as a raw body to $generate-metadata instead."
    return Refusal(Kind.TOO_LARGE, "TOO_LARGE", text, element=expression)


def _incoming(document: Entry, binary: Entry | None, limit: int) -> Incoming:
    resource = document.resource or {}
    if binary is None:
        inline = _inline(resource, limit, f"{document.expression}.resource")
        return replace(inline, full_url=document.full_url)
    content = binary.resource or {}
    data = content.pop("data", "")
    media_type = _attachment(resource).get("contentType") or content.get("contentType")
    where = f"{binary.expression}.resource.data"
    bytes_ = decoded(data if isinstance(data, str) else "", limit, where)
    _check(resource, f"{document.expression}.resource")
    return Incoming(bytes_, media_type if isinstance(media_type, str) else None, resource, full_url=document.full_url)


def _check(reference: dict[str, Json], expression: str) -> None:
    attachment = _attachment(reference)
    # Some senders write an empty hash for "not computed": the record computes it anyway.
    if attachment.get("hash") == "":
        del attachment["hash"]
    require_valid(reference, None if expression == "DocumentReference" else expression)


def _is_submission_set(resource: dict[str, Json] | None) -> bool:
    code: Json = (resource or {}).get("code")
    codings: Json = code.get("coding") if isinstance(code, dict) else None
    listed = cast("list[Json]", codings) if isinstance(codings, list) else []
    return any(
        isinstance(each, dict) and each.get("code") == "submissionset" and each.get("system") in _LIST_TYPES
        for each in listed
    )


def _url_of(document: Entry) -> str | None:
    url = _attachment(document.resource or {}).get("url")
    return url if isinstance(url, str) else None


def _attachment(reference: dict[str, Json]) -> dict[str, Json]:
    contents: Json = reference.get("content")
    first: Json = contents[0] if isinstance(contents, list) and contents else None
    attachment: Json = first.get("attachment") if isinstance(first, dict) else None
    return cast("dict[str, Json]", attachment) if isinstance(attachment, dict) else {}
