"""Signatures of several files at once: an XML signature over a manifest of their digests (XML-DSig, XAdES).

The form is that of IHE Document Digital Signature: a `ds:Signature` whose SignedInfo covers a `ds:Manifest`, which
names each file by a URI with its digest. SHA-1 proves nothing any more: a signature that uses it is weak, not wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from msgspec import Struct

from ambroise.kernel.crypto.canonical import is_affordable
from ambroise.kernel.crypto.certificates import Authorities, Revocations

Element = etree._Element  # pyright: ignore[reportPrivateUsage]
DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_XADES: Final = "http://uri.etsi.org/01903/"
_C14N: Final[Mapping[str, tuple[bool, bool]]] = {
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": (False, False),
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": (False, True),
    "http://www.w3.org/2001/10/xml-exc-c14n#": (True, False),
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": (True, True),
}
"""Canonical forms: exclusive or not, with comments or not."""
_DIGESTS: Final[Mapping[str, str]] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_WEAK_DIGEST: Final = f"{DSIG}sha1"
_METHODS: Final = (
    *("ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512", "RSA_SHA256", "RSA_SHA384", "RSA_SHA512"),
    *("SHA256_RSA_MGF1", "SHA384_RSA_MGF1", "SHA512_RSA_MGF1"),
)
_LARGEST: Final = 500_000


class Wrong(ValueError):
    """It is not a signature that proves anything: malformed, changed since, or by nobody who is believed."""


class Weak(ValueError):
    """It is made with SHA-1: nobody can rely on it, nor be reproached with it."""


class Named(Struct, frozen=True):
    """One line of the manifest: a file, by its URI, and what its digest is."""

    uri: str
    transforms: tuple[str, ...]
    method: str
    digest: bytes

    def fits(self, content: bytes) -> bool:
        """Whether these bytes are the file that was signed."""
        name = _DIGESTS.get(self.method)
        given = _transformed(content, self.transforms)
        return name is not None and given is not None and hashlib.new(name, given).digest() == self.digest


class SignedManifest(Struct, frozen=True):
    """What was signed, by whom, and when its signer says so."""

    certificate: x509.Certificate
    files: tuple[Named, ...]
    at: datetime | None


def verified(written: bytes, authorities: Authorities, revocations: Revocations, now: datetime) -> SignedManifest:
    """The manifest as it was signed. Raises Wrong, Weak."""
    root = _parsed(written)
    found = _certificate(root)
    if {one.get("Algorithm", "").rpartition("-")[2] for one in _all(root, "SignatureMethod")} & {"sha1"} or any(
        one.get("Algorithm") == _WEAK_DIGEST for one in _all(root, "DigestMethod")
    ):
        raise Weak
    believed = (
        found.not_valid_before_utc <= now < found.not_valid_after_utc
        and authorities.issued(found, now, commits=True)
        and revocations.accepts(found.serial_number, now)
    )
    if not believed:
        raise Wrong("its certificate is of an unknown authority, out of date or revoked")
    signed = _covered(root, found, now)
    manifests = [one for one in signed if one.tag == _ds("Manifest")]
    if len(manifests) != 1:
        raise Wrong("it covers one Manifest")
    files = tuple(_named(one) for one in manifests[0].iterfind(_ds("Reference")))
    return SignedManifest(found, files, _when(signed, found))


def _covered(root: Element, found: x509.Certificate, now: datetime) -> list[Element]:
    """Each element that the signature covers, as it was signed."""
    # Imported when the first signature comes: it takes longer than the rest of the start.
    from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.exceptions import SignXMLException
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    config = SignatureConfiguration(
        location="./",
        expect_references=True,
        signature_methods=frozenset(SignatureMethod[name] for name in _METHODS),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}),
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
        verification_time=now,
    )
    try:
        verifier = XMLVerifier()
        # The library below writes empty declarations into the canonical form of an element that inherits its default
        # namespace. What is read afterwards is what was digested, so that nothing is understood in two ways.
        verifier.excise_empty_xmlns_declarations = True
        # Not against the schema: the national form has a text where the schema wants an element.
        found_all: Any = verifier.verify(  # pyright: ignore[reportUnknownMemberType]
            root, x509_cert=found, expect_config=config, validate_schema=False
        )
    except (SignXMLException, ValueError, TypeError, KeyError, etree.Error):
        raise Wrong("its signature does not hold") from None
    return [one.signed_xml for one in found_all if one.signed_xml is not None]


def _when(signed: list[Element], found: x509.Certificate) -> datetime | None:
    """When it was signed, if its signed properties say so; they name the certificate, when they name one."""
    for one in signed:
        name = etree.QName(one)
        if name.localname != "SignedProperties" or not (name.namespace or "").startswith(_XADES):
            continue
        digests = [
            (each.findtext("{*}DigestValue") or "", each.find("{*}DigestMethod"))
            for each in one.iterfind(".//{*}CertDigest")
        ]
        if digests and not any(_is_digest(found, value, method) for value, method in digests):
            raise Wrong("its SigningCertificate is another one")
        return _instant(one.findtext(".//{*}SigningTime") or "")
    return None


def _is_digest(found: x509.Certificate, value: str, method: Element | None) -> bool:
    name = _DIGESTS.get(method.get("Algorithm", "")) if method is not None else None
    return name is not None and hashlib.new(name, found.public_bytes(Encoding.DER)).digest() == _decoded(value)


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _named(reference: Element) -> Named:
    method, value = reference.find(_ds("DigestMethod")), reference.findtext(_ds("DigestValue")) or ""
    transforms = tuple(
        one.get("Algorithm", "") for one in reference.iterfind(f"{_ds('Transforms')}/{_ds('Transform')}")
    )
    uri = reference.get("URI", "")
    if method is None or not uri:
        raise Wrong("each line of its Manifest has a URI and a digest")
    return Named(uri, transforms, method.get("Algorithm", ""), _decoded(value))


def _transformed(content: bytes, transforms: tuple[str, ...]) -> bytes | None:
    """The bytes whose digest was taken; None for a transform that is none of ours."""
    if not transforms:
        return content
    form = _C14N.get(transforms[0]) if len(transforms) == 1 else None
    if form is None:
        return None
    try:
        tree = etree.fromstring(content, _parser(huge=True)).getroottree()
    except etree.XMLSyntaxError:
        return None
    if not is_affordable(tree.getroot(), patience=10):
        return None
    try:
        return etree.tostring(tree, method="c14n", exclusive=form[0], with_comments=form[1])
    except etree.C14NError:
        # A relative name of a namespace has no canonical form.
        return None


def _parsed(written: bytes) -> Element:
    if len(written) > _LARGEST:
        raise Wrong("it is too large")
    try:
        root = etree.fromstring(written, _parser(huge=False))
    except etree.XMLSyntaxError:
        raise Wrong("it is not XML") from None
    if root.tag != _ds("Signature") or root.getroottree().docinfo.doctype:
        raise Wrong("it is a Signature of XML-DSig")
    # A transform could leave out what will be read: none but canonical forms.
    used = {one.get("Algorithm") for one in root.iterfind(f"{_ds('SignedInfo')}//{_ds('Transform')}")}
    if not used <= set(_C14N):
        raise Wrong("its references are transformed by canonical forms alone")
    if not is_affordable(root, times=1 + len(root.findall(f"{_ds('SignedInfo')}/{_ds('Reference')}"))):
        raise Wrong("it has too many references, namespaces in scope or attributes of an element")
    return root


def _parser(*, huge: bool) -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=huge)


def _certificate(root: Element) -> x509.Certificate:
    """The first certificate of its KeyInfo."""
    path = "/".join(_ds(name) for name in ("KeyInfo", "X509Data", "X509Certificate"))
    try:
        return x509.load_der_x509_certificate(_decoded(root.findtext(path) or ""))
    except (ValueError, UnsupportedAlgorithm):
        raise Wrong("its KeyInfo has a certificate") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error):
        raise Wrong("what it holds is base64") from None


def _all(root: Element, name: str) -> list[Element]:
    return list(root.iter(_ds(name)))


def _ds(name: str) -> str:
    return f"{{{DSIG}}}{name}"
