"""A zip that a stranger sent: opened with limits, so that no entry leaves its place or grows without end."""

from __future__ import annotations

import io
import stat
import zlib
from pathlib import PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal

_STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_SIZE: Final = 20
_COMMENT: Final = 65_535
_DIRECTORY: Final = 1_000_000
"""Bytes of the list of files; it is read whole before anything else."""
_CHUNK: Final = 256 * 1024
_ENCRYPTED: Final = 0x1 | 0x40
_SMALL: Final = 1_000_000


class Limits(Struct, frozen=True):
    """How much a zip may hold once unpacked: files, bytes in one and in all, and how many times it may grow."""

    file: int
    total: int
    files: int = 1_000
    ratio: int = 200


class Archive:
    """The files of a zip, by their path inside it. Nothing is ever written to a disk."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        """Refuse (ZIP_…) a zip that is damaged, or unsafe in any of its entries; the file is named."""
        self._limits = limits
        self._left = limits.total
        _check_directory(content)
        try:
            self._zip = ZipFile(io.BytesIO(content))
        except (BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise _refused("ZIP_DAMAGED", f"This is no zip file that can be read ({error}): make it again.") from None
        entries = self._zip.infolist()
        if len(entries) > limits.files:
            raise _too_large(f"The zip has {len(entries)} files; at most {limits.files} are read.")
        self._entries: dict[str, ZipInfo] = {}
        total = 0
        for entry in entries:
            self._check(entry)
            total += entry.file_size
            if entry.is_dir():
                continue
            key = entry.filename.casefold()
            if key in self._entries:
                raise _refused("ZIP_UNSAFE", f"Two files of the zip are called {shown(entry.filename)}.")
            self._entries[key] = entry
        if total > limits.total:
            raise _too_large(f"Unpacked, the zip has {total} bytes; at most {limits.total} are read.")

    @property
    def names(self) -> list[str]:
        """The path of each file."""
        return [entry.filename for entry in self._entries.values()]

    def __contains__(self, path: str) -> bool:
        return path.casefold() in self._entries

    def read(self, path: str) -> bytes:
        """The bytes of a file, whose name may be in capitals or not. Refuses ZIP_DAMAGED, ZIP_TOO_LARGE."""
        entry = self._entries[path.casefold()]
        content = bytearray()
        try:
            with self._zip.open(entry) as stream:
                # What an entry says of its size is not believed: it is counted while it unfolds.
                while chunk := stream.read(_CHUNK):
                    content += chunk
                    self._left -= len(chunk)
                    if self._left < 0 or len(content) > self._limits.file:
                        raise _too_large(f"{shown(path)} is larger, unpacked, than what is read.")
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise _refused("ZIP_DAMAGED", f"{shown(path)} is damaged ({error}): make the zip again.") from None
        return bytes(content)

    def _check(self, entry: ZipInfo) -> None:
        name = entry.orig_filename
        if not is_inside(name.rstrip("/")):
            raise _refused("ZIP_UNSAFE", f"The zip names a file outside of itself: {shown(name)}.")
        if entry.flag_bits & _ENCRYPTED:
            raise _refused("ZIP_ENCRYPTED", f"{shown(name)} is encrypted: send the zip without a password.")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused("ZIP_UNSAFE", f"{shown(name)} is a link or a device, not a file.")
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise _refused("ZIP_UNSAFE", f"{shown(name)} is compressed in a way that is not read: use deflate.")
        if entry.file_size > self._limits.file:
            raise _too_large(f"{shown(name)} has {entry.file_size} bytes; at most {self._limits.file} are read.")
        if entry.file_size > _SMALL and entry.file_size > self._limits.ratio * max(entry.compress_size, 1):
            raise _too_large(f"{shown(name)} unfolds to more than {self._limits.ratio} times its size.")


def is_zip(content: bytes) -> bool:
    """Whether a file begins as a zip."""
    return content.startswith(_STARTS)


def is_inside(path: str) -> bool:
    """Whether a path stays below the place where it starts, on any system."""
    if not path or "\\" in path or ":" in path or "\x00" in path or path.startswith("/"):
        return False
    return all(part not in ("", ".", "..") for part in path.split("/"))


def joined(folder: str, path: str) -> str:
    """A path below a folder of the zip."""
    return str(PurePosixPath(folder) / path)


def shown(name: str) -> str:
    """A name of a file as a message may show it."""
    return "".join(each if each.isprintable() else "?" for each in name)[:120]


def _check_directory(content: bytes) -> None:
    """Look at how long the list of files says that it is, before it is read."""
    at = content.rfind(_END, max(0, len(content) - _COMMENT - _END_SIZE))
    if at < 0 or len(content) < at + _END_SIZE:
        raise _refused("ZIP_DAMAGED", "This is no zip file, or its end is missing: send it again.")
    # Where there is a second end (ZIP64), the library believes that one; a zip of this size has no use for it.
    again = content[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR)
    size = int.from_bytes(content[at + 12 : at + 16], "little")
    if again or size > _DIRECTORY:
        raise _too_large("The list of files of this zip is too long to be read.")


def _refused(code: str, text: str) -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, code, text)


def _too_large(text: str) -> Refusal:
    return Refusal(Kind.TOO_LARGE, "ZIP_TOO_LARGE", text)
