"""ETag, Last-Modified, and the conditions that a request puts on them."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from ambroise.kernel.errors import Kind, Refusal

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_VERSION: Final = re.compile(r'(?:W/)?"(\d{1,9})"|(\d{1,9})')


def etag(version: int) -> str:
    """The weak validator of a version, as FHIR writes it."""
    return f'W/"{version}"'


def last_modified(updated: datetime) -> str:
    """The HTTP date of an instant."""
    at = updated if updated.tzinfo is UTC else updated.astimezone(UTC)
    # By hand: email.utils takes ten times as long, on every read.
    day, month = _DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"{day}, {at.day:02} {month} {at.year:04} {at.hour:02}:{at.minute:02}:{at.second:02} GMT"


def if_match(header: str | None) -> int | None:
    """The version that an update expects, None when it expects none (no header, or `*`)."""
    if header is None or header.strip() == "*":
        return None
    found = _VERSION.fullmatch(header.strip())
    if found is None:
        raise Refusal(
            Kind.INVALID, "IF_MATCH_MALFORMED", 'If-Match names one version, as the ETag of the last answer: W/"3".'
        )
    return int(found[1] or found[2])


def not_modified(if_none_match: str | None, if_modified_since: str | None, version: int, updated: datetime) -> bool:
    """Whether the client already has this version; If-None-Match wins over If-Modified-Since (RFC 9110)."""
    if if_none_match is not None:
        if if_none_match.strip() == "*":
            return True
        return any(int(found[1] or found[2]) == version for found in _VERSION.finditer(if_none_match[:1024]))
    if if_modified_since is None:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except ValueError:
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return updated.replace(microsecond=0) <= since
