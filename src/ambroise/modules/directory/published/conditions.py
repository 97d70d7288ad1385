"""What each parameter of a type asks of the tables of the directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from ambroise.modules.directory.published import systems
from ambroise.modules.directory.published.values import (
    Condition,
    checked_id,
    code_of,
    constant,
    escaped,
    invalid,
    like,
    named,
    reference_of,
    token,
    with_words,
)
from ambroise.modules.directory.resources import FINESS_SYSTEM, ID_NAT_PS_SYSTEM, ID_NAT_STRUCTURE_SYSTEM, RPPS_SYSTEM


def condition_of(type: str, name: str, modifier: str, value: str) -> Condition:
    """The condition of one value of a parameter that this type has. Refuses SEARCH_VALUE_INVALID."""
    match type, name:
        case _, "_id":
            return _by_id(type, checked_id(value))
        case _, "active":
            return _active(type, value)
        case _, "mailbox-mss":
            return _mailbox(type, modifier, value)
        case _, "mailbox-mss-type":
            return _mailbox_kind(type, code_of(value))
        case _, "number-smartcard" | "type-smartcard" | "pharmacy-licence":
            # Cards and licences are restricted data: the public directory holds none.
            return "false", []
        case "Practitioner" | "PractitionerRole", "data-information-system":
            return constant(code_of(value) == "RPPS")
        case "Organization", "data-information-system":
            return constant(code_of(value) == "FINESS")
        case "Practitioner", _:
            return _practitioner(name, modifier, value)
        case "PractitionerRole", _:
            return _role(name, value)
        case "Organization", _:
            return _organization(name, modifier, value)
        case "HealthcareService", _:
            return _service(name, value)
        case _:
            return _device(name, modifier, value)


def _practitioner(name: str, modifier: str, value: str) -> Condition:
    system, code = token(value)
    match name:
        case "family":
            return named(modifier, value)
        case "given":
            return with_words("p.search like %s and p.name_key like %s", value, twice=True)
        case "name":
            return with_words("p.search like %s", value)
        case "identifier":
            match system:
                case None:
                    return "(p.id_nat = %s or p.rpps = %s)", [code, code]
                case _ if system == RPPS_SYSTEM:
                    return "p.rpps = %s", [code]
                case _ if system == ID_NAT_PS_SYSTEM:
                    return "p.id_nat = %s", [code]
                case _:
                    return "false", []
        case "identifier-type":
            known: Mapping[str, Condition] = {
                "RPPS": ("p.rpps is not null", []),
                "ADELI": ("p.rpps is null", []),
                "IDNPS": ("true", []),
            }
            return known.get(code, ("false", []))
        case "qualification-code":
            return _qualification(system, code)
        case _:
            return (
                "exists (select from directory_situation a where a.professional = p.id_nat and a.authority = %s)",
                [code],
            )


def _qualification(system: str | None, code: str) -> Condition:
    skill: LiteralString = (
        "(p.specialty = %s or exists (select from directory_skill k where k.professional = p.id_nat and k.code = %s))"
    )
    match system:
        case systems.PROFESSION | systems.TITLE:
            oid = "1.2.250.1.71.1.2.7" if system == systems.PROFESSION else "1.2.250.1.213.1.6.1.109"
            return "(p.profession = %s and p.profession_system = %s)", [code, oid]
        case systems.CATEGORY:
            return "p.category = %s", [code]
        case None:
            return f"(p.profession = %s or p.category = %s or {skill})", [code, code, code, code]
        case _:
            return skill, [code, code]


def _role(name: str, value: str) -> Condition:
    system, code = token(value)
    match name:
        case "identifier":
            return _by_id("PractitionerRole", checked_id(code))
        case "organization":
            return "s.organization = %s", [reference_of("Organization", value)]
        case "practitioner":
            return "s.professional = %s", [reference_of("Practitioner", value)]
        case "data-registration-authority":
            return "s.authority = %s", [code]
        case _:
            columns: Mapping[str | None, LiteralString] = {
                systems.FUNCTION: "s.function = %s",
                systems.GENRE: "s.genre = %s",
                systems.MODE: "s.mode = %s",
                systems.SECTION: "s.section = %s",
            }
            if system is None:
                return "%s in (s.function, s.genre, s.mode, s.section)", [code]
            return columns.get(system, "false"), [code] if system in columns else []


def _organization(name: str, modifier: str, value: str) -> Condition:
    system, code = token(value)
    match name:
        case "name":
            return like("o.name", modifier, value)
        case "address":
            return like("concat_ws(' ', o.address_line, o.postal_code, o.city)", "contains", value)
        case "address-line":
            return like("o.address_line", modifier, value)
        case "address-city":
            return like("o.city", modifier, value)
        case "address-postalcode":
            return like("o.postal_code", modifier, value)
        case "identifier":
            match system:
                case None:
                    return "(o.id_nat = %s or o.id_nat = %s or o.siret = %s)", [code, f"1{code}", code]
                case _ if system == FINESS_SYSTEM:
                    return "o.id_nat = %s", [f"1{code}"]
                case _ if system == ID_NAT_STRUCTURE_SYSTEM:
                    return "o.id_nat = %s", [code]
                case systems.SIRENE:
                    return "(o.siret = %s or o.siren = %s)", [code, code]
                case _:
                    return "false", []
        case "identifier-type":
            known: Mapping[str, Condition] = {
                "FINEG": ("o.id_nat like '1%%'", []),
                "SIRET": ("o.siret is not null", []),
                "SIREN": ("o.siren is not null", []),
                "IDNST": ("true", []),
            }
            return known.get(code, ("false", []))
        case "partof":
            return "o.finess_legal = %s", [reference_of("Organization", value).removeprefix("1")]
        case _:
            if system == systems.ORGANIZATION_TYPES:
                return constant(code == "GEOGRAPHICAL-ENTITY")
            return "o.facility = %s", [code]


def _service(name: str, value: str) -> Condition:
    _, code = token(value)
    match name:
        case "identifier":
            return "h.id = %s", [code]
        case "organization":
            return "h.organization = %s", [reference_of("Organization", value)]
        case "service-category":
            return "h.category = %s", [code]
        case "service-type":
            return "h.type = %s", [code]
        case "characteristic":
            return "h.characteristic = %s", [code]
        case _:
            kind = "social-equipment" if "social-equipment" in value else "healthcare-activity"
            return "h.kind = %s", [kind]


def _device(name: str, modifier: str, value: str) -> Condition:
    _, code = token(value)
    match name:
        case "identifier":
            return "d.id = %s", [code]
        case "organization":
            return "d.organization = %s", [reference_of("Organization", value)]
        case "manufacturer":
            return like("d.manufacturer", modifier, value)
        case "model":
            return like("d.model", modifier, value)
        case "status":
            return "d.status = %s", [code]
        case _:
            return "d.type = %s", [code]


def _by_id(type: str, id: str) -> Condition:
    match type:
        case "Practitioner":
            return "p.id_nat = %s", [id]
        case "Organization":
            return "o.id_nat = %s", [id]
        case "PractitionerRole":
            professional, _, organization = id.partition("-")
            return "(s.professional = %s and s.organization = %s)", [professional, organization]
        case "HealthcareService":
            return "h.id = %s", [id]
        case _:
            return "d.id = %s", [id]


def _active(type: str, value: str) -> Condition:
    code = code_of(value)
    if code not in ("true", "false"):
        raise invalid("active", "say true or false")
    wanted = code == "true"
    columns: Mapping[str, tuple[LiteralString, LiteralString]] = {
        "Practitioner": ("p.active", "not p.active"),
        "PractitionerRole": ("s.active", "not s.active"),
        "Organization": ("o.active", "not o.active"),
        "HealthcareService": ("h.active", "not h.active"),
    }
    return columns[type][0 if wanted else 1], []


def _mailbox(type: str, modifier: str, value: str) -> Condition:
    pattern = escaped(value.lower())
    pattern = {"contains": f"%{pattern}%", "exact": pattern}.get(modifier, f"{pattern}%")
    return _of_mailbox(type, "m.address like %s", pattern)


def _mailbox_kind(type: str, kind: str) -> Condition:
    return _of_mailbox(type, "m.kind = %s", kind)


def _of_mailbox(type: str, condition: LiteralString, value: str) -> Condition:
    match type:
        case "Practitioner":
            holder: LiteralString = "m.professional = p.id_nat"
        case "PractitionerRole":
            holder = "m.professional = s.professional and m.organization = s.organization"
        case _:
            holder = "m.organization = o.id_nat and m.professional is null"
    return f"exists (select from directory_mailbox m where {holder} and {condition})", [value]
