"""Connections to the instance, kept open as a client's are, each used by one request at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bench.client import Parts

_IDLE_SECONDS = 2.0
"""Those that rested longer are closed: the server is about to."""
_HEAD_BYTES = 1 << 20
_PATIENCE_SECONDS = 30.0

_Read = Callable[[asyncio.StreamReader], Awaitable["Answer"]]
_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """An answer of HTTP; that of HL7 v2 is its bytes, with status 200."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        for line in self.head.split(b"\r\n")[1:]:
            found, _, value = line.partition(b":")
            if found.lower() == name.encode():
                return value.strip().decode("latin-1")
        return None


@dataclass
class Wire:
    """The HTTP port and the MLLP port."""

    host: str
    port: int
    feed: int
    _idle: dict[int, deque[tuple[float, _Stream]]] = field(default_factory=dict[int, deque[tuple[float, _Stream]]])

    async def ask(self, parts: Parts) -> Answer:
        """Send a request of HTTP and read its answer. Raises OSError, EOFError or TimeoutError when there is none."""
        return await self._exchange(self.port, parts, _read_http)

    async def tell(self, parts: Parts) -> Answer:
        """Send a message of HL7 v2."""
        return await self._exchange(self.feed, parts, _read_mllp)

    async def close(self) -> None:
        """Close what rests."""
        for idle in self._idle.values():
            for _, (_, writer) in idle:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        self._idle.clear()

    async def _exchange(self, port: int, parts: Parts, read: _Read) -> Answer:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await self._stream(port)
            try:
                writer.writelines(parts)
                answer = await read(reader)
            except BaseException:
                writer.close()
                raise
        self._idle.setdefault(port, deque()).append((time.monotonic(), (reader, writer)))
        return answer

    async def _stream(self, port: int) -> _Stream:
        idle = self._idle.setdefault(port, deque())
        while idle:
            since, stream = idle.pop()
            if time.monotonic() - since < _IDLE_SECONDS and not stream[0].at_eof():
                return stream
            stream[1].close()
        return await asyncio.open_connection(self.host, port, limit=_HEAD_BYTES)


async def _read_http(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    answer = Answer(int(head[9:12]), head, b"")
    length = answer.header("content-length")
    if length is not None:
        return Answer(answer.status, head, await reader.readexactly(int(length)))
    if answer.header("transfer-encoding") != "chunked":
        return answer
    body = bytearray()
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return Answer(answer.status, head, bytes(body))


async def _read_mllp(reader: asyncio.StreamReader) -> Answer:
    return Answer(200, b"", await reader.readuntil(b"\x1c\r"))
