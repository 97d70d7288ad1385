"""Searches as data, and what R4 says they find: evaluated resource by resource, without any index."""

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ambroise.fhir.store.folding import fold
from tests.generative.search.worlds import CODES, DATES, NUMBERS, SYSTEMS, UNITS, URIS, WORDS, Thing, World

Resource = dict[str, Any]
Coding = tuple[str | None, str | None]


@dataclass(frozen=True)
class Param:
    """`name:modifier=value,value`; values are as the kind wants them."""

    name: str
    kind: str
    modifier: str | None
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Chain:
    """`name:target.inner`, or `name.inner`."""

    name: str
    target: str | None
    targets: tuple[str, ...]
    inner: "Ask"


@dataclass(frozen=True)
class Has:
    """`_has:source:name:inner`."""

    source: str
    name: str
    inner: "Ask"


Ask = Param | Chain | Has

# What the parameters of each type read. References are lists of Reference elements.
READ: dict[str, dict[str, tuple[str, Callable[[Resource], list[Any]]]]] = {
    "Observation": {
        "status": ("code", lambda r: [r["status"]]),
        "code": ("concept", lambda r: [r["code"]]),
        "component-code": ("concept", lambda r: [c["code"] for c in r.get("component", [])]),
        "combo-code": ("concept", lambda r: [r["code"], *(c["code"] for c in r.get("component", []))]),
        "identifier": ("identifier", lambda r: r.get("identifier", [])),
        "date": ("date", lambda r: [r[k] for k in ("effectiveDateTime", "effectivePeriod") if k in r]),
        "value-quantity": ("quantity", lambda r: [r["valueQuantity"]] if "valueQuantity" in r else []),
        "combo-value-quantity": (
            "quantity",
            lambda r: [x["valueQuantity"] for x in (r, *r.get("component", [])) if "valueQuantity" in x],
        ),
        "subject": ("reference", lambda r: [r["subject"]]),
        "patient": ("reference", lambda r: [r["subject"]]),
        "encounter": ("reference", lambda r: [r["encounter"]] if "encounter" in r else []),
        "performer": ("reference", lambda r: r.get("performer", [])),
    },
    "Encounter": {
        "status": ("code", lambda r: [r["status"]]),
        "class": ("coding", lambda r: [r["class"]]),
        "date": ("date", lambda r: [r["period"]] if "period" in r else []),
        "subject": ("reference", lambda r: [r["subject"]]),
        "patient": ("reference", lambda r: [r["subject"]]),
    },
    "Patient": {
        "name": ("string", lambda r: [v for n in r.get("name", []) for v in n.values()]),
        "family": ("string", lambda r: [n["family"] for n in r.get("name", []) if "family" in n]),
        "identifier": ("identifier", lambda r: r.get("identifier", [])),
        "birthdate": ("date", lambda r: [r["birthDate"]] if "birthDate" in r else []),
        "gender": ("code", lambda r: [r["gender"]] if "gender" in r else []),
        "general-practitioner": ("reference", lambda r: r.get("generalPractitioner", [])),
    },
    "Practitioner": {
        "name": ("string", lambda r: [v for n in r.get("name", []) for v in (n["family"], *n["given"])]),
        "family": ("string", lambda r: [n["family"] for n in r.get("name", [])]),
        "given": ("string", lambda r: [v for n in r.get("name", []) for v in n["given"]]),
        "identifier": ("identifier", lambda r: r.get("identifier", [])),
        "active": ("code", lambda r: ["true"] if r.get("active") else []),
    },
    "ValueSet": {
        "url": ("uri", lambda r: [r["url"]] if "url" in r else []),
        "_profile": ("uri", lambda r: r.get("meta", {}).get("profile", [])),
    },
}

LINKS = {
    ("Observation", "subject"): ("Patient",),
    ("Observation", "patient"): ("Patient",),
    ("Observation", "encounter"): ("Encounter",),
    ("Observation", "performer"): ("Practitioner", "Patient"),
    ("Encounter", "subject"): ("Patient",),
    ("Encounter", "patient"): ("Patient",),
    ("Patient", "general-practitioner"): ("Practitioner",),
}


# Asking


@cache
def asks(type: str, depth: int = 2) -> st.SearchStrategy[Ask]:
    """A search on a type that means something in these worlds."""
    found: list[st.SearchStrategy[Ask]] = [_params(type, name, kind) for name, (kind, _) in READ[type].items()]
    if depth:
        for (source, name), targets in LINKS.items():
            if source == type:
                found += [_chains(name, target, targets, depth) for target in targets]
            if type in targets:
                found.append(st.builds(Has, st.just(source), st.just(name), asks(source, depth - 1)))
    return st.one_of(found)


def _chains(name: str, target: str, targets: tuple[str, ...], depth: int) -> st.SearchStrategy[Ask]:
    # Where several types are possible, the chain names one: the oracle need not know which have the parameter.
    named = st.sampled_from([target, target, None]) if len(targets) == 1 else st.just(target)
    return st.builds(Chain, st.just(name), named, st.just((target,)), asks(target, depth - 1))


def _params(type: str, name: str, kind: str) -> st.SearchStrategy[Ask]:
    missing = st.builds(Param, st.just(name), st.just(kind), st.just("missing"), st.tuples(st.booleans()))
    if kind == "reference":
        return missing
    values, modifiers = _VALUES[kind]
    return st.one_of(
        missing,
        *(
            st.builds(
                Param,
                st.just(name),
                st.just(kind),
                st.just(modifier),
                st.lists(values(modifier), min_size=1, max_size=2).map(tuple),
            )
            for modifier in modifiers
            for _ in range(3)
        ),
    )


def _tokens(modifier: str | None) -> st.SearchStrategy[Any]:
    if modifier == "text":
        return st.sampled_from(WORDS)
    if modifier == "of-type":
        return st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(CODES), st.sampled_from(CODES))
    both = st.tuples(st.sampled_from([None, *SYSTEMS]), st.sampled_from(CODES))
    return st.one_of(both, both, st.tuples(st.sampled_from([s for s in SYSTEMS if s]), st.none()))


def _dates(modifier: str | None) -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from(["", "eq", "ne", "gt", "ge", "lt", "le", "sa", "eb"]), st.sampled_from(DATES))


def _quantities(modifier: str | None) -> st.SearchStrategy[Any]:
    prefix = st.sampled_from(["", "eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap"])
    units = [None, *((system, code) for system, code, _ in UNITS if code), (None, "mg")]
    return st.tuples(prefix, st.sampled_from(NUMBERS), st.sampled_from(units))


def _codes(modifier: str | None) -> st.SearchStrategy[Any]:
    words = ["final", "FINISHED", "planned", "amended", "male", "female", "true"]
    return st.tuples(st.none(), st.sampled_from(words))


_ADDRESSES = [*URIS, "http://v.example/fhir", "http://v.example"]
_VALUES: dict[str, tuple[Callable[[str | None], st.SearchStrategy[Any]], tuple[str | None, ...]]] = {
    "code": (_codes, (None, "not")),
    "coding": (_tokens, (None, "not", "text")),
    "concept": (_tokens, (None, "not", "text")),
    "identifier": (_tokens, (None, "not", "of-type")),
    "string": (lambda modifier: st.sampled_from([*WORDS, "d", "CREM", "%", "e l"]), (None, "exact", "contains")),
    "date": (_dates, (None,)),
    "quantity": (_quantities, (None,)),
    "uri": (
        lambda modifier: st.sampled_from([*URIS, "http://v.example/fhir", "http://v.example"]),
        (None, "below", "above"),
    ),
}


# Writing as a query string


def written(ask: Ask) -> tuple[str, str]:
    """The name and the value of the parameter that asks this."""
    match ask:
        case Param(name, kind, modifier, values):
            return f"{name}:{modifier}" if modifier else name, ",".join(_written(kind, modifier, v) for v in values)
        case Chain(name, target, _, inner):
            rest, value = written(inner)
            return f"{name}:{target}.{rest}" if target else f"{name}.{rest}", value
        case Has(source, name, inner):
            rest, value = written(inner)
            return f"_has:{source}:{name}:{rest}", value


def _written(kind: str, modifier: str | None, value: Any) -> str:
    if modifier == "missing":
        return "true" if value else "false"
    if modifier == "of-type":
        return "|".join(map(_escaped, value))
    if kind in ("code", "coding", "concept", "identifier") and modifier != "text":
        system, code = value
        return _escaped(code) if system is None else f"{_escaped(system)}|{_escaped(code or '')}"
    if kind == "date":
        return value[0] + value[1]
    if kind == "quantity":
        prefix, number, unit = value
        return prefix + number if unit is None else f"{prefix}{number}|{_escaped(unit[0] or '')}|{_escaped(unit[1])}"
    return _escaped(value)


def _escaped(text: str) -> str:
    for sign in "\\,|$":
        text = text.replace(sign, "\\" + sign)
    return text


# Answering


def matches(thing: Thing, ask: Ask, world: World) -> bool:
    """Whether a resource of this world matches."""
    match ask:
        case Param():
            return _param(thing, ask)
        case Chain(name, _, targets, inner):
            found = _referred(thing, name, world)
            return any(each.type in targets and matches(each, inner, world) for each in found)
        case Has(source, name, inner):
            return any(
                thing in _referred(each, name, world) and matches(each, inner, world) for each in world.of(source)
            )


def _referred(thing: Thing, name: str, world: World) -> list[Thing]:
    _, read = READ[thing.type][name]
    named = {reference.get("reference") for reference in read(thing.resource)}
    return [each for each in world.things if each.reference in named]


def _param(thing: Thing, ask: Param) -> bool:
    kind, read = READ[thing.type][ask.name]
    there = read(thing.resource)
    if ask.modifier == "missing":
        return any((not _indexed(kind, there)) == wanted for wanted in ask.values)
    test = _TESTS[kind]
    if ask.modifier == "not":
        return not any(test(value, None, wanted) for value in there for wanted in ask.values)
    return any(test(value, ask.modifier, wanted) for value in there for wanted in ask.values)


def _indexed(kind: str, there: list[Any]) -> bool:
    """Whether there is any value; a concept with text only has no token to search by, but it has a value."""
    if kind == "concept":
        return any(concept.get("coding") for concept in there)
    return bool(there)


def _token(given: Coding, wanted: Coding) -> bool:
    system, code = wanted
    if code is not None and (given[1] or "").lower() != code.lower():
        return False
    if system is None:
        return True
    return (given[0] or "") == system


def _coding(coding: Resource, modifier: str | None, wanted: Any) -> bool:
    if modifier == "text":
        return fold(coding.get("display", "\0")).startswith(fold(wanted)) and "display" in coding
    return _token((coding.get("system"), coding.get("code")), wanted)


def _concept(concept: Resource, modifier: str | None, wanted: Any) -> bool:
    if modifier == "text" and "text" in concept and fold(concept["text"]).startswith(fold(wanted)):
        return True
    return any(_coding(coding, modifier, wanted) for coding in concept.get("coding", []))


def _identifier(identifier: Resource, modifier: str | None, wanted: Any) -> bool:
    if modifier == "of-type":
        system, code, value = wanted
        typed = identifier.get("type", {}).get("coding", [])
        # An empty system asks for any: a type without one would say too little to be refused for it.
        return identifier["value"].lower() == value.lower() and any(
            _token((coding.get("system"), coding.get("code")), (system or None, code)) for coding in typed
        )
    return _token((identifier.get("system"), identifier["value"]), wanted)


def _string(given: str, modifier: str | None, wanted: str) -> bool:
    if modifier == "exact":
        return given == wanted
    if modifier == "contains":
        return fold(wanted) in fold(given)
    return fold(given).startswith(fold(wanted))


def _uri(given: str, modifier: str | None, wanted: str) -> bool:
    bare = given.partition("|")[0]
    if modifier == "below":
        return bare == wanted.rstrip("/") or bare.startswith(wanted.rstrip("/") + "/")
    if modifier == "above":
        return given == wanted or bare == wanted or wanted.partition("|")[0].startswith(bare.rstrip("/") + "/")
    return wanted in (given, bare)


Span = tuple[datetime, datetime]
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


def _span(text: str) -> Span:
    if len(text) == 4:
        return datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    if len(text) == 7:
        low = datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)
        return low, low + timedelta(days=calendar.monthrange(low.year, low.month)[1])
    low = datetime.fromisoformat(text)
    if len(text) == 10:
        return low.replace(tzinfo=UTC), low.replace(tzinfo=UTC) + timedelta(days=1)
    return low, low + timedelta(milliseconds=1 if "." in text else 1000)


def _date(given: Any, modifier: str | None, wanted: tuple[str, str]) -> bool:
    if isinstance(given, str):
        low, high = _span(given)
    else:
        low = _span(given["start"])[0] if "start" in given else _FIRST
        high = _span(given["end"])[1] if "end" in given else _LAST
    start, end = _span(wanted[1])
    inside = start <= low and high <= end
    return {
        "": inside,
        "eq": inside,
        "ne": not inside,
        "gt": high > end,
        "ge": high > end or inside,
        "lt": low < start,
        "le": low < start or inside,
        "sa": low >= end,
        "eb": high <= start,
    }[wanted[0]]


def _quantity(given: Resource, modifier: str | None, wanted: tuple[str, str, Any]) -> bool:
    prefix, number, unit = wanted
    if unit is not None:
        system, code = unit
        named = code in (given.get("code"), given.get("unit")) if system is None else given.get("code") == code
        if not named or (system is not None and given.get("system") != system):
            return False
    value = Decimal(number)
    exponent = value.as_tuple().exponent
    half = Decimal((0, (5,), int(exponent) - 1))
    low = high = given["value"]
    if given.get("comparator") == "<":
        low = Decimal("-Infinity")
    if given.get("comparator") == ">=":
        high = Decimal("Infinity")
    inside = value - half <= low and high < value + half
    about = max(half, abs(value) / 10)
    return {
        "": inside,
        "eq": inside,
        "ne": not inside,
        "gt": high > value,
        "ge": high >= value,
        "lt": low < value,
        "le": low <= value,
        "sa": low > value,
        "eb": high < value,
        "ap": low <= value + about and high >= value - about,
    }[prefix]


_TESTS: dict[str, Callable[[Any, str | None, Any], bool]] = {
    "code": lambda given, modifier, wanted: given.lower() == wanted[1].lower(),
    "coding": _coding,
    "concept": _concept,
    "identifier": _identifier,
    "string": _string,
    "uri": _uri,
    "date": _date,
    "quantity": _quantity,
}


def expected(world: World, type: str, wanted: Iterable[Ask]) -> set[str]:
    """The ids of what matches all of it, in what of the world the asker may see."""
    seen = world.seen()
    return {thing.id for thing in seen.of(type) if all(matches(thing, ask, seen) for ask in wanted)}
