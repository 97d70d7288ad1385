"""The people and places of the demonstration in the words of the writer of documents."""

from __future__ import annotations

from ambroise.interfaces.demonstration import model
from ambroise.interfaces.demonstration.documents import Document, uid_of
from ambroise.interfaces.demonstration.model import INS_TEST_OID, Citizen, Organization
from ambroise.interfaces.demonstration.professions import FACILITIES, PROFESSIONS, SETTINGS
from ambroise.modules.record.api import Identifier, write

# Who keeps what citizens write themselves: the operator of the demonstration, identified by a SIREN that is nobody's.
HOST = write.Structure("2999000017", "Opérateur de démonstration")


class People:
    """Describes the people of one nation; says the same of the same person."""

    def __init__(self) -> None:
        self._patients: dict[str, write.Patient] = {}
        self._professionals: dict[str, write.Professional] = {}

    def head(self, document: Document, title: str | None = None) -> write.Head:
        """The header of a document."""
        author = document.author
        return write.Head(
            document.uid,
            write.Coded(document.type.code, document.type.label, document.type.system),
            title or document.title,
            document.moment,
            document.started,
            self.patient(document.citizen),
            self.professional(author) if author else None,
            None if author else HOST,
            document.encounter,
            write.Former.first(Identifier(document.replaces)) if document.replaces else None,
        )

    def patient(self, citizen: Citizen) -> write.Patient:
        """A citizen as the patient of a document."""
        known = self._patients.get(citizen.matricule)
        if known is None:
            known = self._patients[citizen.matricule] = _patient(citizen)
        return known

    def professional(self, person: model.Professional) -> write.Professional:
        """A professional as the author of a document, or around it."""
        known = self._professionals.get(person.rpps)
        if known is None:
            known = self._professionals[person.rpps] = _professional(person)
        return known


def _patient(citizen: Citizen) -> write.Patient:
    return write.Patient(
        citizen.matricule,
        INS_TEST_OID,
        citizen.birth_name,
        citizen.birth_given,
        citizen.sex,
        citizen.birth_date,
        citizen.birthplace.cog,
        citizen.birthplace.name,
        citizen.used_name,
        citizen.used_given,
        _address(citizen.address),
        citizen.phone,
        citizen.email,
        (uid_of("local-numbers", citizen.treating.organization.finess), citizen.matricule[3:13]),
    )


def _professional(person: model.Professional) -> write.Professional:
    profession = PROFESSIONS[person.role]
    return write.Professional(
        person.id_nat,
        person.family,
        person.given,
        write.Coded(profession.author_code, profession.label, profession.author_system),
        _structure(person.organization),
        "MME" if person.sex == "F" else "M",
        person.title,
        person.phone,
    )


def _structure(place: Organization) -> write.Structure:
    return write.Structure(
        place.id_nat,
        place.name,
        write.Coded(place.facility, FACILITIES[place.facility], "1.2.250.1.71.4.2.4"),
        write.Coded(place.setting, SETTINGS[place.setting], "1.2.250.1.213.1.1.4.9"),
        _address(place.address),
        place.phone,
    )


def _address(address: model.Address) -> write.Address:
    return write.Address(address.number, address.street, address.postal_code, address.city)
