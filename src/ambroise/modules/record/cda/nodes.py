"""Short words to walk a CDA tree: paths without namespaces, absent elements as None."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element

__all__ = ["HL7", "XSI_TYPE", "Element", "attribute", "children", "local", "many", "one", "text", "xsi_type"]

HL7 = "urn:hl7-org:v3"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


class _Paths(dict[str, tuple[str, ...]]):
    """The qualified names along each path that this code asks for, made when it is first asked."""

    def __missing__(self, path: str) -> tuple[str, ...]:
        steps = self[path] = tuple(f"{{{HL7}}}{name}" for name in path.split("/"))
        return steps


_PATHS = _Paths()


def one(element: Element | None, path: str) -> Element | None:
    """The first element at `path` (names of the HL7 namespace, `a/b`), or None."""
    if element is None:
        return None
    found, steps = element, _PATHS[path]
    for step in steps:
        found = found.find(step)
        if found is None:
            # Where the first branch ends too soon, another may go on.
            return next(iter(_along(element, steps)), None) if steps[1:] else None
    return found


def many(element: Element | None, path: str) -> list[Element]:
    """Every element at `path`, in document order."""
    return [] if element is None else _along(element, _PATHS[path])


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
    words = "".join(node.itertext()) if len(node) else node.text
    return " ".join(words.split()) or None if words else None


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element | None) -> Iterable[Element]:
    """The child elements."""
    return () if element is None else element


def xsi_type(element: Element | None) -> str | None:
    """The HL7 data type that `xsi:type` gives to a value, without its prefix."""
    written = attribute(element, XSI_TYPE)
    return written.rpartition(":")[2] if written else None


def _along(element: Element, steps: tuple[str, ...]) -> list[Element]:
    found = element.findall(steps[0])
    for step in steps[1:]:
        found = [child for holder in found for child in holder.findall(step)]
    return found
