"""A client of `/xds` for tests: assertions, envelopes, MTOM, written apart from the code that reads them."""

import base64
import hashlib
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import httpx
from cryptography import x509
from lxml import etree

from ambroise.kernel.crypto.authority import DemonstrationAuthority, Issued
from ambroise.modules.identity.vihf.api import Making, make, sign
from ambroise.trust.context import Professional
from tests.support.server import House

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://www.w3.org/2005/08/addressing",
    "rim": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
    "rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0",
    "query": "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0",
    "xdsb": "urn:ihe:iti:xds-b:2007",
    "xop": "http://www.w3.org/2004/08/xop/include",
}
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
PROVIDE = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
RETRIEVE = "urn:ihe:iti:2007:RetrieveDocumentSet"
QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE = "urn:ihe:iti:2010:UpdateDocumentSet"
LEAF = "LeafClass"
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"


@dataclass
class Answer:
    """What came back: the HTTP answer, the envelope, the parts by Content-ID."""

    http: httpx.Response
    envelope: Any
    parts: dict[str, bytes] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return next(self.envelope.iterfind(".//*[@status]")).get("status")

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(code of XDS, code of ours) of each error."""
        found = self.envelope.iterfind(".//rs:RegistryError", NS)
        return [(one.get("errorCode"), one.get("codeContext").partition(":")[0]) for one in found]

    @property
    def fault(self) -> str | None:
        """Our code in a SOAP fault."""
        found = self.envelope.find(".//s:Fault/s:Detail/*", NS)
        return found.get("code") if found is not None else None

    @property
    def entries(self) -> list[Any]:
        return self.envelope.findall(".//rim:ExtrinsicObject", NS)

    def ids(self, name: str) -> list[str]:
        """The ids of the registry objects of this name."""
        return [one.get("id") for one in self.envelope.iterfind(f".//rim:RegistryObjectList/rim:{name}", NS)]


class Software:
    """The software of one professional, with the certificate that signs the assertions."""

    def __init__(self, house: House, who: Professional, http: httpx.AsyncClient | None = None) -> None:
        self.house = house
        self.who = who
        self.authority = DemonstrationAuthority.open(house.services.settings.demonstration_pki)
        self.certificate: Issued = self.authority.issue_person(who.id, "ESSAI", "Camille")
        self._http = http or httpx.AsyncClient(
            transport=httpx.ASGITransport(app=house.app), base_url="http://test.example"
        )

    def assertion(self, said: Making | None = None, **changes: Any) -> bytes:
        """A fresh assertion."""
        issuer = x509.load_pem_x509_certificate(self.certificate.certificate).subject.rfc4514_string()
        at = changes.pop("at", self.house.services.clock.now())
        made = make(changes.pop("who", self.who), changes.pop("issuer", issuer), at, said or Making())
        return sign(made, self.certificate.certificate, self.certificate.key)

    async def call(
        self,
        path: str,
        action: str,
        body: str,
        parts: dict[str, bytes] | None = None,
        *,
        assertion: bytes | None = None,
    ) -> Answer:
        """Send one request."""
        envelope = enveloped(action, body, self.assertion() if assertion is None else assertion)
        if parts is None:
            content, media_type = envelope, "application/soap+xml; charset=utf-8"
        else:
            content, media_type = mtom(envelope, parts)
        return read(await self.post(path, content, media_type))

    async def post(self, path: str, content: bytes, media_type: str) -> httpx.Response:
        """Send bytes."""
        return await self._http.post(path, content=content, headers={"content-type": media_type})


def enveloped(action: str, body: str, assertion: bytes) -> bytes:
    """A SOAP 1.2 envelope."""
    return (
        f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:a="{NS["a"]}"><s:Header>'
        f'<a:Action s:mustUnderstand="1">{action}</a:Action><a:MessageID>urn:uuid:{uuid4()}</a:MessageID>'
        f'<w:Security xmlns:w="{_WSSE}" s:mustUnderstand="true">'.encode()
        + assertion
        + b"</w:Security></s:Header><s:Body>"
        + body.encode()
        + b"</s:Body></s:Envelope>"
    )


def mtom(envelope: bytes, parts: dict[str, bytes]) -> tuple[bytes, str]:
    """A request in parts, and its media type."""
    boundary = f"b-{uuid4()}"
    content = (
        f'--{boundary}\r\nContent-Type: application/xop+xml; type="application/soap+xml"\r\n'
        "Content-Transfer-Encoding: 8bit\r\nContent-ID: <root@test>\r\n\r\n"
    ).encode() + envelope
    for name, part in parts.items():
        content += (
            f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
        ).encode() + part
    content += f"\r\n--{boundary}--\r\n".encode()
    media = (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<root@test>"; '
        'start-info="application/soap+xml"'
    )
    return content, media


def read(answer: httpx.Response) -> Answer:
    """An answer, in parts or not."""
    media_type = answer.headers.get("content-type", "")
    if not media_type.startswith("multipart/"):
        return Answer(answer, etree.fromstring(answer.content))
    message = message_from_bytes(b"Content-Type: " + media_type.encode() + b"\r\n\r\n" + answer.content)
    found: list[Any] = message.get_payload()  # type: ignore[assignment]
    parts = {str(one["Content-ID"]).strip("<>"): one.get_payload(decode=True) for one in found}
    root = parts.pop(str(found[0]["Content-ID"]).strip("<>"))
    return Answer(answer, etree.fromstring(root), parts)


@dataclass
class Entry:
    """A DocumentEntry as a sender writes it, with what a consultation letter of the examples says."""

    content: bytes
    unique_id: str
    patient: str = "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
    author: str = "801234567897^AUTEUR-EXEMPLE^Charles^^^DR^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    id: str = "entry-1"
    mime_type: str = "text/xml"
    type: tuple[str, str] = ("11488-4", "2.16.840.1.113883.6.1")
    class_: tuple[str, str] = ("10", "1.2.250.1.213.1.1.4.1")
    format: str = "urn:ihe:iti:xds-sd:pdf:2008"
    title: str = "Compte rendu de consultation"
    flags: tuple[str, ...] = ()
    slots: dict[str, str | None] = field(default_factory=dict)
    replaces: str | None = None
    structure: str = "1750803447"

    def xml(self) -> str:
        sha1 = hashlib.sha1(self.content, usedforsecurity=False).hexdigest()
        slots = {
            "creationTime": "20260115093000",
            "languageCode": "fr-FR",
            "serviceStartTime": "20260115091000",
            "serviceStopTime": "20260115093000",
            "sourcePatientId": "0351215189^^^&2.25.1052470340049222730073704739799062558&ISO^PI",
            "sourcePatientInfo": "PID-5|PAT-TROIS^DOMINIQUE^MARIE-LOUISE^^^^L",
            "legalAuthenticator": self.author,
            "hash": sha1,
            "size": str(len(self.content)),
            **self.slots,
        }
        flags = "".join(
            code("f4f85eac-e6cb-4883-b524-f2705394840f", flag, "1.2.250.1.213.1.1.4.13", self.id) for flag in self.flags
        )
        author = (
            f'<rim:Classification id="a-{self.id}" classifiedObject="{self.id}" nodeRepresentation="" '
            'classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d">'
            + slot("authorPerson", self.author)
            + slot("authorInstitution", f"Cabinet^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^{self.structure}")
            + slot("authorSpecialty", "G15_10/SM54^Médecine générale^1.2.250.1.213.1.1.4.5")
            + "</rim:Classification>"
        )
        return (
            f'<rim:ExtrinsicObject id="{self.id}" mimeType="{self.mime_type}" '
            'objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
            + "".join(slot(name, value) for name, value in slots.items() if value is not None)
            + f'<rim:Name><rim:LocalizedString value="{escape(self.title)}"/></rim:Name>'
            + author
            + code("41a5887f-8865-4c09-adf7-e362475b143a", *self.class_, self.id)
            + code("f4f85eac-e6cb-4883-b524-f2705394840f", "N", "2.16.840.1.113883.5.25", self.id)
            + flags
            + code("a09d5840-386c-46f2-b5ad-9c3699a4309d", self.format, "1.2.250.1.213.1.1.4.2.282", self.id)
            + code("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "SA07", "1.2.250.1.71.4.2.4", self.id)
            + code("cccf5598-8b07-4b77-a05e-ae952c785ead", "AMBULATOIRE", "1.2.250.1.213.1.1.4.9", self.id)
            + code("f0306f51-975f-434e-a61c-c59651d33983", *self.type, self.id)
            + external("58a6f841-87b3-4a3e-92fd-a8ffeff98427", self.patient, self.id)
            + external("2e82c1f6-a085-4c72-9da3-8640a32e42ab", self.unique_id, self.id)
            + "</rim:ExtrinsicObject>"
        )


def submission(
    *entries: Entry,
    patient: str | None = None,
    documents: str | None = None,
    inline: bool = False,
    set_id: str | None = None,
) -> str:
    """The body of an ITI-41."""
    patient = patient or entries[0].patient
    members = "".join(
        f'<rim:Association id="h-{one.id}" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" '
        f'sourceObject="set" targetObject="{one.id}">{slot("SubmissionSetStatus", "Original")}</rim:Association>'
        for one in entries
    )
    replaced = "".join(
        f'<rim:Association id="r-{one.id}" associationType="urn:ihe:iti:2007:AssociationType:RPLC" '
        f'sourceObject="{one.id}" targetObject="{one.replaces}"/>'
        for one in entries
        if one.replaces
    )
    if documents is None:
        documents = "".join(
            f'<x:Document id="{one.id}">'
            + (
                base64.b64encode(one.content).decode()
                if inline
                else f'<xop:Include xmlns:xop="{NS["xop"]}" href="cid:{one.id}%40test"/>'
            )
            + "</x:Document>"
            for one in entries
        )
    return (
        f'<x:ProvideAndRegisterDocumentSetRequest xmlns:x="{NS["xdsb"]}" xmlns:rim="{NS["rim"]}">'
        '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><rim:RegistryObjectList>'
        + "".join(one.xml() for one in entries)
        + '<rim:RegistryPackage id="set">'
        + slot("submissionTime", "20260115093000")
        + '<rim:Name><rim:LocalizedString value="Lot"/></rim:Name>'
        + code("aa543740-bdda-424e-8c96-df4873be8500", "07", "1.2.250.1.213.2.2", "set")
        + external("6b5aea1a-874d-4603-a4bc-96a0a7b38446", patient, "set")
        + external("554ac39e-e3fe-47fe-b233-965d2a147832", "1.2.250.1.999.1", "set")
        + external("96fdda7c-d067-4183-912e-bf5ee74998a8", set_id or f"2.25.{uuid4().int}", "set")
        + '</rim:RegistryPackage><rim:Classification id="node" classifiedObject="set" '
        'classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>'
        + members
        + replaced
        + "</rim:RegistryObjectList></lcm:SubmitObjectsRequest>"
        + documents
        + "</x:ProvideAndRegisterDocumentSetRequest>"
    )


def parts_of(*entries: Entry) -> dict[str, bytes]:
    """The parts of the documents of a submission."""
    return {f"{one.id}@test": one.content for one in entries}


def retrieval(repository: str, *unique_ids: str) -> str:
    """The body of an ITI-43."""
    asked = "".join(
        f"<x:DocumentRequest><x:RepositoryUniqueId>{repository}</x:RepositoryUniqueId>"
        f"<x:DocumentUniqueId>{one}</x:DocumentUniqueId></x:DocumentRequest>"
        for one in unique_ids
    )
    return f'<x:RetrieveDocumentSetRequest xmlns:x="{NS["xdsb"]}">{asked}</x:RetrieveDocumentSetRequest>'


def stored_query(query: str, form: str = LEAF, **slots: str | list[str]) -> str:
    """The body of an ITI-18; several values of a slot are several Value elements."""
    made = "".join(slot(f"${name}", *([value] if isinstance(value, str) else value)) for name, value in slots.items())
    return (
        f'<q:AdhocQueryRequest xmlns:q="{NS["query"]}" xmlns:rim="{NS["rim"]}">'
        f'<q:ResponseOption returnComposedObjects="true" returnType="{form}"/>'
        f'<rim:AdhocQuery id="urn:uuid:{query}">{made}</rim:AdhocQuery></q:AdhocQueryRequest>'
    )


def slot(name: str, *values: str) -> str:
    listed = "".join(f"<rim:Value>{escape(value)}</rim:Value>" for value in values)
    return f'<rim:Slot name="{name}"><rim:ValueList>{listed}</rim:ValueList></rim:Slot>'


def code(scheme: str, value: str, system: str, owner: str) -> str:
    return (
        f'<rim:Classification id="c-{uuid4()}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{owner}" '
        f'nodeRepresentation="{value}">{slot("codingScheme", system)}'
        f'<rim:Name><rim:LocalizedString value="{value}"/></rim:Name></rim:Classification>'
    )


def external(scheme: str, value: str, owner: str) -> str:
    return (
        f'<rim:ExternalIdentifier id="x-{uuid4()}" registryObject="{owner}" value="{escape(value)}" '
        f'identificationScheme="urn:uuid:{scheme}"><rim:Name><rim:LocalizedString value="id"/></rim:Name>'
        "</rim:ExternalIdentifier>"
    )
