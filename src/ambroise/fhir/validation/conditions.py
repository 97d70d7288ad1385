"""What the translated invariants call: order of dates, and the evaluator for the parts that it does."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from ambroise.fhir.paths.evaluation import compile_expression, truth_on
from ambroise.fhir.paths.nodes import Node
from ambroise.fhir.paths.ranges import date_range
from ambroise.fhir.paths.syntax import Expression, PathError
from ambroise.fhir.validation.context import Context

_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def one(holder: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    """The value of `key` as a collection."""
    return (holder[key],) if key in holder else ()


def in_number_order(value: object, sign: str, limit: int) -> bool:
    """Whether a number is on the right side of a limit; true when there is none."""
    return value is None or _ORDER[sign](value, limit)


def distinct_entries(bundle: Mapping[str, Any]) -> bool:
    """Whether no two entries of a bundle that is no history have the same fullUrl and version (bdl-7)."""
    if bundle.get("type") == "history":
        return True
    entries = [entry for entry in bundle.get("entry", ()) if "fullUrl" in entry]
    seen = {(e["fullUrl"], e.get("resource", {}).get("meta", {}).get("versionId")) for e in entries}
    return len(seen) == len(entries)


def in_order(first: object, sign: str, second: object) -> bool:
    """Whether two dates are in order; true when one is missing or their precision leaves it open."""
    if not isinstance(first, str) or not isinstance(second, str) or first == second:
        return first != second or sign in ("<=", ">=") or first is None
    left, right = date_range(first), date_range(second)
    if left[1] > right[0] and right[1] > left[0] and left != right:
        return True
    return _ORDER[sign](left[0], right[0])


def deferred(expression: Expression, shape: str) -> Callable[[Any, Context], bool]:
    """A condition left to the FHIRPath evaluator."""
    compiled = compile_expression(expression)

    def condition(o: Any, c: Context) -> bool:
        resource = Node(c.resource, str(c.resource.get("resourceType")))
        root = resource if c.root is c.resource else Node(c.root, str(c.root.get("resourceType")))
        focus = resource if o is c.resource else Node(o, shape, shape)
        try:
            return truth_on(compiled, focus, resource, root)
        except PathError:
            # Such as one value wanted where there are two: the invariant does not foresee this resource.
            return True

    return condition
