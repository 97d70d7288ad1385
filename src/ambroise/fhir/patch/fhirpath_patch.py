"""FHIRPath Patch (FHIR R4, fhirpatch.html): the operations of a Parameters resource applied to a resource."""

from copy import deepcopy
from typing import Any, cast

from msgspec import Struct

from ambroise.fhir.patch.errors import malformed, not_applicable
from ambroise.fhir.patch.json_patch import MAX_OPERATIONS
from ambroise.fhir.patch.locator import Focus, locate
from ambroise.fhir.patch.nodes import Node, remove
from ambroise.fhir.patch.shapes import Child, Shapes, choice_key, standard

Json = Any
_TYPES = ("add", "insert", "delete", "replace", "move")
_MAX_PART_DEPTH = 20


def apply_fhirpath_patch(resource: dict[str, Json], parameters: Json, shapes: Shapes = standard) -> dict[str, Json]:
    """The resource after every operation, or a Refusal: all or nothing, and the argument is left as it was."""
    patched = deepcopy(resource)
    for operation in _operations(parameters):
        _apply(patched, operation, shapes)
    return patched


class _Value(Struct, frozen=True):
    """The value of an operation: its JSON, its type when the parameter says one, what a primitive carries beside."""

    json: Json
    type_name: str | None
    beside: Json = None


class _Operation(Struct, frozen=True):
    number: int
    type: str
    path: str
    parts: dict[str, dict[str, Json]]

    def integer(self, name: str) -> int:
        value = self._field(name).get("valueInteger")
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise malformed(f"operation {self.number}: `{name}` must be a valueInteger of 0 or more.")
        return value

    def name(self) -> str:
        value = self._field("name").get("valueString")
        if not isinstance(value, str) or not value:
            raise malformed(f"operation {self.number}: `name` must be a valueString.")
        return value

    def value_part(self) -> dict[str, Json]:
        return self._field("value")

    def _field(self, name: str) -> dict[str, Json]:
        if name not in self.parts:
            raise malformed(f"operation {self.number}: `{self.type}` needs the part `{name}`.")
        return self.parts[name]


def _operations(parameters: Json) -> list[_Operation]:
    if not isinstance(parameters, dict) or cast("dict[str, Json]", parameters).get("resourceType") != "Parameters":
        raise malformed("A FHIRPath Patch is a Parameters resource.")
    listed = cast("dict[str, Json]", parameters).get("parameter")
    if not isinstance(listed, list) or not listed:
        raise malformed("This Parameters holds no `operation`.")
    entries = cast("list[Json]", listed)
    if len(entries) > MAX_OPERATIONS:
        raise malformed(f"A patch holds at most {MAX_OPERATIONS} operations; this one has {len(entries)}.")
    return [_operation(number, entry) for number, entry in enumerate(entries)]


def _operation(number: int, entry: Json) -> _Operation:
    if not isinstance(entry, dict) or cast("dict[str, Json]", entry).get("name") != "operation":
        raise malformed(f"parameter {number} must have the name `operation`.")
    parts: dict[str, dict[str, Json]] = {}
    for part in _parts(cast("dict[str, Json]", entry)):
        name = part.get("name")
        if not isinstance(name, str) or name in parts:
            raise malformed(f"operation {number}: each part has its own name.")
        parts[name] = part
    kind = parts.get("type", {}).get("valueCode")
    if kind not in _TYPES:
        raise malformed(f"operation {number}: `type` must be a valueCode among {', '.join(_TYPES)}.")
    path = parts.get("path", {}).get("valueString")
    if not isinstance(path, str):
        raise malformed(f"operation {number}: `path` must be a valueString holding a FHIRPath.")
    return _Operation(number, kind, path, parts)


def _parts(holder: dict[str, Json]) -> list[dict[str, Json]]:
    listed = holder.get("part")
    entries = cast("list[Json]", listed) if isinstance(listed, list) else []
    if not all(isinstance(part, dict) for part in entries):
        raise malformed("Every part of a parameter is an object.")
    return cast("list[dict[str, Json]]", entries)


def _apply(resource: dict[str, Json], operation: _Operation, shapes: Shapes) -> None:
    focus = locate(operation.path, resource, shapes)
    match operation.type:
        case "add":
            _add(_only(focus, operation), operation, shapes)
        case "insert":
            _insert(_list_of(focus, operation), operation, shapes)
        case "delete":
            _delete(focus, operation)
        case "replace":
            _replace(_only(focus, operation), operation, shapes)
        case _:
            _move(_list_of(focus, operation), operation)


def _only(focus: Focus, operation: _Operation) -> Node:
    if len(focus) != 1:
        raise not_applicable(
            f"operation {operation.number}: `{operation.path}` must designate one element, it designates {len(focus)}."
        )
    return focus[0]


def _list_of(focus: Focus, operation: _Operation) -> Node:
    """Any item of the one list that the path designates."""
    if not focus:
        raise not_applicable(
            f"operation {operation.number}: `{operation.path}` designates nothing; `add` begins a list."
        )
    first = focus[0]
    if any(node.holder is not first.holder or node.key != first.key or node.index is None for node in focus):
        raise not_applicable(f"operation {operation.number}: `{operation.path}` must designate the items of one list.")
    return first


def _add(target: Node, operation: _Operation, shapes: Shapes) -> None:
    name = operation.name()
    child = shapes(target.path, name)
    if child is None:
        raise not_applicable(f"operation {operation.number}: {target.path or 'this value'} has no element `{name}`.")
    value = _value(operation.value_part(), child, shapes)
    fields = _fields_of(target)
    key = _key(name, child, value, operation)
    taken = [key] if not child.choices else [choice_key(name, choice) for choice in child.choices]
    if not child.many and any(each in fields or "_" + each in fields for each in taken):
        raise not_applicable(f"operation {operation.number}: `{name}` has a value already; use `replace`.")
    if child.many:
        existing = fields.get(key)
        count = len(cast("list[Json]", existing)) if isinstance(existing, list) else 0
        _put_in_list(fields, key, count, value)
    else:
        _put(fields, key, value)


def _fields_of(target: Node) -> dict[str, Json]:
    """Where the children of the target are written; for a primitive, the object beside it, made when it is missing."""
    value: Json = target.value
    if isinstance(value, dict):
        return cast("dict[str, Json]", value)
    if target.holder is None:
        raise not_applicable("Nothing can be added to a computed value.")
    beside_key = "_" + target.key
    if target.index is None:
        return cast("dict[str, Json]", target.holder.setdefault(beside_key, {}))
    values = cast("list[Json]", target.holder.get(target.key) or [])
    beside = cast("list[Json]", target.holder.setdefault(beside_key, [None] * len(values)))
    if beside[target.index] is None:
        beside[target.index] = {}
    return cast("dict[str, Json]", beside[target.index])


def _key(name: str, child: Child, value: _Value, operation: _Operation) -> str:
    if not child.choices:
        return name
    for choice in child.choices:
        if value.type_name is not None and choice.lower() == value.type_name.lower():
            return choice_key(name, choice)
    raise not_applicable(f"operation {operation.number}: `{name}` accepts {', '.join(child.choices)}.")


def _put(fields: dict[str, Json], key: str, value: _Value) -> None:
    if value.json is not None:
        fields[key] = value.json
    if value.beside is not None:
        fields["_" + key] = value.beside


def _put_in_list(fields: dict[str, Json], key: str, index: int, value: _Value) -> None:
    beside_key = "_" + key
    items = cast("list[Json]", fields.setdefault(key, []))
    if value.beside is not None and beside_key not in fields:
        fields[beside_key] = [None] * len(items)
    if beside_key in fields:
        beside = cast("list[Json]", fields[beside_key])
        beside.extend([None] * (len(items) - len(beside)))
        beside.insert(index, value.beside)
    items.insert(index, value.json)


def _insert(item: Node, operation: _Operation, shapes: Shapes) -> None:
    holder = cast("dict[str, Json]", item.holder)
    count = len(cast("list[Json]", holder[item.key]))
    index = operation.integer("index")
    if index > count:
        raise not_applicable(f"operation {operation.number}: the list has {count} items, there is no place {index}.")
    child = Child(path=item.path, many=True)
    _put_in_list(holder, item.key, index, _value(operation.value_part(), child, shapes))


def _delete(focus: Focus, operation: _Operation) -> None:
    if len(focus) > 1:
        raise not_applicable(
            f"operation {operation.number}: `{operation.path}` designates {len(focus)} elements, `delete` takes one."
        )
    for node in focus:
        if node.holder is None:
            raise not_applicable(
                f"operation {operation.number}: a patch does not delete the resource itself; use DELETE."
            )
        remove(node)


def _replace(node: Node, operation: _Operation, shapes: Shapes) -> None:
    holder = node.holder
    if holder is None:
        raise not_applicable(f"operation {operation.number}: a patch does not replace the resource itself; use PUT.")
    described = shapes(node.parent.path, node.name) if node.parent else None
    child = described or Child(path=node.path, many=node.index is not None)
    value = _value(operation.value_part(), child, shapes)
    if node.index is not None:
        _replace_in_list(holder, node.key, node.index, value)
        return
    key = _key(node.name, child, value, operation)
    holder.pop(node.key, None)
    holder.pop("_" + node.key, None)
    _put(holder, key, value)


def _replace_in_list(holder: dict[str, Json], key: str, index: int, value: _Value) -> None:
    cast("list[Json]", holder[key])[index] = value.json
    beside = cast("list[Json]", holder.get("_" + key) or [])
    if value.beside is not None or index < len(beside):
        beside.extend([None] * (index + 1 - len(beside)))
        beside[index] = value.beside
        holder["_" + key] = beside
        if not any(place is not None for place in beside):
            del holder["_" + key]


def _move(item: Node, operation: _Operation) -> None:
    holder = cast("dict[str, Json]", item.holder)
    count = len(cast("list[Json]", holder[item.key]))
    source, destination = operation.integer("source"), operation.integer("destination")
    if source >= count or destination >= count:
        raise not_applicable(f"operation {operation.number}: the list has {count} items.")
    for key in (item.key, "_" + item.key):
        items = holder.get(key)
        if isinstance(items, list):
            places = cast("list[Json]", items)
            places.extend([None] * (count - len(places)))
            places.insert(destination, places.pop(source))


def _value(part: dict[str, Json], child: Child, shapes: Shapes, depth: int = 0) -> _Value:
    """What a `value` part holds: one value[x], a resource, or an element without a type of its own made of parts."""
    if depth > _MAX_PART_DEPTH:
        raise malformed("The parts of a value are nested too deeply.")
    if "resource" in part:
        return _Value(deepcopy(part["resource"]), "Resource")
    for key in part:
        plain = key.removeprefix("_")
        if plain.startswith("value") and plain != "value":
            return _Value(deepcopy(part.get(plain)), plain.removeprefix("value"), deepcopy(part.get("_" + plain)))
    if not _parts(part):
        raise malformed("The part `value` holds no value: give a value[x], a `resource`, or parts.")
    return _Value(_assembled(part, child, shapes, depth), None)


def _assembled(part: dict[str, Json], child: Child, shapes: Shapes, depth: int) -> dict[str, Json]:
    """A backbone element, written as one part for each of its children."""
    built: dict[str, Json] = {}
    for inner in _parts(part):
        name = inner.get("name")
        described = shapes(child.path, name) if isinstance(name, str) else None
        if not isinstance(name, str) or described is None:
            raise not_applicable(f"{child.path or 'this element'} has no element `{name}`.")
        value = _value(inner, described, shapes, depth + 1)
        key = name
        if described.choices and value.type_name:
            key = choice_key(name, value.type_name)
        if described.many:
            items = built.get(key)
            _put_in_list(built, key, len(cast("list[Json]", items)) if isinstance(items, list) else 0, value)
        else:
            _put(built, key, value)
    return built
