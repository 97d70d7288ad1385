"""A small certificate authority for demonstrations and tests: it is not, and must not be used as, a real one.

Its client certificates have the profile of those of organisations, `C=FR, O=<structure>, OU=<id of the structure>,
CN=<service>`, or of professionals, `C=FR, SN=<surname>, GN=<first name>, CN=<national identifier>`, as the IGC-Santé
writes them. The key of the authority is a file of the data folder.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from ambroise.kernel.crypto.files import write_secret

_ROOT_LASTS = timedelta(days=3650)
_SERVER_LASTS = timedelta(days=90)
_LIST_LASTS = timedelta(days=30)
# Clocks of machines differ a little.
_EARLIER = timedelta(minutes=5)
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Issued(Struct, frozen=True):
    """A certificate with its key, in PEM."""

    certificate: bytes
    key: bytes

    @property
    def subject(self) -> str:
        return x509.load_pem_x509_certificate(self.certificate).subject.rfc4514_string()

    @property
    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.certificate).serial_number

    def bundle(self, password: str) -> bytes:
        """Both in PKCS#12, as browsers import them."""
        key = load_pem_private_key(self.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it.
        certificate = x509.load_pem_x509_certificate(self.certificate)
        return serialize_key_and_certificates(
            b"ambroise", key, certificate, None, BestAvailableEncryption(password.encode())
        )


class Known(Struct, frozen=True):
    """A certificate that the authority issued."""

    serial: int
    subject: str
    ends: datetime
    revoked: bool


class DemonstrationAuthority:
    """Issues, lists and revokes certificates in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self.revocations = folder / "crl.pem"
        self.server_certificate = folder / "server.pem"
        self.server_key = folder / "server.key"

    @classmethod
    def open(cls, folder: Path) -> DemonstrationAuthority:
        """The authority of a folder, made the first time; its server certificate and its list are kept fresh."""
        authority = cls(folder)
        if not authority.certificate.exists():
            authority._make()
        authority._serve()
        authority._publish(authority._revoked())
        return authority

    def issue(self, service: str, structure: str, structure_id: str, *, days: int = 365) -> Issued:
        """A client certificate for a service of a structure. Zero or fewer days make one that has expired."""
        return self._issue(_name(country="FR", organization=structure, unit=structure_id, common=service), days)

    def issue_person(self, national_id: str, surname: str, given: str, *, days: int = 365) -> Issued:
        """A software certificate (certificat logiciel) of a professional, named by the national identifier."""
        name = _name(country="FR", surname=surname, given=given, common=national_id)
        return self._issue(name, days)

    def _issue(self, name: x509.Name, days: int) -> Issued:
        ends = datetime.now(UTC) + timedelta(days=days)
        issued = self._sign(name, ends, ExtendedKeyUsageOID.CLIENT_AUTH, begins=min(datetime.now(UTC), ends))
        serial = x509.load_pem_x509_certificate(issued.certificate).serial_number
        write_secret(self.folder / "issued" / f"{serial:x}.pem", issued.certificate)
        return issued

    def revoke(self, serial: int) -> bool:
        """Put a certificate on the list; false when this authority did not issue it."""
        if not (self.folder / "issued" / f"{serial:x}.pem").exists():
            return False
        self._publish(self._revoked() | {serial})
        return True

    def everything(self) -> list[Known]:
        """Every certificate issued to clients, by subject."""
        revoked = self._revoked()
        found = [x509.load_pem_x509_certificate(file.read_bytes()) for file in self.folder.glob("issued/*.pem")]
        known = [
            Known(one.serial_number, one.subject.rfc4514_string(), one.not_valid_after_utc, revoked=number in revoked)
            for one in found
            for number in (one.serial_number,)
        ]
        return sorted(known, key=lambda one: (one.subject, one.serial))

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(country="FR", organization="Ambroise", unit="Demonstration", common="Ambroise demonstration CA")
        now = datetime.now(UTC)
        certificate = (
            _builder(name, name, key.public_key(), now, now + _ROOT_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, SHA256())
        )
        write_secret(self.folder / "ca.key", _key_pem(key))
        write_secret(self.certificate, certificate.public_bytes(Encoding.PEM))

    def _serve(self) -> None:
        """A server certificate for this machine, renewed before it ends."""
        if self.server_certificate.exists():
            found = x509.load_pem_x509_certificate(self.server_certificate.read_bytes())
            if found.not_valid_after_utc - datetime.now(UTC) > _SERVER_LASTS / 3:
                return
        names = dict.fromkeys((*_LOCAL, socket.gethostname()))
        issued = self._sign(
            _name(organization="Ambroise", common="localhost"),
            datetime.now(UTC) + _SERVER_LASTS,
            ExtendedKeyUsageOID.SERVER_AUTH,
            names=[_general(name) for name in names],
        )
        write_secret(self.server_key, issued.key)
        write_secret(self.server_certificate, issued.certificate)

    def _sign(
        self,
        name: x509.Name,
        ends: datetime,
        use: x509.ObjectIdentifier,
        *,
        begins: datetime | None = None,
        names: list[x509.GeneralName] | None = None,
    ) -> Issued:
        root = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(root.subject, name, key.public_key(), begins or datetime.now(UTC), ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._root_key(), SHA256())
        return Issued(certificate.public_bytes(Encoding.PEM), _key_pem(key))

    def _publish(self, revoked: frozenset[int]) -> None:
        """Sign the list again."""
        root = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder(root.subject, now - _EARLIER, now + _LIST_LASTS)
        for serial in sorted(revoked):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        signed = builder.sign(self._root_key(), SHA256())
        write_secret(self.revocations, signed.public_bytes(Encoding.PEM))

    def _revoked(self) -> frozenset[int]:
        if not self.revocations.exists():
            return frozenset()
        return frozenset(one.serial_number for one in x509.load_pem_x509_crl(self.revocations.read_bytes()))

    def _root_key(self) -> ec.EllipticCurvePrivateKey:
        key = load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it.
        return key


def _builder(
    issuer: x509.Name, name: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - _EARLIER)
        .not_valid_after(ends)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(
    *, common: str, organization: str = "", country: str = "", unit: str = "", surname: str = "", given: str = ""
) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, country),
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.SURNAME, surname),
        (NameOID.GIVEN_NAME, given),
        (NameOID.COMMON_NAME, common),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
