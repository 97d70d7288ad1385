"""The formats of R4's primitive types: a test for each, and the sentence that says what is wanted."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

_OTHER_TEXT: Final = re.compile(r"[\r\n\t -\x7e\x80-\U0010ffff]+")
_CODE: Final = re.compile(r"[^\s\x00-\x1f\x7f]+([^\S\x1c-\x1f][^\s\x00-\x1f\x7f]+)*")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_OID: Final = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_UUID: Final = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_YEAR: Final = r"(?!0000)[0-9]{4}"
_DAY: Final = r"-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE: Final = r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_DATE: Final = re.compile(rf"{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?", re.ASCII)
_INSTANT: Final = re.compile(rf"{_YEAR}{_DAY}T{_CLOCK}{_ZONE}", re.ASCII)
_TIME: Final = re.compile(_CLOCK, re.ASCII)
_BASE64_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BLANKS: Final = b" \t\r\n"
_CHUNK: Final = 1 << 18
_MAX_INTEGER: Final = 2**31 - 1
_MAX_TEXT: Final = 1024 * 1024
_MAX_DIGITS: Final = 400


def is_string(value: object) -> bool:
    if type(value) is not str or len(value) > _MAX_TEXT:
        return False
    # isprintable() settles nearly every text; line ends and some spaces need the second look.
    if value.isprintable():
        return value != "" and (value[0] != " " or not value.isspace())
    return _OTHER_TEXT.fullmatch(value) is not None and not value.isspace()


def is_markdown(value: object) -> bool:
    return is_string(value)


def is_code(value: object) -> bool:
    if type(value) is not str:
        return False
    return (value.isprintable() and " " not in value and value != "") or _CODE.fullmatch(value) is not None


def is_uri(value: object) -> bool:
    return type(value) is str and value != "" and " " not in value and value.isprintable()


def is_id(value: object) -> bool:
    return type(value) is str and _ID.fullmatch(value) is not None


def is_oid(value: object) -> bool:
    return type(value) is str and _OID.fullmatch(value) is not None


def is_uuid(value: object) -> bool:
    return type(value) is str and _UUID.fullmatch(value) is not None


def is_boolean(value: object) -> bool:
    return value is True or value is False


def is_integer(value: object) -> bool:
    return type(value) is int and -_MAX_INTEGER - 1 <= value <= _MAX_INTEGER


def is_unsigned(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_INTEGER


def is_positive(value: object) -> bool:
    return type(value) is int and 0 < value <= _MAX_INTEGER


def is_decimal(value: object) -> bool:
    if isinstance(value, Decimal):
        return abs(value.adjusted()) <= _MAX_DIGITS and len(str(value)) <= 2 * _MAX_DIGITS
    return type(value) is int and abs(value) < 10**_MAX_DIGITS


def _in_calendar(text: str) -> bool:
    if len(text) < 10 or text[8:10] <= "28":
        return True
    try:
        date(int(text[:4]), int(text[5:7]), int(text[8:10]))
    except ValueError:
        return False
    return True


def is_date(value: object) -> bool:
    return type(value) is str and _DATE.fullmatch(value) is not None and _in_calendar(value)


def is_instant(value: object) -> bool:
    return type(value) is str and _INSTANT.fullmatch(value) is not None and _in_calendar(value)


def is_date_time(value: object) -> bool:
    if type(value) is not str:
        return False
    return is_instant(value) if len(value) > 10 else is_date(value)


def is_time(value: object) -> bool:
    return type(value) is str and _TIME.fullmatch(value) is not None


def is_base64(value: object) -> bool:
    """Read by chunks, since a document of megabytes may stand here."""
    if type(value) is not str or not value or not value.isascii():
        return False
    letters = padding = 0
    for start in range(0, len(value), _CHUNK):
        chunk = value[start : start + _CHUNK].encode("ascii").translate(None, _BLANKS)
        rest = chunk.translate(None, _BASE64_LETTERS)
        if rest.strip(b"=") or (padding and len(rest) != len(chunk)):
            return False
        if rest and not chunk.endswith(rest):
            return False
        letters += len(chunk) - len(rest)
        padding += len(rest)
    return letters > 0 and padding <= 2 and (letters + padding) % 4 == 0


Test = Callable[[object], bool]
_TEXT: Final = "a text, not empty, not blanks alone, without control characters"
_URI: Final = "an address without spaces"

PRIMITIVES: Final[dict[str, tuple[Test, str]]] = {
    "base64Binary": (is_base64, "base64 text"),
    "boolean": (is_boolean, "true or false"),
    "canonical": (is_uri, _URI),
    "code": (is_code, "a text without spaces at its ends or doubled"),
    "date": (is_date, "YYYY, YYYY-MM or YYYY-MM-DD, in the calendar"),
    "dateTime": (is_date_time, "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz, in the calendar"),
    "decimal": (is_decimal, "a number"),
    "id": (is_id, "1 to 64 letters, digits, - and ."),
    "instant": (is_instant, "YYYY-MM-DDThh:mm:ss.sss+zz:zz, in the calendar"),
    "integer": (is_integer, "a whole number of 32 bits"),
    "markdown": (is_markdown, _TEXT),
    "oid": (is_oid, "urn:oid: and an OID"),
    "positiveInt": (is_positive, "a whole number from 1"),
    "string": (is_string, _TEXT),
    "time": (is_time, "hh:mm:ss"),
    "unsignedInt": (is_unsigned, "a whole number from 0"),
    "uri": (is_uri, _URI),
    "url": (is_uri, _URI),
    "uuid": (is_uuid, "urn:uuid: and a UUID"),
}
