"""What a record knows of somebody's past, as the engine reads it; and what somebody says of it, as FHIR resources.

A dose is an Immunization, an act a Procedure. What a citizen notes bears that mark, and closes an item with less trust
than a document does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.db import Reader
from ambroise.modules.prevention.model import Act, Declined, Given, History, Item, Rule, Source
from ambroise.modules.prevention.shipped import antigens
from ambroise.modules.record.api import read_document, tables
from ambroise.trust.context import Context
from ambroise.trust.gateway import Flags, Gateway, Stored

SYSTEM: Final = "urn:ambroise:prevention"
_ASIP: Final = "urn:oid:1.2.250.1.213.1.1.4.322"
_ATC: Final = "http://www.whocc.no/atc"
_LOINC: Final = "http://loinc.org"
EXPECTED: Final = "11778-8"
"""LOINC: expected date of delivery."""
_MOST: Final = "200"
_CERTIFICATES: Final = "CERT_DECL"
_NOTHING: Final = Flags(0)

Json = Mapping[str, Any]


class Known(Struct, frozen=True):
    """What the door shows of somebody's past to one caller."""

    given: Sequence[Stored]
    acts: Sequence[Stored]
    seen: Sequence[Stored]
    filed: Sequence[Stored]

    @property
    def flags(self) -> Flags:
        """What some of it is."""
        found = Flags(0)
        for stored in (*self.given, *self.acts, *self.seen, *self.filed):
            found |= stored.label.flags
        return found

    def told(self, without: Flags = _NOTHING) -> tuple[History, list[tuple[date, str]]]:
        """The history, and the expected dates of birth that were told, each with the id of what says so.

        Nothing in it comes from what is `without`.
        """

        def kept(found: Iterable[Stored]) -> list[Stored]:
            return [one for one in found if not one.label.flags & without]

        acts, seen = kept(self.acts), kept(self.seen)
        done = [*map(_act, acts), *map(_observed, seen), *map(_document, kept(self.filed))]
        history = History(
            acts=tuple(filter(None, done)),
            given=tuple(filter(None, map(_dose, kept(self.given)))),
            declined=tuple(filter(None, map(_declined, acts))),
        )
        return history, sorted(filter(None, map(_expected, seen)), reverse=True)


class Past:
    """Reads what the door shows to this caller, nothing else."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def of(self, reader: Reader, ctx: Context, patient: UUID, rules: Iterable[Rule]) -> Known:
        """What these rules ask about."""
        codes = {code for rule in rules for code in rule.evidence.codes}
        observed = sorted(code for code in codes if tables.type_code(code) is None and code[:1].isdigit())
        types = sorted({_CERTIFICATES, *(code for code in codes if tables.type_code(code) is not None)})
        return Known(
            given=await self._found(reader, ctx, patient, "Immunization"),
            acts=await self._found(reader, ctx, patient, "Procedure"),
            seen=await self._found(reader, ctx, patient, "Observation", code=",".join([EXPECTED, *observed])),
            filed=await self._found(reader, ctx, patient, "DocumentReference", type=",".join(types), status="current"),
        )

    async def _found(self, reader: Reader, ctx: Context, whose: UUID, resource: str, /, **wanted: str) -> list[Stored]:
        pairs = [("patient", str(whose)), *wanted.items(), ("_sort", "-date"), ("_count", _MOST)]
        found = await self._gateway.search(reader, ctx, parse(resource, pairs))
        return [stored for stored, _ in found.entries]


def done_resource(item: Item, patient: UUID, day: date) -> dict[str, Any]:
    """What a person says was done: a dose when the rule is of a vaccine, else an act."""
    subject = {"reference": f"Patient/{patient}"}
    rule = item.rule
    if rule.declared_as is not None and rule.evidence.antigens:
        return {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": _ATC, "code": rule.declared_as}], "text": rule.title.fr},
            "patient": subject,
            "occurrenceDateTime": day.isoformat(),
            "primarySource": False,
        }
    official = [{"system": _ASIP, "code": code} for code in sorted(rule.evidence.codes) if code.startswith("MED-")]
    return _procedure(item, subject, day, "completed", [{"system": SYSTEM, "code": rule.id}, *official])


def declined_resource(item: Item, patient: UUID, day: date) -> dict[str, Any]:
    """What a person says was not done, said on this day."""
    subject = {"reference": f"Patient/{patient}"}
    return _procedure(item, subject, day, "not-done", [{"system": SYSTEM, "code": item.key}])


def expected_resource(patient: UUID, expected: date, today: date) -> dict[str, Any]:
    """The expected date of birth of a child, told by its mother."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": EXPECTED, "display": "Delivery date Estimated"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": today.isoformat(),
        "valueDateTime": expected.isoformat(),
    }


def _procedure(item: Item, subject: Json, day: date, status: str, codings: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "status": status,
        "code": {"coding": codings, "text": item.rule.title.fr},
        "subject": subject,
        "performedDateTime": day.isoformat(),
    }


def _source(stored: Stored) -> Source:
    if stored.label.flags & Flags.PATIENT_AUTHORED:
        return Source("declared", f"{stored.type}/{stored.id}")
    if stored.label.source is not None:
        return Source("document", f"DocumentReference/{stored.label.source}")
    return Source("record", f"{stored.type}/{stored.id}")


def _act(stored: Stored) -> Act | None:
    body = decode(stored.body)
    day = _day(body.get("performedDateTime") or body.get("performedPeriod", {}).get("start"))
    codes = _codes(body.get("code"))
    return Act(codes, day, _source(stored)) if day and codes and body.get("status") == "completed" else None


def _declined(stored: Stored) -> Declined | None:
    body = decode(stored.body)
    day = _day(body.get("performedDateTime"))
    keys = [one["code"] for one in body.get("code", {}).get("coding", ()) if one.get("system") == SYSTEM]
    if body.get("status") != "not-done" or not keys or day is None:
        return None
    return Declined(keys[0], day, _source(stored))


def _observed(stored: Stored) -> Act | None:
    body = decode(stored.body)
    day = _day(body.get("effectiveDateTime") or body.get("issued"))
    final = body.get("status") in ("final", "amended", "corrected")
    return Act(_codes(body.get("code")), day, _source(stored)) if day and final else None


def _expected(stored: Stored) -> tuple[date, str] | None:
    body = decode(stored.body)
    day = _day(body.get("valueDateTime"))
    told = EXPECTED in _codes(body.get("code")) and body.get("status") == "final"
    return (day, stored.id) if told and day else None


def _document(stored: Stored) -> Act | None:
    document = read_document(decode(stored.body))
    moment = document.act_start or document.date or document.filed
    codes = frozenset(filter(None, (document.type_code, document.format_code)))
    return Act(codes, moment.date(), Source("document", f"DocumentReference/{stored.id}"))


def _dose(stored: Stored) -> Given | None:
    body = decode(stored.body)
    day = _day(body.get("occurrenceDateTime"))
    held = frozenset[str]().union(*(antigens().get(code, ()) for code in _codes(body.get("vaccineCode"))))
    return Given(held, day, _source(stored)) if day and held and body.get("status") == "completed" else None


def _codes(concept: Json | None) -> frozenset[str]:
    codings: list[Json] = concept.get("coding", []) if concept else []
    return frozenset(str(one["code"]) for one in codings if one.get("code"))


def _day(text: Any) -> date | None:
    """The day of a FHIR date; the first of the month or of the year when it says no more."""
    if not isinstance(text, str) or len(text) < 4:
        return None
    whole = text[:10] if len(text) >= 10 else f"{text[:7]}-01" if len(text) >= 7 else f"{text[:4]}-01-01"
    try:
        return date.fromisoformat(whole)
    except ValueError:
        return None
