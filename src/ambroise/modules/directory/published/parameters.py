"""What the published directory is searched by, and what comes with what is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TYPES: Final = ("Practitioner", "PractitionerRole", "Organization", "HealthcareService", "Device")
INCLUDES: Final[Mapping[str, Mapping[str, str]]] = {
    "PractitionerRole": {"practitioner": "Practitioner", "organization": "Organization"},
    "Organization": {"partof": "Organization"},
    "HealthcareService": {"organization": "Organization"},
    "Device": {"organization": "Organization"},
}
REVINCLUDES: Final[Mapping[str, Mapping[str, str]]] = {
    "Practitioner": {"PractitionerRole:practitioner": "PractitionerRole"},
    "Organization": {
        "PractitionerRole:organization": "PractitionerRole",
        "HealthcareService:organization": "HealthcareService",
        "Device:organization": "Device",
    },
}
PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "Practitioner": {
        "_id": "token", "_lastUpdated": "date", "active": "token", "data-information-system": "token",
        "data-registration-authority": "token", "family": "string", "given": "string", "identifier": "token",
        "identifier-type": "token", "mailbox-mss": "string", "mailbox-mss-type": "token", "name": "string",
        "number-smartcard": "string", "qualification-code": "token", "type-smartcard": "token",
    },
    "PractitionerRole": {
        "_id": "token", "_lastUpdated": "date", "active": "token", "data-information-system": "token",
        "data-registration-authority": "token", "identifier": "token", "mailbox-mss": "string",
        "mailbox-mss-type": "token", "organization": "reference", "practitioner": "reference", "role": "token",
    },
    "Organization": {
        "_id": "token", "_lastUpdated": "date", "active": "token", "address": "string", "address-city": "string",
        "address-line": "string", "address-postalcode": "string", "data-information-system": "token",
        "identifier": "token", "identifier-type": "token", "mailbox-mss": "string", "mailbox-mss-type": "token",
        "name": "string", "partof": "reference", "pharmacy-licence": "string", "type": "token",
    },
    "HealthcareService": {
        "_id": "token", "_lastUpdated": "date", "_profile": "uri", "active": "token", "characteristic": "token",
        "identifier": "token", "organization": "reference", "service-category": "token", "service-type": "token",
    },
    "Device": {
        "_id": "token", "_lastUpdated": "date", "identifier": "token", "manufacturer": "string", "model": "string",
        "organization": "reference", "status": "token", "type": "token",
    },
}  # fmt: skip
