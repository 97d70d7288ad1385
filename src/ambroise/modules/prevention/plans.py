"""The plans that end prevention check-ups, as the record holds them: documents (83869-8), read line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.db import Reader
from ambroise.modules.prevention.model import Item, Kind, State
from ambroise.modules.prevention.service import Calendar, Prevention
from ambroise.trust.context import Context
from ambroise.trust.gateway import Stored

PLAN: Final = "83869-8"
"""LOINC: the personalised plan of prevention, as the national tables name it."""
_LOINC: Final = "http://loinc.org"
_MOST: Final = "20"

Json = Mapping[str, Any]


class PlanLine(Struct, frozen=True):
    """One aim or one action of a plan; `label` is its priority, or its sort in words."""

    label: str
    words: str
    until: date | None = None


class Plan(Struct, frozen=True):
    """A plan that somebody may read, by the document that says it. `author_id`: the national identifier."""

    document: str
    title: str
    written: date
    author: str
    lines: Sequence[PlanLine]
    author_id: str = ""


class Plans(Struct, frozen=True):
    """Reads the plans of a record, behind the one door."""

    prevention: Prevention

    async def of(self, reader: Reader, ctx: Context, patient: UUID) -> Sequence[Plan]:
        """The plans that this caller may read, the latest first."""
        await self.prevention.enter(reader, ctx, patient)
        pairs = [("patient", str(patient)), ("category", f"{_LOINC}|{PLAN}"), ("_count", _MOST)]
        found = await self.prevention.gateway.search(reader, ctx, parse("CarePlan", pairs))
        plans = (_read(stored) for stored, _ in found.entries)
        return sorted((one for one in plans if one is not None), key=lambda one: one.written, reverse=True)


def checkup_of(calendar: Calendar) -> Item | None:
    """The key-age check-up whose time it is, done or not."""
    return next(
        (
            one
            for one in calendar.items
            if one.rule.kind is Kind.CHECKUP
            and one.start <= calendar.today
            and (one.until is None or calendar.today <= one.until)
        ),
        None,
    )


def document_of(item: Item | None) -> str | None:
    """The document that says that an item is done."""
    if item is None or item.state is not State.DONE or item.source is None or item.source.kind != "document":
        return None
    return item.source.reference.partition("/")[2]


def _read(stored: Stored) -> Plan | None:
    body = decode(stored.body)
    if stored.label.source is None:
        return None
    details: list[Json] = [one.get("detail", {}) for one in body.get("activity", ())]
    return Plan(
        str(stored.label.source),
        str(body.get("title", "")),
        date.fromisoformat(body["created"][:10]),
        str(body.get("author", {}).get("display", "")).partition(",")[0],
        [_line(one) for one in details],
        str(body.get("author", {}).get("identifier", {}).get("value", "")),
    )


def _line(detail: Json) -> PlanLine:
    until = detail.get("scheduledPeriod", {}).get("end")
    day = date.fromisoformat(until[:10]) if until and len(until) >= 10 else None
    return PlanLine(str(detail.get("code", {}).get("text", "")), str(detail.get("description", "")), day)
