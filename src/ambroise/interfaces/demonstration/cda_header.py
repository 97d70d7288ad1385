"""The header of a CDA document, as the CI-SIS asks (structuration minimale): people, structures, act and encounter.

Text is built by hand, for speed: what is said of a person or a structure is written once and reused, and every value
that is not a code of ours goes through `escape`.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from ambroise.interfaces.demonstration.documents import Document, uid_of
from ambroise.interfaces.demonstration.model import INS_TEST_OID, Address, Citizen, Organization, Professional
from ambroise.interfaces.demonstration.professions import FACILITIES, PROFESSIONS, SETTINGS

PS = "1.2.250.1.71.4.2.1"
STRUCTURE = "1.2.250.1.71.4.2.2"
LOINC = "2.16.840.1.113883.6.1"
_PATIENT_EXPRESSION = ("EXP_PATIENT", "Expression personnelle du patient", "1.2.250.1.213.1.1.4.6")
_ENCOUNTERS = {
    "AMB": ("Ambulatoire (hors établissement)", "2.16.840.1.113883.5.4"),
    "EMER": ("Passage aux urgences (établissement)", "2.16.840.1.113883.5.4"),
    "IMP": ("Hospitalisation (établissement, y compris HAD)", "2.16.840.1.113883.5.4"),
    "HH": ("Soins à domicile (hors établissement)", "2.16.840.1.113883.5.4"),
    "EXTERNE": ("Acte et consultation externe (établissement)", "1.2.250.1.213.1.1.4.2.291"),
}
_SEXES = {"F": "Féminin", "M": "Masculin"}
# Who keeps what citizens write themselves: the operator of the demonstration, identified by a SIREN that is nobody's.
HOST = ("2999000017", "Opérateur de démonstration")

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


@lru_cache(maxsize=16384)
def escape(text: str) -> str:
    """Make a text safe inside an element or a quoted attribute."""
    return text.translate(_ESCAPES)


@lru_cache(maxsize=4096)
def code(tag: str, value: str, label: str, system: str, inner: str = "") -> str:
    """A coded element."""
    attributes = f'code="{escape(value)}" displayName="{escape(label)}" codeSystem="{system}"'
    return f"<{tag} {attributes}>{inner}</{tag}>" if inner else f"<{tag} {attributes}/>"


@lru_cache(maxsize=16384)
def timestamp(moment: datetime) -> str:
    """An HL7 instant to the second, with its offset."""
    return moment.strftime("%Y%m%d%H%M%S%z")


def address(value: Address) -> str:
    """A postal address."""
    return (
        f"<addr><houseNumber>{escape(value.number)}</houseNumber><streetName>{escape(value.street)}</streetName>"
        f"<postalCode>{value.postal_code}</postalCode><city>{escape(value.city)}</city><country>FRANCE</country></addr>"
    )


def telecom(phone: str, use: str = "WP") -> str:
    """A telephone number."""
    return f'<telecom value="tel:{phone}" use="{use}"/>'


class Header:
    """Writes headers; keeps what it wrote of each person and structure of one nation."""

    def __init__(self) -> None:
        self._patients: dict[str, str] = {}
        self._entities: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self._structures: dict[tuple[str, bool], str] = {}

    def open(self, document: Document, templates: str, *, namespaces: str = "", title: str | None = None) -> str:
        """From the root element to the custodian."""
        root = document.uid
        previous = document.replaces
        author = document.author
        return "".join(
            (
                '<?xml version="1.0" encoding="UTF-8"?>\n'
                '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
                f'{namespaces}><realmCode code="FR"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>'
                '<templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/>',
                templates,
                f'<id root="{root}"/>',
                code("code", document.type.code, document.type.label, document.type.system),
                f"<title>{escape(title or document.title)}</title>",
                f'<effectiveTime value="{timestamp(document.moment)}"/>',
                '<confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>',
                '<languageCode code="fr-FR"/>',
                f'<setId root="{previous or root}"/><versionNumber value="{2 if previous else 1}"/>',
                self.patient(document.citizen),
                self._author(document),
                self._custodian(author.organization if author else None),
                self._authenticator(document),
            )
        )

    def close(self, document: Document, participants: str = "", act: str = "", replaced: bool = True) -> str:
        """From the participants to the encounter. `act` replaces the default documented act."""
        return "".join(
            (
                participants,
                act or self.act(document, code("code", *_type_of(document)), document.started, document.moment),
                self.replacement(document) if replaced else "",
                self.encounter(document),
            )
        )

    def patient(self, citizen: Citizen) -> str:
        """The record target: INS, local number, contacts, every trait."""
        written = self._patients.get(citizen.matricule)
        if written is None:
            written = self._patients[citizen.matricule] = _patient(citizen)
        return written

    def entity(self, person: Professional) -> str:
        """Identifier and profession, with contacts."""
        written = self._entities.get(person.rpps)
        if written is None:
            written = self._entities[person.rpps] = (
                f"{_identity(person)}{address(person.organization.address)}{telecom(person.phone)}"
            )
        return written

    def structure(self, organization: Organization, tag: str = "representedOrganization", setting: bool = True) -> str:
        """A structure with its contacts, and the setting of the care when the element allows it."""
        written = self._structures.get((organization.finess, setting))
        if written is None:
            written = self._structures[organization.finess, setting] = (
                f"{_structure_identity(organization)}{telecom(organization.phone)}{address(organization.address)}"
                f"{_setting(organization) if setting else ''}"
            )
        return f"<{tag}>{written}</{tag}>"

    def assigned(self, person: Professional, *, setting: bool = True) -> str:
        """A professional in charge of something, with every contact."""
        return (
            f"<assignedEntity>{self.entity(person)}<assignedPerson>{name_of(person)}</assignedPerson>"
            f"{self.structure(person.organization, setting=setting)}</assignedEntity>"
        )

    def named(self, person: Professional) -> str:
        """A professional in charge of something, whose contacts the document gives elsewhere."""
        written = self._named.get(person.rpps)
        if written is None:
            place = person.organization
            written = self._named[person.rpps] = (
                f"<assignedEntity>{_identity(person)}<assignedPerson>{name_of(person)}</assignedPerson>"
                f"<representedOrganization>{_structure_identity(place)}{_setting(place)}</representedOrganization>"
                "</assignedEntity>"
            )
        return written

    def participant(
        self, person: Professional, kind: str, moment: datetime | None, *, function: str = "", template: str = ""
    ) -> str:
        """Another professional around the act: prescriber (REF), treating doctor (INF), who took the sample (PRF)."""
        when = (
            f'<time xsi:type="IVL_TS"><high value="{timestamp(moment)}"/></time>'
            if moment
            else '<time nullFlavor="NA"/>'
        )
        return (
            f'<participant typeCode="{kind}">{template}{function}{when}<associatedEntity classCode="PROV">'
            f"{self.entity(person)}<associatedPerson>{name_of(person)}</associatedPerson>"
            f"{self.structure(person.organization, 'scopingOrganization', setting=False)}"
            "</associatedEntity></participant>"
        )

    def act(
        self, document: Document, act_code: str, begin: datetime, end: datetime | None, *, performer: str = ""
    ) -> str:
        """The documented act and who performed it: the author, unless `performer` says it in full."""
        high = f'<high value="{timestamp(end)}"/>' if end and end > begin else ""
        author = document.author
        performer = performer or (self.named(author) if author else _patient_performer(document.citizen))
        return (
            f"<documentationOf><serviceEvent>{act_code}"
            f'<effectiveTime><low value="{timestamp(begin)}"/>{high}</effectiveTime>'
            f'<performer typeCode="PRF">{performer}</performer></serviceEvent></documentationOf>'
        )

    def replacement(self, document: Document) -> str:
        """The document that this one replaces."""
        if not document.replaces:
            return ""
        return (
            f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{document.replaces}"/></parentDocument>'
            "</relatedDocument>"
        )

    def encounter(self, document: Document, responsible: str = "") -> str:
        """The encounter and the kind of place where it happened."""
        label, system = _ENCOUNTERS[document.encounter]
        author = document.author
        if author:
            place = author.organization
            facility = (
                f'<id root="{STRUCTURE}" extension="{place.id_nat}"/>'
                f"{code('code', place.facility, FACILITIES[place.facility], '1.2.250.1.71.4.2.4')}"
            )
        else:
            facility = code("code", *_PATIENT_EXPRESSION)
        return (
            f"<componentOf><encompassingEncounter>{code('code', document.encounter, label, system)}"
            f'<effectiveTime><low value="{timestamp(document.started)}"/></effectiveTime>{responsible}'
            f"<location><healthCareFacility>{facility}</healthCareFacility></location>"
            "</encompassingEncounter></componentOf>"
        )

    def author_body(self, document: Document) -> str:
        """The assigned author: the professional, or the citizen."""
        author = document.author
        if author is None:
            return _patient_author(document.citizen)
        return (
            f"<assignedAuthor>{self.entity(author)}<assignedPerson>{name_of(author)}</assignedPerson>"
            f"<representedOrganization>{_structure_identity(author.organization)}</representedOrganization>"
            "</assignedAuthor>"
        )

    def _author(self, document: Document) -> str:
        return f'<author><time value="{timestamp(document.moment)}"/>{self.author_body(document)}</author>'

    def _custodian(self, organization: Organization | None) -> str:
        if organization is None:
            inner = (
                f'<representedCustodianOrganization><id root="{STRUCTURE}" extension="{HOST[0]}"/>'
                f"<name>{HOST[1]}</name>"
                '<telecom nullFlavor="NAV"/><addr nullFlavor="NAV"/></representedCustodianOrganization>'
            )
        else:
            inner = self.structure(organization, "representedCustodianOrganization", setting=False)
        return f"<custodian><assignedCustodian>{inner}</assignedCustodian></custodian>"

    def _authenticator(self, document: Document) -> str:
        author = document.author
        entity = self.named(author) if author else _patient_performer(document.citizen)
        return (
            f'<legalAuthenticator><time value="{timestamp(document.moment)}"/><signatureCode code="S"/>{entity}'
            "</legalAuthenticator>"
        )


def _identity(person: Professional) -> str:
    profession = PROFESSIONS[person.role]
    return f'<id root="{PS}" extension="{person.id_nat}"/>' + code(
        "code", profession.author_code, profession.label, profession.author_system
    )


def _structure_identity(organization: Organization) -> str:
    return f'<id root="{STRUCTURE}" extension="{organization.id_nat}"/><name>{escape(organization.name)}</name>'


def _setting(organization: Organization) -> str:
    return code(
        "standardIndustryClassCode", organization.setting, SETTINGS[organization.setting], "1.2.250.1.213.1.1.4.9"
    )


def _type_of(document: Document) -> tuple[str, str, str]:
    return document.type.code, document.type.label, document.type.system


def name_of(person: Professional) -> str:
    """The name of a professional, with civility and title."""
    civility = "MME" if person.sex == "F" else "M"
    suffix = f"<suffix>{person.title}</suffix>" if person.title else ""
    return (
        f"<name><prefix>{civility}</prefix><given>{escape(person.given)}</given>"
        f"<family>{escape(person.family)}</family>{suffix}</name>"
    )


def _patient_name(citizen: Citizen) -> str:
    first = citizen.birth_given[0]
    return (
        f'<name><family qualifier="BR">{escape(citizen.birth_name)}</family>'
        f"<given>{escape(' '.join(citizen.birth_given))}</given>"
        f'<given qualifier="BR">{escape(first)}</given>'
        f'<family qualifier="CL">{escape(citizen.used_name or citizen.birth_name)}</family>'
        f'<given qualifier="CL">{escape(citizen.used_given or first)}</given></name>'
    )


def _patient(citizen: Citizen) -> str:
    local = uid_of("local-numbers", citizen.treating.organization.finess)
    return (
        "<recordTarget><patientRole>"
        f'<id extension="{citizen.matricule}" root="{INS_TEST_OID}"/>'
        f'<id extension="{citizen.matricule[3:13]}" root="{local}"/>'
        f"{address(citizen.address)}{telecom(citizen.phone, 'MC' if citizen.phone.startswith('06') else 'H')}"
        f'<telecom value="mailto:{escape(citizen.email)}"/>'
        f'<patient classCode="PSN">{_patient_name(citizen)}'
        f"{code('administrativeGenderCode', citizen.sex, _SEXES[citizen.sex], '2.16.840.1.113883.5.1')}"
        f'<birthTime value="{citizen.birth_date:%Y%m%d}"/>'
        f"<birthplace><place><addr><county>{citizen.birthplace.cog}</county>"
        f"<city>{escape(citizen.birthplace.name)}</city></addr></place></birthplace>"
        "</patient></patientRole></recordTarget>"
    )


def _plain_name(citizen: Citizen) -> str:
    family, given = citizen.used_name or citizen.birth_name, citizen.used_given or citizen.birth_given[0]
    return f"<name><family>{escape(family)}</family><given>{escape(given)}</given></name>"


def _patient_ids(citizen: Citizen) -> str:
    return (
        f'<id root="{INS_TEST_OID}" extension="{citizen.matricule}"/>{code("code", *_PATIENT_EXPRESSION)}'
        f"{address(citizen.address)}{telecom(citizen.phone, 'H')}"
    )


def _patient_author(citizen: Citizen) -> str:
    person = f"<assignedPerson>{_plain_name(citizen)}</assignedPerson>"
    return f"<assignedAuthor>{_patient_ids(citizen)}{person}</assignedAuthor>"


def _patient_performer(citizen: Citizen) -> str:
    return (
        f"<assignedEntity>{_patient_ids(citizen)}<assignedPerson>{_plain_name(citizen)}</assignedPerson>"
        f"<representedOrganization>{code('standardIndustryClassCode', *_PATIENT_EXPRESSION)}</representedOrganization>"
        "</assignedEntity>"
    )
