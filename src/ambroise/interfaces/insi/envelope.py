"""SOAP 1.2 envelopes of the INSi service: read with every protection, written as the national service writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree
from msgspec import Struct, field

from ambroise.interfaces import soap
from ambroise.interfaces.soap import Element, Malformed, child, text_of
from ambroise.modules.identity.api import InsiAnswer, InsiFailure
from ambroise.modules.identity.api import insi_failures as failures

RECVIT: Final = "http://www.cnamts.fr/INSiRecVit"
RECSANS: Final = "http://www.cnamts.fr/INSiRecSans"
RESULT: Final = "http://www.cnamts.fr/INSiResultat"
VERIFICATION: Final = "urn:ambroise:insi:verification"
CTXLPS: Final = "urn:siram:lps:ctxlps"
SIRAM: Final = "urn:siram"
_SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"


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
    try:
        read = soap.read_envelope(content)
    except Malformed:
        failures.MALFORMED.raised()
    return Envelope(
        body=read.body,
        action=read.action,
        message_id=read.message_id,
        software=_software(read.header),
        assertion=_assertion(read.header),
    )


def result(answer: InsiAnswer, *, action: str, relates_to: str | None, message_id: str, at: datetime) -> bytes:
    """The envelope of an answer: CR, and INDIVIDU with the code 00 alone."""
    envelope, body = soap.new_envelope(action, relates_to, message_id)
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
    return soap.to_bytes(envelope)


def fault(failure: InsiFailure) -> bytes:
    """The envelope of a failure."""
    envelope, body = soap.new_envelope(None, None, None)
    code = "Sender" if failure.of_the_sender else "Receiver"
    detail = soap.add_fault(body, code, f"S:{failure.siram}", failure.reason, language="fr")
    error = etree.SubElement(detail, f"{{{SIRAM}}}Erreur", nsmap={"siram": SIRAM})
    error.set("severite", failure.severity)
    error.set("code", failure.detail)
    error.text = failure.detail_text
    return soap.to_bytes(envelope)


def _add(holder: Element, name: str, text: str | None = None) -> Element:
    made = etree.SubElement(holder, f"{{{RESULT}}}{name}")
    made.text = text
    return made


def _ins(holder: Element, matricule: str, oid: str) -> None:
    person = _add(holder, "IdIndividu")
    _add(person, "NumIdentifiant", matricule[:13])
    _add(person, "Cle", matricule[13:])
    _add(holder, "OID", oid)


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
