"""What a record knows of somebody's past, as the engine reads it; and what somebody says of it, as FHIR resources.

A dose is an Immunization, an act a Procedure. What a citizen notes bears that mark, and closes an item with less trust
than a document does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.db import Reader
from ambroise.modules.prevention.model import Act, Declined, Given, History, Illness, Item, Rule, Source
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
GESTATION: Final = "11885-1"
"""LOINC: weeks of amenorrhea that were over at birth, as the certificate of the eighth day has it (CSE-CS8)."""
_TERM: Final = 37
"""Who was born before these weeks was born before term."""
_NEVER: Final = "not-concerned"
_PREGNANCY: Final = "pregnancy:"
SAME_CHILD: Final = timedelta(weeks=17)
"""A date that moves, by an ultrasound or a birth before term, by less than this is of the same pregnancy."""
_MOST: Final = "200"
_CERTIFICATES: Final = "CERT_DECL"
_NOTHING: Final = Flags(0)

Json = Mapping[str, Any]


class Told(Struct, frozen=True):
    """An expected date of birth, and the id of what says so. `own`: the person told it."""

    day: date
    id: str
    own: bool


class Known(Struct, frozen=True):
    """What the door shows of somebody's past to one caller."""

    given: Sequence[Stored]
    acts: Sequence[Stored]
    seen: Sequence[Stored]
    filed: Sequence[Stored]
    ill: Sequence[Stored] = ()

    @property
    def flags(self) -> Flags:
        """What some of it is."""
        found = Flags(0)
        for stored in (*self.given, *self.acts, *self.seen, *self.filed, *self.ill):
            found |= stored.label.flags
        return found

    def without(self, flags: Flags) -> Known:
        """The same without what is any of this."""

        def kept(found: Iterable[Stored]) -> list[Stored]:
            return [one for one in found if not one.label.flags & flags]

        return Known(*map(kept, (self.given, self.acts, self.seen, self.filed, self.ill)))

    def history(self) -> History:
        """What was done, given, refused, and the illnesses."""
        done = [*map(_act, self.acts), *map(_observed, self.seen), *map(_document, self.filed)]
        return History(
            acts=tuple(filter(None, done)),
            given=tuple(filter(None, map(_dose, self.given))),
            declined=tuple(filter(None, map(_declined, self.acts))),
            illnesses=tuple(filter(None, map(_illness, self.ill))),
        )

    def expected(self) -> Sequence[Told]:
        """The children that are expected, the latest date first: what the person told, else what others wrote.

        A date that the person stopped following is none of them, nor is one so near it that it is the same child.
        """
        told = sorted(filter(None, map(_expected, self.seen)), key=lambda one: one.day, reverse=True)
        stopped = [day for day in map(_stopped, self.acts) if day is not None]
        own = [one for one in told if one.own]
        written = [
            one
            for one in told
            if not one.own and not any(abs(one.day - day) < SAME_CHILD for day in (*stopped, *(o.day for o in own)))
        ]
        return sorted([*own, *written], key=lambda one: one.day, reverse=True)

    def premature(self) -> bool:
        """Whether a document says that this person was born before term."""
        return any(_born_early(stored) for stored in self.seen)


class Past:
    """Reads what the door shows to this caller, nothing else."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def of(self, reader: Reader, ctx: Context, patient: UUID, rules: Iterable[Rule]) -> Known:
        """What these rules ask about."""
        codes = {code for rule in rules for code in rule.evidence.codes}
        observed = sorted(code for code in codes if tables.type_code(code) is None and code[:1].isdigit())
        types = sorted({_CERTIFICATES, *(code for code in codes if tables.type_code(code) is not None)})
        events = sorted({code for rule in rules for code in rule.evidence.events})
        filed = [await self._found(reader, ctx, patient, "DocumentReference", type=",".join(types), status="current")]
        if events:
            told = {"event": ",".join(events), "status": "current"}
            filed.append(await self._found(reader, ctx, patient, "DocumentReference", **told))
        ill = any(rule.unless for rule in rules)
        seen = ",".join([EXPECTED, GESTATION, *observed])
        return Known(
            given=await self._found(reader, ctx, patient, "Immunization"),
            acts=await self._found(reader, ctx, patient, "Procedure"),
            seen=await self._found(reader, ctx, patient, "Observation", code=seen),
            filed=list({one.id: one for found in filed for one in found}.values()),
            ill=await self._found(reader, ctx, patient, "Condition") if ill else (),
        )

    async def _found(self, reader: Reader, ctx: Context, whose: UUID, resource: str, /, **wanted: str) -> list[Stored]:
        latest = "-date" if resource != "Condition" else "-_lastUpdated"
        pairs = [("patient", str(whose)), *wanted.items(), ("_sort", latest), ("_count", _MOST)]
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


def not_concerned_resource(item: Item, patient: UUID, day: date) -> dict[str, Any]:
    """That a rule does not concern the person, said on this day."""
    subject = {"reference": f"Patient/{patient}"}
    resource = _procedure(item, subject, day, "not-done", [{"system": SYSTEM, "code": item.rule.id}])
    return {**resource, "statusReason": {"coding": [{"system": SYSTEM, "code": _NEVER}]}}


def stopped_resource(patient: UUID, expected: date, day: date) -> dict[str, Any]:
    """That the person follows here no more what somebody else wrote of a child that she expects."""
    return {
        "resourceType": "Procedure",
        "status": "not-done",
        "code": {"coding": [{"system": SYSTEM, "code": f"{_PREGNANCY}{expected.isoformat()}"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "performedDateTime": day.isoformat(),
    }


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
    day, key = _day(body.get("performedDateTime")), _said_of(body)
    if key is None or day is None or key.startswith(_PREGNANCY):
        return None
    return Declined(key, day, _source(stored), never=_NEVER in _codes(body.get("statusReason")))


def _said_of(body: Json) -> str | None:
    """The key of what the person said was not done."""
    keys = [str(one["code"]) for one in body.get("code", {}).get("coding", ()) if one.get("system") == SYSTEM]
    return keys[0] if keys and body.get("status") == "not-done" else None


def _stopped(stored: Stored) -> date | None:
    """The expected date that the person follows no more."""
    key = _said_of(decode(stored.body)) or ""
    return _day(key.removeprefix(_PREGNANCY)) if key.startswith(_PREGNANCY) else None


def _illness(stored: Stored) -> Illness | None:
    body = decode(stored.body)
    day = _day(body.get("onsetDateTime") or body.get("recordedDate")) or stored.updated.date()
    denied = _codes(body.get("verificationStatus")) & {"refuted", "entered-in-error"}
    codes = _codes(body.get("code"))
    return Illness(codes, day, _source(stored)) if codes and not denied else None


def _observed(stored: Stored) -> Act | None:
    body = decode(stored.body)
    day = _day(body.get("effectiveDateTime") or body.get("issued"))
    final = body.get("status") in ("final", "amended", "corrected")
    said: Sequence[Json] = body.get("interpretation") or ()
    values = _codes(body.get("valueCodeableConcept")).union(*map(_codes, said))
    return Act(_codes(body.get("code")), day, _source(stored), values) if day and final else None


def _expected(stored: Stored) -> Told | None:
    body = decode(stored.body)
    day = _day(body.get("valueDateTime"))
    told = EXPECTED in _codes(body.get("code")) and body.get("status") == "final"
    return Told(day, stored.id, bool(stored.label.flags & Flags.PATIENT_AUTHORED)) if told and day else None


def _born_early(stored: Stored) -> bool:
    body = decode(stored.body)
    weeks = body.get("valueInteger") or body.get("valueQuantity", {}).get("value")
    return GESTATION in _codes(body.get("code")) and weeks is not None and 20 <= weeks < _TERM


def _document(stored: Stored) -> Act | None:
    document = read_document(decode(stored.body))
    moment = document.act_start or document.date or document.filed
    codes = frozenset(filter(None, (document.type_code, document.format_code, *(code for code, _ in document.acts))))
    return Act(codes, moment.date(), Source("document", f"DocumentReference/{stored.id}"))


def _dose(stored: Stored) -> Given | None:
    body = decode(stored.body)
    day = _day(body.get("occurrenceDateTime"))
    held = frozenset[str]().union(*(antigens().get(code, ()) for code in _codes(body.get("vaccineCode"))))
    if not (day and held and body.get("status") == "completed"):
        return None
    return Given(held, day, _source(stored), _rank(body))


def _rank(body: Json) -> int:
    """Which dose of its series it is, when who gave it says so."""
    applied: Sequence[Json] = body.get("protocolApplied") or ({},)
    protocol = applied[0]
    said = str(protocol.get("doseNumberPositiveInt") or protocol.get("doseNumberString") or "")
    return int(said) if said.isdecimal() and len(said) < 3 else 1


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
