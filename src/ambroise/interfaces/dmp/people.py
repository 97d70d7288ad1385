"""A Patient of FHIR as HL7 V3 writes one: what the door gave the caller, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ambroise.interfaces.dmp.codes import HL7, system
from ambroise.interfaces.dmp.messages import XSI, add
from ambroise.interfaces.soap import Element, children, text_of
from ambroise.interfaces.xds.names import tag

Json = Mapping[str, Any]
_SEXES: Final[Mapping[str, str]] = {"male": "M", "female": "F"}
_USES: Final[Mapping[str, str]] = {"home": "HP", "mobile": "MC", "work": "WP"}
_SCHEMES: Final[Mapping[str, str]] = {"phone": "tel", "email": "mailto"}
_INS: Final = "urn:oid:1.2.250.1.213.1.4."
_BIRTH_PLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


def is_part(patient: Json) -> bool:
    """Whether this is the identity alone, which is all that the caller may see."""
    return any(one.get("code") == "SUBSETTED" for one in (patient.get("meta") or {}).get("tag", ()))


def add_registered(control: Element, patient: Json | None, status: str, *, at: str | None = None) -> tuple[Any, Any]:
    """The subject of an answer: a registration completed, about one patient; the registration and the patient."""
    subject = add(control, "subject", typeCode="SUBJ", contextConductionInd="false")
    event = add(subject, "registrationEvent", classCode="REG", moodCode="EVN")
    add(event, "statusCode", code="completed")
    if at is not None:
        add(event, "effectiveTime", value=at)
    made = add(add(event, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    for one in (patient or {}).get("identifier", ()):
        if str(one.get("system", "")).startswith(_INS):
            add(made, "id", root=str(one["system"]).removeprefix("urn:oid:"), extension=str(one.get("value", "")))
    add(made, "statusCode", code=status)
    return event, made


def add_custodian(event: Element, oid: str) -> None:
    """Who keeps the record."""
    add(add(add(event, "custodian", typeCode="CST"), "assignedEntity", classCode="ASSIGNED"), "id", root=oid)


def add_person(holder: Element, patient: Json, *, names_only: bool = False, whole: bool = False) -> None:
    """Who the patient is; `whole`: with all that the record keeps of the administrative side."""
    person = add(holder, "patientPerson", classCode="PSN", determinerCode="INSTANCE")
    _add_name(person, patient)
    if names_only:
        return
    _add_telecoms(person, patient)
    add(person, "administrativeGenderCode", code=_SEXES.get(patient.get("gender", ""), "UN"))
    add(person, "birthTime", value=str(patient.get("birthDate", "")).replace("-", ""))
    if not whole:
        return
    dead = bool(patient.get("deceasedBoolean") or patient.get("deceasedDateTime"))
    add(person, "deceasedInd", value="true" if dead else "false")
    for one in patient.get("address", ()):
        _add_address(person, one)
    for one in patient.get("contact", ()):
        _add_contact(person, one)
    _add_birth_place(person, patient)


def add_observation(holder: Element, name: str, value: bool, *, code: str, of: str = "observation") -> None:
    """Something that is true or false of the record."""
    observed = add(add(holder, name, typeCode="SBJ"), "administrativeObservation", classCode="OBS", moodCode="EVN")
    add(observed, "code", code=code, codeSystem=system(of))
    add(observed, "value", value="true" if value else "false").set(tag(XSI, "type"), "BL")


def contacts_of(person: Element) -> dict[str, Any]:
    """How a patientPerson says that one is reached: the `telecom` and `address` of FHIR, those that it has."""
    telecoms = [one for one in map(_telecom, children(person, HL7, "telecom")) if one is not None]
    addresses = [_address(one) for one in children(person, HL7, "addr")]
    return {name: found for name, found in (("telecom", telecoms), ("address", addresses)) if found}


def _telecom(element: Element) -> dict[str, str] | None:
    scheme, _, value = element.get("value", "").partition(":")
    sort = {theirs: ours for ours, theirs in _SCHEMES.items()}.get(scheme)
    if sort is None or not value:
        return None
    use = {theirs: ours for ours, theirs in _USES.items()}.get(element.get("use", ""), "home")
    return {"system": sort, "value": value, "use": use}


def _address(element: Element) -> dict[str, Any]:
    lines = [(one.text or "").strip() for one in children(element, HL7, "streetAddressLine")]
    written = {name: text_of(element, HL7, name) for name in ("postalCode", "city", "country")}
    return {"use": "home", "line": lines, **{name: text for name, text in written.items() if text}}


def _add_name(person: Element, patient: Json) -> None:
    names = {str(one.get("use", "official")): one for one in patient.get("name", ())}
    official = names.get("official") or next(iter(names.values()), {})
    usual = names.get("usual") or {}
    made = add(person, "name")
    for prefix in usual.get("prefix") or official.get("prefix") or ():
        add(made, "prefix", prefix)
    for given in (usual.get("given") or official.get("given") or ())[:1]:
        add(made, "given", given)
    if usual.get("family"):
        add(made, "family", usual["family"], qualifier="SP")
    if official.get("family"):
        add(made, "family", official["family"], qualifier="BR")


def _add_telecoms(holder: Element, person: Json) -> None:
    for one in person.get("telecom", ()):
        scheme, value = _SCHEMES.get(str(one.get("system"))), str(one.get("value", "")).replace(" ", "")
        if scheme and value:
            use = _USES.get(str(one.get("use")), "") if scheme == "tel" else ""
            add(holder, "telecom", value=f"{scheme}:{value}", use=use)


def _add_address(holder: Element, address: Json) -> None:
    made = add(holder, "addr")
    for line in address.get("line", ()):
        add(made, "streetAddressLine", line)
    for name, key in (("postalCode", "postalCode"), ("city", "city"), ("country", "country")):
        if address.get(key):
            add(made, name, str(address[key]))


def _add_contact(person: Element, contact: Json) -> None:
    coded = [one for each in contact.get("relationship", ()) for one in each.get("coding", ())]
    code = next((str(one["code"]) for one in coded if one.get("system") == _ROLE_CODE and one.get("code")), None)
    name = contact.get("name") or {}
    if code is None or not name.get("family"):
        return
    made = add(person, "personalRelationship", classCode="PRS")
    add(made, "code", code=code, codeSystem=system("relationship"))
    if contact.get("address"):
        _add_address(made, contact["address"])
    _add_telecoms(made, contact)
    holder = add(made, "relationshipHolder1", classCode="PSN", determinerCode="INSTANCE")
    written = add(holder, "name")
    for given in name.get("given", ())[:1]:
        add(written, "given", given)
    add(written, "family", str(name["family"]))


def _add_birth_place(person: Element, patient: Json) -> None:
    place = next((one for one in patient.get("extension", ()) if one.get("url") == _BIRTH_PLACE), None)
    if place is None:
        return
    address = place.get("valueAddress") or {}
    made = add(add(person, "birthPlace", classCode="BIRTHPL"), "addr")
    codes = [one.get("valueCoding", {}).get("code") for one in address.get("extension", ())]
    # The code of the commune or of the country stands in `county`, as in the header of a CDA of the CI-SIS.
    for name, value in (("city", address.get("city")), ("county", next((one for one in codes if one), None))):
        if value:
            add(made, name, str(value))
