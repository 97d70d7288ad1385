"""Requests of XDS.b: each with an assertion of its own, since one opens one request."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography import x509
from lxml import etree
from msgspec.structs import replace

from ambroise.interfaces.demonstration import examples
from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import Citizen, Professional
from ambroise.interfaces.demonstration.newcomers import actor_of
from ambroise.interfaces.xds.ebrim import Association, RegistryObject, code, write_association, write_object
from ambroise.interfaces.xds.entries import entry_of
from ambroise.interfaces.xds.names import (
    HAS_MEMBER,
    LCM,
    RIM,
    SET_CONTENT_TYPE,
    SET_PATIENT,
    SET_SOURCE,
    SET_UNIQUE_ID,
    SUBMISSION_SET,
    WSSE,
    tag,
)
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.crypto.authority import DemonstrationAuthority, Issued
from ambroise.modules.identity.ins import TEST_OID
from ambroise.modules.identity.vihf.api import Making, make, sign
from bench.client import Parts

SUCCESS = b"ResponseStatusType:Success"
_BOUNDARY = "bench-boundary"
_FIND = "14d4debf-8f97-4251-9a74-a90016b0af0d"
_APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"


@dataclass
class Caller:
    """Signs for professionals, with certificates of the instance's own authority."""

    pki: Path
    host: str
    _certificates: dict[str, Issued] = field(default_factory=dict)

    def request(self, who: Professional, path: str, action: str, body: bytes, document: Parts = ()) -> Parts:
        """A request, its document in a part."""
        envelope = self._envelope(who, action, body)
        media = "application/soap+xml"
        parts: Parts = (envelope,)
        if document:
            media = f'multipart/related; boundary={_BOUNDARY}; type="application/xop+xml"; start="<root@bench>"'
            parts = (_part("application/xop+xml", "root@bench") + envelope + b"\r\n", _part("text/xml", "d@bench"))
            parts = (*parts, *document, f"\r\n--{_BOUNDARY}--\r\n".encode())
        length = sum(map(len, parts))
        head = f"POST {path} HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n"
        return (head.encode(), *parts)

    def provide(self, who: Professional, said: Provide, uid: str, document: Parts) -> Parts:
        """ITI-41 of one document, in two pieces, under a unique id of its own."""
        action = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
        return self.request(who, "/xds/repository", action, said.with_uid(uid, *document), document)

    def find(self, who: Professional, citizen: Citizen) -> Parts:
        """ITI-18: references to every document in force of a patient."""
        return self.request(who, "/xds/registry", "urn:ihe:iti:2007:RegistryStoredQuery", find(citizen))

    def _envelope(self, who: Professional, action: str, body: bytes) -> bytes:
        return (
            b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            b'xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>'
            + f"<a:Action>{action}</a:Action><a:MessageID>{uuid4().urn}</a:MessageID>".encode()
            + f'<w:Security xmlns:w="{WSSE}">'.encode()
            + self._assertion(who)
            + b"</w:Security></s:Header><s:Body>"
            + body
            + b"</s:Body></s:Envelope>"
        )

    def _assertion(self, who: Professional) -> bytes:
        issued = self._certificates.get(who.rpps)
        if issued is None:
            authority = DemonstrationAuthority.open(self.pki)
            issued = self._certificates[who.rpps] = authority.issue_person(f"8{who.rpps}", who.family, who.given)
        issuer = x509.load_pem_x509_certificate(issued.certificate).subject.rfc4514_string()
        made = make(actor_of(who), issuer, datetime.now(UTC), Making())
        return sign(made, issued.certificate, issued.key)


@dataclass(frozen=True)
class Provide:
    """The body of an ITI-41 of one document; the unique id and the hash are those of a template."""

    uid: bytes
    hash: bytes
    body: bytes

    @staticmethod
    def of(document: Document, cda: bytes) -> Provide:
        """What the metadata of a document say, as XDS writes them."""
        reference: dict[str, Any] = examples.provide_bundle(document, cda)["entry"][1]["resource"]
        patient = Cx(document.citizen.matricule, TEST_OID, "NH")
        known = {**reference, "id": str(uuid4()), "meta": {"versionId": "1"}}
        made = entry_of(known, patient, "1.2.3")
        slots = {name: values for name, values in made.slots.items() if name != "repositoryUniqueId"}
        entry = replace(made, id="entry", logical_id=None, version=None, status=None, slots=slots)
        request = etree.Element(tag(LCM, "SubmitObjectsRequest"), nsmap={"lcm": LCM, "rim": RIM})
        listed = etree.SubElement(request, tag(RIM, "RegistryObjectList"))
        listed.append(write_object(entry, "ExtrinsicObject"))
        listed.append(write_object(_set(patient, document.uid, slots["creationTime"]), "RegistryPackage"))
        listed.append(write_association(Association("member", HAS_MEMBER, "set", "entry", {})))
        body = (
            b'<x:ProvideAndRegisterDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007">'
            + etree.tostring(request)
            + b'<x:Document id="entry"><i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:d@bench"/>'
            b"</x:Document></x:ProvideAndRegisterDocumentSetRequest>"
        )
        return Provide(document.uid.encode(), _sha1(cda), body)

    def with_uid(self, uid: str, head: bytes, tail: bytes) -> bytes:
        """The body for another unique id of the same length, of a document in two pieces."""
        return self.body.replace(self.uid, uid.encode()).replace(self.hash, _sha1(head, tail))


def find(citizen: Citizen) -> bytes:
    """The body of FindDocuments: references to every document in force of a patient (ITI-18)."""
    slots = {
        "$XDSDocumentEntryPatientId": f"'{citizen.matricule}^^^&amp;{TEST_OID}&amp;ISO^NH'",
        "$XDSDocumentEntryStatus": f"('{_APPROVED}')",
    }
    said = "".join(
        f'<rim:Slot name="{name}"><rim:ValueList><rim:Value>{value}</rim:Value></rim:ValueList></rim:Slot>'
        for name, value in slots.items()
    )
    return (
        '<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" '
        f'xmlns:rim="{RIM}"><q:ResponseOption returnComposedObjects="true" returnType="ObjectRef"/>'
        f'<rim:AdhocQuery id="urn:uuid:{_FIND}">{said}</rim:AdhocQuery></q:AdhocQueryRequest>'
    ).encode()


def _set(patient: Cx, uid: str, at: tuple[str, ...]) -> RegistryObject:
    # Its unique id begins with that of the document: both change together.
    return RegistryObject(
        id="set",
        name="Lot",
        description=None,
        slots={"submissionTime": at},
        classifications=(
            code(SET_CONTENT_TYPE, "07", "1.2.250.1.213.2.2", "07"),
            code(SUBMISSION_SET, "", "", None),
        ),
        external={SET_PATIENT: str(patient), SET_SOURCE: "1.2.250.1.999.1", SET_UNIQUE_ID: f"{uid}.1"},
    )


def _part(media: str, name: str) -> bytes:
    head = f"Content-Type: {media}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
    return f"--{_BOUNDARY}\r\n{head}".encode()


def _sha1(*pieces: bytes) -> bytes:
    digest = hashlib.sha1(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest().encode()
