"""A medicine as it is coded in France: CIS, CIP, virtual medicine, ATC class."""

from ambroise.modules.record.cda.extract.elements import Json, coding
from ambroise.modules.record.cda.extract.reader import Reader
from ambroise.modules.record.cda.nodes import Element, attribute, children, local, one, text
from ambroise.modules.record.cda.values import code as read_code

_SAME = ("system", "code")


def medicine(reader: Reader, product: Element | None) -> Json | None:
    """A manufacturedProduct as a CodeableConcept: every code that it carries, its name as text."""
    material = one(product, "manufacturedMaterial")
    if material is None:
        return None
    concept = reader.concept(one(material, "code")) or {}
    codings: list[Json] = list(concept.get("coding", []))
    known = {tuple(item.get(name) for name in _SAME) for item in codings}
    for item in _pharmacy_codes(material):
        if tuple(item.get(name) for name in _SAME) not in known:
            codings.append(item)
    name = text(material, "name") or concept.get("text") or attribute(material, "displayName", "code")
    found: Json = {}
    if codings:
        found["coding"] = codings
    if name:
        found["text"] = name
    return found or None


def _pharmacy_codes(material: Element) -> list[Json]:
    """The codes of the pharmacy extension: the package (CIP) and the class (ATC), which have their own namespace."""
    found: list[Json] = []
    for part in children(material):
        if local(part) not in ("asContent", "asSpecializedKind"):
            continue
        for holder in children(part):
            for item in children(holder):
                if local(item) == "code" and (code := read_code(item)) and code.code:
                    found.append(coding(code))
    return found
