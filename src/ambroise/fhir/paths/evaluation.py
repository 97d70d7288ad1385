"""Evaluating a FHIRPath on a resource: each expression becomes a closure once, then runs on nodes.

The subset is what R4's invariants, search parameters and FHIRPath Patch use; anything else is a PathError that names
it. Collections are Python lists of Nodes (places in the resource) and plain values (results of operators).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from ambroise.fhir.paths import functions
from ambroise.fhir.paths.nodes import Node, specializes, type_of
from ambroise.fhir.paths.operators import OPERATORS, negated, raw
from ambroise.fhir.paths.syntax import (
    Binary,
    Call,
    Expression,
    Item,
    Literal,
    Member,
    PathError,
    Position,
    Sign,
    This,
    TypeTest,
    Variable,
    parse,
)

Collection = list[Any]
_CONSTANTS = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}


class Scope(msgspec.Struct):
    """What an expression sees besides its focus: the resource, the root that contains it, and the loop."""

    resource: Node
    root: Node
    focus: Collection
    index: int | None = None


Compiled = Callable[[Collection, Scope], Collection]


def select(path: str, resource: dict[str, Any]) -> list[Node]:
    """The places that `path` names in `resource`, for who wants to change them. Raises PathError.

    A path that computes instead of naming places is a PathError.
    """
    found = _run(path, resource)
    if any(not isinstance(item, Node) for item in found):
        raise PathError(f"'{path}' computes a value; a place in the resource is wanted.")
    return found


def evaluate(path: str, resource: dict[str, Any]) -> list[Any]:
    """The values of `path` on `resource`: JSON values as they stand, and computed ones. Raises PathError."""
    return [item.value if isinstance(item, Node) else item for item in _run(path, resource)]


def truth_on(condition: Compiled, focus: Node, resource: Node, root: Node) -> bool:
    """Whether a condition is not false on `focus`; one that cannot be decided (empty) is given the benefit."""
    result = condition([focus], Scope(resource, root, [focus]))
    return not result or raw(result[0]) is not False


def _run(path: str, resource: dict[str, Any]) -> Collection:
    node = Node(resource, str(resource.get("resourceType", "")))
    return compile_path(path)([node], Scope(node, node, [node]))


@lru_cache(maxsize=2048)
def compile_path(path: str) -> Compiled:
    """The closure of a path. Raises PathError."""
    return compile_expression(parse(path))


def compile_expression(expression: Expression) -> Compiled:
    """The closure of a tree. Raises PathError."""
    match expression:
        case Literal(value, _):
            constant: Collection = [] if value is None else [value]
            return lambda focus, scope: constant
        case This():
            return lambda focus, scope: focus
        case Position():
            return lambda focus, scope: [] if scope.index is None else [scope.index]
        case Variable(name):
            return _variable(name)
        case Member(source, name):
            return _member(source, name)
        case Call(source, name, arguments):
            return _call(source, name, arguments)
        case Item(source, position):
            return _item(compile_expression(source), compile_expression(position))
        case Sign(source):
            inner = compile_expression(source)
            return lambda focus, scope: negated(inner(focus, scope))
        case Binary(operator, left, right):
            return _binary(operator, compile_expression(left), compile_expression(right))
        case TypeTest("is", source, name):
            inner = compile_expression(source)
            return lambda focus, scope: [specializes(type_of(item), name) for item in inner(focus, scope)[:1]]
        case TypeTest(_, source, name):
            inner = compile_expression(source)
            return lambda focus, scope: [item for item in inner(focus, scope) if specializes(type_of(item), name)]


def _variable(name: str) -> Compiled:
    if name in ("resource",):
        return lambda focus, scope: [scope.resource]
    if name == "rootResource":
        return lambda focus, scope: [scope.root]
    if name == "context":
        return lambda focus, scope: scope.focus
    if name in _CONSTANTS:
        constant: Collection = [_CONSTANTS[name]]
        return lambda focus, scope: constant
    raise PathError(f"%{name} is not known here.")


def _member(source: Expression | None, name: str) -> Compiled:
    if source is not None:
        inner = compile_expression(source)
        return lambda focus, scope: [
            child for item in inner(focus, scope) if isinstance(item, Node) for child in item.child(name)
        ]
    if name[0].isupper():
        # The start of a path may repeat the type that it is about: Patient.name on a Patient is name.
        return lambda focus, scope: [item for item in focus if specializes(type_of(item), name)]
    return lambda focus, scope: [child for item in focus if isinstance(item, Node) for child in item.child(name)]


def _binary(operator: str, left: Compiled, right: Compiled) -> Compiled:
    apply = OPERATORS.get(operator)
    if apply is None:
        raise PathError(f"The operator '{operator}' is not supported.")
    return lambda focus, scope: apply(left(focus, scope), right(focus, scope))


def _item(source: Compiled, position: Compiled) -> Compiled:
    def run(focus: Collection, scope: Scope) -> Collection:
        index = [raw(item) for item in position(focus, scope)]
        if len(index) != 1 or not isinstance(index[0], int):
            raise PathError("An index must be one integer.")
        items = source(focus, scope)
        return [items[index[0]]] if 0 <= index[0] < len(items) else []

    return run


def _call(source: Expression | None, name: str, arguments: tuple[Expression, ...]) -> Compiled:
    inner: Compiled = compile_expression(source) if source is not None else lambda focus, scope: focus
    if name in ("is", "as", "ofType"):
        if len(arguments) != 1 or not isinstance(arguments[0], Member):
            raise PathError(f"{name}() takes one type.")
        return compile_expression(TypeTest("is" if name == "is" else "as", source or This(), arguments[0].name))
    if name == "iif":
        return _iif(inner, [compile_expression(argument) for argument in arguments])
    if looping := functions.LOOPS.get(name):
        if len(arguments) > 1 or (not arguments and name not in functions.LOOPS_WITHOUT_CRITERIA):
            raise PathError(f"{name}() takes one condition.")
        return _loop(inner, looping, compile_expression(arguments[0]) if arguments else None)
    if with_scope := functions.WITH_SCOPE.get(name):
        return lambda focus, scope: with_scope(inner(focus, scope), scope.root)
    function = functions.PLAIN.get(name)
    if function is None:
        raise PathError(f"The function {name}() is not supported.")
    compiled = [compile_expression(argument) for argument in arguments]
    least, most = functions.ARITY.get(name, (0, 0))
    if not least <= len(compiled) <= most:
        raise PathError(f"{name}() takes {least if least == most else f'{least} to {most}'} arguments.")
    # Arguments are read from where the whole expression stands, not from its source.
    return lambda focus, scope: function(inner(focus, scope), *(argument(focus, scope) for argument in compiled))


def _loop(source: Compiled, looping: functions.Loop, criteria: Compiled | None) -> Compiled:
    if criteria is None:
        return lambda focus, scope: looping(source(focus, scope), None)
    condition = criteria

    def run(focus: Collection, scope: Scope) -> Collection:
        def test(item: Any, index: int) -> Collection:
            outer, scope.index = scope.index, index
            try:
                return condition([item], scope)
            finally:
                scope.index = outer

        return looping(source(focus, scope), test)

    return run


def _iif(source: Compiled, arguments: list[Compiled]) -> Compiled:
    if len(arguments) not in (2, 3):
        raise PathError("iif() takes a condition and one or two results.")

    def run(focus: Collection, scope: Scope) -> Collection:
        items = source(focus, scope)
        chosen = functions.is_true(arguments[0](items, scope))
        if chosen:
            return arguments[1](items, scope)
        return arguments[2](items, scope) if len(arguments) == 3 else []

    return run
