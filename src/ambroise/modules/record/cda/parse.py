"""Read a CDA R2 document: bytes in, header as values out, body kept as a tree.

Only what the record needs to file a document is mandatory (type, dates, patient, author, place, act…); every missing
element is named at once. What CI-SIS asks beyond that is the business of `check`.
"""

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record import tables
from ambroise.modules.record.cda import header, values
from ambroise.modules.record.cda.gaps import Gaps
from ambroise.modules.record.cda.model import ClinicalDocument, Code, Embedded, Level
from ambroise.modules.record.cda.nodes import HL7, Element, attribute, local, one, text
from ambroise.modules.record.cda.source import Source, read_xml

BODY = "body"
"""The identifier of the file that is the body of an unstructured document."""


def read(content: bytes) -> ClinicalDocument:
    """Read a document.

    Raises Refusal UNPROCESSABLE: XML_MALFORMED, XML_DTD_FORBIDDEN, XML_TOO_COMPLEX, CDA_EXPECTED when it is another
    kind of XML, CDA_HEADER_INVALID naming every header element that is missing or unreadable (`element`, `issues`).
    """
    source = read_xml(content)
    root = source.root
    if root.tag != f"{{{HL7}}}ClinicalDocument":
        raise Refusal(
            Kind.UNPROCESSABLE, "CDA_EXPECTED", f"the root element is {root.tag}, not ClinicalDocument of {HL7}"
        )
    gaps = Gaps()
    body = one(root, "component/nonXMLBody/text")
    structured = one(root, "component/structuredBody")
    if body is None and structured is None:
        gaps.missing("component/structuredBody or component/nonXMLBody/text")
    templates = values.identifiers(root, "templateId")
    media_type = (attribute(body, "mediaType") or "text/plain") if body is not None else None
    document = ClinicalDocument(
        identifier=header.document_id(root, gaps),
        set_id=next(iter(values.identifiers(root, "setId")), None),
        version=header.version(root),
        templates=templates,
        code=gaps.need(values.coded(one(root, "code")), "code", Code("", "")),
        title=gaps.need(text(root, "title"), "title", ""),
        effective_time=header.effective_time(root, gaps),
        confidentiality=header.confidentiality(root, gaps),
        language=gaps.need(attribute(root, "code", "languageCode"), "languageCode", ""),
        patient=header.patient(root, gaps),
        authors=header.authors(root, gaps),
        custodian=header.organization(one(root, "custodian/assignedCustodian/representedCustodianOrganization")),
        legal_authenticator=header.legal_authenticator(root, gaps),
        service_events=header.service_events(root, gaps),
        encounter=header.encounter(root, gaps),
        related=header.related(root),
        orders=header.orders(root),
        studies=header.studies(root),
        recipients=header.recipients(root),
        level=Level.STRUCTURED if structured is not None else Level.UNSTRUCTURED,
        media_type=media_type,
        format=tables.format_of_media(media_type)
        if media_type
        else tables.format_of_templates(item.root for item in templates),
        source=source,
    )
    gaps.refuse()
    return document


def embedded(document: ClinicalDocument) -> Embedded | None:
    """The file inside an unstructured document (N1), decoded; None when the body is structured.

    Raises Refusal BASE64_INVALID, or EMBEDDED_CONTENT_MISSING when the file is empty, compressed or only referred to.
    """
    body = one(document.source.root, "component/nonXMLBody/text")
    if body is None:
        return None
    content = content_of(document.source, body)
    if not content:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "EMBEDDED_CONTENT_MISSING",
            "the unstructured body holds no file: put the bytes in base64 inside text, uncompressed, not a reference",
            element="component/nonXMLBody/text",
        )
    return Embedded(document.media_type or "text/plain", content, BODY)


def attachments(document: ClinicalDocument) -> list[Embedded]:
    """Every file that the document carries, decoded: its body, copies and images joined to its sections."""
    found = (_opened(document, identifier, element) for identifier, element in _files(document).items())
    return [item for item in found if item.content]


def attachment(document: ClinicalDocument, identifier: str) -> Embedded | None:
    """One file of the document: `body`, the ID of an observationMedia, or `file-<n>`; None when there is none."""
    element = _files(document).get(identifier)
    if element is None:
        return None
    found = _opened(document, identifier, element)
    return found if found.content else None


def file_names(document: ClinicalDocument) -> dict[str, str]:
    """The identifiers of the files that the document carries, with the media type that each declares."""
    return {identifier: _declared(element) for identifier, element in _files(document).items()}


def _files(document: ClinicalDocument) -> dict[str, Element]:
    source = document.source
    body = one(source.root, "component/nonXMLBody/text")
    found: dict[str, Element] = {} if body is None else {BODY: body}
    for element in [item for item in source.root.iter() if item.get("representation") == "B64"]:
        if element is not body:
            parent = source.parents.get(element)
            wanted = "" if parent is None else parent.get("ID", "")
            found[wanted if wanted and wanted not in found else f"file-{len(found) + 1}"] = element
    return found


def _opened(document: ClinicalDocument, identifier: str, element: Element) -> Embedded:
    return Embedded(_declared(element), content_of(document.source, element), identifier)


def _declared(element: Element) -> str:
    return attribute(element, "mediaType") or ("text/plain" if local(element) == "text" else "application/octet-stream")


def content_of(source: Source, element: Element) -> bytes:
    """The bytes of an ED element: base64 decoded, or its text; empty when compressed or given by reference."""
    if element.get("compression"):
        return b""
    if element.get("representation") == "B64":
        return source.decode(element)
    return (text(element) or "").encode()
