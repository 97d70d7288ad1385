"""Bundles written by joining bytes: what the store holds goes out as it is, never decoded on the way."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from ambroise.fhir.json import encode

Link = tuple[str, str]
"""(relation, url)"""


_MODES = {mode: b',"search":{"mode":"' + mode.encode() + b'"}}' for mode in ("match", "include")}


class Response(Struct, frozen=True):
    """The `response` part of an entry of a history, batch or transaction answer."""

    status: str
    location: str | None = None
    etag: str | None = None
    last_modified: datetime | None = None
    outcome: bytes | None = None


def instant(moment: datetime) -> str:
    """An instant as FHIR writes it: milliseconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def search_entries(base: str, resources: Iterable[tuple[str, bytes, str]]) -> list[bytes]:
    """The entries of a searchset, from (`Type/id`, resource, mode)."""
    start = b'{"fullUrl":' + encode(base + "/")[:-1]
    # A type and an id hold no character that JSON would escape.
    return [
        b"".join((start, place.encode(), b'","resource":', resource, _MODES[mode]))
        for place, resource, mode in resources
    ]


def outcome_entry(resource: bytes) -> bytes:
    """The entry of a searchset that speaks about the search itself."""
    return b'{"resource":' + resource + b',"search":{"mode":"outcome"}}'


def history_entry(full_url: str, resource: bytes | None, method: str, url: str, response: Response) -> bytes:
    """One entry of a history: what was asked, what came of it, and the version when there is one."""
    parts = [b'{"fullUrl":', encode(full_url)]
    if resource is not None:
        parts += [b',"resource":', resource]
    parts += [b',"request":', encode({"method": method, "url": url}), b',"response":', _response(response), b"}"]
    return b"".join(parts)


def response_entry(response: Response, resource: bytes | None = None, full_url: str | None = None) -> bytes:
    """One entry of the answer to a batch or transaction."""
    parts = [b"{"]
    if full_url is not None:
        parts += [b'"fullUrl":', encode(full_url), b","]
    if resource is not None:
        parts += [b'"resource":', resource, b","]
    parts += [b'"response":', _response(response), b"}"]
    return b"".join(parts)


def bundle(
    type_: str,
    entries: Iterable[bytes],
    *,
    links: Sequence[Link] = (),
    total: int | None = None,
    updated: datetime | None = None,
) -> bytes:
    """A Bundle around entries that are bytes already."""
    head: dict[str, object] = {"resourceType": "Bundle"}
    if updated is not None:
        head["meta"] = {"lastUpdated": instant(updated)}
    head["type"] = type_
    if total is not None:
        head["total"] = total
    if links:
        head["link"] = [{"relation": relation, "url": url} for relation, url in links]
    joined = b",".join(entries)
    return encode(head)[:-1] + (b',"entry":[' + joined + b"]}" if joined else b"}")


def _response(response: Response) -> bytes:
    fields: dict[str, object] = {"status": response.status}
    if response.location is not None:
        fields["location"] = response.location
    if response.etag is not None:
        fields["etag"] = response.etag
    if response.last_modified is not None:
        fields["lastModified"] = instant(response.last_modified)
    written = encode(fields)
    if response.outcome is not None:
        written = written[:-1] + b',"outcome":' + response.outcome + b"}"
    return written
