"""The names of XDS.b: namespaces, actions, object types, schemes, statuses (IHE ITI TF-3, 4.2.5; ebRIM 3.0)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

XDSB: Final = "urn:ihe:iti:xds-b:2007"
RIM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
LCM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RS: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

_RESPONSE: Final = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
SUCCESS: Final = _RESPONSE + "Success"
FAILURE: Final = _RESPONSE + "Failure"
PARTIAL: Final = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
_SEVERITY: Final = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:"
ERROR: Final = _SEVERITY + "Error"
WARNING: Final = _SEVERITY + "Warning"

_STATUS: Final = "urn:oasis:names:tc:ebxml-regrep:StatusType:"
APPROVED: Final = _STATUS + "Approved"
DEPRECATED: Final = _STATUS + "Deprecated"
_FRENCH_STATUS: Final = "urn:asip:ci-sis:2010:StatusType:"
ARCHIVED: Final = _FRENCH_STATUS + "Archived"
DELETED: Final = _FRENCH_STATUS + "Deleted"

HAS_MEMBER: Final = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
RPLC: Final = "urn:ihe:iti:2007:AssociationType:RPLC"
SIGNS: Final = "urn:ihe:iti:2007:AssociationType:signs"
UPDATE_STATUS: Final = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"

ENTRY: Final = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
SUBMISSION_SET: Final = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
FOLDER: Final = "urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2"

ENTRY_AUTHOR: Final = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
ENTRY_CLASS: Final = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
ENTRY_CONFIDENTIALITY: Final = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
ENTRY_EVENT: Final = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
ENTRY_FORMAT: Final = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
ENTRY_FACILITY: Final = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
ENTRY_PRACTICE: Final = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
ENTRY_TYPE: Final = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
ENTRY_PATIENT: Final = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
ENTRY_UNIQUE_ID: Final = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"

SET_AUTHOR: Final = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
SET_CONTENT_TYPE: Final = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
SET_PATIENT: Final = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
SET_SOURCE: Final = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
SET_UNIQUE_ID: Final = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"

REFERENCE_IDS: Final = "urn:ihe:iti:xds:2013:referenceIdList"
SIGNATURE_FORMAT: Final = "http://www.w3.org/2000/09/xmldsig#"
"""The format of the document that signs a submission (JDV_J60)."""


def repository_id(chosen: str | None, installation: UUID) -> str:
    """The OID of this repository: the one chosen, or the one that the installation's own number makes (X.667)."""
    return chosen or f"2.25.{installation.int}"


def tag(namespace: str, name: str) -> str:
    """A name as the XML library writes it."""
    return f"{{{namespace}}}{name}"
