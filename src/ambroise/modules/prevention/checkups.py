"""The questionnaire before a key-age check-up (mon bilan prévention): a draft that is the person's alone, then shared.

The questions are a FHIR Questionnaire, versioned, none of them mandatory; its conditions (`enableWhen`) say which one
comes. A draft is a citizen's note; what is shared counts as a patient's questionnaire (74465-6): the rules say which
professionals read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.model import Words
from ambroise.modules.prevention.service import Prevention, day_of
from ambroise.trust.context import Context
from ambroise.trust.gateway import Flags, Gateway, author_of, label_for

BANDS: Final = ("18-25", "45-50", "60-65", "70-75")
_BAND: Final = "band"
_LONGEST: Final = 1000

Json = Mapping[str, Any]
Answers = Mapping[str, str]


class Question(Struct, frozen=True):
    """One question. `options`: the codes that answer it, in words; none for a number or a text."""

    id: str
    group: Words
    text: Words
    type: Literal["choice", "integer", "text"]
    options: tuple[tuple[str, Words], ...] = ()


class Filled(Struct, frozen=True):
    """Answers to a questionnaire: a draft, or what is shared with professionals."""

    id: str
    band: str
    answers: Answers
    shared: bool
    at: datetime


class Checkups(Struct, frozen=True):
    """Preparing a check-up."""

    prevention: Prevention

    async def filled(self, reader: Reader, ctx: Context, patient: UUID) -> Sequence[Filled]:
        """What this caller may read of the questionnaires, the latest first."""
        await self.prevention.enter(reader, ctx, patient)
        pairs = [("patient", str(patient)), ("_sort", "-_lastUpdated"), ("_count", "50")]
        found = await self.prevention.gateway.search(reader, ctx, parse("QuestionnaireResponse", pairs))
        read = [_read(decode(stored.body), stored.updated) for stored, _ in found.entries]
        return [one for one in read if one is not None]

    async def save(self, tx: Transaction, ctx: Context, patient: UUID, band: str, answers: Answers) -> None:
        """Keep a draft, which nobody else reads. Raises CHECKUP_UNKNOWN, CHECKUP_NOT_DUE."""
        draft, _ = await self._present(tx, ctx, patient, band)
        resource = _written(patient, band, answers, "in-progress", ctx.now())
        if draft is None:
            await self.prevention.gateway.create(tx, ctx, resource)
        else:
            await self.prevention.gateway.update(tx, ctx, {**resource, "id": draft.id})

    async def share(self, tx: Transaction, ctx: Context, patient: UUID, band: str, answers: Answers) -> None:
        """Share answers with the professionals whom the rules let read, in place of what was shared before."""
        draft, shared = await self._present(tx, ctx, patient, band)
        gateway = self.prevention.gateway
        for former in (draft, shared):
            if former is not None:
                await gateway.delete(tx, ctx, "QuestionnaireResponse", former.id)
        resource = _written(patient, band, answers, "completed", ctx.now())
        await file_shared(gateway, tx, ctx, patient, resource)

    async def take_back(self, tx: Transaction, ctx: Context, patient: UUID, band: str) -> None:
        """Share no more: the answers are a draft again."""
        _, shared = await self._present(tx, ctx, patient, band)
        if shared is None:
            raise Refusal(Kind.CONFLICT, "NOT_SHARED", "Nothing is shared for this check-up.")
        await self.prevention.gateway.delete(tx, ctx, "QuestionnaireResponse", shared.id)
        await self.save(tx, ctx, patient, band, shared.answers)

    async def _present(
        self, tx: Transaction, ctx: Context, patient: UUID, band: str
    ) -> tuple[Filled | None, Filled | None]:
        if band not in BANDS:
            raise Refusal(Kind.NOT_FOUND, "CHECKUP_UNKNOWN", "There is no such check-up.")
        item = (await self.prevention.calendar(tx, ctx, patient)).item(f"checkup.{band}")
        if item.start > day_of(ctx):
            raise Refusal(Kind.CONFLICT, "CHECKUP_NOT_DUE", "This check-up is for later.")
        known = [one for one in await self.filled(tx, ctx, patient) if one.band == band]
        draft = next((one for one in known if not one.shared), None)
        return draft, next((one for one in known if one.shared), None)


async def file_shared(gateway: Gateway, tx: Transaction, ctx: Context, patient: UUID, resource: dict[str, Any]) -> None:
    """File answers as a patient's questionnaire, which professionals read by the rules."""
    author, organization = author_of(ctx)
    label = label_for(
        "QuestionnaireResponse", resource, patient=patient, author=author, author_organization=organization
    )
    await gateway.file(tx, ctx, resource, replace(label, flags=label.flags | Flags.PATIENT_AUTHORED))


def questions(band: str, answers: Answers) -> Sequence[Question]:
    """The questions that come, given the answers so far."""
    told = {**answers, _BAND: band}
    return [
        Question(item["linkId"], _words(group), _words(item), item["type"], _options(item))
        for group in questionnaire()["item"]
        if group["type"] == "group" and _enabled(group, told)
        for item in group["item"]
        if _enabled(item, told)
    ]


def kept(band: str, sent: Mapping[str, str]) -> Answers:
    """The answers that make sense, to the questions that come."""
    found: dict[str, str] = {}
    for one in questions(band, sent):
        said = sent.get(one.id, "").strip()[:_LONGEST]
        codes = {code for code, _ in one.options}
        if said and (one.type == "text" or said in codes or (one.type == "integer" and said.isdecimal())):
            found[one.id] = said
    return found


@lru_cache(maxsize=1)
def questionnaire() -> Json:
    """The questionnaire in force."""
    return json.loads((Path(__file__).parent / "data" / "checkup.json").read_text())


def _canonical() -> str:
    return f"{questionnaire()['url']}|{questionnaire()['version']}"


def _enabled(item: Json, told: Answers) -> bool:
    conditions = [_holds(one, told) for one in item.get("enableWhen", ())]
    return any(conditions) if item.get("enableBehavior") == "any" else all(conditions)


def _holds(condition: Json, told: Answers) -> bool:
    said, wanted = told.get(condition["question"]), condition["answerCoding"]["code"]
    if said is None:
        return False
    return said == wanted if condition["operator"] == "=" else said != wanted


def _words(item: Json, name: str = "text") -> Words:
    translation = item[f"_{name}"]["extension"][0]["extension"][1]["valueString"]
    return Words(item[name], translation)


def _options(item: Json) -> tuple[tuple[str, Words], ...]:
    options = (one["valueCoding"] for one in item.get("answerOption", ()))
    return tuple((one["code"], _words(one, "display")) for one in options)


def _written(patient: UUID, band: str, answers: Answers, status: str, at: datetime) -> dict[str, Any]:
    known = {one.id: one for one in questions(band, answers)}
    items = [{"linkId": _BAND, "answer": [{"valueCoding": {"code": band}}]}]
    items += [{"linkId": id, "answer": [_answer(known[id], said)]} for id, said in answers.items() if id in known]
    reference = {"reference": f"Patient/{patient}"}
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": _canonical(),
        "status": status,
        "subject": reference,
        "authored": at.isoformat(timespec="seconds"),
        "source": reference,
        "item": items,
    }


def _answer(question: Question, said: str) -> dict[str, Any]:
    if question.type == "integer":
        return {"valueInteger": int(said[:9])}
    return {"valueCoding": {"code": said}} if question.type == "choice" else {"valueString": said}


def _read(body: Json, at: datetime) -> Filled | None:
    # An older version: what it asked that this one asks too is read, the rest is left aside.
    if str(body.get("questionnaire", "")).partition("|")[0] != questionnaire()["url"]:
        return None
    answers = {one["linkId"]: _said(one["answer"][0]) for one in body.get("item", ()) if one.get("answer")}
    band = answers.pop(_BAND, "")
    return Filled(str(body["id"]), band, answers, body["status"] == "completed", at)


def _said(answer: Json) -> str:
    coding: Json = answer.get("valueCoding", {})
    return str(coding.get("code") or answer.get("valueString") or answer.get("valueInteger", ""))
