"""Listening sockets, opened before anything heavy, so that a port already taken is said at once."""

import socket
from contextlib import suppress

from ambroise.kernel.errors import Kind, Refusal


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets for an address; `127.0.0.1` also answers as `localhost` on IPv6. Port 0 takes any free one."""
    first = _bind(socket.AF_INET6 if ":" in host else socket.AF_INET, host, port)
    sockets = [first]
    if host == "127.0.0.1" and socket.has_ipv6:
        # Without IPv6, or with that port taken on it, names fall back to 127.0.0.1.
        with suppress(OSError, Refusal):
            sockets.append(_bind(socket.AF_INET6, "::1", first.getsockname()[1]))
    return sockets


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise Refusal(
            Kind.CONFLICT,
            "PORT_TAKEN",
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --port.",
        ) from error
    listener.setblocking(False)
    return listener
