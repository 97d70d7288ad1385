"""Places inside a resource: what a path of FHIRPath Patch designates, so that it can be changed there."""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct

from ambroise.fhir.patch.shapes import Shapes, choice_key

Json = Any


class Node(Struct, frozen=True):
    """One value with its place: `holder[key]`, or `holder[key][index]` in a repeating element.

    `name` is the element's name in the standard (`value` where `key` is `valueQuantity`); `path` describes its
    children.
    """

    value: Json
    path: str
    holder: dict[str, Json] | None = None
    key: str = ""
    name: str = ""
    index: int | None = None
    parent: Node | None = None

    @property
    def shadow(self) -> dict[str, Json]:
        """The id and extensions of a primitive, kept beside it under an underscore."""
        if self.holder is None:
            return {}
        beside: Json = self.holder.get("_" + self.key)
        if self.index is not None:
            items = cast("list[Json]", beside) if isinstance(beside, list) else []
            beside = items[self.index] if self.index < len(items) else None
        return cast("dict[str, Json]", beside) if isinstance(beside, dict) else {}


def root(resource: dict[str, Json]) -> Node:
    """The resource itself."""
    return Node(value=resource, path=str(resource.get("resourceType", "")))


def children(node: Node, name: str, shapes: Shapes) -> list[Node]:
    """The values of one child element, in order; a choice element is found under any of its types."""
    value: Json = node.value
    fields = cast("dict[str, Json]", value) if isinstance(value, dict) else node.shadow
    described = shapes(node.path, name)
    candidates = [(name, described.path if described else "")]
    if described and described.choices:
        candidates = [(choice_key(name, choice), choice) for choice in described.choices]
    return [found for key, path in candidates for found in _held(node, fields, key, name, path)]


def _held(parent: Node, fields: dict[str, Json], key: str, name: str, path: str) -> list[Node]:
    if key not in fields and "_" + key not in fields:
        return []
    value = fields.get(key)
    if not isinstance(value, list):
        return [Node(value, _path_of(value, path), fields, key, name, None, parent)]
    items = cast("list[Json]", value)
    return [Node(item, _path_of(item, path), fields, key, name, index, parent) for index, item in enumerate(items)]


def _path_of(value: Json, path: str) -> str:
    # A contained or bundled resource is described by its own type, not by the element that holds it.
    if isinstance(value, dict) and "resourceType" in value:
        return str(cast("dict[str, Json]", value)["resourceType"])
    return path


def remove(node: Node) -> None:
    """Take the node out, with what an empty holder would leave behind: FHIR has no empty object and no empty array."""
    holder, key = node.holder, node.key
    if holder is None:
        return
    if node.index is None:
        holder.pop(key, None)
        holder.pop("_" + key, None)
    else:
        _take_out(holder, key, node.index)
        _take_out(holder, "_" + key, node.index)
    if not holder and node.parent is not None:
        remove(node.parent)


def _take_out(holder: dict[str, Json], key: str, index: int) -> None:
    items = holder.get(key)
    if not isinstance(items, list):
        return
    places = cast("list[Json]", items)
    if index < len(places):
        del places[index]
    if not any(place is not None for place in places):
        del holder[key]
