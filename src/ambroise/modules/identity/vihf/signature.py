"""Whether an assertion is signed, all of it, by a certificate that is believed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cryptography import x509
from lxml import etree
from msgspec import Struct

from ambroise.kernel.crypto.canonical import is_affordable, is_usual
from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.modules.identity.vihf import plain, refusals
from ambroise.modules.identity.vihf.model import DSIG, SAML
from ambroise.modules.identity.vihf.signer import Signer, signer_of

Element = etree._Element  # pyright: ignore[reportPrivateUsage]
_ASSERTION: Final = f"{{{SAML}}}Assertion"
_TRANSFORMS: Final = frozenset(
    {
        plain.ENVELOPED,
        plain.EXCLUSIVE,
        f"{plain.EXCLUSIVE}WithComments",
    }
)
_METHODS: Final = (
    *("ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512", "RSA_SHA256", "RSA_SHA384", "RSA_SHA512"),
    *("SHA256_RSA_MGF1", "SHA384_RSA_MGF1", "SHA512_RSA_MGF1"),
)


class Signed(Struct, frozen=True):
    """What was signed, and who signed it."""

    root: Element
    signer: Signer


def verified(written: bytes, authorities: Authorities, revocations: Revocations, now: datetime) -> Signed:
    """The assertion as it was signed. Refuses VIHF_SIGNATURE, VIHF_CERTIFICATE, VIHF_MALFORMED."""
    root = _parsed(written)
    signer = _signer(root)
    usual = plain.read(root)
    if usual is None:
        _check_transforms(root)
    if not signer.is_believed(authorities, revocations, now):
        raise refusals.certificate()
    name = root.get("ID")
    signed = _signed(root, signer.certificate, now) if usual is None else _read_again(usual.signed_by(signer.key))
    # What is read is what was signed: the whole assertion, and nothing beside it.
    if signed is None or signed.tag != _ASSERTION or signed.get("ID") != name:
        raise refusals.signature()
    return Signed(signed, signer)


def _read_again(signed: bytes | None) -> Element | None:
    """The assertion of the very bytes that were signed."""
    return etree.fromstring(signed, _parser()) if signed is not None else None


def _signed(root: Element, found: x509.Certificate, now: datetime) -> Element | None:
    """What a signature of another form covers. Refuses VIHF_SIGNATURE."""
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


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)


def _parsed(written: bytes) -> Element:
    try:
        root = etree.fromstring(written, _parser())
    except etree.XMLSyntaxError:
        raise refusals.malformed("it is XML") from None
    if root.tag != _ASSERTION:
        raise refusals.malformed("it is an assertion of SAML 2.0")
    if not is_usual(written) and not is_affordable(root):
        raise refusals.malformed("it has few namespaces in scope, and few attributes an element")
    return root


def _signer(root: Element) -> Signer:
    """Who the first certificate of the signature's KeyInfo is of."""
    place = f"{{{DSIG}}}Signature/{{{DSIG}}}KeyInfo/{{{DSIG}}}X509Data/{{{DSIG}}}X509Certificate"
    try:
        return signer_of(root.findtext(place) or "")
    except ValueError:
        raise refusals.signature() from None


def _check_transforms(root: Element) -> None:
    """Nothing but what SAML allows (SAML 2.0 core, 5.4.4): a transform could leave out what will be read."""
    used = {one.get("Algorithm") for one in root.iterfind(f"{{{DSIG}}}Signature//{{{DSIG}}}Transform")}
    if not used <= _TRANSFORMS or len(root.findall(f"{{{DSIG}}}Signature")) != 1:
        raise refusals.signature()
