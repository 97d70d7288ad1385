"""From Observations to the results that pages show: value, unit, reference, flag, and the same measured before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ambroise.interfaces.web.profiles import when
from ambroise.interfaces.web.ui import dates, plots, units
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.views import Flag, Result
from ambroise.modules.record.api import done_already

Json = Mapping[str, Any]

_FLAGS: Mapping[str, Flag] = {
    "H": "high", "HH": "high", "HU": "high", "L": "low", "LL": "low", "LU": "low", "A": "abnormal", "AA": "abnormal",
    "R": "resistant", "I": "intermediate", "S": "sensitive",
}  # fmt: skip
_SIGNS: Mapping[str, str] = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_NAMES: Mapping[str, str] = {"85354-9": N_("Tension artérielle"), "882-1": N_("Groupe sanguin")}
"""What documents leave without a name."""
_PRESSURES = ("8480-6", "8462-4")

_TOLD = frozenset({"social-history", "survey", "exam"})

# The long name of LOINC: what is measured, [its property], where ; on what scale ; how.
_LONG_NAME = re.compile(
    r"^(?P<what>[^\[]+?) *\[(?:Masse|Nombre|Moles|Temps|Fraction|Volume|Activité|Sensibilité|Présence|Ratio|Rapport"
    r"|Unité|Concentration|Aspect|Susceptibilité|Identifiant)[^\]]*\]? *(?P<rest>.*)$"
)
_SCALES = frozenset({"numérique", "ordinal", "nominal", "narratif", "alphanumérique", "multiple"})
# SNOMED CT ends its English names with the kind of thing.
_SORT_OF_THING = re.compile(r" \((?:organism|finding|disorder|substance|qualifier value|procedure)\)$")


def result(one: Json, past: Sequence[Json]) -> Result:
    """A result in words and figures; `past`: those of the same record, of which the same examination makes a curve."""
    code, quantity, day = code_of(one), quantity_of(one), day_of(one)
    low, high = _range(one)
    same = {
        day_of(other): number
        for other in reversed(past)
        if code_of(other) == code and (number := quantity_of(other)) is not None and _unit(other) == _unit(one)
    }
    history = [(when, number) for when, number in same.items() if when is not None and (day is None or when <= day)]
    name, about = _name(one)
    return Result(
        name=name,
        value=_value(one),
        unit=_unit(one),
        number=quantity,
        low=low,
        high=high,
        flag=_flag(one),
        about=about,
        history=sorted(history),
        again=done_already(code, day, [when for when, _ in history]) if day is not None and _examined(one) else None,
    )


def titled(told: Result) -> str:
    """The name on a line of its own: that of an antibiotic with the germ, without which it would mislead."""
    tried = told.flag in ("resistant", "intermediate", "sensitive")
    return f"{told.name}, {told.about}" if tried and told.about else told.name


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


def _name(one: Json) -> tuple[str, str]:
    """What was measured, and what tells it from another of that name: the sample, the method, the germ, comments."""
    concept = one.get("code", {})
    codings = concept.get("coding") or [{}]
    code = str(codings[0].get("code") or "")
    written = str(concept.get("text") or codings[0].get("display") or gettext(_NAMES.get(code, code)))
    parts: list[str] = []
    if long := _LONG_NAME.match(written):
        written = long["what"]
        told = (piece.strip() for piece in long["rest"].split(";"))
        parts.append(", ".join(piece for piece in told if piece and piece.casefold() not in _SCALES))
    # The unit stands with the figure.
    written = written.removesuffix(f"({_coded_unit(one)})").removesuffix(f"({_unit(one)})").strip() or written
    parts += [_SORT_OF_THING.sub("", str(note.get("text", ""))) for note in one.get("note", ())]
    return written, " · ".join(part for part in parts if part)


def quantity_of(one: Json) -> Decimal | None:
    """The exact figure; None for words and for « less than »."""
    quantity = one.get("valueQuantity", {})
    value = quantity.get("value")
    return Decimal(value) if isinstance(value, (int, Decimal)) and "comparator" not in quantity else None


def _coded_unit(one: Json) -> str:
    quantity = one.get("valueQuantity", {})
    return str(quantity.get("unit") or quantity.get("code") or "")


def _unit(one: Json) -> str:
    return units.unit(_coded_unit(one))


def _value(one: Json) -> str:
    """The value in words, with its unit, whatever its type."""
    if (components := one.get("component")) and not any(name.startswith("value") for name in one):
        return _components(components)
    concept = one.get("valueCodeableConcept", {})
    coded = concept.get("text") or next(
        (item.get("display") or item.get("code") for item in concept.get("coding", ())), None
    )
    if coded:
        return _SORT_OF_THING.sub("", str(coded))
    if quantity := one.get("valueQuantity"):
        return _amount(quantity)
    if ratio := one.get("valueRatio"):
        return f"{_amount(ratio.get('numerator', {}))} / {_amount(ratio.get('denominator', {}))}"
    if span := one.get("valueRange"):
        return gettext("%(low)s à %(high)s", low=_amount(span.get("low", {})), high=_amount(span.get("high", {})))
    if isinstance(said := one.get("valueBoolean"), bool):
        return gettext("Oui") if said else gettext("Non")
    if moment := one.get("valueDateTime"):
        return when(str(moment)[:10])
    return str(one.get("valueString") or one.get("valueInteger", ""))


def _components(components: Sequence[Json]) -> str:
    """« 155/85 mmHg » for the two pressures, else each with its name."""
    by_code = {code_of(part): part for part in components}
    pressures = [by_code[code].get("valueQuantity", {}) for code in _PRESSURES if code in by_code]
    if len(pressures) == len(_PRESSURES) == len(components) and all("value" in part for part in pressures):
        high, low = pressures
        return f"{plots.number(Decimal(high['value']))}/{_amount(low)}"
    return " · ".join(f"{_name(part)[0]}\u00a0: {_value(part)}" for part in components)


def _amount(quantity: Json) -> str:
    value = quantity.get("value")
    if not isinstance(value, (int, Decimal)):
        return ""
    sign = _SIGNS.get(str(quantity.get("comparator", "")), "")
    figure = plots.number(Decimal(value))
    return "\u00a0".join(part for part in (sign, figure, _unit({"valueQuantity": quantity})) if part)


def _range(one: Json) -> tuple[Decimal | None, Decimal | None]:
    found = (one.get("referenceRange") or [{}])[0]
    low, high = found.get("low", {}).get("value"), found.get("high", {}).get("value")
    return _bound(low), _bound(high)


def _bound(value: int | Decimal | None) -> Decimal | None:
    """An end of a range; the zeros that a machine wrote (« 63.000000 ») say nothing of its precision."""
    if value is None:
        return None
    bound = Decimal(value)
    whole, _, decimals = format(bound, "f").partition(".")
    return Decimal(f"{whole}.{decimals.rstrip('0')}".rstrip(".")) if len(decimals) > 3 else bound


def _flag(one: Json) -> Flag | None:
    for concept in one.get("interpretation", ()):
        for coding in concept.get("coding", ()):
            if coding.get("code") in _FLAGS:
                return _FLAGS[coding["code"]]
    number, (low, high) = quantity_of(one), _range(one)
    if number is not None and high is not None and number > high:
        return "high"
    return "low" if number is not None and low is not None and number < low else None


def day_of(one: Json) -> date | None:
    """When it was measured."""
    text = str(one.get("effectiveDateTime") or one.get("issued") or "")
    if len(text) < 10:
        return None
    return dates.as_day(datetime.fromisoformat(text)) if len(text) > 10 else date.fromisoformat(text)
