"""What every extractor shares: walking entries, and HL7 data types as FHIR elements."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any

from msgspec import Struct

from ambroise.modules.record.cda import header, values
from ambroise.modules.record.cda.model import Actor, ClinicalDocument, Code, Identifier
from ambroise.modules.record.cda.nodes import HL7, Element, attribute, local, many, one, text, xsi_type
from ambroise.modules.record.tables import system_url

Json = dict[str, Any]

FR = "1.2.250.1.213.1.1.3."
FAMILY = FR + "59"
LOINC = "2.16.840.1.113883.6.1"
UCUM = "http://unitsofmeasure.org"
ABSENT_SYSTEM = "2.16.840.1.113883.5.1150.1"
HL7_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_EDQM = "http://standardterms.edqm.eu"
_TRANSLATION = "http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation"

_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?(?:[eE][+-]?\d{1,3})?")
_ABSENT = {
    "UNK": "unknown",
    "ASKU": "asked-unknown",
    "NASK": "not-asked",
    "NAV": "temp-unknown",
    "NA": "not-applicable",
    "MSK": "masked",
    "NINF": "negative-infinity",
    "PINF": "positive-infinity",
}
_STATEMENTS = {
    f"{{{HL7}}}{name}": name
    for name in (
        "act",
        "observation",
        "organizer",
        "substanceAdministration",
        "supply",
        "procedure",
        "encounter",
        "observationMedia",
    )
}
"""The names of what states something, by their qualified names."""
_STATEMENT_NAMES = frozenset(_STATEMENTS.values())
_SECTION = f"{{{HL7}}}section"
_LINK = f"{{{HL7}}}entryRelationship"
_TEMPLATE = f"{{{HL7}}}templateId"
_RELATIVE = f"{{{HL7}}}relatedSubject"
_BREAKS = frozenset({"br", "td", "th", "tr", "item", "paragraph", "caption", "table", "list"})


class Found(Struct, frozen=True):
    """One resource, the entry that it comes from, the title of the section where it stands."""

    entry: str
    resource: Json
    section: str | None


class Reader:
    """A document being extracted: its entries, its narrative by identifier."""

    def __init__(self, document: ClinicalDocument) -> None:
        self.document = document
        self._parents = document.source.parents
        self._declaring: defaultdict[str, list[tuple[Element, set[str]]]] = defaultdict(list)
        others = self._about_others()
        for element in [item for item in document.source.root.iter() if item.tag in _STATEMENTS]:
            if element in others:
                continue
            self._declaring[_STATEMENTS[element.tag]].append((element, declared(element)))

    def _about_others(self) -> set[Element]:
        """What is said of somebody else than the patient: the mother in the certificate of a child, for one.

        A family history is the patient's own, although each of its organizers has a relative as its subject.
        """
        found: set[Element] = set()
        for relative in self.document.source.root.iter(_RELATIVE):
            holder = self._parents[self._parents[relative]]
            if FAMILY not in declared(holder):
                found.update(item for item in holder.iter() if item.tag in _STATEMENTS)
        return found

    @cached_property
    def _narrative(self) -> dict[str, Element]:
        """What has an identifier, by it; the first that bears it."""
        found: dict[str, Element] = {}
        for element in self.document.source.root.iter():
            if identifier := element.get("ID"):
                found.setdefault(identifier, element)
        return found

    @cached_property
    def _identifiers(self) -> dict[Element, tuple[Identifier, ...]]:
        """The identifiers of each statement."""
        statements = (element for declaring in self._declaring.values() for element, _ in declaring)
        return {element: values.identifiers(element) for element in statements}

    @cached_property
    def _unique(self) -> set[str]:
        """The identifiers that one statement bears, and only it."""
        counts = Counter(item.xds for found in self._identifiers.values() for item in found)
        return {written for written, count in counts.items() if count == 1}

    @cached_property
    def models(self) -> frozenset[str]:
        """Every template that a statement of the document declares."""
        return frozenset[str]().union(*(roots for declaring in self._declaring.values() for _, roots in declaring))

    def entries(self, kind: str, *templates: str) -> Iterator[Element]:
        """The clinical statements of one kind that declare one of these templates, in document order."""
        return (element for element, roots in self._declaring[kind] if not roots.isdisjoint(templates))

    def standing(self, kind: str, mood: str) -> Iterator[Element]:
        """The clinical statements of one kind and one mood that stand directly in an entry, in document order."""
        said = (element for element, _ in self._declaring[kind] if element.get("moodCode") == mood)
        return (element for element in said if self.within(element) is None)

    def found(self, element: Element, resource: Json) -> Found:
        """A resource with where it comes from; its own identifiers stand in it."""
        identifiers = self._identifiers[element]
        if identifiers and "identifier" not in resource:
            resource["identifier"] = [identifier(item) for item in identifiers]
        own = next((item.xds for item in identifiers if item.xds in self._unique), None)
        return Found(own or self._path(element), resource, self._section_title(element))

    def ancestors(self, element: Element) -> Iterator[Element]:
        """What holds an element, from its parent to the root."""
        parent = self._parents.get(element)
        while parent is not None:
            yield parent
            parent = self._parents.get(parent)

    def within(self, element: Element) -> Element | None:
        """The statement that encloses another, or None when it stands directly in an entry."""
        for holder in self.ancestors(element):
            name = local(holder)
            if name in _STATEMENT_NAMES:
                return holder
            if name == "section":
                break
        return None

    def link_type(self, element: Element) -> str | None:
        """How a statement is joined to the one that encloses it."""
        return attribute(self._parents.get(element), "typeCode")

    def section_of(self, element: Element) -> Element | None:
        """The section where an entry stands."""
        return next(self._sections(element), None)

    def section_code(self, element: Element) -> str | None:
        """The LOINC code of the section where an entry stands."""
        return attribute(self.section_of(element), "code", "code")

    def words(self, element: Element | None, path: str | None = None) -> str | None:
        """The text of an element, or the narrative that it refers to."""
        node = one(element, path) if path else element
        if node is None:
            return None
        reference = attribute(node, "value", "reference")
        if reference and (target := self._narrative.get(reference.removeprefix("#"))) is not None:
            return _sentence(target) or _sentence(node)
        return _sentence(node)

    def concept(self, element: Element | None) -> Json | None:
        """A CD element as a CodeableConcept; None when it says nothing."""
        if element is None:
            return None
        code = values.code(element)
        codings = [coding(item) for item in (code, *code.translations) if item.code] if code else []
        said = self.words(element, "originalText") or (None if codings or not code else code.display)
        concept: Json = {}
        if codings:
            concept["coding"] = codings
        if said:
            concept["text"] = said
        return concept or None

    def notes(self, element: Element) -> list[Json]:
        """The comments joined to an entry."""
        found = (
            self.words(act, "text")
            for act in related(element, "act")
            if FR + "32" in declared(act) or attribute(act, "code", "code") == "48767-8"
        )
        return [{"text": words} for words in found if words]

    def value(self, element: Element | None) -> Json:
        """A value[x] of an Observation, named after its type; a null flavour is the reason of its absence."""
        if element is None:
            return {}
        null = attribute(element, "nullFlavor")
        kind = xsi_type(element) or ""
        written = attribute(element, "value")
        if kind in ("CD", "CE", "CO", "CV", "CS"):
            concept = self.concept(element)
            if concept and (concept.get("text") or not null):
                return {"valueCodeableConcept": concept}
        elif kind == "PQ" and (amount := quantity(element)):
            return {"valueQuantity": amount}
        elif kind == "REAL" and written and _DECIMAL.fullmatch(written):
            return {"valueQuantity": {"value": Decimal(written)}}
        elif kind == "INT" and written and re.fullmatch(r"-?\d{1,9}", written):
            return {"valueInteger": int(written)}
        elif kind == "BL" and written in ("true", "false"):
            return {"valueBoolean": written == "true"}
        elif kind in ("TS", "IVL_TS") and (moment := values.moment(written)):
            return {"valueDateTime": moment.fhir}
        elif kind == "IVL_TS" and (stretch := period_of(element)):
            return {"valuePeriod": stretch}
        elif kind == "IVL_PQ":
            return interval(element)
        elif kind == "RTO" or kind.startswith("RTO_"):
            found = ratio(element)
            return {"valueRatio": found} if found else {}
        elif kind in ("ST", "ED", "") and (words := self.words(element)):
            return {"valueString": words}
        if null:
            return {"dataAbsentReason": absent(null)}
        return {"valueString": written} if written else {}

    def _sections(self, element: Element) -> Iterator[Element]:
        return (holder for holder in self.ancestors(element) if holder.tag == _SECTION)

    def _section_title(self, element: Element) -> str | None:
        titles = (text(section, "title") for section in self._sections(element))
        return next((title for title in titles if title), None)

    def _path(self, element: Element) -> str:
        """Where an element stands in the body: the name of each step and its place among those of its name."""
        steps: list[str] = []
        for node in (element, *self.ancestors(element)):
            if local(node) in ("structuredBody", "ClinicalDocument"):
                break
            alike = [item for item in self._parents[node] if item.tag == node.tag]
            steps.append(f"{local(node)}.{1 + alike.index(node)}")
        return "/".join(reversed(steps))


def declared(element: Element) -> set[str]:
    """The roots of the templates that an element declares."""
    return {root for item in element.findall(_TEMPLATE) if (root := item.get("root"))}


def related(element: Element, kind: str, relation: str | None = None) -> Iterator[Element]:
    """The statements of one kind joined to another."""
    for link in element.findall(_LINK):
        if relation is None or link.get("typeCode") == relation:
            yield from many(link, kind)


def coding(code: Code) -> Json:
    """A Coding."""
    found: Json = {}
    if code.system:
        found["system"] = system_url(code.system)
    found["code"] = code.code
    if code.display:
        found["display"] = code.display
    return found


def hl7_concept(system: str, code: str) -> Json:
    """A concept of an HL7 terminology, by the short name of its system."""
    return {"coding": [{"system": HL7_TERMINOLOGY + system, "code": code}]}


def identifier(item: Identifier) -> Json:
    """An II as a FHIR Identifier."""
    if item.extension:
        return {"system": system_url(item.root), "value": item.extension}
    return {"system": "urn:ietf:rfc:3986", "value": item.urn}


def number(written: str | None) -> Decimal | None:
    """A decimal with its text kept; None when it is not one that FHIR knows."""
    return Decimal(written) if written and _DECIMAL.fullmatch(written) else None


def quantity(element: Element | None) -> Json | None:
    """A PQ as a Quantity; an equivalent in another unit stands in the extension made for it."""
    amount = number(attribute(element, "value"))
    if element is None or amount is None:
        return None
    found: Json = {"value": amount, **unit(attribute(element, "unit"))}
    others = [
        {"url": _TRANSLATION, "valueQuantity": {"value": value, **unit(attribute(item, "code"))}}
        for item in many(element, "translation")
        if (value := number(attribute(item, "value"))) is not None
    ]
    if others:
        found["extension"] = others
    return found


def unit(written: str | None) -> Json:
    """The unit of a Quantity: UCUM, or a dose form of the EDQM when it is one of its eight-digit codes."""
    if not written or written == "1":
        return {}
    system = _EDQM if re.fullmatch(r"\d{8}", written) else UCUM
    return {"unit": written, "system": system, "code": written}


def interval(element: Element) -> Json:
    """An IVL_PQ as a Range, or as a Quantity with a comparator when one end is open."""
    low, high = quantity(one(element, "low")), quantity(one(element, "high"))
    if low and high:
        return {"valueRange": {"low": low, "high": high}}
    if low:
        closed = attribute(element, "inclusive", "low") != "false"
        return {"valueQuantity": {**low, "comparator": ">=" if closed else ">"}}
    if high:
        closed = attribute(element, "inclusive", "high") != "false"
        return {"valueQuantity": {**high, "comparator": "<=" if closed else "<"}}
    single = quantity(element)
    return {"valueQuantity": single} if single else {}


def ratio(element: Element | None) -> Json | None:
    """An RTO as a Ratio; both ends are needed."""
    numerator, denominator = quantity(one(element, "numerator")), quantity(one(element, "denominator"))
    return {"numerator": numerator, "denominator": denominator} if numerator and denominator else None


def absent(null_flavor: str) -> Json:
    """A null flavour as a reason for absent data."""
    return hl7_concept("data-absent-reason", _ABSENT.get(null_flavor, "unknown"))


def unknown() -> Json:
    """The extension that stands for a mandatory value that nobody knows."""
    return {"extension": [{"url": _DATA_ABSENT, "valueCode": "unknown"}]}


def period_of(element: Element) -> Json:
    """An IVL_TS as a Period; empty when neither end is known."""
    found = values.period(element)
    ends = {"start": found.low, "end": found.high}
    return {name: moment.fhir for name, moment in ends.items() if moment}


def effective(element: Element, name: str = "effective") -> Json:
    """The time of an entry as `<name>DateTime` or `<name>Period`."""
    found = values.period(one(element, "effectiveTime"))
    if found.low and found.high and found.low != found.high:
        return {f"{name}Period": {"start": found.low.fhir, "end": found.high.fhir}}
    moment = found.low or found.high
    return {f"{name}DateTime": moment.fhir} if moment else {}


def actor_reference(actor: Actor) -> Json | None:
    """A reference to somebody by identifier and name; the directory knows the rest."""
    person = actor.person.display if actor.person else None
    place = actor.organization.name if actor.organization else None
    found: Json = {}
    if actor.identifiers and (person or not actor.organization):
        found["identifier"] = identifier(actor.identifiers[0])
    elif actor.organization and actor.organization.identifiers:
        found["identifier"] = identifier(actor.organization.identifiers[0])
    shown = ", ".join(part for part in (person, place) if part)
    if shown:
        found["display"] = shown
    return found or None


def performers(element: Element) -> list[Json]:
    """Who performed an entry."""
    found = (actor_reference(header.actor(item)) for item in many(element, "performer/assignedEntity"))
    return [item for item in found if item]


def author_of(element: Element) -> tuple[str | None, Json | None]:
    """When an entry was written and by whom, when it says so itself."""
    moment = values.moment(attribute(element, "value", "author/time"))
    who = one(element, "author/assignedAuthor")
    return (moment.fhir if moment else None, actor_reference(header.actor(who)) if who is not None else None)


def is_absence(concept: Json | None) -> bool:
    """Whether a concept says "none known" or "no information", which is no fact about the patient."""
    url = system_url(ABSENT_SYSTEM)
    return any(item.get("system") == url for item in (concept or {}).get("coding", []))


def _sentence(element: Element) -> str | None:
    """The words of a narrative, breaks and cells kept apart; None when it only holds signs such as a dash."""
    parts: list[str] = []
    for item in element.iter():
        if local(item) in _BREAKS:
            parts.append(" ")
        parts.append(item.text or "")
        if item is not element:
            parts.append((" " if local(item) in _BREAKS else "") + (item.tail or ""))
    words = " ".join("".join(parts).split())
    return words if any(sign.isalnum() for sign in words) else None
