"""A search of the published directory: its parameters, read with care, as conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory.published.conditions import condition_of
from ambroise.modules.directory.published.parameters import INCLUDES, PARAMETERS, REVINCLUDES
from ambroise.modules.directory.published.values import Condition, any_of, checked_id, invalid, updated

DEFAULT_COUNT: Final = 50
MOST: Final = 500
CURSOR: Final = "_cursor"
_MOST_VALUES: Final = 50
_PASSED: Final = frozenset({"_format", "_pretty", "_summary"})


class Search(Struct, frozen=True):
    """What to look for in one type, and how to show it."""

    type: str
    conditions: tuple[Condition, ...]
    count: int = DEFAULT_COUNT
    after: str | None = None
    total: bool = False
    elements: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    revinclude: frozenset[str] = frozenset()
    asked: tuple[tuple[str, str], ...] = field(default=())


def search_of(type: str, pairs: Sequence[tuple[str, str]]) -> Search:
    """Read the parameters of a search. Refuses SEARCH_PARAMETER_UNKNOWN, SEARCH_VALUE_INVALID."""
    conditions: list[Condition] = []
    count, after, total = DEFAULT_COUNT, None, False
    elements: set[str] = set()
    include: set[str] = set()
    revinclude: set[str] = set()
    for name, value in pairs:
        plain, _, modifier = name.partition(":")
        match plain:
            case "_count":
                count = _count(value)
            case "_total":
                total = _total(value)
            case "_elements":
                elements |= {one.strip() for one in value.split(",") if one.strip()}
            case "_include":
                include |= _included(type, value)
            case "_revinclude":
                revinclude.add(_known(value, REVINCLUDES.get(type, {}), "_revinclude"))
            case "_cursor":
                after = checked_id(value)
            case "_since":
                conditions.append(updated(type, f"ge{value.removeprefix('ge')}"))
            case _ if plain in _PASSED:
                continue
            case _:
                conditions.append(_condition(type, plain, modifier, value))
    return Search(
        type,
        tuple(conditions),
        count,
        after,
        total,
        frozenset(elements),
        frozenset(include),
        frozenset(revinclude),
        tuple((name, value) for name, value in pairs if name != CURSOR),
    )


def _condition(type: str, name: str, modifier: str, value: str) -> Condition:
    if name not in PARAMETERS[type]:
        text = f"Parameter {name[:60]} not found for {type}; it takes {', '.join(PARAMETERS[type])}."
        raise Refusal(Kind.INVALID, "SEARCH_PARAMETER_UNKNOWN", text, element=name[:60])
    text_like = PARAMETERS[type][name] == "string"
    if modifier and not (text_like and modifier in ("contains", "exact")):
        raise invalid(name, f"the modifier :{modifier[:20]} is not taken here")
    values = [one for one in value.split(",") if one] if not text_like else [value]
    if not values or len(values) > _MOST_VALUES or any(len(one) > 300 for one in values):
        raise invalid(name, "give a value, at most 50 of them")
    if name == "_lastUpdated":
        return updated(type, value)
    found = [condition_of(type, name, modifier, one) for one in values]
    if len(found) == 1:
        return found[0]
    return any_of(found)


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise invalid("_count", "give a number")
    return min(int(value[:9]), MOST)


def _total(value: str) -> bool:
    if value not in ("none", "estimate", "accurate"):
        raise invalid("_total", "say none, estimate or accurate")
    return value != "none"


def _included(type: str, value: str) -> set[str]:
    known = INCLUDES.get(type, {})
    if value == "*":
        return set(known)
    return {_known(value.removeprefix(f"{type}:"), known, "_include")}


def _known(value: str, known: Mapping[str, str], name: str) -> str:
    if value not in known:
        raise invalid(name, f"it takes {', '.join(known) or 'nothing'} here")
    return value
