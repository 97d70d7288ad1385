"""Small random worlds: patients, practitioners, encounters, observations and value sets that share few values."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ambroise.fhir.paths.ranges import number_range
from ambroise.fhir.store import new_key
from ambroise.fhir.store.types import Flags, Label

SYSTEMS = ["http://a.example/x", "http://b.example|y", ""]
CODES = ["one", "Two", "a,b", "c|d", "e$f", "g\\h"]
WORDS = ["Crème brûlée", "creme", "Dupont  d'Essai", "ŒUVRE", "de la Tour", "Straße", "x%y_z"]
DAYS = ["2019", "2020", "2020-02", "2020-02-29", "2021-01-01"]
DATES = [*DAYS, "2020-02-29T10:00:00Z", "2020-02-29T10:00:00.500+01:00"]
NUMBERS = ["5", "5.0", "5.00", "5.4", "5.45", "-3", "100", "1e2", "0.004"]
UNITS = [
    ("http://u.example", "mg", "milligram"),
    ("http://u.example", "g", None),
    (None, None, "mg"),
    (None, None, None),
]
URIS = [
    "http://v.example/fhir/a",
    "http://v.example/fhir/a/b",
    "http://v.example/fhir/a/b|2",
    "http://v.example/fh",
    "urn:oid:1.2.3",
]


@dataclass(frozen=True)
class Thing:
    """A resource with its logical id, and whether the asker may see it."""

    resource: dict[str, Any]
    id: str
    label: Label
    key: Any
    name: str | None

    @property
    def type(self) -> str:
        return self.resource["resourceType"]

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def visible(self) -> bool:
        return not self.label.flags & Flags.MASKED


@dataclass
class World:
    """Things in the order in which they are stored."""

    things: list[Thing] = field(default_factory=list)

    def of(self, type: str) -> list[Thing]:
        return [thing for thing in self.things if thing.type == type]

    def seen(self) -> "World":
        """What the asker may see."""
        return World([thing for thing in self.things if thing.visible])


def _coding(draw: st.DrawFn) -> dict[str, str]:
    coding = {"code": draw(st.sampled_from(CODES))}
    if system := draw(st.sampled_from(SYSTEMS)):
        coding["system"] = system
    if draw(st.booleans()):
        coding["display"] = draw(st.sampled_from(WORDS))
    return coding


def _concept(draw: st.DrawFn) -> dict[str, Any]:
    concept: dict[str, Any] = {}
    if codings := [_coding(draw) for _ in range(draw(st.integers(0, 2)))]:
        concept["coding"] = codings
    if not codings or draw(st.booleans()):
        concept["text"] = draw(st.sampled_from(WORDS))
    return concept


def _identifiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 2))):
        identifier: dict[str, Any] = {"value": draw(st.sampled_from(CODES))}
        if system := draw(st.sampled_from(SYSTEMS)):
            identifier["system"] = system
        if draw(st.booleans()):
            identifier["type"] = {"coding": [_coding(draw)]}
        found.append(identifier)
    return found


def _quantity(draw: st.DrawFn) -> dict[str, Any]:
    system, code, unit = draw(st.sampled_from(UNITS))
    quantity: dict[str, Any] = {"value": Decimal(draw(st.sampled_from(NUMBERS)))}
    for name, value in (("system", system), ("code", code), ("unit", unit)):
        if value:
            quantity[name] = value
    if draw(st.integers(0, 5)) == 0:
        quantity["comparator"] = draw(st.sampled_from(["<", ">="]))
    return quantity


def _when(draw: st.DrawFn) -> dict[str, Any]:
    match draw(st.integers(0, 3)):
        case 0:
            return {}
        case 1 | 2:
            return {"effectiveDateTime": draw(st.sampled_from(DATES))}
        case _:
            return {"effectivePeriod": _period(draw)}


def _period(draw: st.DrawFn) -> dict[str, str]:
    start, end = draw(st.sampled_from([("2019", "2020-02"), ("2020-02-29", None), (None, "2020-02"), ("2020", "2020")]))
    return {name: value for name, value in (("start", start), ("end", end)) if value}


def _maybe(draw: st.DrawFn, resource: dict[str, Any], name: str, value: Any) -> None:
    if value and draw(st.booleans()):
        resource[name] = value


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world whose references all lead to something, or to nothing that exists."""
    world = World()
    practitioners = [_practitioner(draw, world, number) for number in range(draw(st.integers(0, 2)))]
    for number in range(draw(st.integers(1, 3))):
        patient = _patient(draw, world, number, practitioners)
        encounters = [_encounter(draw, world, patient) for _ in range(draw(st.integers(0, 2)))]
        for _ in range(draw(st.integers(0, 4))):
            _observation(draw, world, patient, practitioners, encounters)
    for _ in range(draw(st.integers(0, 2))):
        _value_set(draw, world)
    return world


def _add(draw: st.DrawFn, world: World, resource: dict[str, Any], patient: Thing | None, name: str | None) -> Thing:
    flags = draw(st.sampled_from([Flags(0), Flags(0), Flags(0), Flags.MASKED]))
    key = new_key(patient.key if patient else None)
    owner = patient.key if patient else key if resource["resourceType"] == "Patient" else None
    thing = Thing(resource, name or str(key), Label(owner, flags=flags), key, name)
    world.things.append(thing)
    return thing


def _practitioner(draw: st.DrawFn, world: World, number: int) -> Thing:
    resource: dict[str, Any] = {"resourceType": "Practitioner"}
    _maybe(draw, resource, "name", [{"family": draw(st.sampled_from(WORDS)), "given": [draw(st.sampled_from(WORDS))]}])
    _maybe(draw, resource, "identifier", _identifiers(draw))
    _maybe(draw, resource, "active", draw(st.booleans()))
    return _add(draw, world, resource, None, draw(st.sampled_from([None, f"dr-{number}"])))


def _patient(draw: st.DrawFn, world: World, number: int, practitioners: list[Thing]) -> Thing:
    resource: dict[str, Any] = {"resourceType": "Patient"}
    _maybe(draw, resource, "name", [{"family": draw(st.sampled_from(WORDS))}, {"text": draw(st.sampled_from(WORDS))}])
    _maybe(draw, resource, "identifier", _identifiers(draw))
    _maybe(draw, resource, "birthDate", draw(st.sampled_from(["2019", "2020-02", "2020-02-29"])))
    _maybe(draw, resource, "gender", draw(st.sampled_from(["male", "female"])))
    if practitioners:
        references = [{"reference": draw(st.sampled_from(practitioners)).reference}, {"reference": "Practitioner/none"}]
        _maybe(draw, resource, "generalPractitioner", references)
    return _add(draw, world, resource, None, draw(st.sampled_from([None, f"p-{number}"])))


def _encounter(draw: st.DrawFn, world: World, patient: Thing) -> Thing:
    resource: dict[str, Any] = {
        "resourceType": "Encounter",
        "status": draw(st.sampled_from(["planned", "finished"])),
        "class": _coding(draw),
        "subject": {"reference": patient.reference},
    }
    _maybe(draw, resource, "period", _period(draw))
    return _add(draw, world, resource, patient, None)


def _observation(
    draw: st.DrawFn, world: World, patient: Thing, practitioners: list[Thing], encounters: list[Thing]
) -> Thing:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": draw(st.sampled_from(["final", "amended"])),
        "code": _concept(draw),
        "subject": {"reference": patient.reference},
        **_when(draw),
    }
    _maybe(draw, resource, "identifier", _identifiers(draw))
    _maybe(draw, resource, "valueQuantity", _quantity(draw))
    _maybe(draw, resource, "component", [{"code": _concept(draw), "valueQuantity": _quantity(draw)}])
    if encounters:
        _maybe(draw, resource, "encounter", {"reference": draw(st.sampled_from(encounters)).reference})
    performers: list[dict[str, Any]] = [{"identifier": {"system": SYSTEMS[0], "value": draw(st.sampled_from(CODES))}}]
    if practitioners:
        performers.append({"reference": draw(st.sampled_from(practitioners)).reference})
    _maybe(draw, resource, "performer", performers)
    return _add(draw, world, resource, patient, None)


def _value_set(draw: st.DrawFn, world: World) -> Thing:
    resource: dict[str, Any] = {"resourceType": "ValueSet", "status": "active"}
    _maybe(draw, resource, "url", draw(st.sampled_from([uri for uri in URIS if "|" not in uri])))
    _maybe(draw, resource, "meta", {"profile": [draw(st.sampled_from(URIS))]})
    return _add(draw, world, resource, None, None)


__all__ = ["CODES", "DATES", "NUMBERS", "SYSTEMS", "UNITS", "URIS", "WORDS", "Thing", "World", "number_range", "worlds"]
