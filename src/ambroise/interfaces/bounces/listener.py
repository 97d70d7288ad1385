"""A server of SMTP that takes mails that come back, and nothing else.

It relays nothing, keeps nothing of a mail, and refuses before its content any recipient that is no return path of ours:
the recipient is sealed, so that only who received a mail can say that it came back.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from ambroise.kernel.db import Database
from ambroise.kernel.log import logger
from ambroise.modules.letters.api import LARGEST, Letters, ReturnPath, read

_log = logger(__name__)

_SECONDS: Final = 60
"""For how long a connection may say nothing."""
_MOST_CONNECTIONS: Final = 50
_MOST_COMMANDS: Final = {"MAIL": 100, "RCPT": 200, "*": 20}
"""How often each command may be said on one connection: a server hands over many bounces on one."""


class Listener:
    """Takes mails on every socket until it is closed. Use as a context manager."""

    def __init__(self, database: Database, letters: Letters, sockets: list[socket.socket]) -> None:
        if letters.comes_back is None:
            raise ValueError("there is no address below which mails come back")
        self._taker = _Taker(database, letters, letters.comes_back)
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []
        self._open: set[_Connection] = set()

    async def __aenter__(self) -> Listener:
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            self._servers.append(await loop.create_server(self._connection, sock=one))
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for connection in list(self._open):
            connection.leave()

    def _connection(self) -> _Connection:
        return _Connection(self._taker, self._open)


class _Connection(SMTP):
    """One peer; more than so many at once are turned away."""

    def __init__(self, taker: _Taker, among: set[_Connection]) -> None:
        super().__init__(
            taker,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=False,
            hostname=taker.path.domain,
            ident="Ambroise",
            timeout=_SECONDS,
            command_call_limit=_MOST_COMMANDS,
            loop=asyncio.get_running_loop(),
        )
        self._among = among

    def connection_made(self, transport: Any) -> None:
        if len(self._among) >= _MOST_CONNECTIONS:
            transport.write(b"421 4.3.2 Too many connections\r\n")
            transport.close()
            return
        self._among.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._among:
            self._among.discard(self)
            super().connection_lost(error)

    def leave(self) -> None:
        """End the connection; a mail that was not acknowledged is sent again by who has it."""
        if self.transport is not None:
            self.transport.close()


class _Taker:
    """What the server does with commands and mails (the hooks of aiosmtpd)."""

    def __init__(self, database: Database, letters: Letters, path: ReturnPath) -> None:
        self._database = database
        self._letters = letters
        self.path = path

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.path.letter(address) is None:
            return "550 5.1.1 Nobody here has this address"
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient for each mail"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        letter = self.path.letter(envelope.rcpt_tos[0])
        content = envelope.content
        if letter is None or not isinstance(content, bytes):
            return "550 5.1.1 Nobody here has this address"
        reading = read(content)
        async with self._database.transaction() as tx:
            await self._letters.returned(tx, letter, reading)
        _log.info("mail_came_back", letter=str(letter), said=reading.said.value, status=reading.status)
        return "250 2.0.0 Taken"

    async def handle_exception(self, error: Exception) -> str:
        """Tell nothing of what went wrong; the mail is handed over again later."""
        _log.error("mail_not_taken", why=type(error).__name__)
        return "451 4.3.0 Try again later"
