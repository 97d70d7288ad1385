"""Writing the validator of a type: one Python function per shape, from the compiled definitions.

Each function takes the object, its place, the issues found so far and the root's context. It looks its elements up
one by one and counts them; only what remains uncounted (ids, extensions, choices, siblings, mistakes) is walked.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ambroise.fhir import definitions, terminology
from ambroise.fhir.definitions import Element, Shape
from ambroise.fhir.paths.nodes import is_primitive
from ambroise.fhir.paths.syntax import Expression, parse
from ambroise.fhir.validation.invariants import Translator
from ambroise.fhir.validation.primitives import PRIMITIVES

# Elements that are rare in every shape are left to the walk of what remains.
_LEFT_TO_THE_WALK: Final = frozenset({"id", "extension", "modifierExtension", "contained", "implicitRules", "language"})
_CODED: Final = frozenset({"CodeableConcept", "Coding", "Quantity"})


class Source(msgspec.Struct):
    """The text of the functions of a group of shapes and the constants that they name."""

    lines: list[str] = msgspec.field(default_factory=list[str])
    constants: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    types: set[str] = msgspec.field(default_factory=set[str])
    deferred: dict[str, tuple[Expression, str]] = msgspec.field(default_factory=dict[str, tuple[Expression, str]])

    @property
    def text(self) -> str:
        return "\n".join([*self.lines, ""])


def function_name(shape: str) -> str:
    """The name of the function that checks a shape."""
    return "V_" + shape.replace(".", "_")


def write(shapes: list[Shape]) -> Source:
    """The functions of a resource or data type and of its backbone elements."""
    source = Source()
    for shape in shapes:
        _Function(shape, source).write()
    return source


class _Function:
    def __init__(self, shape: Shape, source: Source) -> None:
        self._shape = shape
        self._source = source
        self._name = function_name(shape.name)
        self._inline = [e for e in shape.elements if not e.choice and e.name not in _LEFT_TO_THE_WALK]
        self._inline = [e for e in self._inline if e.types[0].code not in ("Resource", "xhtml")]

    def write(self) -> None:
        name = self._name
        self._line(0, f"def {name}(o, p, i, c):")
        self._line(1, "if type(o) is not dict:")
        self._line(2, "return not_object(i, p, o)")
        self._line(1, "if not o:")
        self._line(2, "return empty_object(i, p)")
        self._line(1, "n = len(o) - 1" if self._shape.kind == "resource" else "n = len(o)")
        for element in self._inline:
            self._element(element)
        self._line(1, "if n:")
        self._line(2, f"walk(o, p, i, c, {self._constant('W', self._walk_table())})")
        for element in self._shape.elements:
            if element not in self._inline and element.minimum:
                self._mandatory_choice(element)
        if self._shape.kind == "resource":
            self._line(1, "resource_rules(o, p, i, c)")
        elif self._shape.name in ("Extension", "Reference"):
            self._line(1, f"{self._shape.name.lower()}_rules(o, p, i, c)")
        self._invariants()
        self._line(0, "")

    def _line(self, depth: int, text: str) -> None:
        self._source.lines.append("    " * depth + text)

    def _constant(self, letter: str, value: object) -> str:
        name = f"{letter}_{self._name[2:]}_{len(self._source.constants)}"
        self._source.constants[name] = value
        return name

    def _element(self, element: Element) -> None:
        key = element.name
        primitive = is_primitive(element.types[0].code)
        self._line(1, f"if {key!r} in o:")
        self._line(2, f"v = o[{key!r}]; n -= 1")
        if element.repeats:
            self._repeated(element, primitive)
        elif primitive:
            self._primitive(element)
        else:
            self._line(2, f"{self._validator(element)}(v, (p, {key!r}, None), i, c)")
            self._coded(element, 2, "v", f"(p, {key!r}, None)")
        self._own_constraints(element, primitive)
        if element.minimum:
            self._line(1, f"elif '_{key}' not in o:" if primitive else "else:")
            self._line(2, f"missing(i, p, {key!r})")

    def _primitive(self, element: Element) -> None:
        key = element.name
        if element.binding:
            codes = self._constant("B", terminology.required_codes(element.binding))
            self._line(2, f"if type(v) is not str or v not in {codes}:")
            self._line(3, f"wrong_code(i, (p, {key!r}, None), v, {element.binding!r})")
        else:
            type_ = element.types[0].code
            self._line(2, f"if not is_{type_}(v):")
            self._line(3, f"wrong_value(i, (p, {key!r}, None), {type_!r}, v, {PRIMITIVES[type_][1]!r})")

    def _repeated(self, element: Element, primitive: bool) -> None:
        key = element.name
        self._line(2, "if type(v) is not list or not v:")
        self._line(3, f"not_array(i, (p, {key!r}, None), v)")
        self._line(2, "else:")
        if primitive:
            codes: object = terminology.required_codes(element.binding) if element.binding else None
            rule = self._constant("P", PrimitiveRule(key, element.types[0].code, codes, element.binding))
            self._line(3, f"primitives(v, o, p, i, {rule})")
        else:
            self._line(3, "for x, y in enumerate(v):")
            self._line(4, f"{self._validator(element)}(y, (p, {key!r}, x), i, c)")
            self._coded(element, 4, "y", f"(p, {key!r}, x)")
        if element.maximum > 1:
            self._line(3, f"if len(v) > {element.maximum}:")
            self._line(4, f"too_many(i, (p, {key!r}, None), {element.maximum})")

    def _validator(self, element: Element) -> str:
        if element.shape is None:
            self._source.types.add(element.types[0].code)
        return function_name(element.shape or element.types[0].code)

    def _coded(self, element: Element, depth: int, variable: str, place: str) -> None:
        """A required binding on a structured value, and the types that a Reference may be to."""
        type_ = element.types[0].code
        if element.binding and type_ in _CODED:
            rule = self._constant("B", CodedRule(type_, terminology.required_codings(element.binding), element.binding))
            self._line(depth, f"coded({variable}, {place}, i, {rule})")
        targets = element.types[0].targets
        if type_ == "Reference" and targets and "Resource" not in targets:
            self._line(depth, f"targeted({variable}, {place}, i, {self._constant('T', frozenset(targets))})")

    def _mandatory_choice(self, element: Element) -> None:
        keys = [key for key, _ in element.keys]
        if not element.choice:
            test = " and ".join(f"{key!r} not in o" for key in keys)
        else:
            both = frozenset(keys) | frozenset(f"_{key}" for key, ref in element.keys if is_primitive(ref.code))
            test = f"{self._constant('K', both)}.isdisjoint(o)"
        self._line(1, f"if {test}:")
        self._line(2, f"missing(i, p, {element.name + ('[x]' if element.choice else '')!r})")

    def _walk_table(self) -> "WalkTable":
        table = WalkTable(self._shape.name, self._shape.kind == "resource", frozenset(e.name for e in self._inline))
        for element in self._shape.elements:
            for key, ref in element.keys:
                if element not in self._inline:
                    codes = (element.binding,) if element.binding else (None,)
                    table.rules[key] = WalkRule(
                        ref.code, element.repeats, element.name if element.choice else None, ref.targets, codes[0]
                    )
                if is_primitive(ref.code) and ref.code != "xhtml":
                    stem = element.name if element.choice else None
                    table.siblings[f"_{key}"] = (key, element.repeats, stem)
        return table

    def _own_constraints(self, element: Element, primitive: bool) -> None:
        """What an element of a data type must hold here beyond its type (an Organization has no home address)."""
        shape = element.shape or element.types[0].code
        for key in element.constraints:
            inner = "y" if element.repeats else "v"
            condition = self._translate(key, shape, inner) if not primitive else self._deferred_on(key, element)
            if condition is None:
                continue
            place = f"(p, {element.name!r}, {'x' if element.repeats else None})"
            if element.repeats:
                self._line(2, "if not i:")
                self._line(3, "for x, y in enumerate(v):")
                self._line(4, f"if y is not None and not {condition}: broken(i, {place}, {key!r})")
            else:
                self._line(2, f"if not i and not {condition}: broken(i, {place}, {key!r})")

    def _deferred_on(self, key: str, element: Element) -> str | None:
        constraint = definitions.constraints()[key]
        if constraint.severity != "error":
            return None
        return self._defer(parse(constraint.expression), element.types[0].code, "y" if element.repeats else "v")

    def _invariants(self) -> None:
        for key in self._shape.constraints:
            condition = self._translate(key, self._shape.name, "o")
            if condition is not None:
                self._line(1, f"if not i and not {condition}: broken(i, p, {key!r})")

    def _translate(self, key: str, shape: str, variable: str) -> str | None:
        return Translator(self._defer).condition(key, shape, variable)

    def _defer(self, expression: Expression, shape: str, variable: str) -> str:
        name = f"D_{self._name[2:]}_{len(self._source.deferred)}"
        self._source.deferred[name] = (expression, shape)
        return f"{name}({variable}, c)"


class PrimitiveRule(msgspec.Struct, frozen=True):
    """How to check an array of primitives."""

    key: str
    type: str
    codes: Any
    value_set: str | None


class CodedRule(msgspec.Struct, frozen=True):
    """The pairs of which a structured code must have one."""

    type: str
    codings: frozenset[tuple[str, str]]
    value_set: str


class WalkRule(msgspec.Struct, frozen=True):
    """How to check an element that is not looked up by name: `choice` is the stem of a choice."""

    type: str
    repeats: bool
    choice: str | None
    targets: tuple[str, ...]
    value_set: str | None


class WalkTable(msgspec.Struct):
    """What may remain in an object once its plain elements are counted."""

    shape: str
    is_resource: bool
    inline: frozenset[str]
    rules: dict[str, WalkRule] = msgspec.field(default_factory=dict[str, WalkRule])
    siblings: dict[str, tuple[str, bool, str | None]] = msgspec.field(
        default_factory=dict[str, tuple[str, bool, str | None]]
    )


Validator = Callable[[Any, Any, Any, Any], None]
