"""What the header of a CDA says: enough to describe the document in the words of FHIR, XDS or XDM."""

from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

CDA = {"c": "urn:hl7-org:v3"}
# For each type of document (LOINC): its class, and the format of its level. See the national tables (JDV_J06, JDV_J60).
KINDS = {
    "57833-6": ("42", "urn:ihe:pharm:pre:2010"),
    "11502-2": ("10", "urn:ihe:lab:xd-lab:2008"),
    "18748-4": ("31", "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013"),
    "11490-0": ("11", "urn:asip:ci-sis:ldl-ses:2017"),
    "60593-1": ("43", "urn:ihe:pharm:dis:2010"),
    "74207-2": ("11", "urn:asip:ci-sis:fludt:2017"),
}


@dataclass
class Header:
    """The header of one document."""

    unique_id: str
    title: str
    type: str
    class_: str
    format: str
    ins: str
    made: datetime
    started: datetime
    author: str
    family: str
    given: str
    structure: str
    structure_name: str
    facility: str
    setting: str

    @classmethod
    def of(cls, content: bytes) -> "Header":
        """Read the header of a document of one's own: one of a stranger needs a parser that forbids entities."""
        root = ElementTree.fromstring(content)  # noqa: S314
        type_ = _at(root, "c:code").get("code", "")
        author = _at(root, "c:author/c:assignedAuthor")
        name = _at(author, "c:assignedPerson/c:name")
        event = _at(root, "c:documentationOf/c:serviceEvent[c:performer]")
        place = _at(root, "c:componentOf/c:encompassingEncounter/c:location/c:healthCareFacility/c:code")
        practice = _at(event, "c:performer//c:standardIndustryClassCode")
        own = _at(root, "c:id")
        return cls(
            unique_id="^".join(part for part in (own.get("root"), own.get("extension")) if part),
            title=root.findtext("c:title", "", CDA),
            type=type_,
            class_=KINDS[type_][0],
            format=KINDS[type_][1],
            ins=_at(root, "c:recordTarget/c:patientRole/c:id").get("extension", ""),
            made=_moment(_at(root, "c:effectiveTime")),
            started=_moment(_at(event, "c:effectiveTime/c:low")),
            author=_at(author, "c:id").get("extension", ""),
            family=name.findtext("c:family", "", CDA),
            given=name.findtext("c:given", "", CDA),
            structure=_at(author, "c:representedOrganization/c:id").get("extension", ""),
            structure_name=author.findtext("c:representedOrganization/c:name", "", CDA),
            facility=place.get("code", ""),
            setting=practice.get("code", ""),
        )


def _at(element: ElementTree.Element, path: str) -> ElementTree.Element:
    found = element.find(path, CDA)
    if found is None:
        raise SystemExit(f"The document has no {path}.")
    return found


def _moment(time: ElementTree.Element) -> datetime:
    return datetime.strptime(time.get("value", ""), "%Y%m%d%H%M%S%z")
