"""What the checks of one resource share, and the form that every check has."""

from collections.abc import Callable
from typing import Any

from ambroise.fhir.validation.findings import Issues, Place


class Context:
    """The resource at hand, the root that contains it, and the references to contained resources met so far."""

    __slots__ = ("depth", "local", "resource", "root")

    def __init__(self, resource: dict[str, Any], root: dict[str, Any]) -> None:
        self.resource = resource
        self.root = root
        self.local: list[tuple[str, Place]] = []
        self.depth = 0


Check = Callable[[Any, Place, Issues, Context], None]
