"""What is wrong with a message, and the HL7 codes (table 0357) under which refusals are answered."""

from __future__ import annotations

from typing import Final

from ambroise.kernel.errors import Kind, Refusal

SEQUENCE: Final = "100"
MISSING: Final = "101"
DATA_TYPE: Final = "102"
TABLE_VALUE: Final = "103"
MESSAGE_TYPE: Final = "200"
EVENT: Final = "201"
PROCESSING: Final = "202"
VERSION: Final = "203"
UNKNOWN_KEY: Final = "204"
DUPLICATE_KEY: Final = "205"
INTERNAL: Final = "207"

NAMES: Final = {
    "0": "Message accepted",
    SEQUENCE: "Segment sequence error",
    MISSING: "Required field missing",
    DATA_TYPE: "Data type error",
    TABLE_VALUE: "Table value not found",
    MESSAGE_TYPE: "Unsupported message type",
    EVENT: "Unsupported event code",
    PROCESSING: "Unsupported processing id",
    VERSION: "Unsupported version id",
    UNKNOWN_KEY: "Unknown key identifier",
    DUPLICATE_KEY: "Duplicate key identifier",
    INTERNAL: "Application internal error",
}
"""HL70357."""

_BY_CODE: Final = {
    "HL7_FRAMING": SEQUENCE,
    "HL7_MALFORMED": SEQUENCE,
    "HL7_SEGMENT_MISSING": SEQUENCE,
    "HL7_FIELD_MISSING": MISSING,
    "HL7_SENDER_MISSING": MISSING,
    "HL7_CHARSET": TABLE_VALUE,
    "HL7_FLAG": TABLE_VALUE,
    "HL7_STATUS": TABLE_VALUE,
    "HL7_ZFA": TABLE_VALUE,
    "HL7_ENCODING": DATA_TYPE,
    "HL7_DATE": DATA_TYPE,
    "HL7_MESSAGE_TYPE": MESSAGE_TYPE,
    "HL7_EVENT": EVENT,
    "HL7_PROCESSING": PROCESSING,
    "HL7_VERSION": VERSION,
    "INS_INVALID": UNKNOWN_KEY,
    "INS_NOT_QUALIFIED": UNKNOWN_KEY,
    "TRAITS_MISMATCH": UNKNOWN_KEY,
    "PROFESSIONAL_UNKNOWN": UNKNOWN_KEY,
    "STRUCTURE_UNKNOWN": UNKNOWN_KEY,
    "DUPLICATE_UNIQUE_ID": DUPLICATE_KEY,
    "METADATA_MISSING": MISSING,
}
_BY_KIND: Final = {
    Kind.INVALID: DATA_TYPE,
    Kind.UNPROCESSABLE: DATA_TYPE,
    Kind.UNSUPPORTED_MEDIA: DATA_TYPE,
    Kind.NOT_FOUND: UNKNOWN_KEY,
    Kind.GONE: UNKNOWN_KEY,
}
_REJECTED: Final = frozenset({MESSAGE_TYPE, EVENT, PROCESSING, VERSION})
_NOT_ITS_CONTENT: Final = frozenset({Kind.UNAUTHENTICATED, Kind.UNAVAILABLE, Kind.THROTTLED})


def failure(code: str, diagnostics: str, element: str | None = None) -> Refusal:
    """A refusal of what a message says itself; `element` is where, as ERR-2 writes it."""
    return Refusal(Kind.UNPROCESSABLE, code, diagnostics, element=element)


def hl7_code(refusal: Refusal) -> str:
    """The code of table 0357 that says it best."""
    return _BY_CODE.get(refusal.code) or _BY_KIND.get(refusal.kind, INTERNAL)


def is_rejection(refusal: Refusal) -> bool:
    """Whether it concerns the header, the caller or our own state (AR), rather than the content (AE)."""
    if refusal.kind in _NOT_ITS_CONTENT or hl7_code(refusal) in _REJECTED:
        return True
    return refusal.code in ("HL7_FRAMING", "HL7_TOO_LARGE") or (refusal.element or "").startswith("MSH^")
