"""Which push services we call: only those that the operator names, over https, at public addresses.

A browser's page gives the address, so nothing else of it is trusted: its host must be a named one, and what that host
resolves to must be public, looked at once and then called at that very address (no second look-up to change its mind).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

LONGEST: Final = 1_000
_HTTPS: Final = 443


class Place(Struct, frozen=True):
    """Where a call goes: the address to connect to, and the name that it must prove to have."""

    host: str
    address: str
    port: int
    target: str


class NotAllowed(Exception):
    """The address is none of a push service that we call."""


class PushServices(Struct, frozen=True):
    """The named services: exact hosts, or `*.example.org` for those beneath.

    `local`: a receiver on this machine, for a demonstration and for tests; it may be called without TLS.
    """

    hosts: Collection[str]
    local: bool = False

    def allows(self, endpoint: str) -> bool:
        """Whether the form of this address is right: what a page may register."""
        if len(endpoint) > LONGEST or not endpoint.isascii() or any(c.isspace() or ord(c) < 32 for c in endpoint):
            return False
        try:
            parts = urlsplit(endpoint)
            port = parts.port
        except ValueError:
            return False
        if parts.username or parts.password or parts.fragment or not parts.hostname:
            return False
        if self.local and parts.scheme in ("http", "https") and _loopback(parts.hostname):
            return True
        return parts.scheme == "https" and port in (None, _HTTPS) and self._named(parts.hostname)

    async def place(self, endpoint: str) -> Place:
        """Where to connect for this address. Raises NotAllowed, OSError."""
        if not self.allows(endpoint):
            raise NotAllowed("not an address of a push service that this instance calls")
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        port = parts.port or (_HTTPS if parts.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        addresses = [str(one[4][0]) for one in found]
        local = self.local and _loopback(host)
        if not addresses or not all(local or _public(one) for one in addresses):
            raise NotAllowed("a push service is at public addresses only")
        return Place(host, addresses[0], port, parts.path + (f"?{parts.query}" if parts.query else ""))

    def _named(self, host: str) -> bool:
        return any(
            host == one or (one.startswith("*.") and host.endswith(one[1:]) and host != one[2:]) for one in self.hosts
        )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _public(address: str) -> bool:
    one = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address) and one.ipv4_mapped is not None:
        one = one.ipv4_mapped
    return one.is_global and not one.is_multicast
