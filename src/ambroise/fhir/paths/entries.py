"""Helpers that generated extractors call for values that need more than a line."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ambroise.fhir.paths.extracted import Extracted
from ambroise.fhir.paths.ranges import Numbers, limits_range, quantity_range

Target = tuple[str | None, tuple[str | None, str | None] | None]
_NAME_PARTS: Final = ("family", "given", "prefix", "suffix", "text")
_ADDRESS_PARTS: Final = ("line", "city", "district", "state", "postalCode", "country", "text")


def target(reference: Mapping[str, Any]) -> Target | None:
    """Where a Reference points: its text without a version, and its identifier. None for a contained resource."""
    text: str | None = reference.get("reference")
    if text is not None:
        if text[:1] == "#":
            text = None
        elif "/_history/" in text:
            text = text[: text.index("/_history/")]
    identifier = reference.get("identifier")
    if identifier is not None and "value" in identifier:
        return text, (identifier.get("system"), identifier["value"])
    return None if text is None else (text, None)


def may_be(type_: str, reference: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether a Reference may be to a `type_`: its text tells, else its `type`; when nothing tells, it may."""
    text: str | None = reference.get("reference")
    if text is not None and text[:4] != "urn:":
        if text[:1] == "#":
            return contained(type_, reference, root) is not None
        parts = text.split("/_history/")[0].rsplit("/", 2)
        return len(parts) > 1 and parts[-2] == type_
    return reference.get("type", type_) == type_


def contained(type_: str, reference: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any] | None:
    """The contained resource of `type_` that a Reference names, if any."""
    text: str = reference.get("reference", "")
    if text[:1] != "#":
        return None
    for resource in root.get("contained", ()):
        if resource.get("id") == text[1:] and resource.get("resourceType") == type_:
            return resource
    return None


def name_parts(name: Mapping[str, Any]) -> list[str]:
    """The searchable parts of a HumanName."""
    return _parts(name, _NAME_PARTS)


def address_parts(address: Mapping[str, Any]) -> list[str]:
    """The searchable parts of an Address."""
    return _parts(address, _ADDRESS_PARTS)


def _parts(value: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for key in keys:
        part = value.get(key)
        if isinstance(part, str):
            found.append(part)
        elif part is not None:
            found += [item for item in part if item is not None]
    return found


def canonical_forms(text: str) -> tuple[str, ...]:
    """A canonical as written, and without its version when it has one."""
    address = text.partition("|")[0]
    return (text,) if address == text else (text, address)


def add_quantity(into: Extracted, numbers: tuple[int, ...], quantity: Mapping[str, Any]) -> None:
    """Index a Quantity under each parameter number."""
    covered = quantity_range(quantity)
    if covered is None:
        return
    low, high = covered
    unit = (quantity.get("system"), quantity.get("code"), quantity.get("unit"))
    for number in numbers:
        into.quantities.append((number, low, high, *unit))


def add_limits(into: Extracted, numbers: tuple[int, ...], limits: Mapping[str, Any]) -> None:
    """Index a Range as one quantity from its low to its high."""
    covered = limits_range(limits)
    if covered is None:
        return
    described = limits.get("low") or limits["high"]
    unit = (described.get("system"), described.get("code"), described.get("unit"))
    for number in numbers:
        into.quantities.append((number, *covered, *unit))


def add_money(into: Extracted, numbers: tuple[int, ...], money: Mapping[str, Any]) -> None:
    """Index a Money as a quantity in its currency."""
    if (value := money.get("value")) is None:
        return
    amount = Decimal(value)
    currency = money.get("currency")
    for number in numbers:
        into.quantities.append((number, amount, amount, "urn:iso:std:iso:4217", currency, currency))


def add_samples(into: Extracted, numbers: tuple[int, ...], samples: Mapping[str, Any]) -> None:
    """Index a SampledData as one quantity from its lowest to its highest sample."""
    origin: dict[str, Any] = samples.get("origin") or {}
    covered = _sampled(origin, samples)
    if covered is None:
        return
    unit = (origin.get("system"), origin.get("code"), origin.get("unit"))
    for number in numbers:
        into.quantities.append((number, *covered, *unit))


def _sampled(origin: Mapping[str, Any], samples: Mapping[str, Any]) -> Numbers | None:
    try:
        # "E", "U" and "L" stand for an error and for values beyond the limits.
        read = [Decimal(word) for word in samples.get("data", "").split() if word not in ("E", "U", "L")]
    except ArithmeticError:
        return None
    if not read or "value" not in origin or not all(sample.is_finite() for sample in read):
        return None
    base, factor = Decimal(origin["value"]), Decimal(samples.get("factor", 1))
    values = [base + factor * sample for sample in (min(read), max(read))]
    return min(values), max(values)
