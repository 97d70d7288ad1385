"""What the registry knows of a person, and the statuses of trust of the RNIV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.ins import Ins, Sex, Traits, birth_date_of
from ambroise.modules.identity.registry.trust import Attribute, Status, Trust


class PatientIdentity(Struct, frozen=True):
    """The identity of one space. `used_name` and `used_first_name` are what the person goes by."""

    patient: UUID
    ins: Ins | None
    status: Status
    traits: Traits
    used_name: str | None = None
    used_first_name: str | None = None
    merged_into: UUID | None = None
    attributes: frozenset[Attribute] = frozenset()

    @property
    def trust(self) -> Trust:
        """Status, INS and attributes together."""
        return Trust(self.status, self.ins, self.attributes)

    def trusted(self, trust: Trust) -> PatientIdentity:
        """The same person, trusted otherwise."""
        return replace(self, status=trust.status, ins=trust.ins, attributes=trust.attributes)

    @property
    def display_name(self) -> str:
        """The name to show a person: used first name and used name, else those of birth."""
        first = self.used_first_name or self.traits.first_given or self.traits.given_names or ""
        return f"{first} {self.used_name or self.traits.birth_name or ''}".strip()


_GENDER = {"male": Sex.MALE, "female": Sex.FEMALE, "other": Sex.UNDETERMINED, "unknown": Sex.UNDETERMINED}
_BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"


def ins_of(patient: Mapping[str, Any]) -> Ins | None:
    """The INS that a Patient resource carries, if any."""
    for identifier in patient.get("identifier", ()):
        system = str(identifier.get("system", ""))
        oid = system.removeprefix("urn:oid:")
        if oid.startswith("1.2.250.1.213.1.4.") and oid not in _OBSOLETE and identifier.get("value"):
            return Ins(str(identifier["value"]), oid)
    return None


_OBSOLETE = frozenset({"1.2.250.1.213.1.4.1", "1.2.250.1.213.1.4.2"})


def traits_of(patient: Mapping[str, Any]) -> Traits:
    """The strict traits that a Patient resource states (fr-core: name `official`, extension birthPlace)."""
    names: list[Mapping[str, Any]] = list(patient.get("name", ()))
    name = _name(patient, "official") or (names[0] if names else {})
    given = [str(part) for part in name.get("given", ())]
    return Traits(
        birth_name=name.get("family"),
        first_given=given[0] if given else None,
        # Only the extension is the list of the birth certificate: `given` may hold used first names as well.
        given_names=_extension(name, "birth-list-given-name"),
        birth_date=birth_date_of(patient["birthDate"]) if patient.get("birthDate") else None,
        sex=_GENDER.get(str(patient.get("gender", ""))),
        birth_place=_birth_place(patient),
    )


def used_names_of(patient: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The used name and used first name that a Patient resource states."""
    name = _name(patient, "usual") or {}
    given = [str(part) for part in name.get("given", ())]
    return name.get("family"), given[0] if given else None


def require_complete(traits: Traits) -> None:
    """Refuse traits too poor to hold a qualified identity: birth name, first name, birth date and sex are needed."""
    missing = [
        element
        for element, value in (
            ("Patient.name.family", traits.birth_name),
            ("Patient.name.given", traits.first_given),
            ("Patient.birthDate", traits.birth_date),
            ("Patient.gender", traits.sex),
        )
        if not value
    ]
    if missing:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "TRAITS_MISSING",
            f"An identity under an INS needs its strict traits; add {', '.join(missing)}.",
            element=missing[0],
        )


def _name(patient: Mapping[str, Any], use: str) -> Mapping[str, Any] | None:
    return next((name for name in patient.get("name", ()) if name.get("use") == use), None)


def _extension(holder: Mapping[str, Any], suffix: str) -> str | None:
    for extension in holder.get("extension", ()):
        if str(extension.get("url", "")).endswith(suffix):
            return extension.get("valueString")
    return None


def _birth_place(patient: Mapping[str, Any]) -> str | None:
    for extension in patient.get("extension", ()):
        if extension.get("url") == _BIRTH_PLACE:
            address = extension.get("valueAddress", {})
            coded = _cog(address)
            return coded or address.get("district") or address.get("postalCode")
    return None


def _cog(address: Mapping[str, Any]) -> str | None:
    for extension in address.get("extension", ()):
        if "insee-code" in str(extension.get("url", "")):
            return str(extension.get("valueCoding", {}).get("code", "")) or None
    return None
