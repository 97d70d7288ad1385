"""The ports beside those of the web: HL7 v2 by MLLP (TLS; a plain one for a demonstration), mails that come back."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from msgspec import Struct

from ambroise.interfaces.hl7v2.doors import Door
from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.kernel.crypto.certificates import Revocations
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.settings import Settings
from ambroise.main.sockets import listen

# From 8080 to 2575, the port that IANA gives to HL7.
_APART = 5505


class Files(Struct, frozen=True):
    """What a port with client certificates needs."""

    certificate: Path
    key: Path
    authority: Path
    revocations: Path | None


def open_feeds(settings: Settings, *, demonstration: bool) -> list[Door]:
    """The ports that are asked for; a demonstration has one with TLS in any case."""
    doors: list[Door] = []
    if demonstration or settings.hl7_port is not None:
        files = _files(settings, demonstration=demonstration)
        doors.append(Door(_sockets(settings), _tls(files), Revocations(files.revocations)))
    if settings.hl7_plain_port is not None:
        if not demonstration:
            text = "AMBROISE_HL7_PLAIN_PORT is for demonstrations: use AMBROISE_HL7_PORT, which knows who sends."
            raise Refusal(Kind.INVALID, "HL7_PLAIN_PORT", text)
        doors.append(Door(listen("127.0.0.1", settings.hl7_plain_port)))
    return doors


def open_bounces(settings: Settings) -> list[socket.socket]:
    """The port of mails that come back, if it is asked for."""
    if settings.bounce_port is None:
        return []
    if settings.bounce_address is None:
        text = "AMBROISE_BOUNCE_PORT needs AMBROISE_BOUNCE_ADDRESS, below which mails come back."
        raise Refusal(Kind.INVALID, "BOUNCE_ADDRESS_MISSING", text)
    return listen(settings.host, settings.bounce_port)


def chosen(doors: list[Door]) -> dict[str, int]:
    """The settings of the ports, once the system chose them."""
    names = {True: "hl7_port", False: "hl7_plain_port"}
    return {names[door.tls is not None]: door.port for door in doors}


def _sockets(settings: Settings) -> list[socket.socket]:
    """The port asked for, else one near that of the portals, else any."""
    if settings.hl7_port is not None:
        return listen(settings.host, settings.hl7_port)
    try:
        return listen(settings.host, max(settings.port - _APART, 0))
    except Refusal:
        return listen(settings.host, 0)


def _files(settings: Settings, *, demonstration: bool) -> Files:
    certificate, key = settings.mtls_certificate_file, settings.mtls_key_file
    if certificate is None and demonstration:
        made = DemonstrationAuthority.open(settings.demonstration_pki)
        return Files(made.server_certificate, made.server_key, made.certificate, made.revocations)
    if certificate is None or key is None or settings.mtls_authority_file is None:
        text = "AMBROISE_HL7_PORT needs AMBROISE_MTLS_CERTIFICATE_FILE, _KEY_FILE and _AUTHORITY_FILE beside it."
        raise Refusal(Kind.INVALID, "HL7_FILES_MISSING", text)
    return Files(certificate, key, settings.mtls_authority_file, settings.mtls_revocations_file)


def _tls(files: Files) -> ssl.SSLContext:
    """TLS that wants a certificate of the authorities believed here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(files.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
