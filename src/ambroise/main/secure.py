"""The second port: TLS where clients may show a certificate (RFC 8705).

The handshake verifies the chain; dates and revocation are looked at again at each request, so that a certificate
revoked while its connection lives is refused. What is shown goes to the application in the TLS extension of ASGI, which
no header can imitate.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.kernel.crypto.certificates import ClientCertificate, Revocations
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.settings import Settings
from ambroise.main.http import HttpProtocol
from ambroise.main.sockets import listen

# From 8080 to 8443.
_APART = 363


class SecureFront(Struct, frozen=True):
    """Listening sockets, the certificate shown, and which certificates are believed."""

    sockets: list[socket.socket]
    certificate: Path
    key: Path
    authority: Path
    revocations: Path | None

    @property
    def port(self) -> int:
        return self.sockets[0].getsockname()[1]

    def options(self, clock: Clock) -> dict[str, Any]:
        """What uvicorn needs to answer behind it."""
        return {
            "http": mutual_tls(Revocations(self.revocations), clock),
            "ssl_certfile": self.certificate,
            "ssl_keyfile": self.key,
            "ssl_ca_certs": self.authority,
            "ssl_cert_reqs": ssl.CERT_OPTIONAL,
        }


def open_front(settings: Settings, *, demonstration: bool) -> SecureFront | None:
    """The second port of a demonstration, or the one that the operator configured; None when there is none."""
    if demonstration and settings.mtls_certificate_file is None:
        made = DemonstrationAuthority.open(settings.demonstration_pki)
        files = made.server_certificate, made.server_key, made.certificate, made.revocations
        return SecureFront(_near(settings), *files)
    if settings.mtls_port is None:
        return None
    certificate, key, authority = (
        settings.mtls_certificate_file,
        settings.mtls_key_file,
        settings.mtls_authority_file,
    )
    if certificate is None or key is None or authority is None:
        raise Refusal(
            Kind.INVALID,
            "MTLS_FILES_MISSING",
            "AMBROISE_MTLS_PORT needs AMBROISE_MTLS_CERTIFICATE_FILE, _KEY_FILE and _AUTHORITY_FILE beside it.",
        )
    sockets = listen(settings.host, settings.mtls_port)
    return SecureFront(sockets, certificate, key, authority, settings.mtls_revocations_file)


def _near(settings: Settings) -> list[socket.socket]:
    """The port of a demonstration: the one asked for, else one near the first, else any."""
    if settings.mtls_port is not None:
        return listen(settings.host, settings.mtls_port)
    try:
        return listen(settings.host, settings.port and min(settings.port + _APART, 65535))
    except Refusal:
        return listen(settings.host, 0)


def mutual_tls(revocations: Revocations, clock: Clock) -> type[HttpProtocol]:
    """The protocol of connections that may carry a certificate."""

    class MutualTls(HttpProtocol):
        _shown: ClientCertificate | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            handshake = transport.get_extra_info("ssl_object")
            der = handshake.getpeercert(binary_form=True) if handshake is not None else None
            self._shown = ClientCertificate.read(der) if der else None

        def on_message_begin(self) -> None:
            super().on_message_begin()
            shown = self._shown
            if shown is not None and shown.is_good(clock.now(), revocations):
                self.scope["extensions"] = {"tls": {"client_certificate": shown}}

    return MutualTls
