"""MLLP: messages cut out of a stream of bytes, between VT and FS CR (HL7 Transport Specification: MLLP, Release 1).

It does no input nor output: bytes go in as they arrive, what they made comes out.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct

VT: Final = 0x0B
FS: Final = 0x1C
CR: Final = 0x0D
_START, _END = bytes([VT]), bytes([FS])
_BETWEEN: Final = b"\r\n"
"""What senders leave between two messages without harm."""
_HEAD: Final = 4096
"""How much is kept of a message that is too large: enough to say which one it was."""


class Whole(Struct, frozen=True):
    """One message, without its frame."""

    content: bytes


class TooLarge(Struct, frozen=True):
    """A message over the limit, read to its end and thrown away but for its beginning."""

    head: bytes


class Broken(Struct, frozen=True):
    """Bytes that are no frame. After one of these nothing more comes: where the next message begins is not sure."""

    why: str
    head: bytes = b""


Framed: TypeAlias = Whole | TooLarge | Broken


def frame(content: bytes) -> bytes:
    """A message in its frame."""
    return b"".join((_START, content, bytes([FS, CR])))


class Deframer:
    """Cuts the messages of one connection. It never holds more than `limit` bytes and what was fed last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._inside = False
        self._skipping = False
        self._seen = 0
        self._over = False

    @property
    def pending(self) -> bool:
        """Whether a message has begun that is not whole yet."""
        return self._inside

    @property
    def held(self) -> int:
        """How many bytes of it are in memory."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Framed]:
        """What these bytes completed, in order."""
        found: list[Framed] = []
        self._buffer += data
        while not self._over:
            step = self._body() if self._inside else self._gap()
            if step is None:
                break
            if not isinstance(step, bool):
                found.append(step)
        return found

    def _gap(self) -> Framed | bool | None:
        """Go to the next beginning; None when there is nothing left."""
        place = 0
        while place < len(self._buffer) and self._buffer[place] in _BETWEEN:
            place += 1
        del self._buffer[:place]
        if not self._buffer:
            return None
        if self._buffer[0] != VT:
            return self._broken("a message begins with the byte 0B", bytes(self._buffer[:_HEAD]))
        del self._buffer[:1]
        self._inside, self._seen = True, 0
        return True

    def _body(self) -> Framed | None:
        """Go to the end of a message; None until it comes."""
        end = self._buffer.find(_END, self._seen)
        again = self._buffer.find(_START, self._seen, end if end >= 0 else len(self._buffer))
        if again >= 0:
            return self._broken("a message begins before the one before it ended", bytes(self._buffer[:_HEAD]))
        if end < 0:
            self._keep_little()
            return None
        if end + 1 >= len(self._buffer):
            self._seen = end
            return None
        if self._buffer[end + 1] != CR:
            return self._broken("the byte 1C ends a message and is followed by 0D", bytes(self._buffer[:_HEAD]))
        large = self._skipping or end > self._limit
        whole = TooLarge(bytes(self._buffer[: min(end, _HEAD)])) if large else Whole(bytes(self._buffer[:end]))
        del self._buffer[: end + 2]
        self._inside = self._skipping = False
        return whole

    def _keep_little(self) -> None:
        """Forget what a message over the limit goes on with."""
        if len(self._buffer) > self._limit:
            self._skipping = True
            del self._buffer[min(_HEAD, self._limit) :]
        self._seen = len(self._buffer)

    def _broken(self, why: str, head: bytes) -> Broken:
        self._over, self._inside = True, False
        self._buffer.clear()
        return Broken(why, head)
