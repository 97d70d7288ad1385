"""Contents made smaller before they are encrypted; what is encrypted does not get smaller any more.

Most documents are XML, and most of their bytes are a PDF in base64. That text is kept as the bytes it stands for, when
writing them in base64 again gives the very same text; everything else goes through zstd. What does not get smaller is
left as it is. The form is authenticated with the content (see `blobs`), so that one cannot pass for another.
"""

import binascii
import struct
from enum import IntEnum
from threading import local
from typing import Final

import pybase64
import zstandard

_LEVEL: Final = 1
_WORTH_IT: Final = 0.95
_LEAST_TEXT: Final = 4096
_HEAD: Final = struct.Struct(">II")


class Form(IntEnum):
    """How a content is kept. The numbers are in the database: they never change."""

    PLAIN = 0
    ZSTD = 1
    WITHOUT_BASE64 = 2
    """Where the text began, how many bytes it stands for, these bytes, then what was around it through zstd."""


class _Tools(local):
    """zstd contexts are not for two threads at once."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_tools = _Tools()


def pack(content: bytes) -> tuple[Form, bytes]:
    """The content as it will be kept. Linear in its size."""
    found = _base64_inside(content)
    if found is not None:
        start, end, meant = found
        around = _tools.compress(content[:start] + content[end:])
        return Form.WITHOUT_BASE64, b"".join((_HEAD.pack(start, len(meant)), meant, around))
    packed = _tools.compress(content)
    if len(packed) < _WORTH_IT * len(content):
        return Form.ZSTD, packed
    return Form.PLAIN, content


def unpack(form: Form, packed: bytes, size: int) -> bytes:
    """The content that `pack` was given, of `size` bytes."""
    if form is Form.PLAIN:
        return packed
    if form is Form.ZSTD:
        return _tools.decompress(packed, size)
    start, length = _HEAD.unpack_from(packed)
    text = pybase64.b64encode(memoryview(packed)[_HEAD.size : _HEAD.size + length])
    around = _tools.decompress(packed[_HEAD.size + length :], size)
    return b"".join((around[:start], text, around[start:]))


def _base64_inside(content: bytes) -> tuple[int, int, bytes] | None:
    """The text of XML that makes most of the content, if it is base64: its bounds and the bytes it stands for."""
    middle = len(content) // 2
    start, end = content.rfind(b">", 0, middle) + 1, content.find(b"<", middle)
    if start == 0 or end - start < max(_LEAST_TEXT, middle):
        return None
    text = content[start:end].lstrip()
    start = end - len(text)
    text = text.rstrip()
    try:
        meant = pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return (start, start + len(text), meant) if pybase64.b64encode(meant) == text else None
