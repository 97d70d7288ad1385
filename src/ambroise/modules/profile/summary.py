"""The International Patient Summary: a FHIR document of what the caller may see of a profile (HL7 IPS, R4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any
from uuid import UUID

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.db import Reader
from ambroise.kernel.ids import new_id
from ambroise.modules.profile import links
from ambroise.modules.profile.fhir import LOINC, SNOMED, Json, concept, hl7, kept
from ambroise.modules.profile.looking import Looking
from ambroise.modules.profile.model import Item, Section, Sheet
from ambroise.trust.access.decide import Action, judge_entry, refusal, unknown
from ambroise.trust.access.facts import Eyes, Viewer
from ambroise.trust.access.rules import Rule
from ambroise.trust.context import Context, Purpose

ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
_UNKNOWN = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_PROFILE = "http://hl7.org/fhir/uv/ips/StructureDefinition/"

# Sections of the summary: LOINC code, title, what goes into it. The first three are always there.
_SECTIONS: Sequence[tuple[str, str, tuple[Section, ...]]] = (
    ("11450-4", "Problèmes", (Section.ILLNESSES,)),
    ("48765-2", "Allergies et intolérances", (Section.ALLERGIES,)),
    ("10160-0", "Traitements", (Section.TREATMENTS,)),
    ("11369-6", "Vaccinations", (Section.VACCINATIONS,)),
    ("47519-4", "Actes et hospitalisations", (Section.STAYS,)),
    ("30954-2", "Résultats", (Section.BLOOD,)),
    ("8716-3", "Signes vitaux", (Section.MEASURES,)),
    ("29762-2", "Habitudes de vie", (Section.HABITS,)),
    ("47420-5", "Statut fonctionnel", (Section.DISABILITIES,)),
    ("10157-6", "Antécédents familiaux", (Section.FAMILY,)),
)
_PAST = ("11348-0", "Antécédents médicaux")
_RESULTS = "30954-2"
_MOST_RESULTS, _MOST = 30, 100


async def summary(profile: Looking, ctx: Context, patient: UUID, base: str) -> Json:
    """The summary of a patient, a document Bundle whose addresses begin with `base`."""
    async with profile.database.reader() as reader:
        await _enter(profile, reader, ctx, patient)
        person = decode((await profile.gateway.read(reader, ctx, "Patient", str(patient))).body)
    sheet, resources = await profile.material(ctx, patient)
    results = await profile.results(ctx, patient, _MOST_RESULTS)
    return _document(ctx, person, sheet, resources, results, base)


async def _enter(profile: Looking, reader: Reader, ctx: Context, patient: UUID) -> None:
    """Refuse who does not get into the space: a summary says more than an identity. An emergency opens by itself."""
    eyes = Eyes.of(ctx)
    facts = await profile.gateway.facts(reader, ctx, eyes, patient)
    if eyes.viewer is Viewer.OPERATOR:
        raise refusal(Action.READ, "Patient", Rule.CLINICAL)
    other = eyes.space is not None and eyes.space != patient
    if other or facts.state is None:
        raise unknown("Patient")
    verdict = judge_entry(facts, eyes)
    if ctx.purpose is Purpose.NORMAL and not verdict.allowed:
        await profile.gateway.search(
            reader, ctx, parse("Condition", [("patient", f"Patient/{patient}")], now=ctx.now())
        )
        raise refusal(Action.READ, "Patient", verdict.rule)


def _document(
    ctx: Context, person: Json, sheet: Sheet, resources: Mapping[str, Json], results: Sequence[Json], base: str
) -> Json:
    reference = f"Patient/{person['id']}"
    entries: dict[str, Json] = {reference: person}
    sections: list[Json] = []
    together = links.web(sheet)

    def line(item: Item) -> str:
        return _line(item, together.get(item.reference, ()))

    for code, title, which in _SECTIONS:
        items = [item for section in which for item in sheet[section].items[:_MOST]]
        present = [item for item in items if code != "11450-4" or item.active]
        added = [_added(entries, resources, item, reference) for item in present]
        lines = [line(item) for item in present]
        if code == _RESULTS:
            for one in results:
                place = f"Observation/{one['id']}"
                entries[place] = one
                added.append(place)
                lines.append(_words(one))
        if not added and code in _ABSENCES:
            since = sheet[which[0]].none_since
            if not since:
                sections.append(_nothing(code, title))
                continue
            absent = _absence(code, since, reference)
            place = f"{absent['resourceType']}/{absent['id']}"
            entries[place] = absent
            added, lines = [place], [_ABSENCES[code][3]]
        if added:
            sections.append(_section(code, title, added, lines))
    over = [item for item in sheet[Section.ILLNESSES].items if not item.active]
    if over:
        sections.append(
            _section(*_PAST, [_added(entries, resources, item, reference) for item in over], map(line, over))
        )
    composition, device = _composition(ctx, reference, sections)
    whole: list[Json] = [composition, *entries.values(), device]
    return {
        "resourceType": "Bundle",
        "id": str(new_id()),
        "meta": {"profile": [f"{_PROFILE}Bundle-uv-ips"]},
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{new_id()}"},
        "type": "document",
        "timestamp": ctx.now().isoformat(timespec="milliseconds"),
        "entry": [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in whole],
    }


def _composition(ctx: Context, reference: str, sections: list[Json]) -> tuple[Json, Json]:
    device: Json = {
        "resourceType": "Device",
        "id": str(new_id()),
        "deviceName": [{"name": "Ambroise", "type": "user-friendly-name"}],
    }
    composition: Json = {
        "resourceType": "Composition",
        "id": str(new_id()),
        "meta": {"profile": [f"{_PROFILE}Composition-uv-ips"]},
        "language": "fr-FR",
        "status": "final",
        "type": {"coding": [{"system": LOINC, "code": "60591-5", "display": "Patient summary Document"}]},
        "subject": {"reference": reference},
        "date": ctx.now().isoformat(timespec="seconds"),
        "author": [{"reference": f"Device/{device['id']}"}],
        "title": "Synthèse médicale (IPS)",
        "section": sections,
    }
    return composition, device


# Section → type, code of SNOMED CT and of the IPS before 2.0 when "none" was said, its words.
_ABSENCES: Mapping[str, tuple[str, str, str, str]] = {
    "11450-4": ("Condition", "160245001", "no-known-problems", "Aucune maladie connue"),
    "48765-2": ("AllergyIntolerance", "716186003", "no-known-allergies", "Aucune allergie connue"),
    "10160-0": ("MedicationStatement", "787481004", "no-known-medications", "Aucun traitement"),
}


def _absence(code: str, since: str, reference: str) -> Json:
    """That there is none: the person said so."""
    type, snomed, before, said = _ABSENCES[code]
    codings = [{"system": SNOMED, "code": snomed}, {"system": ABSENT, "code": before}]
    what: Json = {"coding": codings, "text": said}
    resource: Json = {"resourceType": type, "id": str(new_id())}
    if type == "Condition":
        return {
            **resource,
            "clinicalStatus": hl7("condition-clinical", "active"),
            "code": what,
            "subject": {"reference": reference},
        }
    if type == "AllergyIntolerance":
        status = hl7("allergyintolerance-clinical", "active")
        return {**resource, "clinicalStatus": status, "code": what, "patient": {"reference": reference}}
    return {
        **resource,
        "status": "unknown",
        "medicationCodeableConcept": what,
        "subject": {"reference": reference},
        "effectiveDateTime": since,
    }


def _nothing(code: str, title: str) -> Json:
    """A section that must be there, of which nothing is known."""
    section = _section(code, title, (), ["Pas d’information"])
    empty = {**hl7("list-empty-reason", "unavailable"), "text": "Pas d’information"}
    return {**kept(section), "emptyReason": empty}


def _added(entries: dict[str, Json], resources: Mapping[str, Json], item: Item, reference: str) -> str:
    if item.id and item.section is not Section.DISABILITIES:
        entries[item.reference] = _dated(resources[item.reference])
        return item.reference
    made = _disability(item, reference) if item.id else _computed(item, reference)
    place = f"{made['resourceType']}/{made['id']}"
    entries[place] = made
    return place


def _dated(resource: Json) -> Json:
    """The resource, saying that its day is not known where the summary wants one (Procedure, MedicationStatement)."""
    wanted = {"Procedure": "performed", "MedicationStatement": "effective"}.get(str(resource["resourceType"]))
    if wanted is None or any(name.lstrip("_").startswith(wanted) for name in resource):
        return resource
    return {**resource, f"_{wanted}DateTime": {"extension": [{"url": _UNKNOWN, "valueCode": "unknown"}]}}


def _disability(item: Item, reference: str) -> Json:
    """A disability as the summary wants it, a condition of this document alone."""
    return {
        "resourceType": "Condition",
        "id": str(new_id()),
        "clinicalStatus": hl7("condition-clinical", "active"),
        "category": [hl7("condition-category", "problem-list-item")],
        "code": concept(item.name, item.code),
        "subject": {"reference": reference},
        "recordedDate": item.recorded,
    }


def _computed(item: Item, reference: str) -> Json:
    """A figure that was computed, as an observation of this document alone, with what it comes from."""
    value, unit = item.details["value"], item.details["unit"]
    return {
        "resourceType": "Observation",
        "id": str(new_id()),
        "status": "final",
        "category": [hl7("observation-category", "vital-signs")],
        "code": concept(item.name, item.code),
        "subject": {"reference": reference},
        "effectiveDateTime": item.start,
        "valueQuantity": {
            "value": Decimal(value),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        "derivedFrom": [{"reference": one} for one in item.links],
    }


def _section(code: str, title: str, added: Sequence[str], lines: Iterable[str]) -> Json:
    rows = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return {
        "title": title,
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><ul>{rows}</ul></div>'},
        "entry": [{"reference": place} for place in dict.fromkeys(added)],
    }


def _line(item: Item, together: Sequence[Item]) -> str:
    figures = [item.details[one] for one in ("value", "systolic", "diastolic") if item.details.get(one)]
    parts = [item.name, "/".join(figures), item.details.get("dosage", ""), item.details.get("reaction", ""), item.start]
    others = ", ".join(dict.fromkeys(one.name for one in together))
    return " · ".join(part for part in (*parts, others and f"lié à : {others}") if part)


def _words(resource: Json) -> str:
    concept: Any = resource.get("code") or {}
    codings: Any = concept.get("coding") or [{}]
    quantity: Any = resource.get("valueQuantity") or {}
    value = f"{quantity.get('value', '')} {quantity.get('unit', '')}".strip() or str(resource.get("valueString", ""))
    return f"{concept.get('text') or codings[0].get('display') or codings[0].get('code', '')} {value}".strip()
