"""A zip written piece by piece: each file stands whole in one piece, and the directory that ends it is written last.

What a piece holds is known before it is kept, so that a zip whose making was cut short goes on from its last piece, in
another process, without reading what was written. Format: PKWARE APPNOTE 6.3.10, with ZIP64 for what is larger.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

_STORED, _DEFLATED = 0, 8
_UTF8 = 0x0800
_OLD, _ZIP64 = 20, 45
_UNIX = 3 << 8
_FILE_MODE = 0o100644 << 16
_DENSE = (".pdf", ".jpg", ".png")
"""What is compressed already: trying again only costs time."""
_FAST = 1
_FULL = 0xFFFFFFFF
_MANY = 0xFFFF


class Member(Struct, frozen=True):
    """One file of a zip: what it holds, and where its header starts. `about`: the resource whose content it is."""

    path: str
    size: int
    packed: int
    crc: int
    method: int
    at: int
    sha256: str
    about: str | None = None


def packed(path: str, content: bytes, at: int, moment: datetime, about: str | None = None) -> tuple[Member, bytes]:
    """One file as it stands in the zip, its header first, at the offset `at`."""
    smaller = content if path.endswith(_DENSE) else _deflated(content)
    method, data = (_DEFLATED, smaller) if len(smaller) < len(content) else (_STORED, content)
    digest = hashlib.sha256(content).hexdigest()
    member = Member(path, len(content), len(data), zlib.crc32(content), method, at, digest, about)
    name = path.encode()
    header = struct.pack(
        "<IHHHHHIIIHH",
        0x04034B50,
        _OLD,
        _UTF8,
        method,
        *_dos(moment),
        member.crc,
        member.packed,
        member.size,
        len(name),
        0,
    )
    return member, header + name + data


def directory(members: Iterable[Member], at: int, moment: datetime) -> Iterator[bytes]:
    """What ends a zip whose files take `at` bytes."""
    count = size = 0
    for member in members:
        line = _line(member, moment)
        count, size = count + 1, size + len(line)
        yield line
    if count >= _MANY or at + size >= _FULL:
        yield struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, _UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, at)
        yield struct.pack("<IIQI", 0x07064B50, 0, at + size, 1)
    few = min(count, _MANY)
    yield struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, few, few, min(size, _FULL), min(at, _FULL), 0)


def _line(member: Member, moment: datetime) -> bytes:
    far = member.at >= _FULL
    extra = struct.pack("<HHQ", 1, 8, member.at) if far else b""
    name = member.path.encode()
    return (
        struct.pack(
            "<IHHHHHHIIIHHHHHII",
            0x02014B50,
            _UNIX | _ZIP64,
            _ZIP64 if far else _OLD,
            _UTF8,
            member.method,
            *_dos(moment),
            member.crc,
            member.packed,
            member.size,
            len(name),
            len(extra),
            0,
            0,
            0,
            _FILE_MODE,
            _FULL if far else member.at,
        )
        + name
        + extra
    )


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(_FAST, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _dos(moment: datetime) -> tuple[int, int]:
    """Time and date as zips write them, two seconds apart."""
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, (moment.year - 1980) << 9 | moment.month << 5 | moment.day
