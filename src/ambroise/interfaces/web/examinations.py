"""What was examined already: the last time of each analysis and of each image, before the same is ordered again."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.interfaces.web.records import Records
from ambroise.interfaces.web.results import code_of, day_of, is_measure, result
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.views import DocumentFilter, Examination, Examinations
from ambroise.modules.record.api import (
    Category,
    Document,
    category_of,
    imaging_keys,
    imaging_window,
    is_imaging,
    window,
)
from ambroise.trust.context import Context

Json = Mapping[str, Any]

_MOST_RESULTS, _MOST_IMAGES = 300, 100


class Examined:
    """Asks the record what was done; every search passes the door with the context of the visit."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def done(self, ctx: Context, patient: UUID, words: str) -> Examinations:
        """The last time of each examination, the newest first; with words, those that have them all."""
        today = dates.as_day(ctx.now())
        stated = await self._search(ctx, patient, "Observation", _MOST_RESULTS, category="laboratory")
        found = [*_analyses(stated, today), *_images(await self._imaged(ctx, patient), today)]
        wanted = _folded(words).split()
        kept = [one for one in found if all(word in one.sought for word in wanted)]
        return Examinations(
            sorted(kept, key=lambda one: one.day, reverse=True), len(found), len(stated) == _MOST_RESULTS
        )

    async def imaged_before(self, ctx: Context, document: Document) -> Sequence[Examination]:
        """The same region imaged by the same technique shortly before an open document; nothing for other documents."""
        if category_of(document.type_code) is not Category.IMAGING:
            return ()
        acts = await self._imaged(ctx, document.patient)
        mine = [one for one in acts if one.document == document.id]
        if not mine:
            return ()
        keys, day = frozenset(key for one in mine for key in one.keys), max(one.day for one in mine)
        before = [
            one
            for one in acts
            if one.document != document.id and one.keys & keys and one.day <= day <= one.day + imaging_window(one.keys)
        ]
        latest: dict[str, Examination] = {}
        for one in sorted(before, key=lambda one: one.day):
            latest[one.name] = one
        return list(latest.values())

    async def _imaged(self, ctx: Context, patient: UUID) -> Sequence[Examination]:
        """Every act of imaging: as reports state it in detail, else as their label names it, else by their title."""
        page = await self._records.page(ctx, patient, DocumentFilter(category=Category.IMAGING), count=_MOST_IMAGES)
        documents = {one.id: one for one in page.documents}
        acts = [
            act
            for one in await self._search(ctx, patient, "Procedure", _MOST_IMAGES)
            if (act := _act(one, documents)) is not None
        ]
        told = {one.document for one in acts}
        return [*acts, *(act for one in documents.values() if one.id not in told for act in _named(one))]

    async def _search(self, ctx: Context, patient: UUID, type: str, count: int, **more: str) -> Sequence[Json]:
        pairs = [("patient", str(patient)), ("_sort", "-date"), ("_count", str(count)), *more.items()]
        async with self._records.database.reader() as reader:
            page = await self._records.gateway.search(reader, ctx, parse(type, pairs))
        return [decode(one.body) for one, _ in page.entries]


def _analyses(stated: Sequence[Json], today: date) -> list[Examination]:
    """The last of each analysis that a laboratory made."""
    found: dict[tuple[str, str, str], Examination] = {}
    for one in stated:
        day = day_of(one)
        if day is None or "hasMember" in one or not is_measure(one) or _told_by_the_person(one):
            continue
        told, code = result(one, ()), code_of(one)
        found.setdefault(
            (code, told.unit, told.about if told.flag in ("resistant", "intermediate", "sensitive") else ""),
            Examination(
                name=told.name,
                about=told.about,
                value=told.value,
                flag=told.flag,
                day=day,
                days=(today - day).days,
                recent=today - day <= window(code),
                document=_source(one),
                sought=_folded(" ".join((told.name, told.about, *_words(one.get("code", {}))))),
            ),
        )
    return list(found.values())


def _told_by_the_person(one: Json) -> bool:
    """Whether it is what the person or a relative says: that is no examination."""
    who = (str(performer.get("reference", "")) for performer in one.get("performer", ()))
    return any(reference.startswith(("Patient/", "RelatedPerson/")) for reference in who)


def _images(acts: Sequence[Examination], today: date) -> list[Examination]:
    """The last of each act of imaging."""
    found: list[Examination] = []
    seen: set[str] = set()
    # Of two that say the same of one day, the one that says more.
    for one in sorted(acts, key=lambda one: (one.day, len(one.keys)), reverse=True):
        if not one.keys & seen:
            found.append(_seen_on(one, today))
        seen |= one.keys
    return found


def _seen_on(one: Examination, today: date) -> Examination:
    return Examination(
        name=one.name, day=one.day, days=(today - one.day).days, document=one.document, about=one.about,
        recent=bool(one.keys) and today - one.day <= imaging_window(one.keys),
        keys=one.keys, sought=one.sought, imaging=True,
    )  # fmt: skip


def _act(one: Json, documents: Mapping[str, Document]) -> Examination | None:
    """An act that was done, when it is one of imaging."""
    concept, source = one.get("code", {}), _source(one)
    codes = [str(coding.get("code", "")) for coding in concept.get("coding", ())]
    written = str(one.get("performedDateTime") or one.get("performedPeriod", {}).get("start", ""))[:10]
    if len(written) < 10 or not (source in documents or is_imaging(codes)):
        return None
    words = _words(concept)
    where = ", ".join(site["text"] for site in one.get("bodySite", ()) if site.get("text"))
    # The CCAM names the act in full; a text may hold codes.
    name = next((str(c["display"]) for c in concept.get("coding", ()) if is_imaging([str(c.get("code"))])), words[0])
    return Examination(
        name=name, about=where, day=date.fromisoformat(written), document=source, keys=imaging_keys(codes),
        sought=_folded(" ".join((*words, where, documents[source].title if source in documents else ""))), imaging=True,
    )  # fmt: skip


def _named(document: Document) -> list[Examination]:
    """The acts that the label of a document names, or its title when it names none."""
    day = dates.as_day(document.act_start or document.date or document.filed)
    acts = [(code, words) for code, words in document.acts if is_imaging([code]) or (words and "-" in code)]
    return [
        Examination(
            name=words or document.title, day=day, document=document.id, keys=imaging_keys([code]),
            about=document.title if words else "", sought=_folded(f"{words} {document.title}"), imaging=True,
        )
        for code, words in acts or [("", "")]
    ]  # fmt: skip


def _words(concept: Json) -> list[str]:
    written = [concept.get("text"), *(coding.get("display") for coding in concept.get("coding", ()))]
    return [str(one) for one in written if one] or [code_of({"code": concept})]


def _source(one: Json) -> str:
    source = str(one.get("meta", {}).get("source", ""))
    return source.removeprefix("DocumentReference/") if source.startswith("DocumentReference/") else ""


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one))
