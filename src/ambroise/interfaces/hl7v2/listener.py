"""The MLLP server: connections, their certificates, their order, their end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias

from ambroise.interfaces.hl7v2.doors import Door
from ambroise.interfaces.hl7v2.exchange import Exchange
from ambroise.interfaces.hl7v2.framing import Broken, Deframer, frame
from ambroise.interfaces.hl7v2.sender import Peer, peer_of
from ambroise.interfaces.services import Services
from ambroise.kernel.crypto.certificates import ClientCertificate, Revocations
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

_log = logger(__name__)

_Who: TypeAlias = Callable[[], "Peer | Refusal"]
_CHUNK: Final = 256 * 1024
_IDLE_SECONDS: Final = 600
_STALLED_SECONDS: Final = 60
"""For how long nothing may come in the middle of a message."""
_WHOLE_SECONDS: Final = 600
"""For how long a message may be on its way: who sends a byte a minute would keep the room of a large one for ever."""
_HANDSHAKE_SECONDS: Final = 10
_GRACE_SECONDS: Final = 10
_MOST_CONNECTIONS: Final = 200
_LARGE: Final = 1_000_000
_MOST_LARGE: Final = 8
"""How many messages larger than that are taken at once: what is in memory is bounded, the others wait to be read."""
_ENVELOPE: Final = 1_000_000


class Listener:
    """Answers on every port until it is closed. Use as a context manager."""

    def __init__(self, services: Services, doors: list[Door]) -> None:
        # A document of the largest size, in base64, and what stands around it.
        self._limit = services.settings.document_max_bytes * 4 // 3 + _ENVELOPE
        self._exchange = Exchange(services, self._limit)
        self._large = asyncio.Semaphore(_MOST_LARGE)
        self._clock = services.clock
        self._doors = doors
        self._servers: list[asyncio.Server] = []
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def __aenter__(self) -> Listener:
        for door in self._doors:
            for each in door.sockets:
                self._servers.append(await self._serve(door, each))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take no more messages, and end those that are under way."""
        for server in self._servers:
            server.close()
        tasks = list(self._connections)
        for task, connection in list(self._connections.items()):
            if not connection.busy:
                task.cancel()
            connection.closing = True
        if tasks:
            late = (await asyncio.wait(tasks, timeout=_GRACE_SECONDS))[1]
            for task in late:
                task.cancel()

    async def _serve(self, door: Door, listening: socket.socket) -> asyncio.Server:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = _Connection(self._exchange, Deframer(self._limit), self._large, reader, writer)
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - asyncio runs this in one.
            self._connections[task] = connection
            try:
                if len(self._connections) <= _MOST_CONNECTIONS:
                    await connection.run(lambda: self._peer(door, writer))
            except (asyncio.CancelledError, OSError, TimeoutError) as error:
                _log.info("hl7_connection_ended", why=type(error).__name__, in_message=connection.pending)
            finally:
                self._connections.pop(task, None)
                writer.close()
                with suppress(OSError, asyncio.CancelledError):
                    await writer.wait_closed()

        wait = _HANDSHAKE_SECONDS if door.tls else None
        return await asyncio.start_server(
            connected, sock=listening, ssl=door.tls, ssl_handshake_timeout=wait, limit=_CHUNK
        )

    def _peer(self, door: Door, writer: asyncio.StreamWriter) -> Peer | Refusal:
        """Who is there, looked at for each message: a certificate may be revoked while its connection lives."""
        if door.tls is None:
            return Peer(None, "mllp")
        handshake = writer.get_extra_info("ssl_object")
        der = handshake.getpeercert(binary_form=True) if handshake is not None else None
        shown = ClientCertificate.read(der) if der else None
        if shown is None or not shown.is_good(self._clock.now(), door.revocations or Revocations(None)):
            text = "The certificate is out of date or revoked: show another one."
            return Refusal(Kind.UNAUTHENTICATED, "CERTIFICATE_REFUSED", text)
        try:
            return peer_of(shown)
        except Refusal as refusal:
            return refusal


class _Connection:
    """Messages of one peer, one after the other, each answered before the next is read."""

    def __init__(
        self,
        exchange: Exchange,
        deframer: Deframer,
        large: asyncio.Semaphore,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._exchange = exchange
        self._deframer = deframer
        self._large = large
        self._has_room = False
        self._began: float | None = None
        self._reader = reader
        self._writer = writer
        self.busy = False
        self.closing = False

    @property
    def pending(self) -> bool:
        return self._deframer.pending

    async def run(self, peer: _Who) -> None:
        """Until the peer leaves, says what is no message, or the server closes."""
        try:
            while not self.closing and await self._step(peer):
                await self._keep_room()
        finally:
            self._leave_room()

    async def _step(self, peer: _Who) -> bool:
        """Read what came and answer what is whole; false at the end."""
        async with asyncio.timeout(self._patience()):
            data = await self._reader.read(_CHUNK)
        self.busy = True
        try:
            for framed in self._deframer.feed(data):
                self._began = None
                for answer in await self._exchange.answer(peer(), framed):
                    self._writer.write(frame(answer))
                await self._writer.drain()
                if isinstance(framed, Broken):
                    return False
        finally:
            self.busy = False
        return bool(data)

    def _patience(self) -> float:
        """For how many seconds the next bytes are waited for."""
        if not self._deframer.pending:
            self._began = None
            return _IDLE_SECONDS
        now = asyncio.get_running_loop().time()
        self._began = self._began or now
        return min(_STALLED_SECONDS, self._began + _WHOLE_SECONDS - now)

    async def _keep_room(self) -> None:
        """Have room for a message that turns out to be large, and leave it once the message was answered."""
        if self._deframer.held <= _LARGE:
            self._leave_room()
        elif not self._has_room:
            await self._large.acquire()
            # The sender had to wait, and is given its time again.
            self._has_room, self._began = True, None

    def _leave_room(self) -> None:
        if self._has_room:
            self._large.release()
            self._has_room = False
