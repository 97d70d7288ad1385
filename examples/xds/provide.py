"""File a CDA by XDS.b (ITI-41, MTOM): python provide.py http://localhost:8080 assertion.xml document.xml [KEYS]

The metadata are read from the header of the document, as software of professionals does. With KEYS, a folder made by
`ambroise pki issue-person`, the submission is signed (XAdES, `sign.py`).
"""

import hashlib
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import httpx

CDA = {"c": "urn:hl7-org:v3"}
SCHEMES = {
    "class": "41a5887f-8865-4c09-adf7-e362475b143a",
    "confidentiality": "f4f85eac-e6cb-4883-b524-f2705394840f",
    "format": "a09d5840-386c-46f2-b5ad-9c3699a4309d",
    "facility": "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1",
    "practice": "cccf5598-8b07-4b77-a05e-ae952c785ead",
    "type": "f0306f51-975f-434e-a61c-c59651d33983",
}
ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>
<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b</a:Action>
<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:{message}</a:MessageID>
<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">{assertion}</w:Security>
</s:Header><s:Body>
<x:ProvideAndRegisterDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"
    xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
<l:SubmitObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><rim:RegistryObjectList>
<rim:ExtrinsicObject id="document" mimeType="text/xml" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">
{slots}<rim:Name><rim:LocalizedString value={title}/></rim:Name>
<rim:Classification id="author" classifiedObject="document" nodeRepresentation=""
    classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d">{author}</rim:Classification>
{codes}{ids}</rim:ExtrinsicObject>
<rim:RegistryPackage id="set">{time}<rim:Classification id="content" classifiedObject="set" nodeRepresentation="07"
    classificationScheme="urn:uuid:aa543740-bdda-424e-8c96-df4873be8500">{content}</rim:Classification>{set_ids}</rim:RegistryPackage>
<rim:Classification id="node" classifiedObject="set"
    classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>
<rim:Association id="member" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
    sourceObject="set" targetObject="document">{member}</rim:Association>{signing}
</rim:RegistryObjectList></l:SubmitObjectsRequest>
<x:Document id="document"><i:Include href="cid:document@example"
    xmlns:i="http://www.w3.org/2004/08/xop/include"/></x:Document>{signature}
</x:ProvideAndRegisterDocumentSetRequest></s:Body></s:Envelope>"""


# The document that signs: its metadata are those of the national profile, of the submission and of nobody's reading.
SIGNING = """<rim:ExtrinsicObject id="signature" mimeType="text/xml"
    objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">{slots}<rim:Name>
<rim:LocalizedString value="Signature du lot"/></rim:Name>
<rim:Classification id="signer" classifiedObject="signature" nodeRepresentation=""
    classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d">{author}</rim:Classification>
{codes}{ids}</rim:ExtrinsicObject>
<rim:Association id="signing" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
    sourceObject="set" targetObject="signature">{member}</rim:Association>
<rim:Association id="signs" associationType="urn:ihe:iti:2007:AssociationType:signs"
    sourceObject="signature" targetObject="set"/>"""


def main(server: str, assertion: Path, file: Path, keys: Path | None = None) -> None:
    """Send one document and print what the server says."""
    body, media_type = request_of(assertion.read_text().strip(), file.read_bytes(), keys)
    answer = httpx.post(f"{server}/xds/repository", content=body, headers={"content-type": media_type})
    print(answer.status_code, answer.text)


def request_of(assertion: str, document: bytes, keys: Path | None = None) -> tuple[bytes, str]:
    """The body of the request, in parts, and its media type; signed with the certificate of `keys`, when given."""
    header = ElementTree.fromstring(document)  # noqa: S314 - a document of our own.
    lot = f"2.25.{uuid.uuid4().int}"
    said = described(header, document, lot)
    signature = signed(keys, lot, header, document) if keys else None
    include = '<i:Include href="cid:signature@example" xmlns:i="http://www.w3.org/2004/08/xop/include"/>'
    envelope = ENVELOPE.format(
        message=uuid.uuid4(),
        assertion=assertion,
        signing=signing_entry(said, signature) if signature else "",
        signature=f'<x:Document id="signature">{include}</x:Document>' if signature else "",
        **said,
    )
    parts = [
        ('application/xop+xml; type="application/soap+xml"', "root@example", envelope.encode()),
        ("text/xml", "document@example", document),
        *([("text/xml", "signature@example", signature)] if signature else []),
    ]
    body = b""
    for media, name, content in parts:
        head = f"Content-Type: {media}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
        body += b"--boundary\r\n" + head.encode() + content + b"\r\n"
    media_type = 'multipart/related; boundary=boundary; type="application/xop+xml"; start="<root@example>"'
    return body + b"--boundary--\r\n", media_type


def signed(keys: Path, lot: str, header: ElementTree.Element, document: bytes) -> bytes:
    """The signature of the submission."""
    sys.path.append(str(Path(__file__).parent))
    from sign import signature

    own = header.find("c:id", CDA)
    unique_id = "^".join(part for part in (own.get("root"), own.get("extension")) if part)
    return signature(lot, {unique_id: document}, (keys / "client.pem").read_bytes(), (keys / "client.key").read_bytes())


def signing_entry(said: dict[str, str], signature: bytes) -> str:
    """What describes the document that signs, and says that it signs the submission."""
    codes = [
        code("type", "E1762", "ASTM"),
        code("class", "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN"),
        code("format", "http://www.w3.org/2000/09/xmldsig#", "URN"),
        *(code("confidentiality", flag, "1.2.250.1.213.1.1.4.13") for flag in ("MASQUE_PS", "INVISIBLE_PATIENT")),
    ]
    size = slot("hash", hashlib.sha1(signature, usedforsecurity=False).hexdigest()) + slot("size", str(len(signature)))
    unique_id = external("2e82c1f6-a085-4c72-9da3-8640a32e42ab", "signature", f"2.25.{uuid.uuid4().int}")
    patient = external("58a6f841-87b3-4a3e-92fd-a8ffeff98427", "signature", said["patient"])
    return SIGNING.format(
        slots=slot("languageCode", "art") + size,
        author=said["author"],
        codes="".join(codes).replace('classifiedObject="document"', 'classifiedObject="signature"'),
        ids=patient + unique_id,
        member=said["member"],
    )


def described(header: ElementTree.Element, document: bytes, lot: str) -> dict[str, str]:
    """The pieces of the envelope that the header of the document gives."""

    def at(path: str) -> ElementTree.Element:
        found = header.find(path, CDA)
        if found is None:
            sys.exit(f"The document has no {path}.")
        return found

    ins, who = at("c:recordTarget/c:patientRole/c:id"), at("c:author/c:assignedAuthor")
    patient = f"{ins.get('extension')}^^^&{ins.get('root')}&ISO^NH"
    own = at("c:id")
    unique_id = "^".join(part for part in (own.get("root"), own.get("extension")) if part)
    person = xcn(at("c:author/c:assignedAuthor/c:id"), at("c:author/c:assignedAuthor/c:assignedPerson/c:name"))
    place = at("c:author/c:assignedAuthor/c:representedOrganization")
    place_id = place.find("c:id", CDA)
    signer = (
        at("c:legalAuthenticator/c:assignedEntity/c:id"),
        at("c:legalAuthenticator/c:assignedEntity/c:assignedPerson/c:name"),
    )
    slots = {
        "creationTime": utc(at("c:effectiveTime")),
        "languageCode": at("c:languageCode").get("code", ""),
        "serviceStartTime": utc(at("c:documentationOf/c:serviceEvent/c:effectiveTime/c:low")),
        "sourcePatientId": patient,
        "legalAuthenticator": xcn(*signer),
        "hash": hashlib.sha1(document, usedforsecurity=False).hexdigest(),
        "size": str(len(document)),
    }
    structure = f"{place.findtext('c:name', '', CDA)}^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^"
    structure += (place_id.get("extension") or "") if place_id is not None else ""
    specialty = who.find("c:code", CDA)
    author = slot("authorPerson", person) + slot("authorInstitution", structure)
    if specialty is not None:
        said = (specialty.get(name, "") for name in ("code", "displayName", "codeSystem"))
        author += slot("authorSpecialty", "^".join(said))
    practice = at(".//c:serviceEvent/c:performer//c:standardIndustryClassCode")
    facility = at("c:componentOf/c:encompassingEncounter/c:location/c:healthCareFacility/c:code")
    codes = (
        code("type", at("c:code").get("code", ""), at("c:code").get("codeSystem", "")),
        # The class that goes with the type, and the format that goes with the template: see the national tables.
        code("class", "10", "1.2.250.1.213.1.1.4.1"),
        code("format", "urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3"),
        code("confidentiality", "N", "2.16.840.1.113883.5.25"),
        code("facility", facility.get("code", ""), facility.get("codeSystem", "")),
        code("practice", practice.get("code", ""), practice.get("codeSystem", "")),
    )
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    return {
        "slots": "".join(slot(name, value) for name, value in slots.items()),
        "title": quoteattr(header.findtext("c:title", "", CDA)),
        "author": author,
        "codes": "".join(codes),
        "ids": external("58a6f841-87b3-4a3e-92fd-a8ffeff98427", "document", patient)
        + external("2e82c1f6-a085-4c72-9da3-8640a32e42ab", "document", unique_id),
        "time": slot("submissionTime", now),
        "content": slot("codingScheme", "1.2.250.1.213.2.2"),
        "set_ids": external("6b5aea1a-874d-4603-a4bc-96a0a7b38446", "set", patient)
        + external("554ac39e-e3fe-47fe-b233-965d2a147832", "set", "1.2.250.1.999.1")
        + external("96fdda7c-d067-4183-912e-bf5ee74998a8", "set", lot),
        "patient": patient,
        "member": slot("SubmissionSetStatus", "Original"),
    }


def utc(time: ElementTree.Element) -> str:
    """An HL7 time in UTC."""
    written = time.get("value", "")
    if len(written) < 19:
        return written
    return datetime.strptime(written, "%Y%m%d%H%M%S%z").astimezone(UTC).strftime("%Y%m%d%H%M%S")


def xcn(identifier: ElementTree.Element, name: ElementTree.Element) -> str:
    """A person as XDS writes one."""
    family, given = name.findtext("c:family", "", CDA), name.findtext("c:given", "", CDA)
    return f"{identifier.get('extension')}^{family}^{given}^^^^^^&{identifier.get('root')}&ISO^D^^^IDNPS"


def slot(name: str, value: str) -> str:
    text = value.replace("&", "&amp;").replace("<", "&lt;")
    return f'<rim:Slot name="{name}"><rim:ValueList><rim:Value>{text}</rim:Value></rim:ValueList></rim:Slot>'


def code(kind: str, value: str, system: str) -> str:
    return (
        f'<rim:Classification id="{kind}" classificationScheme="urn:uuid:{SCHEMES[kind]}" classifiedObject="document" '
        f'nodeRepresentation="{value}">{slot("codingScheme", system)}</rim:Classification>'
    )


def external(scheme: str, owner: str, value: str) -> str:
    return (
        f'<rim:ExternalIdentifier id="{uuid.uuid4()}" registryObject="{owner}" '
        f'identificationScheme="urn:uuid:{scheme}" value={quoteattr(value)}/>'
    )


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), *(Path(one) for one in sys.argv[2:]))
