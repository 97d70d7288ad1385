"""Authors and other people: XCN, XON and their codes on one side, contained resources on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ambroise.interfaces.xds.ebrim import Classification, Slots
from ambroise.interfaces.xds.values import Ce, Xcn, Xon
from ambroise.modules.record.api import tables

Json = dict[str, Any]
_URN: Final = "urn:oid:"
_INS: Final = "1.2.250.1.213.1.4."
_STRUCTURES: Final = "1.2.250.1.71.4.2.2"


def author(slots: Slots, name: str, contained: list[Json]) -> Json:
    """The reference to an author, who is put among `contained`."""
    person = Xcn.parse(next(iter(slots.get("authorPerson", ())), ""))
    places = [Xon.parse(one) for one in slots.get("authorInstitution", ()) if one]
    if not person.id and not person.family and places:
        contained.append(_organization(places[0], name))
        return {"reference": f"#{name}", "display": places[0].name}
    if person.kind == "U" or person.authority.startswith(_INS):
        return _alone(person, name, contained)
    role: Json = {
        "resourceType": "PractitionerRole",
        "id": name,
        "practitioner": {"reference": f"#{name}-person"},
        "code": [_concept(one) for one in slots.get("authorRole", ()) if one],
        "specialty": [_concept(one) for one in slots.get("authorSpecialty", ()) if one],
    }
    contained += [_filled(role), _practitioner(person, f"{name}-person")]
    if places:
        contained[-2]["organization"] = {"reference": f"#{name}-structure"}
        contained.append(_organization(places[0], f"{name}-structure"))
    return _reference(name, person)


def authenticator(written: str, contained: list[Json]) -> Json:
    """The reference to the legal authenticator, who is put among `contained`."""
    person = Xcn.parse(written)
    contained.append(_practitioner(person, "authenticator"))
    return _reference("authenticator", person)


def author_slots(reference: Mapping[str, Any], contained: Mapping[Any, Json]) -> dict[str, tuple[str, ...]]:
    """The slots of an author, from a reference and the contained resources."""
    actor = contained.get(str(reference.get("reference", "")).removeprefix("#"), {})
    kind = actor.get("resourceType")
    display = str(reference.get("display", ""))
    if kind == "Organization":
        return {"authorInstitution": (str(_xon(actor)),)}
    if kind != "PractitionerRole":
        return {"authorPerson": (str(_xcn(actor, display, reference)),)}
    person = contained.get(str(actor.get("practitioner", {}).get("reference", "")).removeprefix("#"), {})
    place = contained.get(str(actor.get("organization", {}).get("reference", "")).removeprefix("#"))
    return {
        "authorPerson": (str(_xcn(person, display, actor.get("practitioner", {}))),),
        "authorInstitution": (str(_xon(place)),) if place else (),
        "authorRole": tuple(_ce(one) for one in actor.get("code", ())),
        "authorSpecialty": tuple(_ce(one) for one in actor.get("specialty", ())),
    }


def person_of(reference: Mapping[str, Any], contained: Mapping[Any, Json]) -> str | None:
    """The XCN of whom a reference names: the person of a role."""
    slots = author_slots(reference, contained)
    return next(iter(slots.get("authorPerson", ())), None)


def classification(scheme: str, slots: Slots) -> Classification:
    """An author as a classification."""
    return Classification(scheme, "", None, slots)


def _alone(person: Xcn, name: str, contained: list[Json]) -> Json:
    """A machine, or the patient, who practises nowhere."""
    kind = "Device" if person.kind == "U" else "Patient"
    made: Json = {"resourceType": kind, "id": name, "identifier": _identifier(person.id, person.authority)}
    if kind == "Patient":
        made["name"] = _names(person)
    elif person.family:
        made["deviceName"] = [{"name": person.family, "type": "user-friendly-name"}]
    contained.append(_filled(made))
    return _reference(name, person)


def _practitioner(person: Xcn, name: str) -> Json:
    made = {
        "resourceType": "Practitioner",
        "id": name,
        "identifier": _identifier(person.id, person.authority),
        "name": _names(person),
    }
    return _filled(made)


def _organization(place: Xon, name: str) -> Json:
    identifier = _identifier(place.id, place.authority or _STRUCTURES)
    # An Organization has a name or an identifier (invariant org-1).
    called = place.name or (None if identifier else "Structure non nommée")
    return _filled({"resourceType": "Organization", "id": name, "identifier": identifier, "name": called})


def _names(person: Xcn) -> list[Json]:
    name = {
        "family": person.family,
        "given": [person.given] if person.given else [],
        "prefix": [person.prefix] if person.prefix else [],
        "suffix": [person.suffix] if person.suffix else [],
    }
    found = _filled(name)
    return [found] if found else []


def _reference(name: str, person: Xcn) -> Json:
    display = " ".join(part for part in (person.prefix, person.given, person.family) if part)
    return _filled({"reference": f"#{name}", "display": display})


def _identifier(value: str, authority: str) -> list[Json]:
    return [{"system": _URN + authority, "value": value}] if value and authority else []


def _concept(written: str) -> Json:
    found = Ce.parse(written)
    if not found.system:
        return {"text": found.display or found.code or written}
    coding = {"system": tables.system_url(found.system), "code": found.code, "display": found.display}
    return {"coding": [_filled(coding)]}


def _xcn(actor: Mapping[str, Any], display: str, reference: Mapping[str, Any]) -> Xcn:
    identifier: Mapping[str, Any] = _first(actor.get("identifier")) or reference.get("identifier") or {}
    name: Mapping[str, Any] = _first(actor.get("name")) if actor.get("resourceType") != "Device" else {}
    device = actor.get("resourceType") == "Device"
    model = str(_first(actor.get("deviceName")).get("name", "")) if device else ""
    authority = str(identifier.get("system", "")).removeprefix(_URN)
    patient = actor.get("resourceType") == "Patient"
    return Xcn(
        id=str(identifier.get("value", "")),
        family=str(name.get("family", "")) or model or display,
        given=" ".join(str(one) for one in name.get("given", ())),
        suffix=str(_at(name.get("suffix"))),
        prefix=str(_at(name.get("prefix"))),
        authority=authority if authority[:1].isdigit() else "",
        kind="U" if device else "D",
        type="RI" if device else "NH" if patient else "IDNPS",
    )


def _xon(place: Mapping[str, Any]) -> Xon:
    identifier = _first(place.get("identifier"))
    authority = str(identifier.get("system", "")).removeprefix(_URN)
    return Xon(str(place.get("name", "")), str(identifier.get("value", "")), authority)


def _ce(concept: Mapping[str, Any]) -> str:
    coding = _first(concept.get("coding"))
    if not coding:
        return str(concept.get("text", ""))
    system = tables.system_oid(str(coding.get("system", "")))
    return str(Ce(str(coding.get("code", "")), str(coding.get("display", "")), system))


def _first(items: Sequence[Mapping[str, Any]] | None) -> Mapping[str, Any]:
    return items[0] if items else {}


def _at(items: Sequence[Any] | None) -> Any:
    return items[0] if items else ""


def _filled(made: Json) -> Json:
    return {name: value for name, value in made.items() if value not in (None, "", [], {})}
