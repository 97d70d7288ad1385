"""From a search parameter's path to plans: the keys to follow in JSON, with the type found at the end.

A path that names a choice element without a type (`Observation.effective`) gives one plan per type it may have.
"""

from collections.abc import Iterator

import msgspec

from ambroise.fhir import definitions
from ambroise.fhir.definitions import Element
from ambroise.fhir.paths.syntax import (
    Binary,
    Call,
    Expression,
    Item,
    Literal,
    Member,
    PathError,
    TypeTest,
    parse,
)


class Follow(msgspec.Struct, frozen=True):
    """Go to the value of `key`; `repeats` when it is an array, `type` is what it holds."""

    key: str
    repeats: bool
    type: str


class KeepEqual(msgspec.Struct, frozen=True):
    """Keep the object whose `key` is `value`."""

    key: str
    value: str


class KeepReference(msgspec.Struct, frozen=True):
    """Keep the Reference that may be to `type`."""

    type: str


class ToContained(msgspec.Struct, frozen=True):
    """Go from a Reference to the contained resource of `type` that it names."""

    type: str


class KeepFirst(msgspec.Struct, frozen=True):
    """Keep the first value of an array."""


Step = Follow | KeepEqual | KeepReference | ToContained | KeepFirst


class Plan(msgspec.Struct, frozen=True):
    """The steps from the resource; `shape` is the shape reached, `element` the last element passed."""

    steps: tuple[Step, ...]
    shape: str
    element: Element | None = None
    pending: Element | None = None  # a choice whose type is not chosen yet

    def settled(self) -> "Iterator[Plan]":
        """The plan, or one per type of a choice that nothing narrowed."""
        if self.pending is None:
            yield self
            return
        for key, ref in self.pending.keys:
            yield Plan((*self.steps, Follow(key, False, ref.code)), ref.code, self.pending)


def plans(type_: str, path: str) -> list[Plan]:
    """The plans of `path` for resources of `type_`. Raises PathError when it needs more than navigation."""
    found = [plan for plan in _plans(type_, parse(path)) for plan in plan.settled()]
    return list(dict.fromkeys(found))


def _plans(root: str, path: Expression | None) -> list[Plan]:
    match path:
        case None:
            return [Plan((), root)]
        case Binary("|", left, right):
            return [*_plans(root, left), *_plans(root, right)]
        case Member(None, name) if name in (root, "Resource", "DomainResource"):
            return [Plan((), root)]
        case Member(source, name):
            return _member(_plans(root, source), name)
        case TypeTest("as", source, name) | Call(source, "as" | "ofType", (Member(None, name),)):
            return _of_type(_plans(root, source), name)
        case Call(source, "where", (condition,)) if source:
            return [_where(plan, condition) for plan in _settle(_plans(root, source))]
        case Call(source, "extension", (Literal(str(url), _),)):
            extensions = _member(_plans(root, source), "extension")
            return [msgspec.structs.replace(plan, steps=(*plan.steps, KeepEqual("url", url))) for plan in extensions]
        case Call(source, "resolve", ()) if source:
            return [msgspec.structs.replace(plan, shape="resolved") for plan in _settle(_plans(root, source))]
        case Item(source, Literal(0, _)):
            return [msgspec.structs.replace(plan, steps=(*plan.steps, KeepFirst())) for plan in _plans(root, source)]
        case _:
            raise PathError(f"{type(path).__name__} is more than navigation")


def _settle(found: list[Plan]) -> list[Plan]:
    return [settled for plan in found for settled in plan.settled()]


def _member(found: list[Plan], name: str) -> list[Plan]:
    reached: list[Plan] = []
    for plan in _settle(found):
        if plan.shape == "Resource":
            continue
        element = definitions.shape(plan.shape).element(name)
        if element is None:
            continue
        if element.choice:
            reached.append(Plan(plan.steps, plan.shape, element, pending=element))
        else:
            kind = element.shape or element.types[0].code
            reached.append(Plan((*plan.steps, Follow(name, element.repeats, element.types[0].code)), kind, element))
    if not reached:
        raise PathError(f"There is no '{name}' in {', '.join(sorted({plan.shape for plan in found}))}.")
    return reached


def _of_type(found: list[Plan], name: str) -> list[Plan]:
    reached: list[Plan] = []
    for plan in found:
        if plan.shape == "resolved":
            reached.append(Plan((*plan.steps, ToContained(name)), name))
        elif plan.pending is not None:
            reached += [settled for settled in plan.settled() if settled.shape == name]
        elif plan.shape == name or (plan.element is not None and plan.element.types[0].code == name):
            reached.append(plan)
    # An R4 definition may name a type that the element has under another name (Goal.start as date): none is fine.
    return reached


def _where(plan: Plan, condition: Expression) -> Plan:
    match condition:
        case Binary("=", Member(None, key), Literal(str(value), _)):
            return msgspec.structs.replace(plan, steps=(*plan.steps, KeepEqual(key, value)))
        case TypeTest("is", Call(None, "resolve", ()), name):
            return msgspec.structs.replace(plan, steps=(*plan.steps, KeepReference(name)))
        case _:
            raise PathError("where() keeps an equal text or the type of a reference only.")
