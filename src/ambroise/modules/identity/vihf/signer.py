"""The certificate that signed an assertion, read once: what it says of its holder never changes."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID
from msgspec import Struct

from ambroise.kernel.crypto.certificates import Authorities, Revocations

_REMEMBERED: Final = 2_000
_NAMES: Final = {"SN": NameOID.SURNAME, "GN": NameOID.GIVEN_NAME, "SERIALNUMBER": NameOID.SERIAL_NUMBER}

Name = tuple[tuple[str, str], ...]


class Signer(Struct, frozen=True):
    """A certificate, its key, and the names in it; whether it is believed is asked each time."""

    certificate: x509.Certificate
    key: CertificatePublicKeyTypes
    subject: str
    common_names: frozenset[str]
    units: frozenset[str]
    _name: Name
    _begins: datetime
    _ends: datetime

    def is_believed(self, authorities: Authorities, revocations: Revocations, now: datetime) -> bool:
        """Whether it is of an authority believed here, in its dates, and not revoked."""
        return (
            self._begins <= now < self._ends
            and authorities.issued(self.certificate, now)
            and revocations.accepts(self.certificate.serial_number, now)
        )

    def is_named(self, written: str) -> bool:
        """Whether a distinguished name, in either order and however its attributes are called, is its own."""
        return _named(written) == self._name


@lru_cache(_REMEMBERED)
def signer_of(written: str) -> Signer:
    """The certificate of an X509Certificate element. Raises ValueError."""
    try:
        found = x509.load_der_x509_certificate(base64.b64decode("".join(written.split()), validate=True))
        key = found.public_key()
    except (binascii.Error, UnsupportedAlgorithm) as error:
        raise ValueError("no certificate that is understood") from error
    return Signer(
        found,
        key,
        found.subject.rfc4514_string(),
        _values(found, NameOID.COMMON_NAME),
        _values(found, NameOID.ORGANIZATIONAL_UNIT_NAME),
        _sorted(found.subject),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
    )


@lru_cache(_REMEMBERED)
def _named(written: str) -> Name | None:
    try:
        return _sorted(x509.Name.from_rfc4514_string(written, _NAMES))
    except ValueError:
        return None


def _sorted(name: x509.Name) -> Name:
    return tuple(sorted((one.oid.dotted_string, str(one.value)) for one in name))


def _values(found: x509.Certificate, oid: x509.ObjectIdentifier) -> frozenset[str]:
    return frozenset(str(one.value) for one in found.subject.get_attributes_for_oid(oid))
