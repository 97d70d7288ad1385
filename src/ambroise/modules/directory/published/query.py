"""A search of the published directory: its parameters, read with care, as conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, LiteralString

from msgspec import Struct, field

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory.model import key, words
from ambroise.modules.directory.published import systems
from ambroise.modules.directory.resources import FINESS_SYSTEM, ID_NAT_PS_SYSTEM, ID_NAT_STRUCTURE_SYSTEM, RPPS_SYSTEM

TYPES: Final = ("Practitioner", "PractitionerRole", "Organization", "HealthcareService", "Device")
DEFAULT_COUNT: Final = 50
MOST: Final = 500
CURSOR: Final = "_cursor"
_MOST_VALUES: Final = 50
_ID: Final = re.compile(r"[A-Za-z0-9.\-]{1,140}")
_DATE: Final = re.compile(r"(eq|ge|gt|le|lt)?(\d{4}-\d{2}-\d{2})(T[0-9:.+\-Z]{1,24})?")
_PASSED: Final = frozenset({"_format", "_pretty", "_summary"})

Condition = tuple[LiteralString, list[Any]]

INCLUDES: Final[Mapping[str, Mapping[str, str]]] = {
    "PractitionerRole": {"practitioner": "Practitioner", "organization": "Organization"},
    "Organization": {"partof": "Organization"},
    "HealthcareService": {"organization": "Organization"},
    "Device": {"organization": "Organization"},
}
REVINCLUDES: Final[Mapping[str, Mapping[str, str]]] = {
    "Practitioner": {"PractitionerRole:practitioner": "PractitionerRole"},
    "Organization": {
        "PractitionerRole:organization": "PractitionerRole",
        "HealthcareService:organization": "HealthcareService",
        "Device:organization": "Device",
    },
}
PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "Practitioner": {
        "_id": "token", "_lastUpdated": "date", "active": "token", "data-information-system": "token",
        "data-registration-authority": "token", "family": "string", "given": "string", "identifier": "token",
        "identifier-type": "token", "mailbox-mss": "string", "mailbox-mss-type": "token", "name": "string",
        "number-smartcard": "string", "qualification-code": "token", "type-smartcard": "token",
    },
    "PractitionerRole": {
        "_id": "token", "_lastUpdated": "date", "active": "token", "data-information-system": "token",
        "data-registration-authority": "token", "identifier": "token", "mailbox-mss": "string",
        "mailbox-mss-type": "token", "organization": "reference", "practitioner": "reference", "role": "token",
    },
    "Organization": {
        "_id": "token", "_lastUpdated": "date", "active": "token", "address": "string", "address-city": "string",
        "address-line": "string", "address-postalcode": "string", "data-information-system": "token",
        "identifier": "token", "identifier-type": "token", "mailbox-mss": "string", "mailbox-mss-type": "token",
        "name": "string", "partof": "reference", "pharmacy-licence": "string", "type": "token",
    },
    "HealthcareService": {
        "_id": "token", "_lastUpdated": "date", "_profile": "uri", "active": "token", "characteristic": "token",
        "identifier": "token", "organization": "reference", "service-category": "token", "service-type": "token",
    },
    "Device": {
        "_id": "token", "_lastUpdated": "date", "identifier": "token", "manufacturer": "string", "model": "string",
        "organization": "reference", "status": "token", "type": "token",
    },
}  # fmt: skip


class Search(Struct, frozen=True):
    """What to look for in one type, and how to show it."""

    type: str
    conditions: tuple[Condition, ...]
    count: int = DEFAULT_COUNT
    after: str | None = None
    total: bool = False
    elements: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    revinclude: frozenset[str] = frozenset()
    asked: tuple[tuple[str, str], ...] = field(default=())


def search_of(type: str, pairs: Sequence[tuple[str, str]]) -> Search:
    """Read the parameters of a search. Refuses SEARCH_PARAMETER_UNKNOWN, SEARCH_VALUE_INVALID."""
    conditions: list[Condition] = []
    count, after, total = DEFAULT_COUNT, None, False
    elements: set[str] = set()
    include: set[str] = set()
    revinclude: set[str] = set()
    for name, value in pairs:
        plain, _, modifier = name.partition(":")
        match plain:
            case "_count":
                count = _count(value)
            case "_total":
                total = _total(value)
            case "_elements":
                elements |= {one.strip() for one in value.split(",") if one.strip()}
            case "_include":
                include |= _included(type, value)
            case "_revinclude":
                revinclude.add(_known(value, REVINCLUDES.get(type, {}), "_revinclude"))
            case "_cursor":
                after = _checked_id(value)
            case "_since":
                conditions.append(_updated(type, f"ge{value.removeprefix('ge')}"))
            case _ if plain in _PASSED:
                continue
            case _:
                conditions.append(_condition(type, plain, modifier, value))
    return Search(
        type,
        tuple(conditions),
        count,
        after,
        total,
        frozenset(elements),
        frozenset(include),
        frozenset(revinclude),
        tuple((name, value) for name, value in pairs if name != CURSOR),
    )


def _condition(type: str, name: str, modifier: str, value: str) -> Condition:
    if name not in PARAMETERS[type]:
        text = f"Parameter {name[:60]} not found for {type}; it takes {', '.join(PARAMETERS[type])}."
        raise Refusal(Kind.INVALID, "SEARCH_PARAMETER_UNKNOWN", text, element=name[:60])
    text_like = PARAMETERS[type][name] == "string"
    if modifier and not (text_like and modifier in ("contains", "exact")):
        raise _invalid(name, f"the modifier :{modifier[:20]} is not taken here")
    values = [one for one in value.split(",") if one] if not text_like else [value]
    if not values or len(values) > _MOST_VALUES or any(len(one) > 300 for one in values):
        raise _invalid(name, "give a value, at most 50 of them")
    if name == "_lastUpdated":
        return _updated(type, value)
    found = [_one(type, name, modifier, one) for one in values]
    if len(found) == 1:
        return found[0]
    return _any(found)


def _any(found: Sequence[Condition]) -> Condition:
    sql: LiteralString = "(" + " or ".join([one for one, _ in found]) + ")"
    return sql, [value for _, values in found for value in values]


def _one(type: str, name: str, modifier: str, value: str) -> Condition:
    match type, name:
        case _, "_id":
            return _by_id(type, _checked_id(value))
        case _, "active":
            return _active(type, value)
        case _, "mailbox-mss":
            return _mailbox(type, modifier, value)
        case _, "mailbox-mss-type":
            return _mailbox_kind(type, _code(value))
        case _, "number-smartcard" | "type-smartcard" | "pharmacy-licence":
            # Cards and licences are restricted data: the public directory holds none.
            return "false", []
        case "Practitioner" | "PractitionerRole", "data-information-system":
            return _constant(_code(value) == "RPPS")
        case "Organization", "data-information-system":
            return _constant(_code(value) == "FINESS")
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
    system, code = _token(value)
    match name:
        case "family":
            return _name(modifier, value)
        case "given":
            return _words("p.search like %s and p.name_key like %s", value, twice=True)
        case "name":
            return _words("p.search like %s", value)
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
    system, code = _token(value)
    match name:
        case "identifier":
            return _by_id("PractitionerRole", _checked_id(code))
        case "organization":
            return "s.organization = %s", [_reference("Organization", value)]
        case "practitioner":
            return "s.professional = %s", [_reference("Practitioner", value)]
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
    system, code = _token(value)
    match name:
        case "name":
            return _text("o.name", modifier, value)
        case "address":
            return _text("concat_ws(' ', o.address_line, o.postal_code, o.city)", "contains", value)
        case "address-line":
            return _text("o.address_line", modifier, value)
        case "address-city":
            return _text("o.city", modifier, value)
        case "address-postalcode":
            return _text("o.postal_code", modifier, value)
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
            return "o.finess_legal = %s", [_reference("Organization", value).removeprefix("1")]
        case _:
            if system == systems.ORGANIZATION_TYPES:
                return _constant(code == "GEOGRAPHICAL-ENTITY")
            return "o.facility = %s", [code]


def _service(name: str, value: str) -> Condition:
    _, code = _token(value)
    match name:
        case "identifier":
            return "h.id = %s", [code]
        case "organization":
            return "h.organization = %s", [_reference("Organization", value)]
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
    _, code = _token(value)
    match name:
        case "identifier":
            return "d.id = %s", [code]
        case "organization":
            return "d.organization = %s", [_reference("Organization", value)]
        case "manufacturer":
            return _text("d.manufacturer", modifier, value)
        case "model":
            return _text("d.model", modifier, value)
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
    code = _code(value)
    if code not in ("true", "false"):
        raise _invalid("active", "say true or false")
    wanted = code == "true"
    columns: Mapping[str, tuple[LiteralString, LiteralString]] = {
        "Practitioner": ("p.active", "not p.active"),
        "PractitionerRole": ("s.active", "not s.active"),
        "Organization": ("o.active", "not o.active"),
        "HealthcareService": ("h.active", "not h.active"),
    }
    return columns[type][0 if wanted else 1], []


def _mailbox(type: str, modifier: str, value: str) -> Condition:
    pattern = _escaped(value.lower())
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


def _name(modifier: str, value: str) -> Condition:
    wanted = key(value)
    if not wanted:
        raise _invalid("family", "give letters")
    match modifier:
        case "exact":
            return "p.family = %s", [value]
        case "contains":
            return "p.search like %s and p.name_key like %s", [f"%{_escaped(wanted)}%"] * 2
        case _:
            return "p.name_key between %s and %s", [wanted, wanted + "\uffff"]


def _words(sql: LiteralString, value: str, *, twice: bool = False) -> Condition:
    found = [f"% {_escaped(word)}%" for word in words(value)]
    if not found:
        raise _invalid("name", "give letters")
    every: LiteralString = "(" + " and ".join([sql for _ in found]) + ")"
    return every, [pattern for pattern in found for _ in range(2 if twice else 1)]


def _text(column: LiteralString, modifier: str, value: str) -> Condition:
    if modifier == "exact":
        return f"{column} = %s", [value]
    flat = _escaped(value.lower())
    return f"lower({column}) like %s", [f"%{flat}%" if modifier == "contains" else f"{flat}%"]


def _updated(type: str, value: str) -> Condition:
    match = _DATE.fullmatch(value)
    try:
        if not match:
            raise ValueError(value)
        precise = match[3] is not None
        start = datetime.fromisoformat(match[2] + match[3]) if precise else _midnight(date.fromisoformat(match[2]))
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
    except ValueError:
        raise _invalid("_lastUpdated", "write YYYY-MM-DD or an instant, after eq, ge, gt, le or lt") from None
    end = start if precise else start + timedelta(days=1)
    column = _UPDATED[type]
    match match[1] or "eq":
        case "ge":
            return f"{column} >= %s", [start]
        case "gt":
            return (f"{column} > %s" if precise else f"{column} >= %s"), [end]
        case "le":
            return (f"{column} <= %s" if precise else f"{column} < %s"), [end]
        case "lt":
            return f"{column} < %s", [start]
        case _:
            if precise:
                return f"{column} = %s", [start]
            return f"({column} >= %s and {column} < %s)", [start, end]


_UPDATED: Final[Mapping[str, LiteralString]] = {
    "Practitioner": "p.updated_at",
    "PractitionerRole": "s.updated_at",
    "Organization": "o.updated_at",
    "HealthcareService": "h.updated_at",
    "Device": "d.updated_at",
}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _constant(holds: bool) -> Condition:
    return ("true", []) if holds else ("false", [])


def _token(value: str) -> tuple[str | None, str]:
    system, bar, code = value.rpartition("|")
    return (system or None) if bar else None, code


def _code(value: str) -> str:
    return _token(value)[1]


def _reference(type: str, value: str) -> str:
    return _checked_id(value.rpartition(f"{type}/")[2])


def _checked_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise _invalid("_id", "an id holds letters, digits, points and hyphens")
    return value


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise _invalid("_count", "give a number")
    return min(int(value[:9]), MOST)


def _total(value: str) -> bool:
    if value not in ("none", "estimate", "accurate"):
        raise _invalid("_total", "say none, estimate or accurate")
    return value != "none"


def _included(type: str, value: str) -> set[str]:
    known = INCLUDES.get(type, {})
    if value == "*":
        return set(known)
    return {_known(value.removeprefix(f"{type}:"), known, "_include")}


def _known(value: str, known: Mapping[str, str], name: str) -> str:
    if value not in known:
        raise _invalid(name, f"it takes {', '.join(known) or 'nothing'} here")
    return value


def _invalid(name: str, why: str) -> Refusal:
    return Refusal(Kind.INVALID, "SEARCH_VALUE_INVALID", f"The parameter {name} cannot be read: {why}.", element=name)
