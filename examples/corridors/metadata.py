"""The metadata of XDS for one document: what ITI-41 carries in its body, and an XDM zip in METADATA.XML."""

import hashlib
import uuid
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from header import Header

INS_OID, LOINC = "1.2.250.1.213.1.4.10", "2.16.840.1.113883.6.1"
ENTRY, SET = "Document01", "SubmissionSet01"
CODES = {
    "type": ("f0306f51-975f-434e-a61c-c59651d33983", LOINC),
    "class_": ("41a5887f-8865-4c09-adf7-e362475b143a", "1.2.250.1.213.1.1.4.1"),
    "format": ("a09d5840-386c-46f2-b5ad-9c3699a4309d", "1.2.250.1.213.1.1.4.2.282"),
    "facility": ("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "1.2.250.1.71.4.2.4"),
    "setting": ("cccf5598-8b07-4b77-a05e-ae952c785ead", "1.2.250.1.213.1.1.4.9"),
}


def submit_objects(header: Header, content: bytes, uri: str | None = None) -> str:
    """A SubmitObjectsRequest of one document; `uri` is its file in an XDM zip."""
    patient = f"{header.ins}^^^&{INS_OID}&ISO^NH"
    person = f"{header.author}^{header.family}^{header.given}^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    place = f"{header.structure_name}^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^{header.structure}"
    slots = {
        "creationTime": _utc(header.made),
        "languageCode": "fr-FR",
        "serviceStartTime": _utc(header.started),
        "sourcePatientId": patient,
        "hash": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "size": str(len(content)),
        **({"URI": uri} if uri else {}),
    }
    author = _slot("authorPerson", person) + _slot("authorInstitution", place)
    said = "".join(_code(*CODES[name], getattr(header, name), ENTRY) for name in CODES)
    said += _code("f4f85eac-e6cb-4883-b524-f2705394840f", "2.16.840.1.113883.5.25", "N", ENTRY)
    return (
        '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" '
        'xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><rim:RegistryObjectList>'
        f'<rim:ExtrinsicObject id="{ENTRY}" mimeType="text/xml" '
        'objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
        + "".join(_slot(name, value) for name, value in slots.items())
        + f"<rim:Name><rim:LocalizedString value={quoteattr(header.title)}/></rim:Name>"
        + _classified("93606bcf-9494-43ec-9b4e-a7748d1a838d", "", author, ENTRY)
        + said
        + _external("58a6f841-87b3-4a3e-92fd-a8ffeff98427", patient, ENTRY)
        + _external("2e82c1f6-a085-4c72-9da3-8640a32e42ab", header.unique_id, ENTRY)
        + f'</rim:ExtrinsicObject><rim:RegistryPackage id="{SET}">'
        + _slot("submissionTime", _utc(datetime.now(UTC)))
        + _classified("a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d", "", author, SET)
        + _code("aa543740-bdda-424e-8c96-df4873be8500", "1.2.250.1.213.2.2", "07", SET)
        + f'<rim:Classification id="node" classifiedObject="{SET}" '
        'classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>'
        + _external("6b5aea1a-874d-4603-a4bc-96a0a7b38446", patient, SET)
        + _external("554ac39e-e3fe-47fe-b233-965d2a147832", "1.2.250.1.999.1", SET)
        + _external("96fdda7c-d067-4183-912e-bf5ee74998a8", f"2.25.{uuid.uuid4().int}", SET)
        + '</rim:RegistryPackage><rim:Association id="member" '
        'associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" '
        f'sourceObject="{SET}" targetObject="{ENTRY}">{_slot("SubmissionSetStatus", "Original")}</rim:Association>'
        "</rim:RegistryObjectList></lcm:SubmitObjectsRequest>"
    )


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def _slot(name: str, value: str) -> str:
    listed = f"<rim:ValueList><rim:Value>{escape(value)}</rim:Value></rim:ValueList>"
    return f'<rim:Slot name="{name}">{listed}</rim:Slot>'


def _code(scheme: str, system: str, value: str, owner: str) -> str:
    return _classified(scheme, value, _slot("codingScheme", system), owner)


def _classified(scheme: str, value: str, inside: str, owner: str) -> str:
    return (
        f'<rim:Classification id="{uuid.uuid4().urn}" classificationScheme="urn:uuid:{scheme}" '
        f'classifiedObject="{owner}" nodeRepresentation="{escape(value)}">{inside}</rim:Classification>'
    )


def _external(scheme: str, value: str, owner: str) -> str:
    return (
        f'<rim:ExternalIdentifier id="{uuid.uuid4().urn}" registryObject="{owner}" '
        f'identificationScheme="urn:uuid:{scheme}" value={quoteattr(value)}/>'
    )
