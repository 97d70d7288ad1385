"""From Observations to the results that pages show: value, unit, reference, flag, and the same measured before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.views import Result
from ambroise.modules.record.api import done_already

Json = Mapping[str, Any]

_FLAGS: Mapping[str, Literal["high", "low", "abnormal"]] = {
    "H": "high", "HH": "high", "HU": "high", "L": "low", "LL": "low", "LU": "low", "A": "abnormal", "AA": "abnormal",
}  # fmt: skip

_TOLD = frozenset({"social-history", "survey", "exam"})


def result(one: Json, past: Sequence[Json]) -> Result:
    code, quantity, day = code_of(one), quantity_of(one), _day(one)
    low, high = _range(one)
    same = {
        _day(other): number
        for other in reversed(past)
        if code_of(other) == code and (number := quantity_of(other)) is not None and _unit(other) == _unit(one)
    }
    history = [(when, number) for when, number in same.items() if when is not None and (day is None or when <= day)]
    return Result(
        name=_name(one),
        value=_text(one),
        unit=_unit(one),
        number=quantity,
        low=low,
        high=high,
        flag=_flag(one),
        history=sorted(history),
        again=done_already(code, day, [when for when, _ in history]) if day is not None and _examined(one) else None,
    )


def _examined(one: Json) -> bool:
    """Whether it came from a laboratory: weighing somebody again is no examination done twice."""
    return any(coding.get("code") == "laboratory" for item in one.get("category", ()) for coding in item["coding"])


def is_measure(one: Json) -> bool:
    """Whether it was measured on the patient, rather than told of a way of life or of a stay."""
    categories = {
        str(coding.get("code")) for concept in one.get("category", ()) for coding in concept.get("coding", ())
    }
    return not categories & _TOLD


def code_of(one: Json) -> str:
    codings = one.get("code", {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))


def _name(one: Json) -> str:
    concept = one.get("code", {})
    codings = concept.get("coding") or [{}]
    return str(concept.get("text") or codings[0].get("display") or codings[0].get("code") or "")


def quantity_of(one: Json) -> Decimal | None:
    value = one.get("valueQuantity", {}).get("value")
    return Decimal(value) if isinstance(value, (int, Decimal)) else None


def _unit(one: Json) -> str:
    quantity = one.get("valueQuantity", {})
    unit = str(quantity.get("unit") or quantity.get("code") or "")
    # What UCUM puts in braces is an annotation: a word, without them.
    return "" if unit == "1" else unit.replace("{", "").replace("}", "")


def _text(one: Json) -> str:
    concept = one.get("valueCodeableConcept", {})
    coded = concept.get("text") or next((item.get("display") for item in concept.get("coding", ())), None)
    return str(one.get("valueString") or coded or "")


def _range(one: Json) -> tuple[Decimal | None, Decimal | None]:
    found = (one.get("referenceRange") or [{}])[0]
    low, high = found.get("low", {}).get("value"), found.get("high", {}).get("value")
    return (Decimal(low) if low is not None else None, Decimal(high) if high is not None else None)


def _flag(one: Json) -> Literal["high", "low", "abnormal"] | None:
    for concept in one.get("interpretation", ()):
        for coding in concept.get("coding", ()):
            if coding.get("code") in _FLAGS:
                return _FLAGS[coding["code"]]
    number, (low, high) = quantity_of(one), _range(one)
    if number is not None and high is not None and number > high:
        return "high"
    return "low" if number is not None and low is not None and number < low else None


def _day(one: Json) -> date | None:
    text = str(one.get("effectiveDateTime") or one.get("issued") or "")
    if len(text) < 10:
        return None
    return dates.as_day(datetime.fromisoformat(text)) if len(text) > 10 else date.fromisoformat(text)
