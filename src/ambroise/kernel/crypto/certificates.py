"""Certificates of machines, as they are shown to us in a TLS handshake: read, named, and checked against a CRL."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct

_REMEMBERED = 10_000


class ClientCertificate(Struct, frozen=True):
    """A certificate whose chain the TLS library verified. `thumbprint` is `x5t#S256` (RFC 8705 §3.1)."""

    serial: int
    subject: str
    thumbprint: str
    begins: datetime
    ends: datetime

    @classmethod
    def read(cls, der: bytes) -> ClientCertificate:
        """The certificate of a handshake."""
        found = x509.load_der_x509_certificate(der)
        return cls(
            serial=found.serial_number,
            subject=found.subject.rfc4514_string(),
            thumbprint=base64.urlsafe_b64encode(found.fingerprint(SHA256())).rstrip(b"=").decode(),
            begins=found.not_valid_before_utc,
            ends=found.not_valid_after_utc,
        )

    def is_good(self, now: datetime, revocations: Revocations) -> bool:
        """Whether it may be trusted now: in its dates, and not revoked by a list that is itself in its dates."""
        return self.begins <= now < self.ends and revocations.accepts(self.serial, now)


def subject_name(text: str) -> str:
    """A subject (RFC 4514) in one form, however it is spelled. Raises ValueError."""
    return x509.Name.from_rfc4514_string(text).rfc4514_string()


class Revocations:
    """A certificate revocation list in a file, read again when the file changes. A list out of date accepts nothing."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._seen = -1
        self._revoked: frozenset[int] = frozenset()
        self._until: datetime | None = None

    def accepts(self, serial: int, now: datetime) -> bool:
        """Whether this certificate is not revoked. Without a list, every certificate of the authority is accepted."""
        if self._file is None:
            return True
        self._read(self._file)
        return self._until is not None and now < self._until and serial not in self._revoked

    def _read(self, file: Path) -> None:
        changed = file.stat().st_mtime_ns if file.is_file() else 0
        if changed == self._seen:
            return
        self._seen = changed
        if not changed:
            self._until = None
            return
        found = x509.load_pem_x509_crl(file.read_bytes())
        self._revoked = frozenset(one.serial_number for one in found)
        self._until = found.next_update_utc


class Authorities:
    """Certificates of authorities in a PEM file, read again when the file changes. Without a file, nobody is believed.

    A certificate must be issued by one of them directly: a file that holds an intermediate authority believes it.
    Who issued a certificate never changes and is remembered; dates are looked at each time.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._seen = 0
        self._known: tuple[x509.Certificate, ...] = ()
        self._issuers: dict[x509.Certificate, tuple[x509.Certificate, ...]] = {}

    def issued(self, found: x509.Certificate, now: datetime, *, commits: bool = False) -> bool:
        """Whether one of them, itself in its dates, issued this certificate of a person or a machine.

        `commits`: it signs contents, for which a certificate may be made that proves nobody's presence.
        """
        known = self._all()
        issuers = self._issuers.get(found)
        if issuers is None:
            issuers = tuple(one for one in known if not _is_authority(found) and _issued_by(found, one))
            # Only what an authority signed is kept: a stranger's certificates fill nothing.
            if issuers:
                self._keep(found, issuers)
        return _may_sign(found, commits=commits) and any(
            one.not_valid_before_utc <= now < one.not_valid_after_utc for one in issuers
        )

    def _keep(self, found: x509.Certificate, issuers: tuple[x509.Certificate, ...]) -> None:
        if len(self._issuers) >= _REMEMBERED:
            del self._issuers[next(iter(self._issuers))]
        self._issuers[found] = issuers

    def _all(self) -> tuple[x509.Certificate, ...]:
        changed = self._file.stat().st_mtime_ns if self._file is not None and self._file.is_file() else 0
        if changed != self._seen:
            self._seen = changed
            found = x509.load_pem_x509_certificates(self._file.read_bytes()) if self._file and changed else []
            self._known = tuple(one for one in found if _is_authority(one))
            self._issuers.clear()
        return self._known


def _is_authority(found: x509.Certificate) -> bool:
    try:
        return found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _may_sign(found: x509.Certificate, *, commits: bool) -> bool:
    try:
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
        return usage.digital_signature or (commits and usage.content_commitment)
    except x509.ExtensionNotFound:
        return True


def _issued_by(found: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        found.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
