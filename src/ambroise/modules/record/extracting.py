"""Reading again what a document says, once the extraction is newer than the one that read it.

The facts are an index of the document: those that it still states stay, with their ids and with what the person hid;
those that are read otherwise change in place; the others come or go. What somebody changed since is left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from ambroise.fhir.json import decode
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.record import entry
from ambroise.modules.record.cda.extract import EXTRACTOR_VERSION, extract
from ambroise.modules.record.cda.model import ClinicalDocument
from ambroise.modules.record.cda.parse import read
from ambroise.modules.record.content.sniff import Sort, sniff
from ambroise.modules.record.followers import ASSEMBLER, attached, provenance
from ambroise.trust.context import Context
from ambroise.trust.gateway import Flags, Gateway, Stored

Json = dict[str, Any]

_CODED = ("code", "vaccineCode", "medicationCodeableConcept", "relationship")
_PLAIN = ("class", "identifier")
_NOT_FACTS = frozenset({"Binary", "Provenance"})


async def restate(tx: Transaction, gateway: Gateway, ctx: Context, document: UUID, content: bytes) -> bool:
    """State again the facts of a document that an older extraction read; whether there was anything to do."""
    if sniff(content) is not Sort.XML:
        return False
    stored, following = await gateway.restating.stated(tx, ctx, document)
    former = next((one for one in following if one.type == "Provenance"), None)
    version, when = _read_by(former)
    if former is not None and version >= EXTRACTOR_VERSION:
        return False
    try:
        clinical = await asyncio.to_thread(read, content)
    except Refusal:
        # Its other facts stay: what cannot be read now was read before.
        return False
    held = [one for one in following if one.type not in _NOT_FACTS]
    patient = entry.read(decode(stored.body)).patient
    difference = _Difference(held, await asyncio.to_thread(_stated, clinical, patient, document), when, patient)
    facts = difference.facts
    if not facts and former is None:
        return False
    told = _told(ctx, clinical, document, facts)
    changed, new = list(difference.changed), list(difference.new)
    gone = list(difference.gone)
    if told is None:
        gone += [former] if former is not None else []
    elif former is not None:
        changed.append((former, told | {"id": former.id}))
    else:
        new.append((told, new_id(shard_of(patient)), Flags(0)))
    await gateway.restating.restate(tx, ctx, stored, changed=changed, gone=gone, new=new)
    return True


class _Difference:
    """What the facts that are held become: each new one is one of them, one of them changed, or comes besides."""

    def __init__(self, held: Sequence[Stored], stated: Sequence[Json], when: datetime | None, patient: UUID) -> None:
        self.changed: list[tuple[Stored, Json]] = []
        self.new: list[tuple[Json, UUID, Flags]] = []
        self.facts: list[tuple[Json, UUID]] = []
        bodies = [(one, decode(one.body)) for one in held]
        # Written after the extraction: somebody else's words, not ours to change.
        self._theirs = {one.id for one in held if when is not None and one.updated > when}
        left = self._same(bodies, stated)
        left = self._alike(bodies, left)
        # A fact that nobody hid must not say what a person hid under another form.
        hidden: dict[str, Flags] = {}
        for one, _ in bodies:
            hidden[one.type] = hidden.get(one.type, Flags(0)) | (one.label.flags & Flags.MASKED)
        for resource, key in zip(left, sorted(new_id(shard_of(patient)) for _ in left), strict=True):
            self.new.append((resource, key, hidden.get(resource["resourceType"], Flags(0))))
            self.facts.append((resource, key))
        self.gone = [one for one, _ in bodies if one.id not in self._theirs]
        self.facts += [(body, one.key) for one, body in bodies if one.id in self._theirs]

    def _same(self, bodies: list[tuple[Stored, Json]], stated: Sequence[Json]) -> list[Json]:
        """Take out what is stated in the same words; what is left of the new."""
        left: list[Json] = []
        for resource in stated:
            found = next((one for one in bodies if _words(one[1]) == _words(resource)), None)
            if found is None:
                left.append(resource)
            else:
                bodies.remove(found)
                self.facts.append((resource, found[0].key))
        return left

    def _alike(self, bodies: list[tuple[Stored, Json]], stated: Sequence[Json]) -> list[Json]:
        """Change what says the same thing in other words; what is left of the new."""
        left: list[Json] = []
        for resource in stated:
            found = next((one for one in bodies if _about(one[1]) == _about(resource)), None)
            if found is None:
                left.append(resource)
                continue
            bodies.remove(found)
            self.facts.append((resource, found[0].key))
            if found[0].id not in self._theirs:
                self.changed.append((found[0], resource | {"id": found[0].id}))
        return left


def _stated(clinical: ClinicalDocument, patient: UUID, document: UUID) -> list[Json]:
    return [attached(fact, patient, document) for fact in extract(clinical)]


def _told(ctx: Context, clinical: ClinicalDocument, document: UUID, facts: list[tuple[Json, UUID]]) -> Json | None:
    return provenance(ctx, clinical, document, facts) if facts else None


def _read_by(former: Stored | None) -> tuple[int, datetime | None]:
    """The version of the extraction that a Provenance names, and when it was."""
    if former is None:
        return 0, None
    for agent in decode(former.body).get("agent", ()):
        name = str(agent.get("who", {}).get("display", ""))
        if name.startswith(ASSEMBLER) and name.removeprefix(ASSEMBLER).isdigit():
            return int(name.removeprefix(ASSEMBLER)), former.updated
    return 0, former.updated


def _words(resource: Mapping[str, Any]) -> Json:
    """What a resource says, without what the server adds."""
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


def _about(resource: Mapping[str, Any]) -> tuple[object, ...]:
    """What a fact is about: its type, and the first code of the thing it names."""
    for name in (*_CODED, *_PLAIN):
        if name in resource:
            coding: Mapping[str, Any] = entry.coding_of(resource[name] if name in _CODED else None)
            return (resource["resourceType"], name, coding.get("system"), coding.get("code") or str(resource[name]))
    return (resource["resourceType"],)
