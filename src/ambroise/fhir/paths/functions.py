"""The functions of FHIRPath: plain ones, those that loop over a condition, and those that look at the whole resource."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, cast

from ambroise.fhir.paths.nodes import Node
from ambroise.fhir.paths.operators import boolean, distinct, raw, same, text
from ambroise.fhir.paths.syntax import PathError

Collection = list[Any]
Test = Callable[[Any, int], Collection]
Loop = Callable[[Collection, "Test | None"], Collection]
Function = Callable[..., Collection]


def is_true(items: Collection) -> bool:
    """Whether a condition holds."""
    return boolean(items) is True


def _where(items: Collection, test: Test | None) -> Collection:
    return [item for index, item in enumerate(items) if test is None or is_true(test(item, index))]


def _exists(items: Collection, test: Test | None) -> Collection:
    return [bool(_where(items, test))]


def _all(items: Collection, test: Test | None) -> Collection:
    return [all(test is None or is_true(test(item, index)) for index, item in enumerate(items))]


def _select(items: Collection, test: Test | None) -> Collection:
    return [found for index, item in enumerate(items) for found in (test(item, index) if test else ())]


def _repeat(items: Collection, test: Test | None) -> Collection:
    found: Collection = []
    waiting = list(items)
    while waiting:
        following = _select(waiting, test)
        waiting = [item for item in following if not any(item is other or same(item, other) for other in found)]
        found += waiting
    return found


LOOPS: Final[dict[str, Loop]] = {
    "where": _where,
    "exists": _exists,
    "all": _all,
    "select": _select,
    "repeat": _repeat,
}
LOOPS_WITHOUT_CRITERIA: Final = frozenset({"exists"})


def _extension(items: Collection, url: Collection) -> Collection:
    wanted = _text_argument(url)
    return [
        extension
        for item in items
        if isinstance(item, Node)
        for extension in item.child("extension")
        if extension.value.get("url") == wanted
    ]


def _has_value(items: Collection) -> Collection:
    return [len(items) == 1 and raw(items[0]) is not None and not isinstance(raw(items[0]), dict)]


def _children(items: Collection) -> Collection:
    return [child for item in items if isinstance(item, Node) for child in item.children()]


def _descendants(items: Collection) -> Collection:
    found: Collection = []
    waiting = _children(items)
    while waiting:
        found += waiting
        waiting = _children(waiting)
    return found


def _not(items: Collection) -> Collection:
    value = boolean(items)
    return [] if value is None else [not value]


def _single(items: Collection) -> Collection:
    if len(items) > 1:
        raise PathError(f"single() found {len(items)} values.")
    return items


def _text_argument(items: Collection) -> str:
    if len(items) != 1 or not isinstance(raw(items[0]), str):
        raise PathError("A text is wanted as argument.")
    return raw(items[0])


def _number_argument(items: Collection) -> int:
    if len(items) != 1 or not isinstance(raw(items[0]), int):
        raise PathError("An integer is wanted as argument.")
    return raw(items[0])


def _on_text(change: Callable[..., Any]) -> Function:
    """A function of one text; empty gives empty."""

    def run(items: Collection, *arguments: Collection) -> Collection:
        if not items or raw(items[0]) is None:
            return []
        if len(items) > 1 or not isinstance(raw(items[0]), str):
            raise PathError("A text function is used on what is not one text.")
        if any(not argument for argument in arguments):
            return []
        result = change(raw(items[0]), *(raw(argument[0]) for argument in arguments))
        return [] if result is None else [result]

    return run


@lru_cache(maxsize=256)
def _pattern(expression: str) -> re.Pattern[str]:
    if len(expression) > 300:
        raise PathError("A regular expression of more than 300 characters is not run.")
    try:
        return re.compile(expression)
    except re.error as error:
        raise PathError(f"The regular expression is not readable: {error}.") from error


def _substring(value: str, start: int, length: int | None = None) -> str | None:
    if not 0 <= start < len(value):
        return None
    return value[start:] if length is None else value[start : start + length]


def _to_integer(items: Collection) -> Collection:
    if not items:
        return []
    value = raw(items[0])
    if isinstance(value, int):
        return [int(value)]
    return [int(value)] if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value) else []


def _to_decimal(items: Collection) -> Collection:
    if not items:
        return []
    try:
        return [Decimal(text(items[0]))]
    except InvalidOperation:
        return []


def _of_all(test: Callable[[bool | None], bool], combine: Callable[..., bool]) -> Function:
    return lambda items: [combine(test(boolean([item])) for item in items)]


def _subset(items: Collection, others: Collection) -> Collection:
    return [all(any(same(item, other) for other in others) for item in items)]


def _split(value: str, separator: str) -> list[str]:
    return value.split(separator) if separator else list(value)


def _join(items: Collection, separator: Collection | None = None) -> Collection:
    return [("" if separator is None else _text_argument(separator)).join(text(item) for item in items)]


PLAIN: Final[dict[str, Function]] = {
    "empty": lambda items: [not items],
    "not": _not,
    "count": lambda items: [len(items)],
    "first": lambda items: items[:1],
    "last": lambda items: items[-1:],
    "tail": lambda items: items[1:],
    "skip": lambda items, count: items[max(0, _number_argument(count)) :],
    "take": lambda items, count: items[: max(0, _number_argument(count))],
    "single": _single,
    "distinct": distinct,
    "isDistinct": lambda items: [len(distinct(items)) == len(items)],
    "combine": lambda items, others: [*items, *others],
    "union": lambda items, others: distinct([*items, *others]),
    "intersect": lambda items, others: distinct([i for i in items if any(same(i, other) for other in others)]),
    "exclude": lambda items, others: [i for i in items if not any(same(i, other) for other in others)],
    "subsetOf": _subset,
    "supersetOf": lambda items, others: _subset(others, items),
    "allTrue": _of_all(lambda value: value is True, all),
    "anyTrue": _of_all(lambda value: value is True, any),
    "allFalse": _of_all(lambda value: value is False, all),
    "anyFalse": _of_all(lambda value: value is False, any),
    "extension": _extension,
    "hasValue": _has_value,
    "getValue": lambda items: [raw(item) for item in items if raw(item) is not None],
    "children": _children,
    "descendants": _descendants,
    "trace": lambda items, _name, _projection=None: items,
    "startsWith": _on_text(lambda value, prefix: value.startswith(prefix)),
    "endsWith": _on_text(lambda value, suffix: value.endswith(suffix)),
    "contains": _on_text(lambda value, part: part in value),
    "indexOf": _on_text(lambda value, part: value.find(part)),
    "substring": _on_text(_substring),
    "matches": _on_text(lambda value, expression: _pattern(expression).search(value) is not None),
    "replaceMatches": _on_text(lambda value, expression, other: _pattern(expression).sub(other, value)),
    "replace": _on_text(lambda value, part, other: value.replace(part, other)),
    "upper": _on_text(str.upper),
    "lower": _on_text(str.lower),
    "trim": _on_text(str.strip),
    "length": _on_text(len),
    "toChars": lambda items: [character for item in items for character in text(item)],
    "split": lambda items, separator: [part for i in items for part in _split(text(i), _text_argument(separator))],
    "join": _join,
    "toString": lambda items: [text(item) for item in items[:1]],
    "toInteger": _to_integer,
    "toDecimal": _to_decimal,
    "abs": lambda items: [abs(raw(item)) for item in items[:1]],
}
ARITY: Final[dict[str, tuple[int, int]]] = {
    **dict.fromkeys(("skip", "take", "combine", "union", "intersect", "exclude", "subsetOf", "supersetOf"), (1, 1)),
    **dict.fromkeys(("extension", "startsWith", "endsWith", "contains", "indexOf", "matches", "split"), (1, 1)),
    "substring": (1, 2),
    "replace": (2, 2),
    "replaceMatches": (2, 2),
    "join": (0, 1),
    "trace": (1, 2),
}


def _resolve(items: Collection, root: Node) -> Collection:
    """The contained resources that references name, the resource itself for `#`; nothing is fetched."""
    found: Collection = []
    for item in items:
        value = raw(item)
        if isinstance(value, dict):
            value = cast(dict[str, Any], value).get("reference")
        if value == "#":
            found.append(root)
        elif isinstance(value, str) and value[:1] == "#":
            found += [node for node in root.child("contained") if node.value.get("id") == value[1:]]
    return found


WITH_SCOPE: Final[dict[str, Callable[[Collection, Node], Collection]]] = {"resolve": _resolve}
