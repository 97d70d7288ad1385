"""What a path walks on: JSON values that know their FHIR type and their place."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, cast

from ambroise.fhir import definitions
from ambroise.fhir.definitions import Element, TypeRef

_UNSET: Final = object()


class Node:
    """A value of a resource: what it is, its `_sibling`, and where it stands (`parent.value[key][index]`)."""

    __slots__ = ("extra", "index", "key", "parent", "shape", "type", "value")

    def __init__(
        self,
        value: Any,
        type_: str,
        shape: str | None = None,
        extra: dict[str, Any] | None = None,
        parent: "Node | None" = None,
        key: str = "",
        index: int | None = None,
    ) -> None:
        self.value = value
        self.type = type_
        self.shape = shape or type_
        self.extra = extra
        self.parent = parent
        self.key = key
        self.index = index

    def __repr__(self) -> str:
        return f"Node({self.location()}: {self.type})"

    def location(self) -> str:
        """The place as a FHIRPath: `Patient.contact[1].name.family`."""
        if self.parent is None:
            return self.type
        place = f"{self.parent.location()}.{self.key}"
        return place if self.index is None else f"{place}[{self.index}]"

    def child(self, name: str) -> "list[Node]":
        """The values of the element `name`; a choice is called by its stem or by its JSON key."""
        found = _elements(self.shape).get(name)
        if found is None:
            return []
        nodes: list[Node] = []
        for key, ref, element in found:
            nodes += self._read(key, ref, element)
        return nodes

    def children(self) -> "Iterator[Node]":
        """The values of every element, in the standard's order."""
        for element in definitions.shape(self.shape).elements:
            if element.name != "value" or self.type not in _PRIMITIVES:
                yield from self.child(element.name)

    def _read(self, key: str, ref: TypeRef, element: Element) -> "Iterator[Node]":
        own: Any = self.value
        holder = cast(dict[str, Any], own) if isinstance(own, dict) else self.extra
        if holder is None:
            return
        value = holder.get(key, _UNSET)
        extra = holder.get(f"_{key}") if ref.code in _PRIMITIVES else None
        if value is _UNSET:
            if extra is None:
                return
            value = [None] * len(cast(list[Any], extra)) if isinstance(extra, list) else None
        if not isinstance(value, list):
            yield self._node(value, ref, element, extra, key, None)
            return
        values = cast(list[Any], value)
        extras = cast(list[Any], extra) if isinstance(extra, list) else []
        for index, item in enumerate(values):
            beside = extras[index] if index < len(extras) else None
            if item is not None or beside is not None:
                yield self._node(item, ref, element, beside, key, index)

    def _node(self, value: Any, ref: TypeRef, element: Element, extra: Any, key: str, index: int | None) -> "Node":
        if ref.code == "Resource" and isinstance(value, dict):
            resource = cast(dict[str, Any], value)
            type_ = resource.get("resourceType")
            if isinstance(type_, str) and definitions.is_resource_type(type_):
                return Node(resource, type_, None, None, self, key, index)
        return Node(value, ref.code, element.shape, extra, self, key, index)


# fmt: off
_PRIMITIVES: Final = frozenset({
    "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer",
    "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid", "xhtml",
})
_WRITTEN_AS_TEXT: Final = frozenset({
    "string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid", "base64Binary", "xhtml", "date",
    "dateTime", "instant", "time",
})
# fmt: on
DATE_TYPES: Final = frozenset({"date", "dateTime", "instant", "time"})


@cache
def _elements(shape: str) -> Mapping[str, list[tuple[str, TypeRef, Element]]]:
    try:
        elements = definitions.shape(shape).elements
    except KeyError:
        return {}
    found: dict[str, list[tuple[str, TypeRef, Element]]] = {}
    for element in elements:
        rows = [(key, ref, element) for key, ref in element.keys]
        found[element.name] = rows
        if element.choice:
            for row in rows:
                found.setdefault(row[0], [row])
    return found


def is_primitive(type_: str) -> bool:
    """Whether a FHIR type is written as one JSON value."""
    return type_ in _PRIMITIVES


_SYSTEM_TYPES: Final = {
    "Boolean": frozenset({"boolean"}),
    "String": _WRITTEN_AS_TEXT,
    "Integer": frozenset({"integer", "positiveInt", "unsignedInt"}),
    "Decimal": frozenset({"decimal"}),
    "Date": frozenset({"date"}),
    "DateTime": frozenset({"dateTime", "instant"}),
    "Time": frozenset({"time"}),
}


@cache
def specializes(type_: str, wanted: str) -> bool:
    """Whether `type_` is `wanted` or one of its descendants; a System type holds the primitives written like it."""
    if type_ in _SYSTEM_TYPES.get(wanted, ()):
        return True
    while type_:
        if type_ == wanted:
            return True
        try:
            type_ = definitions.shape(type_).base
        except KeyError:
            return False
    return False


def type_of(item: object) -> str:
    """The type of an item of a collection: a node's FHIR type, or the System type of a computed value."""
    if isinstance(item, Node):
        return item.type
    if isinstance(item, bool):
        return "Boolean"
    if isinstance(item, int):
        return "Integer"
    return "Decimal" if isinstance(item, Decimal) else "String"
