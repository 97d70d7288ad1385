"""What FHIRPath Patch must know of the standard: whether an element repeats, and the types of a choice."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Child:
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
