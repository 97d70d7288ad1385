"""Invariants as Python conditions: what is presence, equality and counting is written out, the rest is evaluated.

A condition is an expression on `o`, the object that the invariant is about, whose shape is known. A part that this
translation does not know becomes a call of the FHIRPath evaluator on that part alone, so that `value.empty() or …`
costs a dictionary look-up when there is no value.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ambroise.fhir import definitions
from ambroise.fhir.definitions import Element
from ambroise.fhir.paths.nodes import DATE_TYPES, is_primitive
from ambroise.fhir.paths.syntax import Binary, Call, Expression, Literal, Member, This, Variable, parse

# Held elsewhere: by the walk itself, by the reference and contained checks, or not checked (see the README).
BUILT_IN: Final = frozenset({"dom-2", "dom-3", "dom-4", "dom-5", "ref-1", "sqty-1"})
# Written by hand because every write of a transaction passes them.
_BY_HAND: Final = {"bdl-7": "distinct_entries({})"}
NOT_EVALUATED: Final[dict[str, str]] = {
    "ctm-1": "needs the team member to be read",
    "eld-19": "its regular expression nests repetitions, which could be made to run for ever",
}
_CONSTANTS: Final = {"ucum": "http://unitsofmeasure.org"}


class _Unknown(Exception):
    """This part is left to the evaluator."""


class _Stream(msgspec.Struct, frozen=True):
    """A way to values: clauses of a comprehension, the variable that holds each, and what it is."""

    clauses: str
    variable: str
    shape: str
    element: Element | None = None


Defer = Callable[[Expression, str, str], str]


class Translator:
    """Writes the conditions of one shape; `defer` names the call for what is left to the evaluator."""

    def __init__(self, defer: Defer) -> None:
        self._defer = defer
        self._count = 0

    def condition(self, key: str, shape: str, variable: str) -> str | None:
        """The Python of an invariant on `variable`, or None when it is not checked here."""
        constraint = definitions.constraints()[key]
        if key in BUILT_IN or key in NOT_EVALUATED or constraint.severity != "error":
            return None
        if key in _BY_HAND:
            return _BY_HAND[key].format(variable)
        return self._truth(parse(constraint.expression), _Stream("", variable, shape))

    def _truth(self, expression: Expression, focus: _Stream) -> str:
        try:
            return self._known(expression, focus)
        except _Unknown:
            return self._defer(expression, focus.shape, focus.variable)

    def _known(self, expression: Expression, focus: _Stream) -> str:
        match expression:
            case Binary("and" | "or" as word, left, right):
                return f"({self._truth(left, focus)} {word} {self._truth(right, focus)})"
            case Binary("implies", left, right):
                return f"(not {self._truth(left, focus)} or {self._truth(right, focus)})"
            case Binary("xor", left, right):
                return f"({self._truth(left, focus)} != {self._truth(right, focus)})"
            case Binary("=" | "!=" as sign, left, right):
                return self._equality(sign, left, right, focus)
            case Binary("in", Member() as left, right):
                return f"({self._single(left, focus)} in {set(self._constants(right))!r})"
            case Binary("<" | ">" | "<=" | ">=" as sign, left, right):
                return self._order(sign, left, right, focus)
            case Call(source, name, arguments) if source is not None:
                return self._call(source, name, arguments, focus)
            case Member(_, _):
                return f"({self._single(expression, focus)} is True)"
            case _:
                raise _Unknown

    def _call(self, source: Expression, name: str, arguments: tuple[Expression, ...], focus: _Stream) -> str:
        match name, arguments:
            case "exists", ():
                return self._some(source, focus)
            case "exists", (condition,):
                return self._some(Call(source, "where", (condition,)), focus)
            case "empty", ():
                return f"(not {self._some(source, focus)})"
            case "not", ():
                return f"(not {self._known(source, focus)})"
            case "hasValue", ():
                return f"({self._single(source, focus)} is not None)"
            case "all", (condition,):
                stream = self._stream(source, focus)
                return f"all({self._truth(condition, self._item(stream))} {stream.clauses})"
            case "contains", (Literal(str(part), _),):
                return f"({part!r} in ({self._single(source, focus)} or ''))"
            case "startsWith", (Literal(str(start), _),):
                return f"str({self._single(source, focus)}).startswith({start!r})"
            case _:
                raise _Unknown

    def _item(self, stream: _Stream) -> _Stream:
        return _Stream("", stream.variable, stream.shape, stream.element)

    def _some(self, source: Expression, focus: _Stream) -> str:
        """Whether `source` has a value or an element that only has extensions."""
        match source:
            case Member(parent, name):
                holder = self._stream(parent, focus) if parent is not None else focus
                present = self._present(name, holder)
                return f"any({present} {holder.clauses})" if holder.clauses else present
            case Call(_, "where" | "first", _) | Binary("|", _, _):
                if isinstance(source, Binary):
                    return f"({self._some(source.left, focus)} or {self._some(source.right, focus)})"
                stream = self._stream(source, focus)
                return f"any(True {stream.clauses})" if stream.clauses else "True"
            case _:
                raise _Unknown

    def _present(self, name: str, holder: _Stream) -> str:
        element = self._element(name, holder)
        variable = holder.variable
        if element.choice:
            keys = {key for key, _ in element.keys} | {f"_{k}" for k, ref in element.keys if is_primitive(ref.code)}
            return f"(not {variable}.keys().isdisjoint({set(sorted(keys))!r}))"
        if is_primitive(element.types[0].code):
            return f"({name!r} in {variable} or {'_' + name!r} in {variable})"
        return f"({name!r} in {variable})"

    def _element(self, name: str, holder: _Stream) -> Element:
        if is_primitive(holder.shape) or holder.shape == "Resource":
            raise _Unknown
        element = definitions.shape(holder.shape).element(name)
        if element is None:
            raise _Unknown
        return element

    def _stream(self, path: Expression | None, focus: _Stream) -> _Stream:
        match path:
            case None | This():
                return focus
            case Member(None, name) if name[0].isupper():
                if name != focus.shape:
                    raise _Unknown
                return focus
            case Member(source, name):
                return self._into(name, self._stream(source, focus))
            case Call(source, "where", (condition,)):
                stream = self._stream(source, focus)
                return _Stream(
                    f"{stream.clauses or 'for _ in (0,)'} if {self._truth(condition, self._item(stream))}",
                    stream.variable,
                    stream.shape,
                    stream.element,
                )
            case _:
                raise _Unknown

    def _into(self, name: str, holder: _Stream) -> _Stream:
        element = self._element(name, holder)
        if element.choice:
            raise _Unknown
        self._count += 1
        variable = f"x{self._count}"
        source = f"{holder.variable}.get({name!r}, ())" if element.repeats else f"one({holder.variable}, {name!r})"
        clause = f"{holder.clauses} for {variable} in {source}".strip()
        if element.repeats and is_primitive(element.types[0].code):
            clause += f" if {variable} is not None"
        return _Stream(clause, variable, element.shape or element.types[0].code, element)

    def _single(self, path: Expression, focus: _Stream) -> str:
        """The value of a primitive that does not repeat, or None."""
        match path:
            case Member(Variable("resource"), name):
                return f"c.resource.get({name!r})"
            case This() if focus.element is not None and is_primitive(focus.shape):
                return focus.variable
            case Member(None, name):
                holder = focus
            case Member(Member(None, first), name) if first == focus.shape:
                holder = focus
            case Member(Member() as source, name):
                holder = self._stream(source, focus)
                if holder.clauses.count(" for ") or "one(" not in holder.clauses:
                    raise _Unknown
                element = self._element(name, holder)
                if element.choice or element.repeats or not is_primitive(element.types[0].code):
                    raise _Unknown
                return f"next(({holder.variable}.get({name!r}) {holder.clauses}), None)"
            case _:
                raise _Unknown
        element = self._element(name, holder)
        if element.choice or element.repeats or not is_primitive(element.types[0].code):
            raise _Unknown
        return f"{holder.variable}.get({name!r})"

    def _constants(self, path: Expression) -> list[Any]:
        match path:
            case Literal(value, "string" | "number" | "boolean"):
                return [value]
            case Variable(name) if name in _CONSTANTS:
                return [_CONSTANTS[name]]
            case Binary("|", left, right):
                return self._constants(left) + self._constants(right)
            case _:
                raise _Unknown

    def _equality(self, sign: str, left: Expression, right: Expression, focus: _Stream) -> str:
        operator = "==" if sign == "=" else "!="
        try:
            (constant,) = self._constants(right)
        except _Unknown:
            # Two conditions that must agree: start.exists() = end.exists().
            return f"({self._known(left, focus)} {operator} {self._known(right, focus)})"
        if isinstance(left, Binary) or (isinstance(left, Call) and left.name == "count"):
            return f"({self._length(left, focus)} {operator} {constant!r})"
        return f"({self._single(left, focus)} {operator} {constant!r})"

    def _order(self, sign: str, left: Expression, right: Expression, focus: _Stream) -> str:
        match left, right:
            case Call(_, "count", ()) | Binary("+", _, _), Literal(int(limit), _):
                return f"({self._length(left, focus)} {sign} {limit})"
            case Member(None, _), Literal(int(limit), _):
                return f"in_number_order({self._single(left, focus)}, {sign!r}, {limit})"
            case Member(None, first), Member(None, second):
                element, other = self._element(first, focus), self._element(second, focus)
                if {element.types[0].code, other.types[0].code} <= DATE_TYPES and not element.choice:
                    return f"in_order({focus.variable}.get({first!r}), {sign!r}, {focus.variable}.get({second!r}))"
                raise _Unknown
            case _:
                raise _Unknown

    def _length(self, counts: Expression, focus: _Stream) -> str:
        """How many values a count, or a sum of counts, finds."""
        match counts:
            case Binary("+", left, right):
                return f"({self._length(left, focus)} + {self._length(right, focus)})"
            case Call(Member(None, name), "count", ()):
                element = self._element(name, focus)
                if element.repeats and not is_primitive(element.types[0].code):
                    return f"len({focus.variable}.get({name!r}, ()))"
                if element.repeats or element.choice:
                    raise _Unknown
                return f"int({self._present(name, focus)})"
            case _:
                raise _Unknown
