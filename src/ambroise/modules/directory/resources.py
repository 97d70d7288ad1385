"""Directory entries as FHIR resources, after fr-core and the national directory (Annuaire Santé)."""

from __future__ import annotations

from typing import Any

from ambroise.modules.directory.model import ProfessionalEntry, Situation, Structure

RPPS_SYSTEM = "https://rpps.esante.gouv.fr"
ID_NAT_PS_SYSTEM = "urn:oid:1.2.250.1.71.4.2.1"
ID_NAT_STRUCTURE_SYSTEM = "urn:oid:1.2.250.1.71.4.2.2"
FINESS_SYSTEM = "https://finess.esante.gouv.fr"
SECTOR_SYSTEM = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"

_FR_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition"
_IDENTIFIER_TYPE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
_PROFESSION_SYSTEMS = {
    "1.2.250.1.71.1.2.7": "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante",
    "1.2.250.1.213.1.6.1.109": "https://mos.esante.gouv.fr/NOS/TRE_R95-UsagerTitre/FHIR/TRE-R95-UsagerTitre",
}
_SPECIALTY_SYSTEM = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
_SECTION_SYSTEM = "urn:oid:1.2.250.1.71.4.2.6"
_PHARMACIST = "21"
_GENDERS = {"F": "female", "M": "male"}
# Marks what is not about a real person or place (HL7 v3 ActReason: test health data).
_TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}


def _identifier(kind: str, system: str, value: str) -> dict[str, Any]:
    coding = {"system": _IDENTIFIER_TYPE, "code": kind}
    return {"use": "official", "type": {"coding": [coding]}, "system": system, "value": value}


def _meta(profile: str, *, fictitious: bool) -> dict[str, Any]:
    meta: dict[str, Any] = {"profile": [f"{_FR_CORE}/{profile}"]}
    if fictitious:
        meta["security"] = [dict(_TEST_DATA)]
    return meta


def _telecom(phone: str | None, email: str | None = None) -> list[dict[str, Any]]:
    found = (("phone", phone), ("email", email))
    return [{"system": system, "value": value, "use": "work"} for system, value in found if value]


def organization_resource(structure: Structure, *, fictitious: bool) -> dict[str, Any]:
    """The Organization of a structure."""
    identifiers = [_identifier("IDNST", ID_NAT_STRUCTURE_SYSTEM, structure.id_nat)]
    if structure.finess:
        identifiers.append(_identifier("FINEG", FINESS_SYSTEM, structure.finess))
    resource: dict[str, Any] = {
        "resourceType": "Organization",
        "meta": _meta("fr-core-organization", fictitious=fictitious),
        "identifier": identifiers,
        "active": True,
        "name": structure.name,
    }
    if structure.facility:
        resource["type"] = [{"coding": [{"system": SECTOR_SYSTEM, "code": structure.facility}]}]
    if telecom := _telecom(structure.phone, structure.email):
        resource["telecom"] = telecom
    if structure.city:
        address = {"postalCode": structure.postal_code, "city": structure.city, "country": "FR"}
        if structure.address_line:
            address["line"] = [structure.address_line]  # pyright: ignore[reportArgumentType]
        resource["address"] = [{key: value for key, value in address.items() if value}]
    return resource


def practitioner_resource(entry: ProfessionalEntry, *, fictitious: bool) -> dict[str, Any]:
    """The Practitioner of a professional: identity and profession."""
    name: dict[str, Any] = {"use": "official", "family": entry.family, "given": [entry.given]}
    if entry.title:
        name["prefix"] = [entry.title]
    resource: dict[str, Any] = {
        "resourceType": "Practitioner",
        "meta": _meta("fr-core-practitioner", fictitious=fictitious),
        "identifier": [
            _identifier("RPPS", RPPS_SYSTEM, entry.rpps),
            _identifier("IDNPS", ID_NAT_PS_SYSTEM, entry.id_nat),
        ],
        "active": True,
        "name": [name],
        "qualification": [{"code": concept} for concept in _qualifications(entry)],
    }
    if entry.sex in _GENDERS:
        resource["gender"] = _GENDERS[entry.sex]
    if telecom := _telecom(entry.phone):
        resource["telecom"] = telecom
    return resource


def role_resource(
    entry: ProfessionalEntry, situation: Situation, practitioner: str, organization: str, *, fictitious: bool
) -> dict[str, Any]:
    """The PractitionerRole of a situation; `practitioner` and `organization` are logical ids."""
    profession, *specialties = _qualifications(entry)
    resource: dict[str, Any] = {
        "resourceType": "PractitionerRole",
        "meta": _meta("fr-core-practitioner-role", fictitious=fictitious),
        "active": True,
        "practitioner": {"reference": f"Practitioner/{practitioner}", "display": entry.name},
        "organization": {"reference": f"Organization/{organization}"},
        "code": [{**profession, "text": situation.role_title} if situation.role_title else profession],
    }
    if specialties:
        resource["specialty"] = specialties
    return resource


def _qualifications(entry: ProfessionalEntry) -> list[dict[str, Any]]:
    """The profession, then the specialty or pharmacists' section when there is one."""
    system = _PROFESSION_SYSTEMS.get(entry.profession_system, f"urn:oid:{entry.profession_system}")
    profession: dict[str, Any] = {"coding": [{"system": system, "code": entry.profession}]}
    if entry.label:
        profession["text"] = entry.label
    if not entry.specialty:
        return [profession]
    specialty_system = _SECTION_SYSTEM if entry.profession == _PHARMACIST else _SPECIALTY_SYSTEM
    return [profession, {"coding": [{"system": specialty_system, "code": entry.specialty}]}]
