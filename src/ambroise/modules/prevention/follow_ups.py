"""Where somebody stands with their prevention plan: asked at 3, 6 and 12 months, theirs alone unless they share it.

What is not shared is a citizen's note; shared, it is a patient's questionnaire (74465-6) that professionals read by the
rules. One answer is kept for each time that one is asked, so that progress shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.db import Reader, Transaction
from ambroise.modules.prevention.checkups import file_shared
from ambroise.modules.prevention.plans import Plan
from ambroise.modules.prevention.reminders import ROUNDS
from ambroise.modules.prevention.service import Prevention, day_of
from ambroise.trust.context import Context

_CANONICAL: Final = "urn:ambroise:questionnaire:prevention-follow-up|1"
_LONGEST: Final = 1000

Json = Mapping[str, Any]


class Standing(StrEnum):
    """Where one stands with one line of a plan."""

    DONE = "done"
    GOING = "going"
    NOT_YET = "not-yet"
    DROPPED = "dropped"


class FollowUp(Struct, frozen=True):
    """What somebody said of a plan. `round`: 0 before the first time one is asked, then 3, 6 or 12 months."""

    id: str
    document: str
    round: int
    standings: Mapping[int, Standing]
    words: str
    shared: bool
    at: datetime

    @property
    def done(self) -> int:
        """How many lines are done."""
        return sum(1 for one in self.standings.values() if one is Standing.DONE)


class FollowUps(Struct, frozen=True):
    """Following plans, behind the one door."""

    prevention: Prevention

    async def of(self, reader: Reader, ctx: Context, patient: UUID, plan: Plan) -> Sequence[FollowUp]:
        """What this caller may read of what was said of a plan, the latest first."""
        await self.prevention.enter(reader, ctx, patient)
        pairs = [("patient", str(patient)), ("_sort", "-_lastUpdated"), ("_count", "50")]
        found = await self.prevention.gateway.search(reader, ctx, parse("QuestionnaireResponse", pairs))
        read = (_read(decode(stored.body), stored.updated) for stored, _ in found.entries)
        return [one for one in read if one is not None and one.document == plan.document]

    async def say(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        plan: Plan,
        standings: Mapping[int, Standing],
        words: str,
        *,
        shared: bool,
    ) -> None:
        """Keep where one stands now, in place of what was said the same time."""
        now = round_of(plan, day_of(ctx))
        gateway = self.prevention.gateway
        for former in await self.of(tx, ctx, patient, plan):
            if former.round == now:
                await gateway.delete(tx, ctx, "QuestionnaireResponse", former.id)
        known = {n: one for n, one in standings.items() if 0 <= n < len(plan.lines)}
        resource = _written(patient, plan, now, known, words.strip()[:_LONGEST], ctx.now(), shared=shared)
        if shared:
            await file_shared(gateway, tx, ctx, patient, resource)
        else:
            await gateway.create(tx, ctx, resource)


def round_of(plan: Plan, today: date) -> int:
    """The latest time at which one was asked."""
    return max((months for months, span in ROUNDS.items() if span.after(plan.written) <= today), default=0)


def _written(
    patient: UUID, plan: Plan, round: int, standings: Mapping[int, Standing], words: str, at: datetime, *, shared: bool
) -> dict[str, Any]:
    items: list[dict[str, Any]] = [
        {"linkId": "plan", "answer": [{"valueString": plan.document}]},
        {"linkId": "round", "answer": [{"valueInteger": round}]},
    ]
    items += [
        {"linkId": f"line-{n}", "text": plan.lines[n].words, "answer": [{"valueCoding": {"code": one.value}}]}
        for n, one in sorted(standings.items())
    ]
    if words:
        items.append({"linkId": "words", "answer": [{"valueString": words}]})
    reference = {"reference": f"Patient/{patient}"}
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": _CANONICAL,
        "status": "completed" if shared else "in-progress",
        "subject": reference,
        "authored": at.isoformat(timespec="seconds"),
        "source": reference,
        "item": items,
    }


def _read(body: Json, at: datetime) -> FollowUp | None:
    if body.get("questionnaire") != _CANONICAL:
        return None
    said: dict[str, Json] = {one["linkId"]: one["answer"][0] for one in body.get("item", ()) if one.get("answer")}
    standings = {
        int(name.removeprefix("line-")): Standing(answer["valueCoding"]["code"])
        for name, answer in said.items()
        if name.startswith("line-")
    }
    return FollowUp(
        str(body["id"]),
        str(said.get("plan", {}).get("valueString", "")),
        int(said.get("round", {}).get("valueInteger", 0)),
        standings,
        str(said.get("words", {}).get("valueString", "")),
        body.get("status") == "completed",
        at,
    )
