"""The table of interactions: which handler answers which shape of path and which method."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final

from ambroise.fhir.definitions import is_resource_type, resource_types
from ambroise.interfaces.fhir_rest.app import Handler
from ambroise.interfaces.fhir_rest.http import Call
from ambroise.kernel.errors import Kind, Refusal

Methods = Mapping[str, Handler]
Table = Mapping[str, Methods]
"""Keys are shapes: `` (the base), `metadata`, `_history`, `_search`, `Type`, `Type/_search`, `Type/_history`,
`Type/id`, `Type/id/_history`, `Type/id/_history/version`; operations are `$name`, `Type/$name`, `Type/id/$name`."""
_WORDS: Final = frozenset({"metadata", "_history", "_search"})
SMART: Final = (".well-known", "smart-configuration")
_ID: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")


def router(table: Table, own: Mapping[str, Table]) -> Callable[[Call], Handler]:
    """The function that finds the handler of a call; it raises NOT_FOUND or UNSUPPORTED (405) with what exists.

    `own` gives the interactions that some types have of their own, added to those of `table` or in their place.
    """
    tables = {name: _merged(table, additions) for name, additions in own.items()}

    def route(call: Call) -> Handler:
        shape = shape_of(call.segments)
        here = tables.get(call.segments[0], table) if call.segments else table
        methods = here.get(shape)
        if methods is None:
            raise _nothing_there(call)
        handler = methods.get("GET" if call.method == "HEAD" else call.method)
        if handler is None:
            raise not_allowed(call.method, methods)
        return handler

    return route


def shape_of(segments: tuple[str, ...]) -> str:
    """The shape of a path: types become `Type`, ids `id`, versions `version`; words of the standard stay."""
    if not segments:
        return ""
    first = segments[0]
    if segments == SMART:
        return "/".join(SMART)
    if len(segments) == 1 and (first in _WORDS or first.startswith("$")):
        return first
    if not is_resource_type(first):
        raise unknown_type(first)
    shape = ["Type"]
    for place, segment in enumerate(segments[1:], start=1):
        if segment in _WORDS or segment.startswith("$"):
            shape.append(segment)
        else:
            shape.append("id" if place == 1 else "version" if place == 3 else "?")
    return "/".join(shape)


def is_id(text: str) -> bool:
    """Whether a text has the form of a logical id."""
    return 0 < len(text) <= 64 and _ID.issuperset(text)


def unknown_type(name: str) -> Refusal:
    """404 for a path that names no resource type, with the nearest one."""
    near = get_close_matches(name, resource_types(), n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return Refusal(Kind.NOT_FOUND, "RESOURCE_TYPE_UNKNOWN", f"`{name[:100]}` is not an R4 resource type.{hint}")


def not_allowed(method: str, methods: Methods) -> Refusal:
    """405, with the methods that are allowed here."""
    names: set[str] = set(methods)
    if "GET" in names:
        names.add("HEAD")
    allowed = ", ".join(sorted(names))
    text = f"{method} is not possible here; allowed: {allowed}."
    return Refusal(Kind.UNSUPPORTED, "METHOD_NOT_ALLOWED", text, data={"allow": allowed})


def _merged(table: Table, additions: Table) -> Table:
    return {shape: {**table.get(shape, {}), **additions.get(shape, {})} for shape in {*table, *additions}}


def _nothing_there(call: Call) -> Refusal:
    path = "/".join(call.segments)[:200]
    operation = any(segment.startswith("$") for segment in call.segments)
    what = "is not an operation of this server" if operation else "is not an interaction of FHIR"
    return Refusal(Kind.NOT_FOUND, "INTERACTION_UNKNOWN", f"`{path}` {what}; see metadata for what is.")
