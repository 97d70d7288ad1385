"""Understands a file brought from elsewhere: an International Patient Summary (FHIR or CDA), or one of our copies.

Sources: HL7 IPS 2.0.0 (a Bundle of type document whose first entry is a Composition), CDA R2; `making.py` for copies.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import nh3
from markupsafe import escape
from msgspec.structs import replace

from ambroise.fhir.json import MAX_VALUES, decode
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.portability.making import FORMAT, MANIFEST
from ambroise.modules.portability.taking_in.adopting import TAKEN, item
from ambroise.modules.portability.taking_in.model import Brought, Item, Json, Paper, Person, Problem, Section, Sort
from ambroise.modules.record.api import (
    Document,
    Words,
    attachment,
    category_of,
    extract,
    read_cda,
    read_document,
    render,
    sniff,
)
from ambroise.modules.record.api import Sort as FileSort

MOST_BYTES: Final = 20 * 1024 * 1024
_MOST_INSIDE: Final = 200 * 1024 * 1024
_MOST_AS_DATA: Final = 20 * 1024 * 1024
"""Of what is JSON inside a copy: once read it takes many times its bytes."""
_MOST_NARRATIVE: Final = 1_000_000
"""Characters of a summary that are made a PDF: more would keep a processor busy for minutes."""
_MOST_DOCUMENTS: Final = 500
_MOST_TOLD: Final = 200
"""Facts that one paper carries."""
_SUMMARY: Final = "60591-5"
_SUMMARIES: Final = "SYNTHESE"
_FILED: Final = frozenset({FileSort.PDF, FileSort.JPEG, FileSort.TEXT})
_WRONG: Final = (
    Refusal,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""How a file that is not what it seems to be makes its readers fail."""


class _Files:
    """The files of a zip, of which no more is unfolded than is allowed, however often one of them is named."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left, self._data_left, self._values_left = _MOST_INSIDE, _MOST_AS_DATA, MAX_VALUES

    def data(self, path: str) -> bytes:
        """A file that will be read as JSON."""
        self._data_left -= self._size(path)
        if self._data_left < 0:
            raise _too_large()
        content = self.read(path)
        self._values_left -= content.count(b",") + content.count(b"[") + content.count(b"{")
        if self._values_left < 0:
            raise _too_large()
        return content

    def read(self, path: str) -> bytes:
        self._left -= self._size(path)
        if self._left < 0:
            raise _too_large()
        return self._archive.read(path)

    def _size(self, path: str) -> int:
        # The library unfolds no more of a file than what it is said to have here.
        return self._archive.getinfo(path).file_size


def understand(content: bytes) -> Brought:
    """What a file offers. Takes processor time: call it in a thread. Raises IMPORT_NOT_UNDERSTOOD, IMPORT_TOO_LARGE."""
    if len(content) > MOST_BYTES:
        raise Refusal(Kind.TOO_LARGE, "IMPORT_TOO_LARGE", f"The file has more than {MOST_BYTES} bytes.")
    try:
        if content[:4] == b"PK\x03\x04":
            return _copy(content)
        if content.lstrip()[:1] == b"{":
            return _ips(decode(content))
        return _cda(content)
    except _WRONG as error:
        if isinstance(error, Refusal) and error.kind is Kind.TOO_LARGE:
            raise error if error.code == "IMPORT_TOO_LARGE" else _too_large() from error
        raise _not_understood() from error


def _ips(bundle: Json) -> Brought:
    entries: list[Json] = bundle["entry"]
    resources: list[Json] = [one["resource"] for one in entries]
    composition = resources[0]
    if bundle.get("type") != "document" or composition.get("resourceType") != "Composition":
        raise ValueError("not a document")
    if _SUMMARY not in [coding.get("code") for coding in composition["type"]["coding"]]:
        raise ValueError("not a patient summary")
    named: dict[str, Json] = {}
    for one in entries:
        resource = one["resource"]
        named[f"{resource['resourceType']}/{resource.get('id')}"] = resource
        if one.get("fullUrl"):
            named[str(one["fullUrl"])] = resource
    patient = named[str(composition["subject"]["reference"])]
    origin = _organization(composition, named)
    told = [
        item(resource, str(one.get("fullUrl") or resource.get("id")), named)
        for one, resource in zip(entries, resources, strict=True)
        if resource["resourceType"] not in _CARRIERS
    ]
    sections = tuple(
        Section(str(one.get("title", "")), nh3.clean(str(one.get("text", {}).get("div", ""))))
        for one in composition.get("section", ())
    )
    if not _printable(sections):
        raise _too_large()
    paper = Paper(
        str(composition["title"]),
        date.fromisoformat(str(composition["date"])[:10]),
        origin,
        _SUMMARIES,
        sections=sections,
        items=tuple(told),
    )
    return Brought(Sort.IPS_FHIR, origin, _person(patient), (paper,))


_CARRIERS: Final = frozenset(
    {"Composition", "Patient", "Practitioner", "PractitionerRole", "Organization", "Medication", "Device", "Provenance"}
)
"""What a summary holds besides facts: who, where, and what facts name."""


def _organization(composition: Json, named: Mapping[str, Json]) -> str:
    """Who answers for a summary: its custodian, else its author."""
    answering: list[Json] = [composition.get("custodian") or {}, *composition.get("author", ())]
    for reference in answering:
        found: Json = named.get(str(reference.get("reference"))) or {}
        name: Any = found.get("name")
        if isinstance(name, str):
            country = next((one["country"] for one in found.get("address", ()) if one.get("country")), "")
            return f"{name} ({country})" if country else name
        if name:
            person: Json = name[0]
            return " ".join([*person.get("given", ()), str(person.get("family", ""))]).strip()
        if reference.get("display"):
            return str(reference["display"])
    return ""


def _person(patient: Json) -> Person:
    names: list[Json] = patient.get("name") or []
    return Person(
        tuple(str(one["family"]) for one in names if one.get("family")),
        tuple(str(given) for one in names for given in one.get("given", ())),
        str(patient.get("birthDate", "")),
        str(patient.get("gender", "")),
    )


def _cda(content: bytes) -> Brought:
    clinical = read_cda(content)
    who = clinical.patient
    custodian = clinical.custodian.name if clinical.custodian else None
    facts = [item(dict(one.resource), one.key, {}) for one in extract(clinical)]
    shown = render(clinical, words=Words("", "", ""), file_url=lambda name: "#")
    if not _printable((Section("", shown.html),)):
        raise _too_large()
    paper = Paper(
        clinical.title,
        clinical.effective_time.start.date(),
        custodian or "",
        _SUMMARIES,
        sections=(Section("", shown.html),),
        items=tuple(facts),
    )
    person = Person(
        tuple(filter(None, (who.birth_name, who.used_name))),
        tuple(filter(None, (who.first_given, who.given_names, who.used_given))),
        _cda_date(who.birth_date),
        {"F": "female", "M": "male"}.get(who.sex, who.sex),
    )
    return Brought(Sort.IPS_CDA, custodian or "", person, (paper,))


def _cda_date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if text[:8].isdigit() and len(text) >= 8 else text


def _copy(content: bytes) -> Brought:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        inside = _Files(archive)
        manifest = decode(inside.data(MANIFEST))
        if manifest["format"] != FORMAT:
            raise ValueError("not a copy of ours")
        files = {one["path"]: one for one in manifest["files"]}
        held: list[Json] = [
            decode(line)
            for path in sorted(files)
            if path.startswith("fhir/")
            for line in inside.data(path).splitlines()
        ]
        patient = next(one for one in held if one["resourceType"] == "Patient")
        by_document = {one["about"]: one for one in manifest["files"] if one.get("about")}
        named = {f"{one['resourceType']}/{one['id']}": one for one in held}
        documents = [one for one in held if one["resourceType"] == "DocumentReference"]
        if len(documents) > _MOST_DOCUMENTS:
            raise Refusal(Kind.TOO_LARGE, "IMPORT_TOO_LARGE", f"More than {_MOST_DOCUMENTS} documents at once.")
        origin = str(manifest.get("origin", ""))
        facts = [one for one in held if one["resourceType"] in TAKEN]
        papers: list[Paper] = []
        for resource in documents:
            reference = f"DocumentReference/{resource['id']}"
            mine = [item(one, str(one["id"]), named) for one in facts if one.get("meta", {}).get("source") == reference]
            document = read_document(resource)
            paper = _paper(inside, document, by_document.get(reference), mine)
            papers.append(replace(paper, masked=document.masked))
        papers += _told(facts, named, manifest)
        return Brought(Sort.COPY, origin, _person(patient), tuple(papers))


def _told(facts: list[Json], named: Mapping[str, Json], manifest: Json) -> list[Paper]:
    """What no document states, as papers of their own: what professionals saw, and what they did not.

    A copy of before says nothing of it: none of it is shown to them then.
    """
    told = [one for one in facts if not one.get("meta", {}).get("source")]
    if not told:
        return []
    hidden: list[str] | None = manifest.get("hidden")
    day = date.fromisoformat(str(manifest["made"])[:10])
    papers: list[Paper] = []
    for masked in (False, True):
        items = [
            item(one, str(one["id"]), named)
            for one in told
            if masked is (hidden is None or f"{one['resourceType']}/{one['id']}" in hidden)
        ]
        for start in range(0, len(items), _MOST_TOLD):
            some = tuple(items[start : start + _MOST_TOLD])
            words = "".join(f"<li>{escape(one.words)}</li>" for one in some)
            sections = (Section("", f"<ul>{words}</ul>"),)
            papers.append(Paper("", day, "", _SUMMARIES, sections=sections, items=some, masked=masked))
    return papers


def _paper(files: _Files, document: Document, file: Json | None, items: list[Item]) -> Paper:
    """One document of a copy; a CDA is read, since only its author may file it again as such."""
    day = (document.date or document.act_start or document.filed).date()
    author = document.authors[0].name if document.authors else ""
    origin = ", ".join(filter(None, (author, document.place)))
    paper = Paper(document.title, day, origin, category_of(document.type_code).value, items=tuple(items))
    if file is None:
        return _with_problem(paper, Problem.MISSING)
    content = files.read(str(file["path"]))
    if hashlib.sha256(content).hexdigest() != file["sha256"]:
        return _with_problem(paper, Problem.ALTERED)
    sort = sniff(content)
    if sort in _FILED:
        return _of_content(paper, content)
    if sort is not FileSort.XML:
        return _with_problem(paper, Problem.FORMAT)
    clinical = read_cda(content)
    shown = render(clinical, words=Words("", "", ""), file_url=lambda name: "#")
    body = next((one for one in shown.files if one.in_body and one.content_type == "application/pdf"), None)
    inside = attachment(clinical, body.identifier) if body else None
    if inside is not None:
        return _of_content(paper, inside.content)
    sections = (Section("", shown.html),)
    if not _printable(sections):
        return _with_problem(paper, Problem.FORMAT)
    return Paper(paper.title, day, origin, paper.category, sections=sections, items=paper.items)


def _of_content(paper: Paper, content: bytes) -> Paper:
    return Paper(paper.title, paper.day, paper.origin, paper.category, content, items=paper.items)


def _with_problem(paper: Paper, problem: Problem) -> Paper:
    return Paper(paper.title, paper.day, paper.origin, paper.category, problem=problem)


def _printable(sections: Iterable[Section]) -> bool:
    return sum(len(one.title) + len(one.html) for one in sections) <= _MOST_NARRATIVE


def _too_large() -> Refusal:
    return Refusal(Kind.TOO_LARGE, "IMPORT_TOO_LARGE", "This file holds, or unfolds into, too much.")


def _not_understood() -> Refusal:
    return Refusal(
        Kind.UNPROCESSABLE,
        "IMPORT_NOT_UNDERSTOOD",
        "This is no patient summary (IPS, as FHIR or CDA) and no copy of a record made by this software.",
    )
