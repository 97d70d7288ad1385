"""SOAP 1.2 envelopes of the INSi service: read with every protection, written as the national service writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from lxml import etree
from msgspec import Struct, field

from ambroise.modules.identity.api import InsiAnswer, InsiFailure
from ambroise.modules.identity.api import insi_failures as failures

Element: TypeAlias = etree._Element  # pyright: ignore[reportPrivateUsage]

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
WSA: Final = "http://www.w3.org/2005/08/addressing"
RECVIT: Final = "http://www.cnamts.fr/INSiRecVit"
RECSANS: Final = "http://www.cnamts.fr/INSiRecSans"
RESULT: Final = "http://www.cnamts.fr/INSiResultat"
VERIFICATION: Final = "urn:ambroise:insi:verification"
CTXLPS: Final = "urn:siram:lps:ctxlps"
SIRAM: Final = "urn:siram"
_SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_MAX_DEPTH: Final = 30


class Assertion(Struct, frozen=True):
    """What the SAML assertion of the header says of the caller."""

    subject: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """One request: its only body element, and what its header says."""

    body: Element
    action: str | None
    message_id: str | None
    software: str | None
    assertion: Assertion | None


def envelope_of(content: bytes) -> Envelope:
    """Read a request. Refuses INSI_MALFORMED: no document type, no entity, no network, no depth without end."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        failures.MALFORMED.raised()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        failures.MALFORMED.raised()
    # The bytes above may be in another encoding than ASCII: the tree knows better.
    if root.getroottree().docinfo.internalDTD is not None or _depth(root) > _MAX_DEPTH:
        failures.MALFORMED.raised()
    if root.tag != f"{{{SOAP}}}Envelope":
        failures.MALFORMED.raised()
    header, body = child(root, SOAP, "Header"), child(root, SOAP, "Body")
    if body is None or len(body) != 1:
        failures.MALFORMED.raised()
    return Envelope(
        body=body[0],
        action=text_of(header, WSA, "Action") if header is not None else None,
        message_id=text_of(header, WSA, "MessageID") if header is not None else None,
        software=_software(header),
        assertion=_assertion(header),
    )


def child(holder: Element, namespace: str, name: str) -> Element | None:
    """The first child of this name."""
    return holder.find(f"{{{namespace}}}{name}")


def children(holder: Element, namespace: str, name: str) -> list[Element]:
    """Every child of this name."""
    return holder.findall(f"{{{namespace}}}{name}")


def text_of(holder: Element, namespace: str, name: str) -> str | None:
    """The text of the first child of this name, without the space around it; None when empty or absent."""
    found = child(holder, namespace, name)
    return ((found.text or "").strip() or None) if found is not None else None


def result(answer: InsiAnswer, *, action: str, relates_to: str | None, message_id: str, at: datetime) -> bytes:
    """The envelope of an answer: CR, and INDIVIDU with the code 00 alone."""
    envelope, body = _envelope(action, relates_to, message_id)
    said = etree.SubElement(body, f"{{{RESULT}}}RESULTAT", nsmap={None: RESULT})  # type: ignore[dict-item]
    code = _add(said, "CR")
    _add(code, "CodeCR", answer.outcome.value)
    _add(code, "LibelleCR", answer.outcome.label)
    one = answer.individual
    if one is not None:
        individual = _add(said, "INDIVIDU")
        _ins(_add(individual, "INSACTIF"), one.ins.matricule, one.ins.oid)
        for former in one.former:
            old = _add(individual, "INSHISTO")
            if former.since:
                _add(old, "DateDeb", former.since.isoformat())
            if former.until:
                _add(old, "DateFin", former.until.isoformat())
            _ins(old, former.ins.matricule, former.ins.oid)
        traits = _add(individual, "TIQ")
        _add(traits, "NomNaissance", one.birth_name)
        _add(traits, "ListePrenom", one.given_names)
        _add(traits, "Sexe", one.sex.value)
        _add(traits, "DateNaissance", one.birth_date.isoformat())
        if one.birth_place:
            _add(traits, "LieuNaissance", one.birth_place)
    return _bytes(envelope)


def fault(failure: InsiFailure) -> bytes:
    """The envelope of a failure."""
    envelope, body = _envelope(None, None, None)
    said = etree.SubElement(body, f"{{{SOAP}}}Fault")
    code = etree.SubElement(said, f"{{{SOAP}}}Code")
    etree.SubElement(code, f"{{{SOAP}}}Value").text = f"S:{'Sender' if failure.of_the_sender else 'Receiver'}"
    subcode = etree.SubElement(code, f"{{{SOAP}}}Subcode")
    etree.SubElement(subcode, f"{{{SOAP}}}Value").text = f"S:{failure.siram}"
    reason = etree.SubElement(etree.SubElement(said, f"{{{SOAP}}}Reason"), f"{{{SOAP}}}Text")
    reason.set(f"{{{_XML}}}lang", "fr")
    reason.text = failure.reason
    detail = etree.SubElement(said, f"{{{SOAP}}}Detail")
    error = etree.SubElement(detail, f"{{{SIRAM}}}Erreur", nsmap={"siram": SIRAM})
    error.set("severite", failure.severity)
    error.set("code", failure.detail)
    error.text = failure.detail_text
    return _bytes(envelope)


def _envelope(action: str | None, relates_to: str | None, message_id: str | None) -> tuple[Element, Element]:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"S": SOAP, "wsa": WSA})
    if action is not None:
        header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
        etree.SubElement(header, f"{{{WSA}}}Action").text = action
        etree.SubElement(header, f"{{{WSA}}}MessageID").text = message_id
        if relates_to is not None:
            etree.SubElement(header, f"{{{WSA}}}RelatesTo").text = relates_to
    return envelope, etree.SubElement(envelope, f"{{{SOAP}}}Body")


def _add(holder: Element, name: str, text: str | None = None) -> Element:
    made = etree.SubElement(holder, f"{{{RESULT}}}{name}")
    made.text = text
    return made


def _ins(holder: Element, matricule: str, oid: str) -> None:
    person = _add(holder, "IdIndividu")
    _add(person, "NumIdentifiant", matricule[:13])
    _add(person, "Cle", matricule[13:])
    _add(holder, "OID", oid)


def _bytes(envelope: Element) -> bytes:
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _software(header: Element | None) -> str | None:
    context = child(header, CTXLPS, "ContexteLPS") if header is not None else None
    software = child(context, CTXLPS, "LPS") if context is not None else None
    return text_of(software, CTXLPS, "IDAM") if software is not None else None


def _assertion(header: Element | None) -> Assertion | None:
    if header is None:
        return None
    found = next(header.iter(f"{{{_SAML}}}Assertion"), None)
    if found is None:
        return None
    subject = found.find(f"{{{_SAML}}}Subject/{{{_SAML}}}NameID")
    attributes = {
        str(one.get("Name", "")): (value.text or "").strip()
        for one in found.iter(f"{{{_SAML}}}Attribute")
        if (value := child(one, _SAML, "AttributeValue")) is not None
    }
    return Assertion((subject.text or "").strip() if subject is not None else "", attributes)


def _depth(root: Element) -> int:
    deepest, waiting = 0, [(root, 1)]
    while waiting:
        element, depth = waiting.pop()
        deepest = max(deepest, depth)
        if deepest > _MAX_DEPTH:
            break
        waiting += [(one, depth + 1) for one in element]
    return deepest
