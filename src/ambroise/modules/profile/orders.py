"""What prescriptions say is taken now: the last order of each medicine, while it runs. Pure.

Nobody types it: it is read from the prescriptions of the record (MedicationRequest), beside what the person tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from ambroise.modules.profile.fhir import Json, child, children, first_of
from ambroise.modules.profile.grouping import folded

RECENT: Final = timedelta(days=92)
"""How long an order counts that does not say until when."""
LONGEST: Final = timedelta(days=366)
"""No prescription runs for more than a year."""
_OVER: Final = frozenset({"cancelled", "stopped", "entered-in-error", "draft"})
_DOCUMENT: Final = "DocumentReference/"


class Often(Struct, frozen=True):
    """So many times in so many hours, days or weeks (`h`, `d`, `wk`)."""

    times: int
    period: Decimal
    unit: str


class Order(Struct, frozen=True):
    """One medicine as it was ordered last. `words`: how to take it when the prescriber wrote it in words."""

    name: str
    by: str
    written: date
    until: date | None
    document: str = ""
    words: str = ""
    dose: Decimal | None = None
    dose_unit: str = ""
    often: Often | None = None


def running(found: Iterable[Mapping[str, Any]], today: date) -> list[Order]:
    """The last order of each medicine that runs on a day, the one that was written last first."""
    last: dict[str, Order] = {}
    for resource in found:
        order = _read(resource)
        key = _medicine(resource)
        if order is not None and key and (key not in last or last[key].written < order.written):
            last[key] = order
    kept = [one for one in last.values() if _runs(one, today)]
    return sorted(kept, key=lambda one: (-one.written.toordinal(), folded(one.name)))


def _runs(order: Order, today: date) -> bool:
    return today <= (order.until or order.written + RECENT)


def _medicine(resource: Mapping[str, Any]) -> str:
    concept = child(resource, "medicationCodeableConcept")
    return folded(str(concept.get("text") or first_of(concept.get("coding")).get("display", "")))


def _read(resource: Mapping[str, Any]) -> Order | None:
    concept = child(resource, "medicationCodeableConcept")
    written = _day(resource.get("authoredOn"))
    if resource.get("status") in _OVER or written is None:
        return None
    dosage: Json = first_of(resource.get("dosageInstruction"))
    repeat = child(child(dosage, "timing"), "repeat")
    amount = child(first_of(dosage.get("doseAndRate")), "doseQuantity")
    source = str(child(resource, "meta").get("source", ""))
    return Order(
        name=str(concept.get("text") or first_of(concept.get("coding")).get("display", "")),
        by=str(child(resource, "requester").get("display", "")).partition(",")[0],
        written=written,
        until=_day(child(repeat, "boundsPeriod").get("end")),
        document=source.removeprefix(_DOCUMENT).partition("#")[0] if source.startswith(_DOCUMENT) else "",
        words=str(dosage.get("text") or first_of(children(dosage, "additionalInstruction")).get("text", "")),
        dose=_number(amount.get("value")),
        dose_unit=str(amount.get("code") or amount.get("unit") or ""),
        often=_often(repeat),
    )


def _often(repeat: Mapping[str, Any]) -> Often | None:
    period = _number(repeat.get("period"))
    if period is None or period <= 0:
        return None
    return Often(int(repeat.get("frequency") or 1), period, str(repeat.get("periodUnit", "d")))


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
