"""Short words to walk a CDA tree: paths without namespaces, absent elements as None."""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeAlias

from lxml import etree

__all__ = [
    "HL7",
    "XSI_TYPE",
    "Element",
    "attribute",
    "children",
    "local",
    "many",
    "one",
    "text",
    "with_attribute",
    "xsi_type",
]

Element: TypeAlias = etree._Element  # pyright: ignore[reportPrivateUsage]  # lxml has no public name for it.

HL7 = "urn:hl7-org:v3"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def one(element: Element | None, path: str) -> Element | None:
    """The first element at `path` (names of the HL7 namespace, `a/b`), or None."""
    if element is None:
        return None
    steps = _steps(path)
    return next(element.iterchildren(steps[0]), None) if len(steps) == 1 else _first(element, steps, 0)


def many(element: Element | None, path: str) -> list[Element]:
    """Every element at `path`, in document order."""
    if element is None:
        return []
    steps = _steps(path)
    return list(element.iterchildren(steps[0])) if len(steps) == 1 else list(_walk(element, steps, 0))


def attribute(element: Element | None, name: str, path: str | None = None) -> str | None:
    """An attribute without surrounding spaces, or None when it is absent or empty."""
    node = one(element, path) if path else element
    value = None if node is None else node.get(name)
    return (value.strip() or None) if value else None


def text(element: Element | None, path: str | None = None) -> str | None:
    """All the text inside an element with spaces collapsed, or None when there is none."""
    node = one(element, path) if path else element
    if node is None:
        return None
    words = "".join(map(str, node.itertext())) if len(node) else node.text
    return " ".join(words.split()) or None if words else None


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element | None) -> Iterator[Element]:
    """The child elements."""
    return iter(()) if element is None else element.iterchildren(tag="*")


def xsi_type(element: Element | None) -> str | None:
    """The HL7 data type that `xsi:type` gives to a value, without its prefix."""
    written = attribute(element, XSI_TYPE)
    return written.rpartition(":")[2] if written else None


def _first(element: Element, steps: tuple[str, ...], depth: int) -> Element | None:
    inside = element.iterchildren(steps[depth])
    if depth == len(steps) - 1:
        return next(inside, None)
    for child in inside:
        found = _first(child, steps, depth + 1)
        if found is not None:
            return found
    return None


def _walk(element: Element, steps: tuple[str, ...], depth: int) -> Iterator[Element]:
    # Walking children by name costs a tenth of what a path query does, and a header asks hundreds of them.
    if depth == len(steps) - 1:
        return element.iterchildren(steps[depth])
    return (found for child in element.iterchildren(steps[depth]) for found in _walk(child, steps, depth + 1))


def with_attribute(root: Element, name: str) -> list[Element]:
    """The elements that have an attribute, in document order, found without a look at each of them from here."""
    return [found.getparent() for found in _attributes(name)(root)]


@cache
def _attributes(name: str) -> Any:
    return etree.XPath(f"//@{name}")


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(f"{{{HL7}}}{part}" for part in path.split("/"))
