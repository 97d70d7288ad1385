"""Documents, submissions and their links as the caller may see them: what XDS queries are answered from.

Everything is asked of the gateway by a search, as FHIR asks: what a person may not see is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from ambroise.fhir.json import decode
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.fhir_rest.links import CURSOR
from ambroise.interfaces.xds.ebrim import Association
from ambroise.interfaces.xds.entries import entry_uuid_of, status_of
from ambroise.interfaces.xds.names import APPROVED, HAS_MEMBER, RPLC
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Ins, identity_of, identity_under
from ambroise.modules.record.api import ARCHIVED_EXTENSION, Identifier, entry
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway

Json = dict[str, Any]
Pairs = list[tuple[str, str]]
Read = TypeVar("Read")
DOCUMENT: Final = "DocumentReference"
MOST: Final = 10_000
"""Objects that one query may find; more is too many for anybody to read."""
_PAGE: Final = 1_000
_AT_ONCE: Final = 40
_URI: Final = "urn:ietf:rfc:3986"


class Reference(msgspec.Struct, frozen=True):
    """A document without what describes it: its entryUUID, and its availabilityStatus."""

    id: str
    status: str


def reference(body: bytes) -> Reference:
    """What refers to a document.

    A record of thousands is listed so: a document in force, not archived, whose only entryUUID stands where the record
    writes its own, between its unique id and its status, is not decoded for that.
    """
    kind = body.find(_KIND)
    begins = kind + len(_KIND) + len(_BEFORE)
    master = body.rfind(_MASTER, 0, max(kind, 0))
    if body.startswith(_BEFORE, begins - len(_BEFORE)) and body.startswith(_KEPT, max(master - len(_KEPT), 0)):
        ends = body.index(b'"', begins)
        id = body[begins:ends]
        if body.startswith(_CURRENT, ends) and body.find(_KIND, ends) < 0 and b"\\" not in id:
            return Reference(id.decode(), APPROVED)
    described = msgspec.structs.asdict(_SKETCHES.decode(body))
    return Reference(entry_uuid_of(described), status_of(described))


class _Sketch(msgspec.Struct):
    """What the id and the status of a document come from."""

    id: str
    status: str = ""
    identifier: list[Json] = []
    extension: list[Json] = []


_SKETCHES: Final = msgspec.json.Decoder(_Sketch)
_KIND: Final = b'"code":"entryUUID'
_BEFORE: Final = b'"}]},"system":"urn:ietf:rfc:3986","value":"'
_MASTER: Final = b'"masterIdentifier":{'
_KEPT: Final = f'"extension":[{{"url":"{ARCHIVED_EXTENSION}","valueBoolean":false}}],'.encode()
_CURRENT: Final = b'"}],"status":"current",'


class Nobody(Exception):
    """The patient that is named is nobody here: there is nothing to find."""


class Finder:
    """What one caller finds. `of` is the one patient that the assertion is about, if it names one."""

    def __init__(self, gateway: Gateway, reader: Reader, ctx: Context, of: UUID | None) -> None:
        self._criteria = Criteria(gateway)
        self.reader = reader
        self._ctx = ctx
        self._of = of
        self._patients: dict[str, Cx] = {}

    async def search(self, type_: str, pairs: Pairs) -> list[Json]:
        """Every resource that the criteria find. Raises XDS_TOO_MANY."""
        return await self._search(type_, pairs, decode)

    async def references(self, pairs: Pairs) -> list[Reference]:
        """Every document that the criteria find. Raises XDS_TOO_MANY."""
        return await self._search(DOCUMENT, pairs, reference)

    async def _search(self, type_: str, pairs: Pairs, read: Callable[[bytes], Read]) -> list[Read]:
        """What is found, page by page, each as `read` reads it."""
        asked = [*pairs, ("_count", str(_PAGE)), ("_total", "none")]
        if self._of is not None and not any(name == "patient" for name, _ in pairs):
            asked.append(("patient", f"Patient/{self._of}"))
        found: list[Read] = []
        while True:
            page = await self._criteria.page(self.reader, self._ctx, type_, asked)
            found += [read(stored.body) for stored, mode in page.entries if mode == "match"]
            if page.next_cursor is None:
                return found
            if len(found) >= MOST:
                raise Refusal(Kind.INVALID, "XDS_TOO_MANY", f"More than {MOST} objects are found: narrow it down.")
            asked = [(CURSOR, page.next_cursor)]

    async def documents_under(self, identifiers: Iterable[str]) -> list[Json]:
        """The documents of these entryUUIDs or unique ids."""
        return await self._under(DOCUMENT, identifiers)

    async def sets_under(self, identifiers: Iterable[str]) -> list[Json]:
        """The submissions of these entryUUIDs or unique ids."""
        return await self._under("List", identifiers, ("code", "submissionset"))

    async def sets_of(self, documents: Sequence[Json]) -> list[Json]:
        """The submissions that hold these documents."""
        found: dict[str, Json] = {}
        for some in _batches([f"{DOCUMENT}/{one['id']}" for one in documents]):
            for one in await self.search("List", [("item", ",".join(some)), ("code", "submissionset")]):
                found[one["id"]] = one
        return list(found.values())

    async def members_of(self, sets: Sequence[Json]) -> list[Json]:
        """The documents of these submissions."""
        return await self.documents_of({id for one in sets for id in member_ids(one)})

    async def replacements_of(self, documents: Sequence[Json]) -> list[Association]:
        """Which documents these replace, and which replace them: links between documents that are both seen."""
        replaced = {id for one in documents for id in replaced_ids(one)}
        others = {one["id"]: one for one in documents}
        others |= {one["id"]: one for one in await self.documents_of(replaced - set(others))}
        for some in _batches([f"{DOCUMENT}/{one['id']}" for one in documents]):
            newer = await self.search(DOCUMENT, [("relatesto", ",".join(some))])
            others |= {one["id"]: one for one in newer}
        mine = {one["id"] for one in documents}
        return [
            _association(RPLC, source, others[target])
            for source in others.values()
            for target in replaced_ids(source)
            if target in others and (source["id"] in mine or target in mine)
        ]

    async def patient_of(self, resource: Json, repository: str) -> Cx:
        """The patient of a document or a submission, under the INS; by a local identifier when there is none."""
        key = str(resource["subject"]["reference"]).removeprefix("Patient/")
        if key not in self._patients:
            identity = await identity_of(self.reader, UUID(key))
            ins = identity.ins if identity else None
            self._patients[key] = Cx(ins.matricule, ins.oid, "NH") if ins else Cx(key, repository, "PI")
        return self._patients[key]

    async def _under(self, type_: str, identifiers: Iterable[str], *more: tuple[str, str]) -> list[Json]:
        wanted = {Identifier.parse(one).urn for one in identifiers if one}
        found: dict[str, Json] = {}
        for some in _batches(sorted(wanted)):
            asked = ",".join(f"{_URI}|{_escaped(one)}" for one in some)
            for one in await self.search(type_, [("identifier", asked), *more]):
                if {entry_uuid_of(one), Identifier.parse(entry.unique_id_of(one) or "").urn} & wanted:
                    found[one["id"]] = one
        return list(found.values())

    async def documents_of(self, ids: Collection[str]) -> list[Json]:
        """The documents of these logical ids."""
        found: list[Json] = []
        for some in _batches(sorted(ids)):
            found += await self.search(DOCUMENT, [("_id", ",".join(some))])
        return found


async def patient_named(reader: Reader, written: str) -> UUID:
    """The patient of a CX. Raises Nobody."""
    found = Cx.parse(written)
    identity = await identity_under(reader, Ins(found.value, found.authority)) if found else None
    if identity is None:
        raise Nobody
    return identity.patient


def logical_id(written: str) -> str | None:
    """The logical id of a document, as resources have it; None for what is no such id."""
    try:
        return str(UUID(written))
    except ValueError:
        return None


def member_ids(submission: Json) -> list[str]:
    """The ids of the documents of a submission."""
    references = [str(one.get("item", {}).get("reference", "")) for one in submission.get("entry", ())]
    return [one.removeprefix(f"{DOCUMENT}/") for one in references if one.startswith(f"{DOCUMENT}/")]


def replaced_ids(document: Json) -> list[str]:
    """The ids of the documents of the record that a document replaces."""
    references = [one for one in entry.replaced_by(document) if one.startswith(f"{DOCUMENT}/")]
    return [one.removeprefix(f"{DOCUMENT}/") for one in references]


def memberships(sets: Sequence[Json], documents: Sequence[Json]) -> list[Association]:
    """That these documents are in these submissions, where both are seen."""
    by_id = {one["id"]: one for one in documents}
    return [
        _association(HAS_MEMBER, each, by_id[id], {"SubmissionSetStatus": ("Original",)})
        for each in sets
        for id in member_ids(each)
        if id in by_id
    ]


def _association(
    type_: str, source: Json, target: Json, slots: dict[str, tuple[str, ...]] | None = None
) -> Association:
    """A link; its id is made of what it links, so that it is always the same one."""
    id = uuid5(NAMESPACE_URL, f"{type_}/{source['id']}/{target['id']}")
    return Association(f"urn:uuid:{id}", type_, entry_uuid_of(source), entry_uuid_of(target), slots or {}, APPROVED)


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")
