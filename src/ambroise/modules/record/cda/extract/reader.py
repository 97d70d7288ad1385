"""A document being extracted: its statements by kind and model, where each stands, the narrative they point into."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import (
    Json,
    absent,
    coding,
    identifier,
    interval,
    number,
    period_of,
    quantity,
    ratio,
)
from ambroise.modules.record.cda.model import ClinicalDocument, Identifier
from ambroise.modules.record.cda.nodes import HL7, Element, attribute, local, many, one, text, xsi_type

FR = "1.2.250.1.213.1.1.3."
FAMILY = FR + "59"
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
        elif kind == "REAL" and (amount := number(written)) is not None:
            return {"valueQuantity": {"value": amount}}
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
