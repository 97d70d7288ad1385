"""A person of an insurer's file as a Patient (fr-core, identity qualified by the insurer that assigned the INS)."""

from __future__ import annotations

from typing import Any, Final

from ambroise.modules.identity.api import Sex
from ambroise.modules.space.population.model import Person

_FR_CORE: Final = "https://hl7.fr/ig/fhir/core"
_COMMUNES: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
_BIRTH_PLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_GENDERS: Final = {Sex.FEMALE: "female", Sex.MALE: "male", Sex.UNDETERMINED: "unknown"}
_RELIABILITY: Final = {
    "url": f"{_FR_CORE}/StructureDefinition/fr-core-identity-reliability",
    "extension": [
        {
            "url": "identityStatus",
            "valueCoding": {"system": f"{_FR_CORE}/CodeSystem/fr-core-cs-identity-status", "code": "QUAL"},
        }
    ],
}
_INS_TYPE: Final = {"coding": [{"system": f"{_FR_CORE}/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}]}


def patient_of(person: Person) -> dict[str, Any]:
    """The Patient of a person: strict traits, used names, contacts."""
    traits = person.traits
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "meta": {"profile": [f"{_FR_CORE}/StructureDefinition/fr-core-patient-ins"]},
        "extension": [_RELIABILITY, *_birth_place(traits.birth_place)],
        "identifier": [
            {"use": "official", "type": _INS_TYPE, "system": person.ins.system, "value": person.ins.matricule}
        ],
        "active": True,
        "name": _names(person),
        "gender": _GENDERS[traits.sex or Sex.UNDETERMINED],
        "birthDate": traits.birth_date.isoformat() if traits.birth_date else None,
    }
    telecom = [
        {"system": system, "value": value, "use": "home"}
        for system, value in (("email", person.mail), ("phone", person.phone))
        if value
    ]
    if telecom:
        resource["telecom"] = telecom
    if person.city:
        address = {"use": "home", "city": person.city, "postalCode": person.postal_code, "country": "FR"}
        if person.address:
            address["line"] = [person.address]  # type: ignore[assignment]
        resource["address"] = [{name: value for name, value in address.items() if value}]
    return resource


def _birth_place(code: str | None) -> list[dict[str, Any]]:
    if code is None:
        return []
    coding = {"url": f"{_FR_CORE}/StructureDefinition/fr-core-address-insee-code"}
    return [
        {
            "url": _BIRTH_PLACE,
            "valueAddress": {"extension": [{**coding, "valueCoding": {"system": _COMMUNES, "code": code}}]},
        }
    ]


def _names(person: Person) -> list[dict[str, Any]]:
    traits = person.traits
    official: dict[str, Any] = {"use": "official", "family": traits.birth_name, "given": [traits.first_given]}
    if traits.given_names:
        official["extension"] = [
            {
                "url": f"{_FR_CORE}/StructureDefinition/fr-core-patient-birth-list-given-name",
                "valueString": traits.given_names,
            }
        ]
    if person.used_name is None and person.used_first_name is None:
        return [official]
    family, given = person.used_name or traits.birth_name, person.used_first_name or traits.first_given
    return [official, {"use": "usual", "family": family, "given": [given]}]
