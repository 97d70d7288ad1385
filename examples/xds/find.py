"""Find the documents of a patient by XDS.b (ITI-18), then retrieve one (ITI-43):

python find.py http://localhost:8080 279035121518989 assertion.xml        lists what is found
python find.py http://localhost:8080 279035121518989 one.xml UNIQUE_ID REPOSITORY > document.xml

An assertion is good once: make one for each request.
"""

import sys
import uuid
from email import message_from_bytes
from pathlib import Path
from xml.etree import ElementTree

import httpx

TEST_INS = "1.2.250.1.213.1.4.10"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
FIND = """<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
    xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
<q:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>
<rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d">
<rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList>
<rim:Value>'{patient}'</rim:Value></rim:ValueList></rim:Slot>
<rim:Slot name="$XDSDocumentEntryStatus"><rim:ValueList>
<rim:Value>('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')</rim:Value></rim:ValueList></rim:Slot>
</rim:AdhocQuery></q:AdhocQueryRequest>"""
RETRIEVE = """<x:RetrieveDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"><x:DocumentRequest>
<x:RepositoryUniqueId>{repository}</x:RepositoryUniqueId><x:DocumentUniqueId>{unique_id}</x:DocumentUniqueId>
</x:DocumentRequest></x:RetrieveDocumentSetRequest>"""
ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>
<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">{action}</a:Action>
<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:{message}</a:MessageID>
<w:Security
    xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">{assertion}</w:Security>
</s:Header><s:Body>{body}</s:Body></s:Envelope>"""


def request_of(action: str, body: str, assertion: str) -> bytes:
    """A SOAP request."""
    return ENVELOPE.format(action=action, message=uuid.uuid4(), assertion=assertion.strip(), body=body).encode()


def find_request(ins: str, assertion: str) -> bytes:
    """The request that lists the documents of a patient."""
    body = FIND.format(patient=f"{ins}^^^&amp;{TEST_INS}&amp;ISO^NH")
    return request_of("urn:ihe:iti:2007:RegistryStoredQuery", body, assertion)


def retrieve_request(unique_id: str, repository: str, assertion: str) -> bytes:
    """The request that retrieves one document."""
    body = RETRIEVE.format(unique_id=unique_id, repository=repository)
    return request_of("urn:ihe:iti:2007:RetrieveDocumentSet", body, assertion)


def found(answer: bytes) -> list[dict[str, str]]:
    """What a list of documents says of each."""
    documents: list[dict[str, str]] = []
    for one in ElementTree.fromstring(answer).iter(f"{RIM}ExtrinsicObject"):  # noqa: S314 - from our own server.
        slots = {slot.get("name", ""): slot.findtext(f".//{RIM}Value", "") for slot in one.iter(f"{RIM}Slot")}
        ids = {each.get("identificationScheme"): each.get("value", "") for each in one.iter(f"{RIM}ExternalIdentifier")}
        title = one.find(f"{RIM}Name/{RIM}LocalizedString")
        documents.append(
            {
                "unique id": ids[UNIQUE_ID],
                "repository": slots["repositoryUniqueId"],
                "made": slots.get("creationTime", ""),
                "title": title.get("value", "") if title is not None else "",
            }
        )
    return documents


def document_of(answer: bytes, media_type: str) -> bytes:
    """The document of an answer in parts: the second one."""
    message = message_from_bytes(b"Content-Type: " + media_type.encode() + b"\r\n\r\n" + answer)
    parts = list(message.walk())[1:]
    if len(parts) < 2:
        sys.exit(answer.decode())
    return bytes(parts[1].get_payload(decode=True))


def main(server: str, ins: str, assertion: Path, *asked: str) -> None:
    """List, or retrieve."""
    headers = {"content-type": "application/soap+xml"}
    if not asked:
        answer = httpx.post(f"{server}/xds/registry", content=find_request(ins, assertion.read_text()), headers=headers)
        for one in found(answer.content):
            print(*one.values(), sep="\t")
        return
    content = retrieve_request(asked[0], asked[1], assertion.read_text())
    answer = httpx.post(f"{server}/xds/repository", content=content, headers=headers)
    sys.stdout.buffer.write(document_of(answer.content, answer.headers["content-type"]))


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
