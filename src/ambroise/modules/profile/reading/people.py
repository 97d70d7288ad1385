"""Who cares for the person, and who is around them."""

from __future__ import annotations

from ambroise.modules.profile.fhir import HOUSE, ROLE_CODE, Json, child, children, code_in, codes_in, first_of
from ambroise.modules.profile.model import Section
from ambroise.modules.profile.reading.told import Told
from ambroise.modules.profile.writing import KINSHIP

_KIN_OF = {code: name for name, code in KINSHIP.items()}
_ADDRESS = {"postal": "postalCode", "city": "city", "country": "country"}


def team(resource: Json) -> Told | None:
    """A professional of one's network."""
    if code_in(resource.get("category"), HOUSE) != "network":
        return None
    member: Json = first_of(resource.get("participant"))
    identifier = child(child(member, "member"), "identifier")
    role: Json = first_of(member.get("role"))
    structure = str(identifier.get("system", "")).endswith(".2.2")
    details = {
        "id": str(identifier.get("value", "")),
        "kind": "organization" if structure else "professional",
        "role": code_in(role, HOUSE) or "OTHER",
        "about": str(role.get("text", "")),
    }
    return Told(
        Section.NETWORK,
        str(resource.get("name", "")),
        details={name: value for name, value in details.items() if value},
    )


def contact(resource: Json) -> Told | None:
    """Somebody around the person."""
    name: Json = first_of(resource.get("name"))
    first = " ".join(map(str, children(name, "given")))
    kinds = [code for code in codes_in(resource.get("relationship"), HOUSE) if code.endswith("_CONTACT")]
    kin = next(
        (_KIN_OF[code] for code in codes_in(resource.get("relationship"), ROLE_CODE) if code in _KIN_OF),
        "OTHER",
    )
    details = {"first": first, "last": str(name.get("family", "")), "contact": ",".join(kinds), "kinship": kin}
    for way in children(resource, "telecom"):
        kind = {("phone", "mobile"): "mobile", ("phone", "home"): "phone", ("email", "home"): "mail"}.get(
            (str(way.get("system")), str(way.get("use"))), ""
        )
        if kind:
            details[kind] = str(way.get("value", ""))
    address: Json = first_of(resource.get("address"))
    details["street"] = " ".join(map(str, children(address, "line")))
    details |= {ours: str(address.get(theirs, "")) for ours, theirs in _ADDRESS.items()}
    whole = str(name.get("text") or f"{first} {name.get('family', '')}").strip()
    return Told(Section.CONTACTS, whole, details={key: value for key, value in details.items() if value})
