"""The signature of an assertion: what our own reader of the usual form believes, signxml believes, and nothing more.

Each case is checked twice: as it comes, and with every form left to signxml. Both must say the same, to the byte.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.vihf import plain, signature
from ambroise.modules.identity.vihf.api import make, sign
from ambroise.trust.context import Professional

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DS = "{http://www.w3.org/2000/09/xmldsig#}"
WHO = Professional("801234567897", "01234567897", "Camille Essai", "10", organization="1750803447")


class Everybody(Authorities):
    """Believes every certificate: here only signatures are in question."""

    def issued(self, found: x509.Certificate, now: datetime, *, commits: bool = False) -> bool:
        return True


class Key:
    """A key with its certificate, in PEM."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, WHO.id)])
        made = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + timedelta(days=1))
        self.certificate = made.sign(key, SHA256()).public_bytes(Encoding.PEM)
        self.pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def keys() -> dict[str, Key]:
    return {
        "p256": Key(ec.generate_private_key(ec.SECP256R1())),
        "p521": Key(ec.generate_private_key(ec.SECP521R1())),
        "rsa": Key(rsa.generate_private_key(65537, 2048)),
    }


@cache
def assertion(kind: str = "p256") -> bytes:
    key = keys()[kind]
    return sign(make(WHO, f"CN={WHO.id}", NOW), key.certificate, key.pem)


def signed_as(method: str, digest: str, form: str = "EXCLUSIVE_XML_CANONICALIZATION_1_0", kind: str = "p256") -> bytes:
    """An assertion signed in another way."""
    made = make(WHO, f"CN={WHO.id}", NOW)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod[method],
        digest_algorithm=DigestAlgorithm[digest],
        c14n_algorithm=CanonicalizationMethod[form],
    )
    key = keys()[kind]
    certificate = x509.load_pem_x509_certificate(key.certificate)
    return etree.tostring(
        signer.sign(made, key=key.pem, cert=[certificate], reference_uri=str(made.get("ID")), id_attribute="ID")
    )


def said(written: bytes) -> str | bytes:
    """The assertion that is believed, canonical, or the code of the refusal."""
    try:
        found = signature.verified(written, Everybody(None), Revocations(None), NOW)
    except Refusal as refusal:
        return refusal.code
    return etree.tostring(found.root, method="c14n")


def agreed(written: bytes) -> str | bytes:
    """What both say."""
    ours = said(written)
    with patch.object(plain, "read", return_value=None):
        theirs = said(written)
    assert ours == theirs
    return ours


def is_plain(written: bytes) -> bool:
    return plain.read(etree.fromstring(written, etree.XMLParser(remove_comments=True))) is not None


@pytest.mark.parametrize("kind", ["p256", "p521", "rsa"])
def test_what_our_software_signs_is_of_the_usual_form(kind: str) -> None:
    assert is_plain(assertion(kind))
    assert isinstance(agreed(assertion(kind)), bytes)


@pytest.mark.parametrize(
    ("method", "digest", "kind", "usual"),
    [
        ("ECDSA_SHA384", "SHA512", "p256", True),
        ("ECDSA_SHA512", "SHA384", "p521", True),
        ("RSA_SHA512", "SHA256", "rsa", True),
        ("SHA256_RSA_MGF1", "SHA256", "rsa", False),
    ],
)
def test_each_method_that_is_taken_is_believed(method: str, digest: str, kind: str, usual: bool) -> None:
    written = signed_as(method, digest, kind=kind)
    assert is_plain(written) is usual
    assert isinstance(agreed(written), bytes)


@pytest.mark.parametrize(
    ("method", "digest", "form"),
    [
        ("ECDSA_SHA224", "SHA256", "EXCLUSIVE_XML_CANONICALIZATION_1_0"),
        ("ECDSA_SHA256", "SHA224", "EXCLUSIVE_XML_CANONICALIZATION_1_0"),
        ("ECDSA_SHA256", "SHA3_256", "EXCLUSIVE_XML_CANONICALIZATION_1_0"),
        ("ECDSA_SHA256", "SHA256", "CANONICAL_XML_1_0"),
    ],
)
def test_other_methods_are_not(method: str, digest: str, form: str) -> None:
    assert agreed(signed_as(method, digest, form)) == "VIHF_SIGNATURE"


def replaced(pattern: str, by: str) -> Callable[[bytes], bytes]:
    return lambda written: re.sub(pattern.encode(), by.encode(), written, flags=re.DOTALL)


OTHER_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "spaces between its parts": replaced(r"(<ds:(KeyInfo|X509Data|SignatureValue)>)", r"\n \1\r\n"),
    "lines in the base64": replaced(r"<ds:SignatureValue>(.{10})", r"<ds:SignatureValue>\n \1\n"),
    "comments anywhere": replaced(r"(<(saml:NameID|ds:DigestValue|ds:KeyInfo)>)", r"\1<!-- x -->"),
    "a text after the signature": replaced("</ds:Signature>", "</ds:Signature> "),
    "an id": replaced("<ds:Signature ", '<ds:Signature Id="s" '),
    "a name of the key": replaced("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>k</ds:KeyName>"),
    "an object": replaced("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object>more</ds:Object>"),
    "text in the key info": replaced("<ds:KeyInfo>", "<ds:KeyInfo>k"),
    "an attribute": replaced("<ds:X509Data>", '<ds:X509Data other="1">'),
    "something beside the base64": replaced("<ds:SignatureValue>", "<ds:SignatureValue>*"),
    "half a signature": replaced("<ds:SignatureValue>.{8}", "<ds:SignatureValue>"),
    "no signature value": replaced("<ds:SignatureValue>.*</ds:SignatureValue>", ""),
    "an empty reference": replaced('URI="[^"]*"', 'URI=""'),
    "no reference": replaced("<ds:Reference.*</ds:Reference>", ""),
    "the reference twice": replaced("(<ds:Reference.*</ds:Reference>)", r"\1\1"),
    "the id twice": replaced("<saml:Subject>", '<saml:Subject ID="_x">'),
    "an instruction in the name": replaced("801234567897</saml:NameID>", "80123<?x?>4567897</saml:NameID>"),
    "a comment that cuts the name": replaced("801234567897</saml:NameID>", "80123<!---->4567897</saml:NameID>"),
    "two signatures": replaced("(<ds:Signature.*</ds:Signature>)", r"\1\1"),
    "the signature further in": replaced("(<ds:Signature .*</ds:Signature>)(<saml:Subject>)", r"\2\1"),
    "another certificate": lambda written: written.replace(_certificate("p256"), _certificate("p521")),
    "a key of another sort": lambda written: written.replace(_certificate("p256"), _certificate("rsa")),
    "another method": replaced("#ecdsa-sha256", "#rsa-sha256"),
    "a weaker digest": replaced("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"),
    "a namespace that is no address": replaced('xmlns="urn:hl7-org:v3"', 'xmlns="v3"'),
    "the transforms the other way round": replaced("(<ds:Transform [^>]*/>)(<ds:Transform [^>]*/>)", r"\2\1"),
}


def _certificate(kind: str) -> bytes:
    found = etree.fromstring(assertion(kind)).findtext(f".//{DS}X509Certificate")
    assert found
    return found.encode()


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_both_say_the_same_of_other_forms(form: str) -> None:
    agreed(OTHER_FORMS[form](assertion()))


def test_what_is_outside_of_what_is_signed_may_differ_and_nothing_else() -> None:
    believed = {form for form in OTHER_FORMS if isinstance(agreed(OTHER_FORMS[form](assertion())), bytes)}
    assert believed == {
        "spaces between its parts",
        "lines in the base64",
        "comments anywhere",
        "an id",
        "a name of the key",
        "an object",
        "text in the key info",
        "something beside the base64",
        "a comment that cuts the name",
    }
    # What is read is what was signed, wherever a comment cuts it.
    assert agreed(OTHER_FORMS["a comment that cuts the name"](assertion())) == agreed(assertion())


def _wrap(written: bytes, how: str) -> bytes:
    """The known ways of wrapping a signed element (XSW): what is signed moves, and a forged one takes its place."""
    signed = etree.fromstring(written)
    mark = signed.find(f"{DS}Signature")
    assert mark is not None
    forged, inner = deepcopy(signed), deepcopy(signed)
    for one in (forged, inner):
        own = one.find(f"{DS}Signature")
        assert own is not None
        one.remove(own)
    name = forged.find(".//{*}NameID")
    assert name is not None
    name.text = "899999999999"
    if "same id" not in how:
        forged.set("ID", "_forged")
    sign_of = deepcopy(mark)
    if "in an object" in how:
        etree.SubElement(sign_of, f"{DS}Object").append(inner)
        forged.insert(1, sign_of)
    elif "in the key info" in how:
        key_info = sign_of.find(f"{DS}KeyInfo")
        assert key_info is not None
        key_info.append(inner)
        forged.insert(1, sign_of)
    elif "whole inside" in how:
        forged.append(signed)
    else:
        etree.SubElement(forged, "{urn:oasis:names:tc:SAML:2.0:assertion}Advice").append(inner)
        forged.insert(1, sign_of)
    return etree.tostring(forged)


@pytest.mark.parametrize("place", ["beside", "in an object", "in the key info", "whole inside"])
@pytest.mark.parametrize("id", ["another id", "same id"])
def test_what_is_wrapped_is_never_believed(place: str, id: str) -> None:
    assert agreed(_wrap(assertion(), f"{place}, {id}")) == "VIHF_SIGNATURE"


def _element(draw: st.DrawFn, root: Any) -> Any:
    return draw(st.sampled_from([one for one in root.iter() if isinstance(one.tag, str)]))


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """An assertion with one to three changes to its tree or to its text."""
    root = etree.fromstring(assertion(draw(st.sampled_from(["p256", "rsa"]))))
    for _ in range(draw(st.integers(1, 3))):
        one = _element(draw, root)
        other = _element(draw, root)
        match draw(st.sampled_from(["move", "copy", "drop", "text", "tail", "attribute", "comment", "tag"])):
            case "move" if one is not root and one not in other.iterancestors() and one is not other:
                other.insert(draw(st.integers(0, len(other))), one)
            case "copy":
                other.append(deepcopy(one))
            case "drop" if one is not root:
                one.getparent().remove(one)
            case "text":
                one.text = draw(st.sampled_from(["", " ", "\n", "x", "AAAA", "\u00a0"])) + (one.text or "")
            case "tail" if one is not root:
                one.tail = draw(st.sampled_from([" ", "\n", "x"]))
            case "attribute":
                name = draw(st.sampled_from([*one.attrib, "ID", "Id", "URI", "Algorithm"]))
                one.set(name, draw(st.sampled_from([*other.attrib.values(), str(root.get("ID")), "#", "x"])))
            case "comment":
                one.insert(0, draw(st.sampled_from([etree.Comment("x"), etree.ProcessingInstruction("x", "y")])))
            case "tag":
                one.tag = other.tag
            case _:
                pass
    return etree.tostring(root)


@settings(max_examples=120, deadline=None)
@given(changed())
def test_both_say_the_same_of_whatever_was_changed(written: bytes) -> None:
    answer = agreed(written)
    if isinstance(answer, bytes):
        assert answer in {agreed(assertion("p256")), agreed(assertion("rsa"))}


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_both_say_the_same_of_whatever_byte_was_changed(data: st.DataObject) -> None:
    written = bytearray(assertion())
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(written) - 1))
        written[place] = data.draw(st.sampled_from(b"Aa0 <>/=\"'&;#\r\n\xff") | st.integers(0, 255))
    agreed(bytes(written))
