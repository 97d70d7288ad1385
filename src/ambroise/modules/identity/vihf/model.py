"""What an assertion (VIHF: vecteur d'identification et d'habilitation formelles) says, once it is believed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from ambroise.trust.context import Purpose

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
HL7: Final = "urn:hl7-org:v3"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
X509_NAME: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
SUBJECT_ID: Final = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
ROLE: Final = "urn:oasis:names:tc:xacml:2.0:subject:role"
RESOURCE_ID: Final = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
PURPOSE: Final = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
CONFIDENTIALITY: Final = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
ACCESS_MODES: Final = "1.2.250.1.213.1.1.4.248"
"""TRE_R248, the modes of access."""
DMP: Final = "urn:dmp"
"""The resource that every assertion for the shared record names (Ressource_URN)."""
SECRET: Final = "INVISIBLE_REPRESENTANTS_LEGAUX"  # noqa: S105 - a code of JDV_J64.


class Mode(StrEnum):
    """Who signs: the professional's own card or certificate, or the seal of the structure."""

    DIRECT = "DIRECTE"
    INDIRECT = "INDIRECTE"
    REINFORCED = "INDIRECTE_RENFORCEE"


class Role(Struct, frozen=True):
    """A coded role of the subject; `system` is an OID."""

    code: str
    system: str


class Vihf(Struct, frozen=True):
    """An assertion that is signed, fresh and for us.

    `subject` is a PS_IdNat, `structure` a Struct_IdNat, `patient` the CX of the patient, when one is named.
    """

    id: str
    subject: str
    structure: str | None
    roles: tuple[Role, ...]
    purpose: Purpose
    reason: str | None
    patient: str | None
    secret: bool
    software: str | None
    expires: datetime
