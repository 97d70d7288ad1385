"""The extractor of each resource type: Python generated from its search parameters, compiled when first used."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec

from ambroise.fhir import definitions, terminology
from ambroise.fhir.definitions import SearchParameter
from ambroise.fhir.paths import entries, ranges
from ambroise.fhir.paths.extracted import Extracted
from ambroise.fhir.paths.plans import Follow, KeepEqual, KeepFirst, KeepReference, Plan, Step, ToContained, plans
from ambroise.fhir.paths.syntax import Binary, Call, Literal, Member, PathError, parse

# Composite parameters are read from the parts that they repeat; `near` needs geography.
_WITHOUT_ENTRIES: Final = frozenset({"composite", "special"})
_TEXT_TYPES: Final = frozenset({"string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid"})
_NUMBER_TYPES: Final = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
_QUANTITY_TYPES: Final = frozenset(
    {"Quantity", "SimpleQuantity", "MoneyQuantity", "Age", "Duration", "Count", "Distance"}
)
_LISTS: Final = ("tokens", "strings", "texts", "typed", "references", "dates", "numbers", "uris")
_DATE_TYPES: Final = frozenset({"date", "dateTime", "instant"})


def extract(resource: dict[str, Any]) -> Extracted:
    """The index entries of a valid resource for every search parameter of its type."""
    into = Extracted()
    extractor(resource["resourceType"])(resource, into)
    return into


Extractor = Callable[[dict[str, Any], Extracted], None]


@cache
def extractor(type_: str) -> Extractor:
    """The compiled extractor of a resource type. Raises KeyError for what is not one."""
    definitions.type_number(type_)
    names: dict[str, Any] = {
        "target": entries.target,
        "may_be": entries.may_be,
        "contained": entries.contained,
        "name_parts": entries.name_parts,
        "address_parts": entries.address_parts,
        "canonical_forms": entries.canonical_forms,
        "add_quantity": entries.add_quantity,
        "add_limits": entries.add_limits,
        "add_money": entries.add_money,
        "add_samples": entries.add_samples,
        "date_range": ranges.date_range,
        "period_range": ranges.period_range,
        "timing_range": ranges.timing_range,
        "Decimal": Decimal,
        "limits_range": ranges.limits_range,
    }
    # The source is made from the committed definitions alone; nothing that a client sends is in it.
    exec(compile(source(type_), f"<extractor of {type_}>", "exec"), names)  # noqa: S102
    return names["extract"]


class _Branch(msgspec.Struct):
    """What to do with a value: the entries to make of it, and where to go from it."""

    leaves: list[tuple[SearchParameter, Plan]] = msgspec.field(default_factory=list[tuple[SearchParameter, Plan]])
    steps: "dict[Step, _Branch]" = msgspec.field(default_factory=dict[Step, "_Branch"])


def source(type_: str) -> str:
    """The Python of the extractor of a resource type."""
    root = _Branch()
    computed: list[SearchParameter] = []
    for parameter in definitions.search_parameters(type_).values():
        if parameter.type in _WITHOUT_ENTRIES:
            continue
        try:
            found = plans(type_, parameter.expression)
        except PathError:
            computed.append(parameter)
            continue
        for plan in found:
            branch = root
            for step in plan.steps:
                branch = branch.steps.setdefault(step, _Branch())
            branch.leaves.append((parameter, plan))
    writer = _Writer()
    writer.branch(root, "root", 1)
    for parameter in computed:
        writer.computed(type_, parameter)
    return writer.text()


class _Writer:
    def __init__(self) -> None:
        self._lines = ["def extract(root, into):", f"    {'; '.join(f'{name} = into.{name}' for name in _LISTS)}"]
        self._count = 0

    def text(self) -> str:
        return "\n".join([*self._lines, "    return None", ""])

    def line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def branch(self, branch: _Branch, value: str, depth: int) -> None:
        self._leaves(branch.leaves, value, depth)
        for step, following in branch.steps.items():
            self._step(step, following, value, depth)

    def _step(self, step: Step, following: _Branch, value: str, depth: int) -> None:
        match step:
            case Follow(key, repeats, _):
                inner = self.name()
                self.line(depth, f"if {key!r} in {value}:")
                self.line(depth + 1, f"{inner} = {value}[{key!r}]")
                if repeats and isinstance(next(iter(following.steps), None), KeepFirst):
                    (only,) = following.steps.values()
                    self.line(depth + 1, f"{inner} = {inner}[0]")
                    self.branch(only, inner, depth + 1)
                elif repeats:
                    item = self.name()
                    self.line(depth + 1, f"for {item} in {inner}:")
                    # Arrays of primitives hold nulls where only an extension is given.
                    self.line(depth + 2, f"if {item} is not None:")
                    self.branch(following, item, depth + 3)
                else:
                    self.branch(following, inner, depth + 1)
            case KeepEqual(key, wanted):
                self.line(depth, f"if {value}.get({key!r}) == {wanted!r}:")
                self.branch(following, value, depth + 1)
            case KeepReference(type_):
                self.line(depth, f"if may_be({type_!r}, {value}, root):")
                self.branch(following, value, depth + 1)
            case ToContained(type_):
                inner = self.name()
                self.line(depth, f"{inner} = contained({type_!r}, {value}, root)")
                self.line(depth, f"if {inner} is not None:")
                self.branch(following, inner, depth + 1)
            case KeepFirst():
                self.branch(following, value, depth)
        if self._lines[-1].endswith(":"):
            self.line(depth + 3, "pass")

    def _leaves(self, leaves: list[tuple[SearchParameter, Plan]], value: str, depth: int) -> None:
        kinds = dict.fromkeys((parameter.type, plan.shape) for parameter, plan in leaves)
        for kind, shape in kinds:
            numbers = dict.fromkeys(p.number for p, plan in leaves if (p.type, plan.shape) == (kind, shape))
            plan = next(plan for p, plan in leaves if (p.type, plan.shape) == (kind, shape))
            for text in _entry_lines(kind, shape, tuple(numbers), value, plan):
                self.line(depth, text)

    def computed(self, type_: str, parameter: SearchParameter) -> None:
        """A token that is a condition: whether a choice is there and is not false (Patient.deceased)."""
        match parse(parameter.expression):
            case Binary(
                "and", Call(Member(_, name), "exists", ()), Binary("!=", Member(_, other), Literal(False, _))
            ) if name == other:
                element = definitions.shape(type_).element(name)
                keys = [key for key, _ in element.keys] if element else []
            case _:
                raise PathError(f"{parameter.url} needs more than navigation.")
        found = " or ".join(f"root.get({key!r}, False) is not False" for key in keys)
        self.line(1, f"tokens.append(({parameter.number}, None, 'true' if {found} else 'false'))")


def _entry_lines(kind: str, shape: str, numbers: tuple[int, ...], value: str, plan: Plan) -> Iterable[str]:
    match kind:
        case "token":
            return _token_lines(shape, numbers, value, plan)
        case "string":
            return _string_lines(shape, numbers, value)
        case "reference":
            return _reference_lines(shape, numbers, value)
        case "date":
            return _date_lines(shape, numbers, value)
        case "number":
            return _number_lines(shape, numbers, value)
        case "quantity":
            return _quantity_lines(shape, numbers, value)
        case _:
            return [f"uris.append(({number}, {value}))" for number in numbers if shape in _TEXT_TYPES]


def _token_lines(shape: str, numbers: tuple[int, ...], value: str, plan: Plan) -> Iterable[str]:
    if shape == "CodeableConcept":
        yield f"for c in {value}.get('coding', ()):"
        yield "    s = c.get('system'); k = c.get('code'); d = c.get('display')"
        for number in numbers:
            yield f"    tokens.append(({number}, s, k))"
        yield "    if d is not None:"
        for number in numbers:
            yield f"        texts.append(({number}, d))"
        yield f"d = {value}.get('text')"
        yield "if d is not None:"
        for number in numbers:
            yield f"    texts.append(({number}, d))"
    elif shape == "Coding":
        yield f"s = {value}.get('system'); k = {value}.get('code'); d = {value}.get('display')"
        for number in numbers:
            yield f"tokens.append(({number}, s, k))"
        yield "if d is not None:"
        for number in numbers:
            yield f"    texts.append(({number}, d))"
    elif shape == "Identifier":
        yield f"k = {value}.get('value'); s = {value}.get('system'); t = {value}.get('type')"
        yield "if k is not None:"
        for number in numbers:
            yield f"    tokens.append(({number}, s, k))"
        yield "    if t is not None:"
        yield "        for c in t.get('coding', ()):"
        for number in numbers:
            yield f"            typed.append(({number}, c.get('system'), c.get('code'), k))"
        yield "        d = t.get('text')"
        yield "        if d is not None:"
        for number in numbers:
            yield f"            texts.append(({number}, d))"
    elif shape == "ContactPoint":
        yield f"k = {value}.get('value')"
        yield "if k is not None:"
        for number in numbers:
            yield f"    tokens.append(({number}, {value}.get('use'), k))"
    elif shape == "boolean":
        for number in numbers:
            yield f"tokens.append(({number}, None, 'true' if {value} else 'false'))"
    elif shape in _TEXT_TYPES:
        system = terminology.only_system(plan.element.binding) if plan.element and plan.element.binding else None
        for number in numbers:
            yield f"tokens.append(({number}, {system!r}, {value}))"


def _string_lines(shape: str, numbers: tuple[int, ...], value: str) -> Iterable[str]:
    if shape in _TEXT_TYPES:
        for number in numbers:
            yield f"strings.append(({number}, {value}))"
    elif shape in ("HumanName", "Address"):
        parts = "name_parts" if shape == "HumanName" else "address_parts"
        yield f"for d in {parts}({value}):"
        for number in numbers:
            yield f"    strings.append(({number}, d))"


def _reference_lines(shape: str, numbers: tuple[int, ...], value: str) -> Iterable[str]:
    if shape == "Reference":
        yield f"t = target({value})"
        yield "if t is not None:"
        for number in numbers:
            yield f"    references.append(({number}, *t))"
    elif shape in _TEXT_TYPES:
        yield f"for t in canonical_forms({value}):"
        for number in numbers:
            yield f"    references.append(({number}, t, None))"


def _date_lines(shape: str, numbers: tuple[int, ...], value: str) -> Iterable[str]:
    if shape in _DATE_TYPES:
        yield f"l, h = date_range({value})"
        for number in numbers:
            yield f"dates.append(({number}, l, h))"
    elif shape in ("Period", "Timing"):
        yield f"t = {shape.lower()}_range({value})"
        yield "if t is not None:"
        for number in numbers:
            yield f"    dates.append(({number}, *t))"


def _number_lines(shape: str, numbers: tuple[int, ...], value: str) -> Iterable[str]:
    if shape in _NUMBER_TYPES:
        yield f"l = Decimal({value})"
        for number in numbers:
            yield f"numbers.append(({number}, l, l))"
    elif shape == "Range":
        yield f"t = limits_range({value})"
        yield "if t is not None:"
        for number in numbers:
            yield f"    numbers.append(({number}, *t))"


def _quantity_lines(shape: str, numbers: tuple[int, ...], value: str) -> Iterable[str]:
    helper = {"Range": "add_limits", "Money": "add_money", "SampledData": "add_samples"}.get(
        shape, "add_quantity" if shape in _QUANTITY_TYPES else None
    )
    if helper is not None:
        yield f"{helper}(into, {numbers!r}, {value})"
