"""FHIR JSON read and written without loss: every number keeps the text it came with."""

import json as _stdlib_json
import re
from decimal import Decimal
from typing import Any, Final, Self, cast

import jiter
import msgspec

from ambroise.kernel.errors import Kind, Refusal

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 200  # jiter stops there; deeper JSON is never a resource.

_BOM: Final = b"\xef\xbb\xbf"
_FOLD: Final = bytes.maketrans(b"123456789E", b"000000000e")
_CHUNK: Final = 1 << 16
_NEGATIVE_STARTS: Final = (b":-0", b" -0", b",-0", b"[-0", b"\n-0", b"\t-0")
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
    MAX_DEPTH (JSON_MALFORMED), or more than `max_bytes` (JSON_TOO_LARGE). A byte order mark is passed over.
    """
    if len(data) > max_bytes:
        raise Refusal(Kind.TOO_LARGE, "JSON_TOO_LARGE", f"The body has {len(data)} bytes, of at most {max_bytes}.")
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    try:
        value = jiter.from_json(data, allow_inf_nan=False, float_mode="decimal", catch_duplicate_keys=True)
        if _has_unusual_number(data):
            value = _keeping_text.decode(data)
        if any(start in data for start in _NEGATIVE_STARTS) and _NEGATIVE_ZERO.search(data):
            value = _keeping_zero_sign.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise Refusal(Kind.INVALID, "JSON_MALFORMED", f"The body is not readable JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Refusal(Kind.INVALID, "JSON_MALFORMED", "The body is JSON but not an object; send one resource.")
    return cast(dict[str, Any], value)


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON of `value`; every number that `decode` read is written as it was."""
    return _encoder.encode(value)


def encode_pretty(value: Any) -> bytes:
    """The same JSON laid out for people, two spaces a level."""
    return msgspec.json.format(_encoder.encode(value), indent=2)


def _has_unusual_number(data: bytes) -> bool:
    """Whether an exponent or a very small fraction may be present; a false alarm only costs a second parse."""
    for start in range(0, len(data), _CHUNK):
        folded = data[start : start + _CHUNK + 10].translate(_FOLD)
        if b"0e" in folded or b"0.000000" in folded:
            return True
    return False
