"""Making an assertion, as a software of professionals does: for demonstrations, tests, and those who write one."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from cryptography import x509
from lxml import etree
from msgspec import Struct

from ambroise.modules.identity.vihf import model
from ambroise.modules.identity.vihf.model import DSIG, HL7, SAML, XSI, Mode
from ambroise.trust.context import Professional, Purpose

Element = etree._Element  # pyright: ignore[reportPrivateUsage]


class Making(Struct, frozen=True):
    """What an assertion is to say beside who it is about; `patient` is a CX."""

    mode: Mode = Mode.DIRECT
    purpose: Purpose = Purpose.NORMAL
    reason: str | None = None
    patient: str | None = None
    secret: bool = False
    audience: str | None = None


def make(who: Professional, issuer: str, at: datetime, said: Making = Making()) -> Element:  # noqa: B008 - frozen.
    """An assertion about a professional, not signed yet; `issuer` is the subject of the certificate that will sign."""
    instant = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    root = etree.Element(_saml("Assertion"), nsmap={"saml": SAML})
    root.set("ID", f"_{uuid4()}")
    root.set("IssueInstant", instant)
    root.set("Version", "2.0")
    _add(root, "Issuer", issuer).set("Format", model.X509_NAME)
    etree.SubElement(root, f"{{{DSIG}}}Signature", nsmap={"ds": DSIG}).set("Id", "placeholder")
    subject = _add(root, "Subject")
    _add(subject, "NameID", who.id)
    restriction = _add(_add(root, "Conditions"), "AudienceRestriction")
    _add(restriction, "Audience", said.audience)
    statement = _add(root, "AuthnStatement")
    statement.set("AuthnInstant", instant)
    _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient")
    attributes = _add(root, "AttributeStatement")
    texts = {
        "VIHF_Version": "4.0",
        "Authentification_Mode": said.mode.value,
        "Identifiant_Structure": who.organization,
        model.SUBJECT_ID: who.name,
        model.RESOURCE_ID: said.patient,
        "Ressource_URN": model.DMP,
        "LPS_Nom": "Ambroise",
        "LPS_Version": "1",
        model.CONFIDENTIALITY: model.SECRET if said.secret else None,
    }
    for name, text in texts.items():
        if text:
            _add(_attribute(attributes, name), "AttributeValue", text)
    _coded(_attribute(attributes, model.ROLE), "Role", who.profession, who.profession_system)
    purpose = _coded(_attribute(attributes, model.PURPOSE), "PurposeOfUse", said.purpose.value, model.ACCESS_MODES)
    purpose.set("codeSystemName", "mode acces VIHF 2.0")
    if said.reason:
        etree.SubElement(purpose, f"{{{HL7}}}originalText").text = said.reason
    return root


def sign(assertion: Element, certificate: bytes, key: bytes) -> bytes:
    """The assertion with its signature; certificate and key are in PEM."""
    from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.signer import XMLSigner

    loaded = x509.load_pem_x509_certificate(certificate)
    algorithm = loaded.public_key().__class__.__name__
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256 if "RSA" in algorithm else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = signer.sign(  # pyright: ignore[reportUnknownMemberType]
        assertion, key=key, cert=[loaded], reference_uri=str(assertion.get("ID")), id_attribute="ID"
    )
    return etree.tostring(signed)


def _attribute(holder: Element, name: str) -> Element:
    made = _add(holder, "Attribute")
    made.set("Name", name)
    return made


def _coded(attribute: Element, name: str, code: str, system: str) -> Element:
    value = _add(attribute, "AttributeValue")
    made = etree.SubElement(value, f"{{{HL7}}}{name}", nsmap={None: HL7, "xsi": XSI})  # type: ignore[dict-item]
    made.set(f"{{{XSI}}}type", "CE")
    made.set("code", code)
    made.set("codeSystem", system)
    return made


def _add(holder: Element, name: str, text: str | None = None) -> Element:
    made = etree.SubElement(holder, _saml(name))
    made.text = text
    return made


def _saml(name: str) -> str:
    return f"{{{SAML}}}{name}"
