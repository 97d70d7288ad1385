"""Lines that go together: what a treatment, a stay or a measure is for, the allergy that an illness comes from.

A link is kept once, as a FHIR reference in the line that it starts from, and read both ways. It never leads to a line
that is hidden: its bare id would say that something is kept from the reader.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ambroise.modules.profile.fhir import Json, child, children, kept
from ambroise.modules.profile.model import Item, Section, Sheet

TO: Mapping[Section, Section] = {
    Section.TREATMENTS: Section.ILLNESSES,
    Section.STAYS: Section.ILLNESSES,
    Section.MEASURES: Section.ILLNESSES,
    Section.ILLNESSES: Section.ALLERGIES,
    Section.ALLERGIES: Section.TREATMENTS,
}
"""From the lines of which section a link starts, and to those of which it leads."""

_REASON = "http://hl7.org/fhir/StructureDefinition/workflow-reasonReference"
_CULPRIT = "urn:ambroise:profile:culprit"
"""R4 has no element for the medicine that an allergy is to, when it is a line of the same record."""
_EXTENSION = {Section.MEASURES: _REASON, Section.ALLERGIES: _CULPRIT}
_URLS = frozenset(_EXTENSION.values())


def neighbours(section: Section) -> frozenset[Section]:
    """The sections whose lines may be linked with those of this one, either way."""
    back = {one for one, to in TO.items() if to is section}
    return frozenset(back | ({TO[section]} if section in TO else set[Section]()))


def put(resource: Json, section: Section, references: Sequence[str]) -> Json:
    """The resource with its links, in place of those it had."""
    bare = without(resource, read(resource))
    targets = [{"reference": one} for one in references]
    if not targets:
        return bare
    if section in _EXTENSION:
        added = [{"url": _EXTENSION[section], "valueReference": one} for one in targets]
        return {**bare, "extension": [*children(bare, "extension"), *added]}
    if section is Section.ILLNESSES:
        return {**bare, "evidence": [*children(bare, "evidence"), {"detail": targets}]}
    return {**bare, "reasonReference": [*children(bare, "reasonReference"), *targets]}


def read(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the links of a resource lead, as `Type/id`, whoever wrote it."""
    found = [*children(resource, "reasonReference")]
    found += [child(one, "valueReference") for one in children(resource, "extension") if one.get("url") in _URLS]
    found += [detail for one in children(resource, "evidence") for detail in children(one, "detail")]
    return tuple(str(one["reference"]) for one in found if one.get("reference"))


def without(resource: Json, references: Collection[str]) -> Json:
    """The resource without its links to these."""

    def stays(target: Json) -> bool:
        return target.get("reference") not in references

    left = {
        "reasonReference": [one for one in children(resource, "reasonReference") if stays(one)],
        "extension": [
            one
            for one in children(resource, "extension")
            if one.get("url") not in _URLS or stays(child(one, "valueReference"))
        ],
        "evidence": [
            one
            for one in (
                kept({**each, "detail": [detail for detail in children(each, "detail") if stays(detail)]})
                for each in children(resource, "evidence")
            )
            if one
        ],
    }
    return kept({**resource, **left})


def web(sheet: Sheet) -> Mapping[str, Sequence[Item]]:
    """The lines that go with each line, by its reference: those it leads to, then those that lead to it."""
    lines = {one.reference: group for group in _groups(sheet) for one in (group, *group.same) if one.id}
    found: dict[str, dict[str, Item]] = {}
    for group in _groups(sheet):
        for target in (lines[to] for one in (group, *group.same) for to in one.links if to in lines):
            if group.id and target.reference != group.reference:
                found.setdefault(group.reference, {})[target.reference] = target
                found.setdefault(target.reference, {})[group.reference] = group
    return {reference: tuple(others.values()) for reference, others in found.items()}


def _groups(sheet: Sheet) -> Iterator[Item]:
    return (item for part in sheet.parts.values() for item in part.items)
