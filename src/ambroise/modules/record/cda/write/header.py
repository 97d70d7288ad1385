"""The header of a CDA document, as the CI-SIS asks (structuration minimale): people, structures, act and encounter."""

from __future__ import annotations

from datetime import datetime

from ambroise.modules.record.cda.model import Identifier
from ambroise.modules.record.cda.write.model import Address, Coded, Head, Patient, Professional, Structure
from ambroise.modules.record.cda.write.pieces import code, escape, timestamp

PS = "1.2.250.1.71.4.2.1"
STRUCTURE = "1.2.250.1.71.4.2.2"
PATIENT_EXPRESSION = Coded("EXP_PATIENT", "Expression personnelle du patient", "1.2.250.1.213.1.1.4.6")
ENCOUNTERS = {
    "AMB": Coded("AMB", "Ambulatoire (hors établissement)", "2.16.840.1.113883.5.4"),
    "EMER": Coded("EMER", "Passage aux urgences (établissement)", "2.16.840.1.113883.5.4"),
    "IMP": Coded("IMP", "Hospitalisation (établissement, y compris HAD)", "2.16.840.1.113883.5.4"),
    "HH": Coded("HH", "Soins à domicile (hors établissement)", "2.16.840.1.113883.5.4"),
    "EXTERNE": Coded("EXTERNE", "Acte et consultation externe (établissement)", "1.2.250.1.213.1.1.4.2.291"),
}
"""The kinds of encounter, by code."""
_SEXES = {"F": "Féminin", "M": "Masculin", "U": "Inconnu"}
_NO_ADDRESS = '<addr nullFlavor="NAV"/>'
_NO_TELECOM = '<telecom nullFlavor="NAV"/>'


class Header:
    """Writes headers; keeps what it wrote of each person and structure, so it serves one batch of documents."""

    def __init__(self) -> None:
        self._patients: dict[tuple[str, str], str] = {}
        self._entities: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self._structures: dict[tuple[str, bool], str] = {}

    def open(self, head: Head, templates: str, *, namespaces: str = "") -> str:
        """From the root element to the legal authenticator."""
        former = head.replaces
        own = Identifier(head.uid)
        return "".join(
            (
                '<?xml version="1.0" encoding="UTF-8"?>\n'
                '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
                f'{namespaces}><realmCode code="FR"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>'
                '<templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/>',
                templates,
                identified("id", own),
                coded("code", head.type),
                f"<title>{escape(head.title)}</title>",
                f'<effectiveTime value="{timestamp(head.moment)}"/>',
                '<confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>',
                '<languageCode code="fr-FR"/>',
                identified("setId", former.set_id if former else own),
                f'<versionNumber value="{former.version + 1 if former else 1}"/>',
                self.patient(head.patient),
                f'<author><time value="{timestamp(head.moment)}"/>{self.author_body(head)}</author>',
                self._custodian(head),
                self._authenticator(head),
            )
        )

    def close(self, head: Head, participants: str = "", acts: str = "", responsible: str = "") -> str:
        """From the participants to the encounter. `acts` replaces the default documented act."""
        acts = acts or self.act(head, coded("code", head.type), head.started, head.moment)
        return f"{participants}{acts}{self._replacement(head)}{self._encounter(head, responsible)}"

    def patient(self, patient: Patient) -> str:
        """The record target: INS, local number, contacts, every trait."""
        key = (patient.ins_root, patient.ins)
        written = self._patients.get(key)
        if written is None:
            written = self._patients[key] = _patient(patient)
        return written

    def entity(self, person: Professional) -> str:
        """Identifier and profession, with contacts."""
        written = self._entities.get(person.id_nat)
        if written is None:
            written = self._entities[person.id_nat] = (
                f"{_identity(person)}{address(person.structure.address)}{telecom(person.phone)}"
            )
        return written

    def structure(self, structure: Structure, tag: str = "representedOrganization", setting: bool = True) -> str:
        """A structure with its contacts, and the setting of the care when the element allows it."""
        key = (structure.id_nat, setting)
        written = self._structures.get(key)
        if written is None:
            written = self._structures[key] = (
                f"{_structure_identity(structure)}{telecom(structure.phone)}{address(structure.address)}"
                f"{_setting(structure) if setting else ''}"
            )
        return f"<{tag}>{written}</{tag}>"

    def assigned(self, person: Professional, *, setting: bool = True) -> str:
        """A professional in charge of something, with every contact."""
        return (
            f"<assignedEntity>{self.entity(person)}<assignedPerson>{name_of(person)}</assignedPerson>"
            f"{self.structure(person.structure, setting=setting)}</assignedEntity>"
        )

    def named(self, person: Professional) -> str:
        """A professional in charge of something, whose contacts the document gives elsewhere."""
        written = self._named.get(person.id_nat)
        if written is None:
            place = person.structure
            written = self._named[person.id_nat] = (
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
            f"{self.structure(person.structure, 'scopingOrganization', setting=False)}"
            "</associatedEntity></participant>"
        )

    def act(self, head: Head, act_code: str, begin: datetime, end: datetime | None, *, performer: str = "") -> str:
        """The documented act and who performed it: the author, unless `performer` says it in full."""
        high = f'<high value="{timestamp(end)}"/>' if end and end > begin else ""
        performer = performer or (self.named(head.author) if head.author else _patient_performer(head.patient))
        return (
            f"<documentationOf><serviceEvent>{act_code}"
            f'<effectiveTime><low value="{timestamp(begin)}"/>{high}</effectiveTime>'
            f'<performer typeCode="PRF">{performer}</performer></serviceEvent></documentationOf>'
        )

    def author_body(self, head: Head) -> str:
        """The assigned author: the professional, or the patient."""
        return self.author_of(head.author) if head.author else _patient_author(head.patient)

    def author_of(self, person: Professional) -> str:
        """A professional as the author of an entry."""
        return (
            f"<assignedAuthor>{self.entity(person)}<assignedPerson>{name_of(person)}</assignedPerson>"
            f"<representedOrganization>{_structure_identity(person.structure)}</representedOrganization>"
            "</assignedAuthor>"
        )

    def _custodian(self, head: Head) -> str:
        keeper = head.custodian or (head.author.structure if head.author else None)
        if keeper is None:
            raise ValueError("a document that the patient wrote has a custodian")
        inner = self.structure(keeper, "representedCustodianOrganization", setting=False)
        return f"<custodian><assignedCustodian>{inner}</assignedCustodian></custodian>"

    def _authenticator(self, head: Head) -> str:
        entity = self.named(head.author) if head.author else _patient_performer(head.patient)
        return (
            f'<legalAuthenticator><time value="{timestamp(head.moment)}"/><signatureCode code="S"/>{entity}'
            "</legalAuthenticator>"
        )

    def _replacement(self, head: Head) -> str:
        if not head.replaces:
            return ""
        former = identified("id", head.replaces.id)
        return f'<relatedDocument typeCode="RPLC"><parentDocument>{former}</parentDocument></relatedDocument>'

    def _encounter(self, head: Head, responsible: str) -> str:
        place = head.author.structure if head.author else None
        facility = (
            f'<id root="{STRUCTURE}" extension="{escape(place.id_nat)}"/>{coded("code", place.facility)}'
            if place and place.facility
            else coded("code", PATIENT_EXPRESSION)
        )
        return (
            f"<componentOf><encompassingEncounter>{coded('code', ENCOUNTERS[head.encounter])}"
            f'<effectiveTime><low value="{timestamp(head.started)}"/></effectiveTime>{responsible}'
            f"<location><healthCareFacility>{facility}</healthCareFacility></location>"
            "</encompassingEncounter></componentOf>"
        )


def coded(tag: str, value: Coded, inner: str = "") -> str:
    """A coded element."""
    return code(tag, value.code, value.label, value.system, inner)


def identified(tag: str, value: Identifier) -> str:
    """An identifier (II)."""
    extension = f' extension="{escape(value.extension)}"' if value.extension else ""
    return f'<{tag} root="{escape(value.root)}"{extension}/>'


def address(value: Address | None) -> str:
    """A postal address, or that it is not available."""
    if value is None:
        return _NO_ADDRESS
    return (
        f"<addr><houseNumber>{escape(value.number)}</houseNumber><streetName>{escape(value.street)}</streetName>"
        f"<postalCode>{escape(value.postal_code)}</postalCode><city>{escape(value.city)}</city>"
        "<country>FRANCE</country></addr>"
    )


def telecom(phone: str | None, use: str = "WP") -> str:
    """A telephone number, or that it is not available."""
    return f'<telecom value="tel:{escape(phone)}" use="{use}"/>' if phone else _NO_TELECOM


def name_of(person: Professional) -> str:
    """The name of a professional, with civility and title."""
    prefix = f"<prefix>{escape(person.civility)}</prefix>" if person.civility else ""
    suffix = f"<suffix>{escape(person.title)}</suffix>" if person.title else ""
    return f"<name>{prefix}<given>{escape(person.given)}</given><family>{escape(person.family)}</family>{suffix}</name>"


def _identity(person: Professional) -> str:
    return f'<id root="{PS}" extension="{escape(person.id_nat)}"/>{coded("code", person.specialty)}'


def _structure_identity(place: Structure) -> str:
    return f'<id root="{STRUCTURE}" extension="{escape(place.id_nat)}"/><name>{escape(place.name)}</name>'


def _setting(place: Structure) -> str:
    return coded("standardIndustryClassCode", place.setting) if place.setting else ""


def _patient(patient: Patient) -> str:
    first = patient.birth_given[0]
    local = f'<id extension="{escape(patient.local[1])}" root="{patient.local[0]}"/>' if patient.local else ""
    place = f"<city>{escape(patient.birth_place_name)}</city>" if patient.birth_place_name else ""
    mail = f'<telecom value="mailto:{escape(patient.email)}"/>' if patient.email else ""
    phone = telecom(patient.phone, _use(patient.phone)) if patient.phone or not mail else ""
    return (
        "<recordTarget><patientRole>"
        f'<id extension="{escape(patient.ins)}" root="{patient.ins_root}"/>{local}'
        f"{address(patient.address)}{phone}{mail}"
        f'<patient classCode="PSN"><name><family qualifier="BR">{escape(patient.birth_name)}</family>'
        f"<given>{escape(' '.join(patient.birth_given))}</given>"
        f'<given qualifier="BR">{escape(first)}</given>'
        f'<family qualifier="CL">{escape(patient.used_name or patient.birth_name)}</family>'
        f'<given qualifier="CL">{escape(patient.used_given or first)}</given></name>'
        f"{code('administrativeGenderCode', patient.sex, _SEXES[patient.sex], '2.16.840.1.113883.5.1')}"
        f'<birthTime value="{patient.birth_date:%Y%m%d}"/>'
        f"<birthplace><place><addr><county>{escape(patient.birth_place)}</county>{place}</addr></place></birthplace>"
        "</patient></patientRole></recordTarget>"
    )


def _use(phone: str | None) -> str:
    return "MC" if (phone or "").startswith(("06", "07")) else "H"


def _patient_ids(patient: Patient) -> str:
    return (
        f'<id root="{patient.ins_root}" extension="{escape(patient.ins)}"/>{coded("code", PATIENT_EXPRESSION)}'
        f"{address(patient.address)}{telecom(patient.phone, 'H')}"
    )


def _plain_name(patient: Patient) -> str:
    family, given = patient.used_name or patient.birth_name, patient.used_given or patient.birth_given[0]
    return f"<name><family>{escape(family)}</family><given>{escape(given)}</given></name>"


def _patient_author(patient: Patient) -> str:
    person = f"<assignedPerson>{_plain_name(patient)}</assignedPerson>"
    return f"<assignedAuthor>{_patient_ids(patient)}{person}</assignedAuthor>"


def _patient_performer(patient: Patient) -> str:
    return (
        f"<assignedEntity>{_patient_ids(patient)}<assignedPerson>{_plain_name(patient)}</assignedPerson>"
        f"<representedOrganization>{coded('standardIndustryClassCode', PATIENT_EXPRESSION)}</representedOrganization>"
        "</assignedEntity>"
    )
