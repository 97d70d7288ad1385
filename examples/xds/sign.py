"""Sign a submission as software for the DMP does (IHE DSG, XAdES): a signature over the digests of its documents.

`signature` makes the document that signs; `provide.py` sends it with the others. Needs cryptography and lxml. The
digests are SHA-256: a signature with SHA-1 is not counted.
"""

import base64
import hashlib
import uuid
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree

DS, XADES = "http://www.w3.org/2000/09/xmldsig#", "http://uri.etsi.org/01903/v1.3.2#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA, ECDSA = (f"http://www.w3.org/2001/04/xmldsig-more#{name}-sha256" for name in ("rsa", "ecdsa"))


def signature(set_id: str, documents: dict[str, bytes], certificate: bytes, key: bytes) -> bytes:
    """The signature of a submission; `documents` by unique id, `certificate` and `key` in PEM."""
    who, private = x509.load_pem_x509_certificate(certificate), load_pem_private_key(key, None)
    der, id_ = who.public_bytes(Encoding.DER), f"sig-{uuid.uuid4()}"
    method = ECDSA if isinstance(private, ec.EllipticCurvePrivateKey) else RSA
    # The submission has a line without a digest of its own: the national profile has one byte, which is zero.
    lines = f'<Reference URI="urn:oid:{set_id}"><DigestMethod Algorithm="{DIGEST}"/>'
    lines += "<DigestValue>AA==</DigestValue></Reference>"
    for unique_id, content in documents.items():
        transform = f'<Transforms><Transform Algorithm="{C14N}"/></Transforms>' if is_xml(content) else ""
        digest = digest_of(canonical_file(content) if transform else content)
        lines += f'<Reference URI="urn:oid:{unique_id}">{transform}<DigestMethod Algorithm="{DIGEST}"/>'
        lines += f"<DigestValue>{digest}</DigestValue></Reference>"
    root = etree.fromstring(
        f'<Signature xmlns="{DS}" Id="{id_}"><SignedInfo><CanonicalizationMethod Algorithm="{C14N}"/>'
        f'<SignatureMethod Algorithm="{method}"/>'
        + reference("IHEManifest", f"{DS}Manifest")
        + reference("S0-SignedProperties", "http://uri.etsi.org/01903#SignedProperties")
        + "</SignedInfo><SignatureValue/><KeyInfo><X509Data><X509Certificate>"
        + f"{base64.b64encode(der).decode()}</X509Certificate></X509Data></KeyInfo>"
        + f'<Object><Manifest Id="IHEManifest">{lines}</Manifest></Object>'
        + f'<Object><SignatureProperties><SignatureProperty Id="purposeOfSignature" Target="#{id_}">'
        + "1.2.840.10065.1.12.1.14</SignatureProperty></SignatureProperties></Object>"
        + f'<Object><QualifyingProperties xmlns="{XADES}" Target="#{id_}"><SignedProperties Id="S0-SignedProperties">'
        + f"<SignedSignatureProperties><SigningTime>{datetime.now(UTC).isoformat(timespec='seconds')}</SigningTime>"
        + "<SigningCertificate><Cert><CertDigest>"
        + f'<DigestMethod xmlns="{DS}" Algorithm="{DIGEST}"/><DigestValue xmlns="{DS}">{digest_of(der)}</DigestValue>'
        + f'</CertDigest><IssuerSerial><X509IssuerName xmlns="{DS}"/>'
        + f'<X509SerialNumber xmlns="{DS}">{who.serial_number}</X509SerialNumber></IssuerSerial></Cert>'
        + "</SigningCertificate></SignedSignatureProperties></SignedProperties></QualifyingProperties></Object>"
        + "</Signature>"
    )
    for one in root.iterfind(f"{{{DS}}}SignedInfo/{{{DS}}}Reference"):
        target = next(each for each in root.iter() if each.get("Id") == one.get("URI")[1:])
        one.find(f"{{{DS}}}DigestValue").text = digest_of(canonical(target))
    signed = canonical(root.find(f"{{{DS}}}SignedInfo"))
    root.find(f"{{{DS}}}SignatureValue").text = base64.b64encode(signed_by(private, signed)).decode()
    return etree.tostring(root)


def reference(id_: str, kind: str) -> str:
    """What the signature covers, in the same file."""
    return (
        f'<Reference URI="#{id_}" Type="{kind}"><Transforms><Transform Algorithm="{C14N}"/></Transforms>'
        f'<DigestMethod Algorithm="{DIGEST}"/><DigestValue/></Reference>'
    )


def signed_by(key: object, content: bytes) -> bytes:
    """The value of the signature; XML wants the two numbers of ECDSA side by side."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), SHA256())
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    length = (key.curve.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(SHA256())))
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def canonical(element: etree._Element) -> bytes:
    """The canonical form of an element by itself: read again, so that it declares the namespaces that it inherits."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n", with_comments=True)


def canonical_file(content: bytes) -> bytes:
    """The canonical form of a whole document, with what stands before and after its root."""
    return etree.tostring(etree.fromstring(content).getroottree(), method="c14n", with_comments=True)


def digest_of(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def is_xml(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
