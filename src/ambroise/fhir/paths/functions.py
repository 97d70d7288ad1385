"""The functions of FHIRPath: plain ones, those that loop over a condition, those that see the whole resource."""

import re
from collections.abc import Callable, Iterable
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


_MAX_PATTERN: Final = 300
_MAX_SEARCHED: Final = 5_000
_REPEATS: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[*+?{()|]|[^\\\[*+?{()|]+|.", re.DOTALL)


@lru_cache(maxsize=256)
def _pattern(expression: str) -> re.Pattern[str]:
    """A regular expression that cannot take for ever: short, few open repetitions, none inside another."""
    if len(expression) > _MAX_PATTERN:
        raise PathError(f"A regular expression of more than {_MAX_PATTERN} characters is not run.")
    if not _runs_in_bounded_time(expression):
        raise PathError(f"The regular expression '{expression}' nests a repetition, or has more than two open ones.")
    try:
        return re.compile(expression)
    except re.error as error:
        raise PathError(f"The regular expression is not readable: {error}.") from error


def _runs_in_bounded_time(expression: str) -> bool:
    words: list[str] = _REPEATS.findall(expression)
    open_repeats = 0
    groups: list[bool] = []  # for each open group: whether it repeats or chooses inside
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == "(":
            groups.append(False)
        elif word == ")" and groups:
            varied = groups.pop()
            if varied and following in ("*", "+", "{"):
                return False
            if varied and groups:
                groups[-1] = True
        elif word in ("*", "+", "{", "|"):
            open_repeats += word in ("*", "+")
            if groups:
                groups[-1] = True
    return open_repeats <= 2


def _searched(value: str) -> str:
    if len(value) > _MAX_SEARCHED:
        raise PathError(f"A regular expression is not run on more than {_MAX_SEARCHED} characters.")
    return value


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


def _of_all(wanted: bool, combine: Callable[[Iterable[bool]], bool]) -> Function:
    def run(items: Collection) -> Collection:
        return [combine(boolean([item]) is wanted for item in items)]

    return run


def _skip(items: Collection, count: Collection) -> Collection:
    return items[max(0, _number_argument(count)) :]


def _take(items: Collection, count: Collection) -> Collection:
    return items[: max(0, _number_argument(count))]


def _among(item: Any, others: Collection) -> bool:
    return any(same(item, other) for other in others)


def _combine(items: Collection, others: Collection) -> Collection:
    return [*items, *others]


def _union(items: Collection, others: Collection) -> Collection:
    return distinct([*items, *others])


def _intersect(items: Collection, others: Collection) -> Collection:
    return distinct([item for item in items if _among(item, others)])


def _exclude(items: Collection, others: Collection) -> Collection:
    return [item for item in items if not _among(item, others)]


def _subset(items: Collection, others: Collection) -> Collection:
    return [all(_among(item, others) for item in items)]


def _superset(items: Collection, others: Collection) -> Collection:
    return _subset(others, items)


def _trace(items: Collection, _name: Collection, _projection: Collection | None = None) -> Collection:
    return items


def _part_of(value: str, part: str) -> bool:
    return part in value


def _matches(value: str, expression: str) -> bool:
    return _pattern(expression).search(_searched(value)) is not None


def _replace_matches(value: str, expression: str, other: str) -> str:
    return _pattern(expression).sub(other, _searched(value))


def _to_chars(items: Collection) -> Collection:
    return [character for item in items for character in text(item)]


def _split(items: Collection, separator: Collection) -> Collection:
    mark = _text_argument(separator)
    return [part for item in items for part in (text(item).split(mark) if mark else text(item))]


def _join(items: Collection, separator: Collection | None = None) -> Collection:
    return [("" if separator is None else _text_argument(separator)).join(text(item) for item in items)]


def _get_value(items: Collection) -> Collection:
    return [raw(item) for item in items if raw(item) is not None]


def _empty(items: Collection) -> Collection:
    return [not items]


def _count(items: Collection) -> Collection:
    return [len(items)]


def _first(items: Collection) -> Collection:
    return items[:1]


def _last(items: Collection) -> Collection:
    return items[-1:]


def _tail(items: Collection) -> Collection:
    return items[1:]


def _is_distinct(items: Collection) -> Collection:
    return [len(distinct(items)) == len(items)]


def _to_string(items: Collection) -> Collection:
    return [text(item) for item in items[:1]]


def _abs(items: Collection) -> Collection:
    return [abs(raw(item)) for item in items[:1]]


PLAIN: Final[dict[str, Function]] = {
    "empty": _empty,
    "not": _not,
    "count": _count,
    "first": _first,
    "last": _last,
    "tail": _tail,
    "skip": _skip,
    "take": _take,
    "single": _single,
    "distinct": distinct,
    "isDistinct": _is_distinct,
    "combine": _combine,
    "union": _union,
    "intersect": _intersect,
    "exclude": _exclude,
    "subsetOf": _subset,
    "supersetOf": _superset,
    "allTrue": _of_all(True, all),
    "anyTrue": _of_all(True, any),
    "allFalse": _of_all(False, all),
    "anyFalse": _of_all(False, any),
    "extension": _extension,
    "hasValue": _has_value,
    "getValue": _get_value,
    "children": _children,
    "descendants": _descendants,
    "trace": _trace,
    "startsWith": _on_text(str.startswith),
    "endsWith": _on_text(str.endswith),
    "contains": _on_text(_part_of),
    "indexOf": _on_text(str.find),
    "substring": _on_text(_substring),
    "matches": _on_text(_matches),
    "replaceMatches": _on_text(_replace_matches),
    "replace": _on_text(str.replace),
    "upper": _on_text(str.upper),
    "lower": _on_text(str.lower),
    "trim": _on_text(str.strip),
    "length": _on_text(len),
    "toChars": _to_chars,
    "split": _split,
    "join": _join,
    "toString": _to_string,
    "toInteger": _to_integer,
    "toDecimal": _to_decimal,
    "abs": _abs,
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
