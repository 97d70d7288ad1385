"""FHIR JSON read and written without loss: every number keeps the text it came with."""

import json as _stdlib_json
import re
from decimal import Decimal
from typing import Any, Final, Self, cast

import jiter
import msgspec

from ambroise.kernel.errors import Kind, Refusal

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_VALUES: Final = 1_000_000
"""Read, a value takes up to a hundred times its bytes: empty lists make 500 MB of 20 MB. These make 130 at most."""
MAX_DEPTH: Final = 200  # jiter stops there; deeper JSON is never a resource.

_BOM: Final = b"\xef\xbb\xbf"
# Digits look alike, and so does all that may stand before a value; a few letters stay to keep words apart.
_FOLD: Final = bytes.maketrans(b"123456789E[, \n\r\t", b"000000000e::::::")
_NOT_OF_NUMBERS: Final = bytes(byte for byte in range(256) if byte not in b'0123456789eE.-:[, \n\r\t"<>/abcdf')
_CHUNK: Final = 1 << 16
_OVERLAP: Final = 1 << 10
_MAX_SUSPECTS: Final = 20
_ATTACHMENT: Final = b'"data":"'
_TINY: Final = b"0.000000"
_NEGATIVE_ZERO: Final = re.compile(rb"[:\[,\s]-0(?![.0-9eE])")


class WrittenDecimal(Decimal):
    """A decimal whose text is not the one Python would write (1e3, 0.00000001, -0), kept beside its value."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any], /) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return (type(self), (self.text,))


def number(text: str) -> Decimal:
    """The decimal written `text`, carrying the text when Python would write it otherwise."""
    plain = Decimal(text)
    return plain if str(plain) == text else WrittenDecimal(text)


def _integer(text: str) -> int | Decimal:
    return WrittenDecimal(text) if text == "-0" else int(text)


def _write_other(value: object) -> object:
    if isinstance(value, WrittenDecimal):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} has no place in FHIR JSON")


_keeping_text = msgspec.json.Decoder(float_hook=number)
_keeping_zero_sign = _stdlib_json.JSONDecoder(parse_float=number, parse_int=_integer)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_write_other)


def decode(data: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The JSON object in `data`; fractions are Decimals that keep their text, integers are ints.

    Refuses what is not one strict UTF-8 JSON object: a repeated key, NaN, a lone surrogate, nesting beyond
    MAX_DEPTH (JSON_MALFORMED), more than `max_bytes` (JSON_TOO_LARGE) or than MAX_VALUES (JSON_TOO_COMPLEX). A byte
    order mark is passed over.
    """
    if len(data) > max_bytes:
        raise Refusal(Kind.TOO_LARGE, "JSON_TOO_LARGE", f"The body has {len(data)} bytes, of at most {max_bytes}.")
    if values_at_most(data) > MAX_VALUES:
        text = f"The body may hold more than {MAX_VALUES} values: send several smaller ones."
        raise Refusal(Kind.TOO_LARGE, "JSON_TOO_COMPLEX", text)
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    try:
        value = jiter.from_json(data, allow_inf_nan=False, float_mode="decimal", catch_duplicate_keys=True)
        rewritten, negative_zero = _unusual_numbers(data)
        if rewritten:
            value = _keeping_text.decode(data)
        if negative_zero and _NEGATIVE_ZERO.search(data):
            value = _keeping_zero_sign.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise Refusal(Kind.INVALID, "JSON_MALFORMED", f"The body is not readable JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Refusal(Kind.INVALID, "JSON_MALFORMED", "The body is JSON but not an object; send one resource.")
    return cast(dict[str, Any], value)


def values_at_most(data: bytes) -> int:
    """How many values a JSON text may hold, without reading it: what stands in texts counts too.

    Each value but the first follows a comma or an opening bracket. A text of MAX_VALUES bytes cannot hold more, and is
    not looked at.
    """
    if len(data) <= MAX_VALUES:
        return len(data)
    return 1 + data.count(b",") + data.count(b"[") + data.count(b"{")


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON of `value`; every number that `decode` read is written as it was."""
    return _encoder.encode(value)


def encode_pretty(value: Any) -> bytes:
    """The same JSON laid out for people, two spaces a level."""
    return msgspec.json.format(_encoder.encode(value), indent=2)


def _unusual_numbers(data: bytes) -> tuple[bool, bool]:
    """Whether a number that Decimal rewrites, and whether a negative zero, may be present.

    A false alarm only costs a second parse. Looking at the few bytes that a number is made of costs a fifth of a
    regular expression over all of them.
    """
    data = _without_attachments(data)
    rewritten, negative_zero = _TINY in data, False
    suspects = 0
    for start in range(0, len(data), _CHUNK):
        folded = data[max(0, start - _OVERLAP) : start + _CHUNK].translate(_FOLD, _NOT_OF_NUMBERS)
        negative_zero = negative_zero or b":-0" in folded
        place = -1 if rewritten else folded.find(b"0e")
        while place >= 0:
            suspects += 1
            if suspects > _MAX_SUSPECTS or _is_a_number(folded, place):
                rewritten = True
                break
            place = folded.find(b"0e", place + 2)
    return rewritten, negative_zero


def _without_attachments(data: bytes) -> bytes:
    """Valid JSON without the long texts of its `data` elements: base64, in which digits are no numbers.

    In valid JSON these bytes can only be a name and the quote that opens its value; the value ends at the next quote,
    or goes on after an escaped one, in which case it stays.
    """
    if len(data) < _CHUNK:
        return data
    pieces: list[bytes] = []
    kept = 0
    opening = data.find(_ATTACHMENT)
    while opening >= 0:
        start = opening + len(_ATTACHMENT)
        end = data.find(b'"', start)
        if end - start > _OVERLAP and data[end - 1 : end] != b"\\":
            pieces.append(data[kept:start])
            kept = end
        opening = data.find(_ATTACHMENT, end)
    return b"".join((*pieces, data[kept:])) if pieces else data


def _is_a_number(folded: bytes, place: int) -> bool:
    """Whether the digits around the exponent at `place` stand as a JSON value does, and not as in `urn:uuid:0e57…`."""
    before = folded[max(0, place - _OVERLAP) : place].rstrip(b"0.").removesuffix(b"-")
    if before and not before.endswith(b":"):
        return False
    # What closes an array or an object was left out: after a number comes a comma, a blank or nothing.
    after = folded[place + 2 : place + _OVERLAP].removeprefix(b"-").lstrip(b"0")
    return after == b"" or after.startswith(b":")
