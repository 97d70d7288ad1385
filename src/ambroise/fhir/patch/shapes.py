"""What FHIRPath Patch must know of the standard: whether an element repeats, and the types of a choice."""

from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from ambroise.fhir import definitions


class Child(Struct, frozen=True):
    """One child element. `path` is where its own children are described: a type name, or a backbone path."""

    path: str
    many: bool
    choices: tuple[str, ...] = ()
    """The type names of a choice element (`value[x]`), empty otherwise."""


Shapes = Callable[[str, str], Child | None]
"""(path of the parent, element name without [x]) → the child, or None when the standard has no such element."""


def choice_key(name: str, type_name: str) -> str:
    """The JSON name of a choice element: value + Quantity → valueQuantity."""
    return name + type_name[:1].upper() + type_name[1:]


@lru_cache(maxsize=2048)
def standard(path: str, name: str) -> Child | None:
    """The child as the R4 definitions describe it."""
    try:
        element = definitions.shape(path).element(name)
    except KeyError:
        return None
    # The `value` of a primitive is the JSON value itself, not a child that a patch could reach.
    if element is None or (name == "value" and definitions.shape(path).kind == "primitive"):
        return None
    if element.choice:
        return Child("", element.repeats, tuple(ref.code for ref in element.types))
    return Child(element.shape or element.types[0].code, element.repeats)
