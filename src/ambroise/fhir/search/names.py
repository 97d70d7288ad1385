"""Reading the names of search parameters: modifiers, chains, reverse chains."""

from types import MappingProxyType
from typing import Final, cast

from ambroise.fhir.definitions import SearchParameter, is_resource_type, resource_types, search_parameters
from ambroise.fhir.search.query import AllOf, AnyOf, Chain, Clause, Filter, Has, Modifier, Target
from ambroise.fhir.search.refusals import (
    unknown_parameter,
    unreadable,
    unsupported_modifier,
    unsupported_parameter,
)
from ambroise.fhir.search.values import Reading, read_values, split, targets_of
from ambroise.kernel.errors import Refusal

_DEEPEST: Final = 6
_MODIFIERS: Final = MappingProxyType(
    {
        "token": frozenset({"missing", "not", "text", "of-type"}),
        "string": frozenset({"missing", "exact", "contains"}),
        "reference": frozenset({"missing", "identifier"}),
        "date": frozenset({"missing"}),
        "number": frozenset({"missing"}),
        "quantity": frozenset({"missing"}),
        "uri": frozenset({"missing", "above", "below"}),
    }
)
_OF_EVERY_TYPE: Final = ("_has", "_include", "_revinclude", "_sort", "_count", "_total", "_summary", "_elements")


def clause(type: str, name: str, raw: str, reading: Reading, depth: int = 0) -> Clause:
    """The clause that `name=raw` asks of resources of `type`."""
    if depth > _DEEPEST:
        raise unsupported_parameter(type, name, f"chains have at most {_DEEPEST} links")
    if name.startswith("_has:"):
        return _has(type, name, raw, reading, depth)
    known = search_parameters(type)
    bare, _, modifier = name.partition(":")
    if "." not in name or (bare in known and "." not in modifier):
        return _named(type, name, raw, reading, depth)
    return _chain(type, name, raw, reading, depth)


def _named(type: str, name: str, raw: str, reading: Reading, depth: int) -> Clause:
    bare, _, modifier = name.partition(":")
    parameter = search_parameters(type).get(bare)
    if parameter is None:
        raise unknown_parameter(type, bare, (*search_parameters(type), *_OF_EVERY_TYPE))
    if parameter.type == "composite":
        return _composite(type, parameter, modifier, raw, reading)
    if parameter.type not in _MODIFIERS:
        raise unsupported_parameter(type, bare, "it needs what this server does not index")
    found = _filter(type, parameter, name, modifier, raw, reading)
    if "." in bare:
        # MHD names some parameters like chains: what they mean holds for referenced resources as for contained ones.
        return _or_chain(found, type, name, raw, reading, depth)
    return found


def _filter(type: str, parameter: SearchParameter, name: str, modifier: str, raw: str, reading: Reading) -> Filter:
    if parameter.type == "reference" and is_resource_type(modifier):
        return _typed_reference(type, parameter, modifier, raw, reading)
    if modifier and modifier not in _MODIFIERS[parameter.type]:
        more = parameter.targets if parameter.type == "reference" else ()
        raise unsupported_modifier(parameter.code, modifier, (*_MODIFIERS[parameter.type], *more))
    if modifier in ("not", "text", "of-type") and parameter.code == "_id":
        raise unsupported_modifier(parameter.code, modifier, ())
    checked = cast(Modifier, modifier) if modifier else None
    return Filter(type, parameter, checked, read_values(parameter, checked, name, raw, reading))


def _typed_reference(type: str, parameter: SearchParameter, kind: str, raw: str, reading: Reading) -> Filter:
    allowed = targets_of(parameter)
    if allowed and kind not in allowed:
        raise unsupported_modifier(parameter.code, kind, (*allowed, *_MODIFIERS["reference"]))
    values = read_values(parameter, None, parameter.code, raw, reading)
    kept: list[Target] = []
    for value in values:
        targets = value.targets if isinstance(value, Target) else ()
        of_kind = tuple(target for target in targets if "://" in target or target.startswith((f"{kind}/", "urn:")))
        if not of_kind:
            raise unreadable(f"{parameter.code}:{kind}", raw, f"the id of a {kind}")
        kept.append(Target(of_kind))
    return Filter(type, parameter, None, tuple(kept))


def _or_chain(found: Filter, type: str, name: str, raw: str, reading: Reading, depth: int) -> Clause:
    try:
        return AnyOf((found, _chain(type, name, raw, reading, depth)))
    except Refusal:
        return found


def _chain(type: str, name: str, raw: str, reading: Reading, depth: int) -> Clause:
    head, _, rest = name.partition(".")
    code, _, kind = head.partition(":")
    known = search_parameters(type)
    parameter = known.get(code)
    if parameter is None:
        raise unknown_parameter(type, code, known)
    if parameter.type != "reference":
        raise unsupported_parameter(type, name, f"'{code}' is no reference, so nothing can be chained to it")
    allowed = targets_of(parameter)
    if kind and kind not in allowed:
        raise unsupported_modifier(code, kind, allowed)
    found: list[tuple[str, Clause]] = []
    refused: Refusal | None = None
    for target in (kind,) if kind else allowed:
        try:
            found.append((target, clause(target, rest, raw, reading, depth + 1)))
        except Refusal as refusal:
            refused = refused or refusal
    if not found:
        raise refused or unsupported_parameter(type, name, f"'{code}' leads to no type")
    return Chain(type, parameter, tuple(found))


def _has(type: str, name: str, raw: str, reading: Reading, depth: int) -> Clause:
    parts = name.split(":", 3)
    if len(parts) != 4:
        raise unreadable("_has", name, "_has:Type:reference:parameter=value")
    _, source, code, rest = parts
    if not is_resource_type(source):
        raise unreadable("_has", source, "a resource type", resource_types())
    references = {c: p for c, p in search_parameters(source).items() if p.type == "reference"}
    parameter = references.get(code)
    if parameter is None:
        raise unknown_parameter(source, code, references)
    if type not in targets_of(parameter):
        raise unsupported_parameter(source, code, f"it does not refer to a {type}")
    return Has(type, source, parameter, clause(source, rest, raw, reading, depth + 1))


def _composite(type: str, parameter: SearchParameter, modifier: str, raw: str, reading: Reading) -> Clause:
    """Parts of one and the same element: exact where the element is the resource itself, refused where it repeats."""
    if modifier:
        raise unsupported_modifier(parameter.code, modifier, ())
    if parameter.expression != type:
        raise unsupported_parameter(type, parameter.code, "its parts belong to an element that repeats")
    known = search_parameters(type)
    found: list[Clause] = []
    for alternative in split(raw, ","):
        parts = split(alternative, "$")
        if len(parts) != len(parameter.components):
            wanted = "$".join(component.code for component in parameter.components)
            raise unreadable(parameter.code, alternative, wanted)
        found.append(
            AllOf(
                tuple(
                    _filter(type, known[component.code], component.code, "", part, reading)
                    for component, part in zip(parameter.components, parts, strict=True)
                )
            )
        )
    return found[0] if len(found) == 1 else AnyOf(tuple(found))
