"""Whether an assertion is signed, all of it, by a certificate that is believed."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID
from lxml import etree
from msgspec import Struct

from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.modules.identity.vihf import refusals
from ambroise.modules.identity.vihf.model import DSIG, SAML

Element = etree._Element  # pyright: ignore[reportPrivateUsage]
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ASSERTION: Final = f"{{{SAML}}}Assertion"
_TRANSFORMS: Final = frozenset(
    {
        f"{DSIG}enveloped-signature",
        EXCLUSIVE,
        f"{EXCLUSIVE}WithComments",
    }
)
_METHODS: Final = (
    *("ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512", "RSA_SHA256", "RSA_SHA384", "RSA_SHA512"),
    *("SHA256_RSA_MGF1", "SHA384_RSA_MGF1", "SHA512_RSA_MGF1"),
)
_NAMES: Final = {"SN": NameOID.SURNAME, "GN": NameOID.GIVEN_NAME, "SERIALNUMBER": NameOID.SERIAL_NUMBER}


class Signed(Struct, frozen=True):
    """What was signed, and the certificate that signed it."""

    root: Element
    certificate: x509.Certificate


def verified(written: bytes, authorities: Authorities, revocations: Revocations, now: datetime) -> Signed:
    """The assertion as it was signed. Refuses VIHF_SIGNATURE, VIHF_CERTIFICATE, VIHF_MALFORMED."""
    root = _parsed(written)
    found = _certificate(root)
    _check_transforms(root)
    believed = (
        found.not_valid_before_utc <= now < found.not_valid_after_utc
        and authorities.issued(found, now)
        and revocations.accepts(found.serial_number, now)
    )
    if not believed:
        raise refusals.certificate()
    signed = _signed(root, found, now)
    # What is read is what was signed: the whole assertion, and nothing beside it.
    if signed is None or signed.tag != _ASSERTION or signed.get("ID") != root.get("ID"):
        raise refusals.signature()
    return Signed(signed, found)


def _signed(root: Element, found: x509.Certificate, now: datetime) -> Element | None:
    """What the signature covers. Refuses VIHF_SIGNATURE."""
    # Imported when the first assertion comes: it takes longer than the rest of the start.
    from signxml.algorithms import DigestAlgorithm, SignatureMethod
    from signxml.exceptions import SignXMLException
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    config = SignatureConfiguration(
        location="./",
        signature_methods=frozenset(SignatureMethod[name] for name in _METHODS),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}),
        verification_time=now,
    )
    try:
        result = XMLVerifier().verify(  # pyright: ignore[reportUnknownMemberType]
            root, x509_cert=found, expect_config=config, id_attribute="ID"
        )
    except (SignXMLException, ValueError, TypeError, etree.Error):
        raise refusals.signature() from None
    assert not isinstance(result, list)  # noqa: S101 - one reference is expected.
    return result.signed_xml


def names_same(written: str, name: x509.Name) -> bool:
    """Whether a distinguished name, in either order and however its attributes are called, is this one."""
    try:
        said = x509.Name.from_rfc4514_string(written, _NAMES)
    except ValueError:
        return False
    return sorted((one.oid.dotted_string, str(one.value)) for one in said) == sorted(
        (one.oid.dotted_string, str(one.value)) for one in name
    )


def _parsed(written: bytes) -> Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(written, parser)
    except etree.XMLSyntaxError:
        raise refusals.malformed("it is XML") from None
    if root.tag != _ASSERTION:
        raise refusals.malformed("it is an assertion of SAML 2.0")
    return root


def _certificate(root: Element) -> x509.Certificate:
    """The first certificate of the signature's KeyInfo."""
    place = f"{{{DSIG}}}Signature/{{{DSIG}}}KeyInfo/{{{DSIG}}}X509Data/{{{DSIG}}}X509Certificate"
    found = root.find(place)
    try:
        der = base64.b64decode("".join((found.text or "").split()), validate=True) if found is not None else b""
        return x509.load_der_x509_certificate(der)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise refusals.signature() from None


def _check_transforms(root: Element) -> None:
    """Nothing but what SAML allows (SAML 2.0 core, 5.4.4): a transform could leave out what will be read."""
    used = {one.get("Algorithm") for one in root.iterfind(f"{{{DSIG}}}Signature//{{{DSIG}}}Transform")}
    if not used <= _TRANSFORMS or len(root.findall(f"{{{DSIG}}}Signature")) != 1:
        raise refusals.signature()
