"""Signatures of several files: a certificate made to sign contents, which proves nobody's presence."""

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from ambroise.kernel.crypto.canonical import is_affordable, is_usual
from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.kernel.crypto.xades import Wrong, verified

SIGN = Path(__file__).parents[3] / "examples/xds/sign.py"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
XML, PDF = b'<?xml version="1.0"?><!-- a --><a xmlns="urn:x"  b="1"><c/></a>', b"%PDF-1.7"


def test_a_certificate_for_contents_signs_them_and_signs_nobody_on(tmp_path: Path) -> None:
    ca_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    ca = _certificate("AC", ca_key, "AC", ca_key, x509.BasicConstraints(ca=True, path_length=None))
    usage = x509.KeyUsage(False, True, False, False, False, False, False, False, False)
    signer = _certificate("899900063480", key, "AC", ca_key, usage)
    (tmp_path / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    authorities = Authorities(tmp_path / "ca.pem")
    assert not authorities.issued(signer, NOW)
    assert authorities.issued(signer, NOW, commits=True)

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written = _example().signature("1.2.3", {"1.2.4": XML, "1.2.5": PDF}, signer.public_bytes(Encoding.PEM), pem)
    manifest = verified(written, authorities, Revocations(None), NOW)
    assert manifest.certificate == signer
    lot, first, second = manifest.files
    assert (lot.uri, first.uri, second.uri) == ("urn:oid:1.2.3", "urn:oid:1.2.4", "urn:oid:1.2.5")
    # The canonical form is signed: what XML does not tell apart is the same file.
    assert first.fits(XML)
    assert first.fits(XML.replace(b'"urn:x"  b', b'"urn:x" b'))
    assert not first.fits(XML.replace(b"<c/>", b"<d/>"))
    assert second.fits(PDF)
    assert not second.fits(PDF + b" ")
    with pytest.raises(Wrong):
        verified(written, authorities, Revocations(None), NOW + timedelta(days=400))
    with pytest.raises(Wrong):
        verified(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + written, authorities, Revocations(None), NOW)
    # Its canonical form is taken before anybody knows who signed: 40 KB of names took half a minute.
    names = " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(150)).encode()
    costly = written.replace(b"<Signature ", b"<Signature " + names + b" ", 1)
    costly = costly.replace(b"</SignedInfo>", b"<a/>" * 1_000 + b"</SignedInfo>")
    assert costly.count(names) == 1
    with pytest.raises(Wrong, match="too many"):
        verified(costly, authorities, Revocations(None), NOW)


def test_canonical_forms_are_taken_of_what_has_few_names() -> None:
    def affordable(names: int, elements: int, inside: str = "<a/>", **more: int) -> bool:
        spaces = " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(names))
        written = f"<r {spaces}>{inside * elements}</r>"
        found = is_affordable(etree.fromstring(written), **more)
        assert found or more or not is_usual(written.encode()), "what is usual is affordable"
        return found

    assert affordable(20, 5_000)
    assert affordable(0, 5_000, '<a xmlns:b="urn:b"/>'), "declared one after the other"
    assert not affordable(150, 1_000)
    assert affordable(150, 1_000, patience=10)
    assert not affordable(20, 5_000, times=20)
    assert not affordable(0, 1, "<a " + " ".join(f'b{number}=""' for number in range(201)) + "/>")
    prefixes = " ".join(f"n{number}" for number in range(150))
    listed = f'<e:InclusiveNamespaces xmlns:e="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="{prefixes}"/>'
    assert not affordable(0, 1_000, f"<a/>{listed}")
    assert is_usual(b'<r xmlns:a="urn:a" b="1">' + b"<a/>" * 5_000 + b"</r>")
    assert not is_usual(b'<!DOCTYPE r [<!ATTLIST r xmlns:a CDATA "urn:a">]><r/>')


def _certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, extension: x509.ExtensionType
) -> x509.Certificate:
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(NOW - timedelta(days=1))
    made = made.not_valid_after(NOW + timedelta(days=365)).add_extension(extension, critical=True)
    return made.sign(issuer_key, SHA256())


def _example() -> Any:
    spec = importlib.util.spec_from_file_location("sign", SIGN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
