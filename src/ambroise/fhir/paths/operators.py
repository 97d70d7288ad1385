"""The operators of FHIRPath on collections; an empty operand gives an empty result where the standard says so."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from ambroise.fhir.paths.nodes import DATE_TYPES, Node
from ambroise.fhir.paths.ranges import date_range
from ambroise.fhir.paths.syntax import PathError

Collection = list[Any]


def raw(item: Any) -> Any:
    """The JSON or computed value of an item."""
    return item.value if isinstance(item, Node) else item


def _one(items: Collection) -> Any:
    if len(items) > 1:
        raise PathError(f"One value is wanted where there are {len(items)}.")
    return items[0]


def boolean(items: Collection) -> bool | None:
    """A collection as a condition: empty is None, one boolean is itself, any other single value is true."""
    if not items:
        return None
    value = raw(_one(items))
    return value if isinstance(value, bool) else True


def _and(left: Collection, right: Collection) -> Collection:
    first, second = boolean(left), boolean(right)
    if first is False or second is False:
        return [False]
    return [] if first is None or second is None else [True]


def _or(left: Collection, right: Collection) -> Collection:
    first, second = boolean(left), boolean(right)
    if first or second:
        return [True]
    return [] if first is None or second is None else [False]


def _xor(left: Collection, right: Collection) -> Collection:
    first, second = boolean(left), boolean(right)
    return [] if first is None or second is None else [first != second]


def _implies(left: Collection, right: Collection) -> Collection:
    first, second = boolean(left), boolean(right)
    if first is False or second is True:
        return [True]
    return [] if first is None or second is None else [not first or second]


def same(left: Any, right: Any) -> bool:
    """Whether two items are equal; numbers by value, the rest by content."""
    first, second = raw(left), raw(right)
    if isinstance(first, bool) != isinstance(second, bool):
        return False
    return first == second


def _equal(left: Collection, right: Collection) -> Collection:
    if not left or not right:
        return []
    return [len(left) == len(right) and all(map(same, left, right))]


def _not(items: Collection) -> Collection:
    value = boolean(items)
    return [] if value is None else [not value]


def _equivalent(left: Collection, right: Collection) -> Collection:
    if len(left) != len(right):
        return [False]
    return [all(any(_alike(item, other) for other in right) for item in left)]


def _alike(left: Any, right: Any) -> bool:
    first, second = raw(left), raw(right)
    if isinstance(first, str) and isinstance(second, str):
        return " ".join(first.lower().split()) == " ".join(second.lower().split())
    return same(left, right)


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Collection, Collection], Collection]:
    def run(left: Collection, right: Collection) -> Collection:
        if not left or not right:
            return []
        first, second = _one(left), _one(right)
        pair = _comparable(first, second)
        return [] if pair is None else [test(*pair)]

    return run


def _comparable(first: Any, second: Any) -> tuple[Any, Any] | None:
    """The two values on one scale; None when their precision or units leave their order open."""
    left, right = raw(first), raw(second)
    if isinstance(left, dict) and isinstance(right, dict):
        return _comparable_quantities(cast(dict[str, Any], left), cast(dict[str, Any], right))
    if left is None or right is None:
        return None
    if isinstance(left, str) and isinstance(right, str):
        if _dated(first) or _dated(second):
            return _comparable_dates(left, right)
        return left, right
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return left, right
    raise PathError(f"{left!r} and {right!r} have no order.")


def _dated(item: Any) -> bool:
    return isinstance(item, Node) and item.type in DATE_TYPES


def _comparable_dates(left: str, right: str) -> tuple[Any, Any] | None:
    if left == right or left[2:3] == ":":
        return left, right
    first, second = date_range(left), date_range(right)
    if first[1] <= second[0] or second[1] <= first[0] or first == second:
        return first[0], second[0]
    return None


def _comparable_quantities(left: dict[str, Any], right: dict[str, Any]) -> tuple[Any, Any] | None:
    if "value" not in left or "value" not in right:
        return None
    if (left.get("system"), left.get("code")) != (right.get("system"), right.get("code")):
        return None
    if left.get("code") is None and left.get("unit") != right.get("unit"):
        return None
    return left["value"], right["value"]


def _union(left: Collection, right: Collection) -> Collection:
    return distinct([*left, *right])


def distinct(items: Collection) -> Collection:
    """The items without repetition, in order."""
    found: Collection = []
    plain: set[tuple[bool, Any]] = set()
    structures: Collection = []
    for item in items:
        value = raw(item)
        if isinstance(value, dict | list) or value is None:
            # An object, or a primitive with only extensions: compared one by one.
            if not any(item is other or (value is not None and same(item, other)) for other in structures):
                structures.append(item)
                found.append(item)
        elif (key := (isinstance(value, bool), value)) not in plain:
            plain.add(key)
            found.append(item)
    return found


def _in(left: Collection, right: Collection) -> Collection:
    if not left:
        return []
    item = _one(left)
    return [any(same(item, other) for other in right)]


def _contains(left: Collection, right: Collection) -> Collection:
    return _in(right, left)


def _join(left: Collection, right: Collection) -> Collection:
    return ["".join("" if not items else text(_one(items)) for items in (left, right))]


def text(item: Any) -> str:
    """An item as FHIRPath writes it."""
    value = raw(item)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _plus(left: Collection, right: Collection) -> Collection:
    if not left or not right:
        return []
    first, second = raw(_one(left)), raw(_one(right))
    if isinstance(first, str) != isinstance(second, str):
        raise PathError("+ takes two numbers or two strings.")
    return [first + second]


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[[Collection, Collection], Collection]:
    def run(left: Collection, right: Collection) -> Collection:
        if not left or not right:
            return []
        first, second = raw(_one(left)), raw(_one(right))
        if not all(isinstance(value, int | Decimal) for value in (first, second)):
            raise PathError("Arithmetic takes two numbers.")
        try:
            return [compute(first, second)]
        except (ArithmeticError, ValueError):
            return []

    return run


def negated(items: Collection) -> Collection:
    """The opposite of one number."""
    return [-raw(_one(items))] if items else []


OPERATORS: dict[str, Callable[[Collection, Collection], Collection]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
    "=": _equal,
    "!=": lambda left, right: _not(_equal(left, right)),
    "~": _equivalent,
    "!~": lambda left, right: _not(_equivalent(left, right)),
    "<": _compare(lambda left, right: left < right),
    ">": _compare(lambda left, right: left > right),
    "<=": _compare(lambda left, right: left <= right),
    ">=": _compare(lambda left, right: left >= right),
    "|": _union,
    "in": _in,
    "contains": _contains,
    "&": _join,
    "+": _plus,
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(lambda left, right: Decimal(left) / Decimal(right)),
    "div": _arithmetic(lambda left, right: int(Decimal(left) / Decimal(right))),
    "mod": _arithmetic(lambda left, right: left % right),
}
