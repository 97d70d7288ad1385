"""Rows of the directory as the resources of the API FHIR Annuaire Santé v2 (public data, profiles as-dp-*)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ambroise.modules.directory.published import systems
from ambroise.modules.directory.resources import FINESS_SYSTEM, ID_NAT_PS_SYSTEM, ID_NAT_STRUCTURE_SYSTEM, RPPS_SYSTEM

Json = dict[str, Any]
Fields = Mapping[str, Any]

_GENDERS: Final = {"F": "female", "M": "male"}
_TEST_DATA: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
_KEPT_INACTIVE: Final = ("resourceType", "id", "meta", "identifier", "active", "name")
_PROFILES: Final = {
    "Practitioner": ("as-dp-practitioner", "fr-core-practitioner"),
    "PractitionerRole": ("as-dp-practitionerrole", "fr-core-practitioner-role"),
    "Organization": ("as-dp-organization", "fr-core-organization"),
    "Device": ("as-dp-device", None),
    "social-equipment": ("as-dp-healthcareservice-social-equipment", "fr-core-healthcare-service"),
    "healthcare-activity": ("as-dp-healthcareservice-healthcare-activity", "fr-core-healthcare-service"),
}


def resource(type: str, row: Fields) -> Json:
    """The resource of a row; out of activity, only its identity is left."""
    made = _WRITERS[type](row)
    if made.get("active") is False:
        made = {name: made[name] for name in _KEPT_INACTIVE if name in made}
    return made


def _practitioner(row: Fields) -> Json:
    identifiers = [_identifier("IDNPS", ID_NAT_PS_SYSTEM, row["id"])]
    if row["rpps"]:
        identifiers.insert(0, _identifier("RPPS", RPPS_SYSTEM, row["rpps"]))
    name: Json = {"use": "official", "family": row["family"]}
    if row["given"]:
        name["given"] = [row["given"]]
    if prefix := [one for one in (row["civility"], row["title"]) if one]:
        name["prefix"] = prefix[:1]
    if row["title"] and row["civility"]:
        name["suffix"] = [row["title"]]
    made = _made("Practitioner", row, "RPPS")
    made |= {"identifier": identifiers, "active": row["active"], "name": [name]}
    if telecom := _telecom(row["phone"], None, row["mailboxes"]):
        made["telecom"] = telecom
    if row["sex"] in _GENDERS:
        made["gender"] = _GENDERS[row["sex"]]
    made["qualification"] = _qualifications(row)
    return made


def _qualifications(row: Fields) -> list[Json]:
    system = systems.TITLE if row["profession_system"] == "1.2.250.1.213.1.6.1.109" else systems.PROFESSION
    coding = [{"system": system, "code": row["profession"]}]
    if row["category"]:
        coding.append({"system": systems.CATEGORY, "code": row["category"]})
    practice: Json = {"coding": coding}
    if row["label"]:
        practice["text"] = row["label"]
    found: list[Json] = [{"code": practice}]
    skills: list[tuple[str, str, str | None]] = [tuple(one) for one in row["skills"]]
    if row["specialty"] and row["specialty"] not in {code for _, code, _ in skills}:
        skills.append(("S", row["specialty"], None))
    for kind, code, label in skills:
        skill: Json = {"system": _skill_system(row["profession"], kind), "code": code}
        if label:
            skill["display"] = label
        found.append({"code": {"coding": [{"system": systems.SKILL_KIND, "code": kind}, skill]}})
    return found


def _skill_system(profession: str, kind: str) -> str:
    if profession == "21" and kind == "S":
        return systems.SECTION
    # The tables of the other kinds of savoir-faire were in no source that we read: their codes stand under TRE_R38's.
    return systems.SPECIALTY


def _role(row: Fields) -> Json:
    made = _made("PractitionerRole", row, "RPPS", row["authority"])
    made |= {
        "identifier": [{"system": RPPS_SYSTEM, "value": row["id"]}],
        "active": row["active"],
        "practitioner": {"reference": f"Practitioner/{row['professional']}", "display": row["name"]},
        "organization": {"reference": f"Organization/{row['organization']}"},
    }
    codes = (
        (systems.FUNCTION, row["function"]),
        (systems.GENRE, row["genre"]),
        (systems.MODE, row["mode"]),
        (systems.SECTION, row["section"]),
    )
    said: list[Json] = [{"coding": [{"system": system, "code": code}]} for system, code in codes if code]
    if row["role_title"]:
        said.append({"text": row["role_title"]})
    if said:
        made["code"] = said
    if telecom := _telecom(None, None, row["mailboxes"]):
        made["telecom"] = telecom
    return made


def _organization(row: Fields) -> Json:
    identifiers = [_identifier("IDNST", ID_NAT_STRUCTURE_SYSTEM, row["id"])]
    if str(row["id"]).startswith("1"):
        identifiers.append(_identifier("FINEG", FINESS_SYSTEM, str(row["id"])[1:]))
    for kind in ("siret", "siren"):
        if row[kind]:
            identifiers.append(_identifier(kind.upper(), systems.SIRENE, row[kind]))
    made = _made("Organization", row, "FINESS")
    types = [{"coding": [{"system": systems.ORGANIZATION_TYPES, "code": "GEOGRAPHICAL-ENTITY"}]}]
    if row["facility"]:
        types.append({"coding": [{"system": systems.SECTOR, "code": row["facility"]}]})
    made |= {"identifier": identifiers, "active": row["active"], "type": types, "name": row["name"]}
    if telecom := _telecom(row["phone"], row["email"], row["mailboxes"]):
        made["telecom"] = telecom
    if row["city"] or row["postal"]:
        made["address"] = [_address(row)]
    if row["parent"]:
        made["partOf"] = {"reference": f"Organization/{row['parent']}"}
    elif row["finess_legal"]:
        made["partOf"] = {"identifier": _identifier("FINEJ", FINESS_SYSTEM, row["finess_legal"])}
    return made


def _address(row: Fields) -> Json:
    address: Json = {"country": "FR"}
    if row["line"]:
        address["line"] = [row["line"]]
    if row["city"]:
        address["city"] = row["city"]
    if row["postal"]:
        address["postalCode"] = row["postal"]
    if row["commune"]:
        coding = {"system": systems.COMMUNES, "code": row["commune"]}
        address["extension"] = [{"url": systems.INSEE, "valueCoding": coding}]
    return address


def _service(row: Fields) -> Json:
    made = _made("HealthcareService", row, "FINESS", profile=row["kind"])
    made |= {
        "identifier": [{"value": row["id"]}],
        "active": row["active"],
        "providedBy": {"reference": f"Organization/{row['organization']}"},
    }
    if row["label"]:
        made["name"] = row["label"]
    for name, column in (("category", "category"), ("type", "type"), ("characteristic", "characteristic")):
        if row[column]:
            made[name] = [{"coding": [{"code": row[column]}]}]
    return made


def _device(row: Fields) -> Json:
    made = _made("Device", row, "FINESS")
    made |= {
        "identifier": [{"system": systems.ARHGOS, "value": row["id"]}],
        "status": row["status"],
        "owner": {"reference": f"Organization/{row['organization']}"},
    }
    if row["manufacturer"]:
        made["manufacturer"] = row["manufacturer"]
    if row["model"]:
        made["modelNumber"] = row["model"]
    if row["type"]:
        made["type"] = {"coding": [{"system": systems.DEVICE_TYPE, "code": row["type"]}]}
    return made


def _made(type: str, row: Fields, origin: str, authority: str | None = None, profile: str | None = None) -> Json:
    ours, core = _PROFILES[profile or type]
    profiles = [f"{systems.ANNUAIRE}/{ours}"]
    if core:
        profiles.append(f"{systems.FR_CORE}/StructureDefinition/{core}")
    meta: Json = {"lastUpdated": row["updated"], "profile": profiles}
    if row.get("source", "extraction") == "extraction":
        meta["source"] = systems.SOURCE
    if row.get("test"):
        meta["security"] = [dict(_TEST_DATA)]
    trace: list[Json] = [{"url": "systeme-information", "valueCode": origin}]
    if authority:
        trace.append({"url": "autorite-enregistrement", "valueString": authority})
    return {
        "resourceType": type,
        "id": row["id"],
        "meta": meta,
        "language": "fr",
        "extension": [{"url": systems.DATA_TRACE, "extension": trace}],
    }


def _telecom(phone: str | None, email: str | None, mailboxes: list[list[Any]]) -> list[Json]:
    found: list[Json] = []
    if phone:
        found.append({"system": "phone", "value": phone, "use": "work"})
    if email:
        found.append({"system": "email", "value": email, "use": "work"})
    for address, kind, service in mailboxes:
        coding = {"system": systems.MAILBOX, "code": "MSSANTE"}
        parts: list[Json] = [{"url": "type", "valueCodeableConcept": {"coding": [_mailbox_kind(kind)]}}]
        if service:
            parts.append({"url": "description", "valueString": service})
        found.append(
            {
                "extension": [
                    {"url": systems.EMAIL_TYPE, "valueCoding": coding},
                    {"url": systems.MAILBOX_DATA, "extension": parts},
                ],
                "system": "email",
                "value": address,
            }
        )
    return found


def _mailbox_kind(kind: str) -> Json:
    return {"system": systems.MAILBOX_KIND, "code": kind}


def _identifier(kind: str, system: str, value: str) -> Json:
    coding = {"system": systems.IDENTIFIER_TYPES, "code": kind}
    return {"use": "official", "type": {"coding": [coding]}, "system": system, "value": value}


_WRITERS: Final[Mapping[str, Callable[[Fields], Json]]] = {
    "Practitioner": _practitioner,
    "PractitionerRole": _role,
    "Organization": _organization,
    "HealthcareService": _service,
    "Device": _device,
}
