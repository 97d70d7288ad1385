"""Citizens as Patient resources (fr-core, with a qualified INS), and what they write themselves as metadata."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import INS_TEST_OID, Citizen

_FR_CORE = "https://hl7.fr/ig/fhir/core"
_COMMUNES = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
_PATIENT_EXPRESSION = {"system": "urn:oid:1.2.250.1.213.1.1.4.6", "code": "EXP_PATIENT"}
_VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
# Marks what is not about a real person (HL7 v3 ActReason: test health data).
_TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}

INS_SYSTEM = f"urn:oid:{INS_TEST_OID}"


def patient_resource(citizen: Citizen) -> dict[str, Any]:
    """The Patient of a citizen: strict traits, used names, contacts."""
    return {
        "resourceType": "Patient",
        "meta": {
            "profile": [f"{_FR_CORE}/StructureDefinition/fr-core-patient-ins"],
            "security": [dict(_TEST_DATA)],
        },
        "extension": [_reliability(), _birthplace(citizen)],
        "identifier": [
            {
                "use": "official",
                "type": {"coding": [{"system": f"{_FR_CORE}/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}]},
                "system": INS_SYSTEM,
                "value": citizen.matricule,
            }
        ],
        "active": True,
        "name": _names(citizen),
        "telecom": [
            {"system": "phone", "value": citizen.phone, "use": "mobile" if citizen.phone[:2] == "06" else "home"},
            {"system": "email", "value": citizen.email, "use": "home"},
        ],
        "gender": "female" if citizen.sex == "F" else "male",
        "birthDate": citizen.birth_date.isoformat(),
        "address": [
            {
                "use": "home",
                "line": [f"{citizen.address.number} {citizen.address.street}"],
                "city": citizen.address.city,
                "postalCode": citizen.address.postal_code,
                "country": "FR",
            }
        ],
    }


def _reliability() -> dict[str, Any]:
    status = {"system": f"{_FR_CORE}/CodeSystem/fr-core-cs-identity-status", "code": "QUAL"}
    return {
        "url": f"{_FR_CORE}/StructureDefinition/fr-core-identity-reliability",
        "extension": [{"url": "identityStatus", "valueCoding": status}],
    }


def _birthplace(citizen: Citizen) -> dict[str, Any]:
    commune = {"system": _COMMUNES, "code": citizen.birthplace.cog}
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {
            "extension": [
                {"url": f"{_FR_CORE}/StructureDefinition/fr-core-address-insee-code", "valueCoding": commune}
            ],
            "city": citizen.birthplace.name,
        },
    }


def _names(citizen: Citizen) -> list[dict[str, Any]]:
    first = citizen.birth_given[0]
    official: dict[str, Any] = {
        "extension": [
            {
                "url": f"{_FR_CORE}/StructureDefinition/fr-core-patient-birth-list-given-name",
                "valueString": " ".join(citizen.birth_given),
            }
        ],
        "use": "official",
        "family": citizen.birth_name,
        "given": [first],
    }
    if citizen.used_name is None and citizen.used_given is None:
        return [official]
    family, given = citizen.used_name or citizen.birth_name, citizen.used_given or first
    return [official, {"use": "usual", "family": family, "given": [given]}]


def own_document_metadata(document: Document, patient: UUID) -> dict[str, Any]:
    """The metadata of a page that a citizen files in his or her own space."""
    when = document.moment.isoformat()
    place = {"coding": [dict(_PATIENT_EXPRESSION)]}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{document.uid}"},
        "type": {"coding": [{"system": f"urn:oid:{document.type.system}", "code": document.type.code}]},
        "category": [{"coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.1", "code": "90"}]}],
        "subject": {"reference": f"Patient/{patient}"},
        "date": when,
        "author": [{"reference": f"Patient/{patient}", "display": document.citizen.display}],
        "content": [
            {
                "attachment": {"contentType": "application/pdf", "language": "fr-FR", "title": document.title},
                "format": {
                    "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                    "code": "urn:ihe:iti:xds-sd:pdf:2008",
                },
            }
        ],
        "context": {"period": {"start": when}, "facilityType": place, "practiceSetting": dict(place)},
    }


def visibility_metadata(flags: frozenset[str]) -> dict[str, Any]:
    """The only metadata that the header of a CDA cannot say: who does not see the document."""
    labels = [{"coding": [{"system": _VISIBILITY, "code": flag}]} for flag in sorted(flags)]
    return {"resourceType": "DocumentReference", "status": "current", "securityLabel": labels}
