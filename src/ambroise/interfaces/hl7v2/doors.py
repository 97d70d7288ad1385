"""Ports, opened before the rest of the program is loaded."""

from __future__ import annotations

import socket
import ssl

from msgspec import Struct

from ambroise.kernel.crypto.certificates import Revocations


class Door(Struct, frozen=True):
    """One port. Without `tls`, whoever connects is on this machine, and the instance a demonstration."""

    sockets: list[socket.socket]
    tls: ssl.SSLContext | None = None
    revocations: Revocations | None = None

    @property
    def port(self) -> int:
        return self.sockets[0].getsockname()[1]
