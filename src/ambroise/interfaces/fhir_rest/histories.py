"""Histories as Bundles: of one resource, of a type, of everything the caller may see."""

from datetime import UTC, datetime
from typing import Final

from ambroise.interfaces.fhir_rest.bundles import Link, Response, bundle, history_entry
from ambroise.interfaces.fhir_rest.http import Pairs
from ambroise.interfaces.fhir_rest.links import CURSOR, full_url, with_query
from ambroise.interfaces.fhir_rest.shaping import Shape
from ambroise.interfaces.fhir_rest.versions import etag
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.gateway import Stored

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500


def since_of(pairs: Pairs) -> datetime | None:
    """The instant of `_since`; a date alone means its first instant, UTC."""
    text = _last(pairs, "_since")
    if text is None:
        return None
    try:
        # An unescaped plus sign of a time zone arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise _malformed("_since", "an instant such as 2026-01-15T10:30:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def count_of(pairs: Pairs) -> int:
    """How many versions a page holds."""
    text = _last(pairs, "_count")
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _malformed("_count", "a whole number")
    return min(int(text), MAX_COUNT)


def refuse_unknown(pairs: Pairs) -> None:
    """Refuse a parameter that means nothing in a history."""
    known = {"_since", "_count", CURSOR, "_format", "_pretty", "_summary", "_elements"}
    for name, _ in pairs:
        if name not in known:
            text = f"`{name[:100]}` means nothing in a history; use _since, _count."
            raise Refusal(Kind.INVALID, "SEARCH_PARAMETER_UNKNOWN", text, element=name[:100])


def history_bundle(
    base: str,
    path: str,
    pairs: Pairs,
    versions: list[Stored],
    *,
    next_cursor: str | None,
    shape: Shape,
) -> bytes:
    """The Bundle of one page of a history, the newest version first."""
    url = f"{base}/{path}"
    links: list[Link] = [("self", with_query(url, pairs))]
    if next_cursor is not None:
        kept = [(name, value) for name, value in pairs if name != CURSOR]
        links.append(("next", with_query(url, [*kept, (CURSOR, next_cursor)])))
    entries = [_entry(base, version, shape) for version in versions]
    return bundle("history", entries, links=links)


def _entry(base: str, version: Stored, shape: Shape) -> bytes:
    local = f"{version.type}/{version.id}"
    location = f"{local}/_history/{version.version}"
    url = full_url(base, version.type, version.id)
    if version.deleted:
        response = Response("204 No Content", location, etag(version.version), version.updated)
        return history_entry(url, None, "DELETE", local, response)
    created = version.version == 1
    response = Response("201 Created" if created else "200 OK", location, etag(version.version), version.updated)
    body = shape.apply(version.type, version.body)
    return history_entry(url, body, "POST" if created else "PUT", version.type if created else local, response)


def _last(pairs: Pairs, wanted: str) -> str | None:
    return next((value for name, value in reversed(pairs) if name == wanted), None)


def _malformed(name: str, expected: str) -> Refusal:
    return Refusal(Kind.INVALID, "SEARCH_PARAMETER_MALFORMED", f"{name} must be {expected}.", element=name)
