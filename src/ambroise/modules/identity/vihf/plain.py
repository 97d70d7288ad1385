"""The signature that nearly every software makes, checked in one pass; any other form is left to signxml.

The form: `Signature` stands once, directly in the assertion, with nothing but a SignedInfo, a SignatureValue and a
KeyInfo of one certificate; one Reference, to the ID of the assertion, through the enveloped transform and the exclusive
canonical form; RSA (PKCS #1) or ECDSA with SHA-256, 384 or 512. Whatever this believes, signxml believes, with the same
bytes signed: `tests/unit/identity/test_signatures.py` compares them on forged and changed assertions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from lxml import etree
from msgspec import Struct

from ambroise.modules.identity.vihf.model import DSIG

Element = etree._Element  # pyright: ignore[reportPrivateUsage]
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DSIG}enveloped-signature"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC: Final = "http://www.w3.org/2001/04/xmlenc#"
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,200}")
_SPACE: Final = " \t\r\n"
_SPACES: Final = _SPACE.encode()
_SAME_ID: Final = etree.XPath("count(//@*[local-name() = 'ID'][. = $id])")

_DIGESTS: Final[Mapping[str, str]] = {f"{_ENC}sha256": "sha256", f"{_MORE}sha384": "sha384", f"{_ENC}sha512": "sha512"}
_METHODS: Final[Mapping[str, tuple[type, HashAlgorithm]]] = {
    f"{_MORE}{name}-{hash.name}": (kind, hash)
    for name, kind in (("rsa", RSAPublicKey), ("ecdsa", EllipticCurvePublicKey))
    for hash in (SHA256(), SHA384(), SHA512())
}


def _form() -> list[tuple[str, int, list[str]]]:
    """Every element in the order of the document: its name, how many children it has, its attributes."""
    elements: tuple[tuple[str, int, tuple[str, ...]], ...] = (
        ("Signature", 3, ()),
        ("SignedInfo", 3, ()),
        ("CanonicalizationMethod", 0, ("Algorithm",)),
        ("SignatureMethod", 0, ("Algorithm",)),
        ("Reference", 3, ("URI",)),
        ("Transforms", 2, ()),
        ("Transform", 0, ("Algorithm",)),
        ("Transform", 0, ("Algorithm",)),
        ("DigestMethod", 0, ("Algorithm",)),
        ("DigestValue", 0, ()),
        ("SignatureValue", 0, ()),
        ("KeyInfo", 1, ()),
        ("X509Data", 1, ()),
        ("X509Certificate", 0, ()),
    )
    return [(f"{{{DSIG}}}{name}", children, list(attributes)) for name, children, attributes in elements]


_FORM: Final = _form()
_WITH_TEXT: Final = frozenset(f"{{{DSIG}}}{name}" for name in ("DigestValue", "SignatureValue", "X509Certificate"))


class Plain(Struct, frozen=True):
    """A signature of the plain form, read and not believed yet."""

    signature: Element
    signed_info: Element
    method: str
    value: bytes
    digest_method: str
    digest: bytes

    def signed_by(self, key: CertificatePublicKeyTypes) -> bytes | None:
        """What this key signed: the assertion without its signature, canonical; None when it did not."""
        try:
            if not _is_signature(key, self.method, self.value, _canonical(self.signed_info)):
                return None
            root = self.signature.getparent()
            assert root is not None  # noqa: S101 - it was found there.
            _take_out(root, self.signature)
            signed = _canonical(root)
        except etree.C14NError:
            # A namespace that is no address has no canonical form.
            return None
        return signed if hashlib.new(_DIGESTS[self.digest_method], signed).digest() == self.digest else None


def read(root: Element) -> Plain | None:
    """The signature of an assertion, when it is of the plain form."""
    signatures = list(root.iterchildren(f"{{{DSIG}}}Signature"))
    if len(signatures) != 1 or root.getroottree().docinfo.internalDTD is not None:
        return None
    elements = list(signatures[0].iter())
    if len(elements) != len(_FORM) or any(
        (one.tag, len(one), one.keys()) != wanted for one, wanted in zip(elements, _FORM, strict=True)
    ):
        return None
    signature, info, canonical, method, reference, _, first, second, digest, digest_value, value, _, _, certificate = (
        elements
    )
    values = [_decoded(one.text) for one in (digest_value, value, certificate)]
    name = root.get("ID", "")
    if (
        not _holds_only_its_texts(elements)
        or (canonical.get("Algorithm"), first.get("Algorithm"), second.get("Algorithm"))
        != (EXCLUSIVE, ENVELOPED, EXCLUSIVE)
        or method.get("Algorithm") not in _METHODS
        or digest.get("Algorithm") not in _DIGESTS
        or _ID.fullmatch(name) is None
        or reference.get("URI") != f"#{name}"
        or _SAME_ID(root, id=name) != 1
        or values[0] is None
        or values[1] is None
        or values[2] is None
    ):
        return None
    return Plain(signature, info, method.get("Algorithm", ""), values[1], digest.get("Algorithm", ""), values[0])


def _canonical(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def _holds_only_its_texts(elements: list[Element]) -> bool:
    """Whether there is nothing but space between the elements of a signature."""
    return all(not (one.text or "").strip(_SPACE) or one.tag in _WITH_TEXT for one in elements) and not any(
        (one.tail or "").strip(_SPACE) for one in elements[1:]
    )


def _decoded(text: str | None) -> bytes | None:
    """Base64 written as its only right form, but for space; None for anything else."""
    written = (text or "").encode().translate(None, _SPACES)
    try:
        found = base64.b64decode(written, validate=True)
    except (ValueError, binascii.Error):
        return None
    return found if found and base64.b64encode(found) == written else None


def _is_signature(key: CertificatePublicKeyTypes, method: str, value: bytes, data: bytes) -> bool:
    kind, hash = _METHODS[method]
    try:
        if kind is RSAPublicKey and isinstance(key, RSAPublicKey):
            key.verify(value, data, PKCS1v15(), hash)
            return True
        if kind is EllipticCurvePublicKey and isinstance(key, EllipticCurvePublicKey):
            # XML signatures hold both numbers one after the other (RFC 6931, 2.3.6).
            size = (key.key_size + 7) // 8
            if len(value) != 2 * size:
                return False
            numbers = (int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big"))
            key.verify(encode_dss_signature(*numbers), data, ECDSA(hash))
            return True
    except InvalidSignature:
        pass
    return False


def _take_out(root: Element, signature: Element) -> None:
    """Remove the signature, and not the text that follows it."""
    before, tail = signature.getprevious(), signature.tail
    root.remove(signature)
    if tail and before is None:
        root.text = (root.text or "") + tail
    elif tail and before is not None:
        before.tail = (before.tail or "") + tail
