"""What the client wants to see of each resource: all of it, a summary, some elements; compact or laid out.

The common case costs nothing: bytes that are wanted whole are not decoded.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, cast

from msgspec import Struct

from ambroise.fhir.definitions import is_resource_type, shape, summary_elements
from ambroise.fhir.json import decode, encode, encode_pretty
from ambroise.interfaces.fhir_rest.http import Pairs
from ambroise.kernel.errors import Kind, Refusal

Summary = Literal["true", "text", "data", "count", "false"]
_SUMMARIES: Final = frozenset({"true", "text", "data", "count", "false"})
SHAPING_PARAMETERS: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})
_SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}


class Shape(Struct, frozen=True):
    """The form asked for by `_summary` and `_elements`."""

    summary: Summary = "false"
    elements: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether resources go out as the store holds them."""
        return self.summary in ("false", "count") and not self.elements

    def apply(self, type_: str, body: bytes) -> bytes:
        """The bytes of one resource in this form."""
        return body if self.whole else encode(self.reduce(type_, decode(body)))

    def reduce(self, type_: str, resource: dict[str, Any]) -> dict[str, Any]:
        """The part of a resource that this form keeps, tagged SUBSETTED as the standard asks."""
        if self.whole:
            return resource
        keeps = self._keeps(type_)
        return _tagged({key: value for key, value in resource.items() if keeps(key)})

    def _keeps(self, type_: str) -> Callable[[str], bool]:
        if self.elements:
            wanted = _ALWAYS | {name.partition(".")[2] or name for name in self._elements_of(type_)} | _mandatory(type_)
            return lambda key: key.removeprefix("_") in wanted or _stem_wanted(type_, key, wanted)
        if self.summary == "data":
            return lambda key: key != "text"
        wanted = summary_elements(type_) if self.summary == "true" else _ALWAYS | {"text"} | _mandatory(type_)
        return lambda key: key.removeprefix("_") in wanted

    def _elements_of(self, type_: str) -> list[str]:
        return [name for name in self.elements if "." not in name or name.partition(".")[0] == type_]


WHOLE: Final = Shape()
_ALWAYS: Final = frozenset({"resourceType", "id", "meta"})


def shape_of(pairs: Pairs) -> Shape:
    """The form that the parameters of a request ask for. Raises INVALID for a `_summary` that does not exist."""
    asked = {name: value for name, value in pairs if name in SHAPING_PARAMETERS}
    if not asked:
        return WHOLE
    summary = asked.get("_summary", "false")
    if summary not in _SUMMARIES:
        raise Refusal(
            Kind.INVALID,
            "SEARCH_PARAMETER_MALFORMED",
            f"_summary={summary[:50]}: choose true, text, data, count or false.",
        )
    names = tuple(name.strip() for name in asked.get("_elements", "").split(",") if name.strip())
    return Shape(cast("Summary", summary), names)


def without_shape(pairs: Pairs) -> Pairs:
    """The parameters that search, and do not only shape the answer."""
    return [(name, value) for name, value in pairs if name not in SHAPING_PARAMETERS]


def pretty(body: bytes) -> bytes:
    """The same JSON laid out for people."""
    return encode_pretty(decode(body))


def _mandatory(type_: str) -> frozenset[str]:
    if not is_resource_type(type_):
        return frozenset()
    return frozenset(key for element in shape(type_).elements if element.minimum > 0 for key, _ in element.keys)


def _stem_wanted(type_: str, key: str, wanted: frozenset[str]) -> bool:
    """Whether a key such as valueQuantity is the choice element `value` that was asked for."""
    if not is_resource_type(type_):
        return False
    plain = key.removeprefix("_")
    choices = (element for element in shape(type_).elements if element.choice and element.name in wanted)
    return any(plain == choice for element in choices for choice, _ in element.keys)


def _tagged(resource: dict[str, Any]) -> dict[str, Any]:
    meta = dict(cast("dict[str, Any]", resource.get("meta") or {}))
    meta["tag"] = [*cast("list[Any]", meta.get("tag") or []), _SUBSETTED]
    resource["meta"] = meta
    return resource


def answer_pairs(pairs: Pairs) -> Pairs:
    """The parameters that every link of an answer repeats: the form of the whole answer."""
    return [(name, value) for name, value in pairs if name in ("_format", "_pretty")]
